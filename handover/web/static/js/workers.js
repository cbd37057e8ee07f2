// Starts the few workers of these pages. Their pages demand Trusted Types: the one policy passes only our own
// static addresses, chosen from this list by name, whatever it is given.
const NAMES = ["key-worker.js", "open-worker.js"];

const policy = globalThis.trustedTypes?.createPolicy("handover-worker", { createScriptURL: address });

function address(name) {
  if (!NAMES.includes(name)) throw new TypeError(`no worker of ours: ${name}`);
  return new URL(name, import.meta.url).href;
}

export function startWorker(name) {
  return new Worker(policy ? policy.createScriptURL(name) : address(name), { type: "module" });
}

/** Questions to a worker, each with one answer: `ask({ do: "…", … })`. A fault comes back with its code. */
export class Asked {
  #worker;
  #waiting = new Map();
  #last = 0;

  constructor(name, told = () => {}) {
    this.#worker = startWorker(name);
    this.#worker.addEventListener("message", ({ data }) => {
      const open = this.#waiting.get(data.answerTo);
      if (!open) return told(data);
      this.#waiting.delete(data.answerTo);
      if (data.fault) open.reject(Object.assign(new Error(data.fault.message), data.fault));
      else open.resolve(data.value);
    });
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      for (const open of this.#waiting.values()) open.reject(Object.assign(new Error(event.message), { code: "worker_failed" }));
      this.#waiting.clear();
    });
  }

  ask(question) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...question, id });
    });
  }
}
