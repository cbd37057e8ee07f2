// Where a file's upload goes on after a reload: its address on the server, under a digest of what tells the file from others.
// Kept in IndexedDB: no name of a file is stored, and the address is worth nothing without the session that began it.

const NAME = "handover-uploads";
const STORE = "places";

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function store(mode, act) {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const request = act(database.transaction(STORE, mode).objectStore(STORE));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } finally {
    database.close();
  }
}

/** Case, path, size and time of change together: another version of a file is another file. */
async function key(caseId, file) {
  const told = JSON.stringify([caseId, file.webkitRelativePath || file.name, file.size, file.lastModified]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(told));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The address of the upload that this file began, or null. A browser that keeps nothing begins anew. */
export async function recall(caseId, file) {
  try { const name = await key(caseId, file); return (await store("readonly", (places) => places.get(name))) ?? null; } catch { return null; }
}

export async function remember(caseId, file, url) {
  try { const name = await key(caseId, file); await store("readwrite", (places) => places.put(url, name)); } catch { /* it only cannot go on after a reload */ }
}

export async function forget(caseId, file) {
  try { const name = await key(caseId, file); await store("readwrite", (places) => places.delete(name)); } catch { /* nothing was kept */ }
}
