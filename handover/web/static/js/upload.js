// Resumable uploads (tus): files and folders, one after another; pause, go on after a reload or a lost connection.
import { Upload, isSupported } from "../vendor/tus.js";
import { forget, recall, remember } from "./upload_places.js";

/** One of the server's segments; small enough for proxies. */
const PIECE = 64 << 20;
const RETRIES = [0, 1000, 3000, 5000, 10000, 20000];
/** An estimate is shown once it rests on this much of the recent past. */
const WINDOW_MS = 20000;
const HONEST_MS = 4000;

const root = document.getElementById("uploader");
const words = root?.dataset;
const list = document.getElementById("upload-list");
const queue = [];
let current = null;

const say = (template, ...values) => values.reduce((text, value, at) => text.replace(values.length > 1 ? `#${at + 1}` : "#", String(value)), template);

function size(bytes) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let at = 0;
  while (bytes >= 1000 && at < units.length - 1) { bytes /= 1000; at += 1; }
  return `${bytes.toFixed(at === 0 || bytes >= 100 ? 0 : 1)} ${units[at]}`;
}

function duration(seconds) {
  if (seconds < 60) return words.seconds;
  if (seconds < 5400) return say(words.minutes, Math.round(seconds / 60));
  return say(words.hours, (seconds / 3600).toFixed(1));
}

/** One file: its row, its state (waiting, running, paused, offline, done, failed), and its place on the server. */
class Transfer {
  constructor(file) {
    this.file = file;
    this.name = file.name;
    this.samples = [];
    this.element = document.getElementById("upload-row").content.firstElementChild.cloneNode(true);
    this.element.querySelector(".upload-name").textContent = file.webkitRelativePath || file.name;
    this.bar = this.element.querySelector("progress");
    this.bar.setAttribute("aria-label", file.name);
    for (const act of ["pause", "resume", "cancel"]) {
      const button = this.element.querySelector(`[data-act=${act}]`);
      button.setAttribute("aria-label", `${button.textContent}: ${file.name}`);
      button.addEventListener("click", () => this[act]());
    }
    list.append(this.element);
    this.become("waiting", words.waiting);
    if (file.size === 0) this.become("failed", words.empty);
    else if (file.size > Number(words.max)) this.become("failed", words.toolarge);
  }

  become(state, text) {
    this.state = state;
    this.element.dataset.state = state;
    this.element.querySelector(".upload-text").textContent = text;
    this.element.querySelector("[data-act=pause]").hidden = !["waiting", "running", "offline"].includes(state);
    this.element.querySelector("[data-act=resume]").hidden = !["paused", "failed"].includes(state) || this.file.size === 0;
    this.element.querySelector("[data-act=cancel]").hidden = state === "done";
    total();
  }

  async start() {
    this.become("running", say(words.running, "0%", size(this.file.size)));
    this.samples = [];
    if (!this.upload) {
      const known = await recall(words.case, this.file);
      this.upload = new Upload(this.file, {
        endpoint: words.endpoint,
        uploadUrl: known,
        chunkSize: PIECE,
        retryDelays: RETRIES,
        storeFingerprintForResuming: false,
        headers: { "X-CSRF-Token": document.body.dataset.csrf },
        metadata: { case_id: words.case, filename: this.name },
        onUploadUrlAvailable: () => remember(words.case, this.file, this.upload.url),
        onProgress: (sent, all) => this.progress(sent, all),
        onSuccess: () => this.succeed(),
        onError: (error) => this.fail(error),
      });
    }
    this.upload.start();
  }

  progress(sent, all) {
    if (this.state !== "running") return;
    const now = performance.now();
    this.bar.value = sent / all;
    this.samples = [...this.samples.filter(([at]) => now - at < WINDOW_MS), [now, sent]];
    const [[from, before]] = this.samples;
    let text = say(words.running, `${Math.floor((sent / all) * 100)}%`, size(all));
    if (now - from > HONEST_MS && sent > before) text += ` · ${say(words.left, duration((all - sent) / ((sent - before) / (now - from)) / 1000))}`;
    this.element.querySelector(".upload-text").textContent = text;
  }

  async succeed() {
    this.bar.value = 1;
    await forget(words.case, this.file);
    this.become("done", words.done);
    next();
  }

  fail(error) {
    if (this.state !== "running") return;
    if (!navigator.onLine) {
      this.become("offline", words.offline);
      return;
    }
    this.become("failed", say(words.failed, reason(error)));
    next();
  }

  async pause() {
    this.become("paused", words.paused);
    await this.upload?.abort();
    if (current === this) next();
  }

  resume() {
    this.become("waiting", words.waiting);
    if (!queue.includes(this)) queue.push(this);
    pump();
  }

  async cancel() {
    const at = queue.indexOf(this);
    if (at >= 0) queue.splice(at, 1);
    this.state = "cancelled";
    await this.upload?.abort(true).catch(() => undefined);
    await forget(words.case, this.file);
    this.element.remove();
    if (current === this) next();
    total();
  }
}

/** What the server said, in its own words where it has some. */
function reason(error) {
  try { return JSON.parse(error.originalResponse.getBody()).detail; } catch { return error.originalResponse ? String(error.originalResponse.getStatus()) : "—"; }
}

const transfers = [];

function add(files) {
  for (const file of files) {
    const transfer = new Transfer(file);
    transfers.push(transfer);
    if (transfer.state === "waiting") queue.push(transfer);
  }
  total();
  pump();
}

function pump() {
  if (current) return;
  current = queue.shift() ?? null;
  if (current && current.state !== "waiting") { current = null; pump(); return; }
  current?.start();
}

function next() {
  current = null;
  pump();
  total();
}

let told = 0;
function total() {
  const shown = transfers.filter((one) => one.state !== "cancelled");
  const done = shown.filter((one) => one.state === "done").length;
  const text = shown.length ? say(words.total, done, shown.length) : "";
  const status = document.getElementById("upload-total");
  if (status.textContent !== text && (performance.now() - told > 500 || (!current && queue.length === 0))) { status.textContent = text; told = performance.now(); }
  document.getElementById("upload-next").hidden = !(done > 0 && !current && queue.length === 0);
}

/** Files of dropped folders, however deep. */
async function dropped(items) {
  const found = [];
  const walk = async (entry) => {
    if (entry.isFile) found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    else {
      const reader = entry.createReader();
      for (;;) {
        const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        if (some.length === 0) break;
        for (const inner of some) await walk(inner);
      }
    }
  };
  // Entries and files are taken at once: the list of items is empty after the first await.
  const taken = [...items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  for (const one of taken) {
    if (one instanceof File) found.push(one);
    else if (one) await walk(one);
  }
  return found;
}

if (root && isSupported) {
  root.hidden = false;
  document.getElementById("plain-upload").hidden = true;
  for (const id of ["files", "folder"]) {
    const input = document.getElementById(id);
    input.addEventListener("change", () => { add([...input.files]); input.value = ""; });
  }
  const drop = document.getElementById("drop");
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", async (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    add(await dropped(event.dataTransfer.items));
  });
  addEventListener("online", () => { for (const one of transfers) if (one.state === "offline") { one.become("running", words.waiting); one.upload.start(); } });
  addEventListener("beforeunload", (event) => { if (current) event.preventDefault(); });
}
