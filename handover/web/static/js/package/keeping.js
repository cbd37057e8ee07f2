// Where the plaintext waits until all of it is verified: a file of the origin's private file system, or memory.
import { Fault } from "./fault.js";

export const FOLDER = "handover-open";
/** More would not fit beside everything else in a browser's memory. */
export const MEMORY_LIMIT = 256 * 1024 * 1024;

export async function keeping(size) {
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER, { create: true });
    const name = `${crypto.randomUUID()}.part`;
    const handle = await folder.getFileHandle(name, { create: true });
    return new PrivateFile(folder, name, handle, await handle.createSyncAccessHandle());
  } catch {
    if (size > MEMORY_LIMIT) throw new Fault("no_room", "this browser has no private file system, and the file is too large for memory");
    return new Memory();
  }
}

class PrivateFile {
  #at = 0;

  constructor(folder, name, handle, access) {
    Object.assign(this, { folder, name, handle, access });
  }

  write(bytes) {
    try {
      if (this.access.write(bytes, { at: this.#at }) !== bytes.length) throw new Error("the disk is full");
    } catch (error) {
      throw new Fault("no_room", String(error.message));
    }
    this.#at += bytes.length;
  }

  async finish() {
    this.access.flush();
    this.access.close();
    return this.handle.getFile();
  }

  async discard() {
    this.access.close();
    await this.folder.removeEntry(this.name).catch(() => {});
  }
}

class Memory {
  #parts = [];

  write(bytes) {
    this.#parts.push(bytes.slice());
  }

  async finish() {
    return new Blob(this.#parts, { type: "application/zip" });
  }

  async discard() {
    this.#parts = [];
  }
}
