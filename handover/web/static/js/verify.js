// Fingerprint of a document, computed in this browser: the file is never sent.

const drop = document.getElementById("drop");
const input = document.getElementById("f-file");
const status = document.getElementById("drop-status");
const target = document.getElementById("f-sha256");
//: Documents are far smaller; more would be read into memory for nothing.
const MAX_BYTES = 256 * 1024 * 1024;

async function fingerprint(file) {
  status.textContent = drop.dataset.reading;
  try {
    if (file.size > MAX_BYTES) throw new RangeError("too large");
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    target.value = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    status.textContent = drop.dataset.done;
  } catch {
    status.textContent = drop.dataset.failed;
  }
}

drop.hidden = false;
if (globalThis.crypto?.subtle) {
  input.addEventListener("change", () => { if (input.files[0]) fingerprint(input.files[0]); });
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files[0]) fingerprint(event.dataTransfer.files[0]);
  });
} else {
  input.disabled = true;
  status.textContent = drop.dataset.insecure;
}
