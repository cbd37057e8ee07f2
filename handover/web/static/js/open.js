// The page that opens packages. It shows and saves; all that decides happens in open-worker.js.
import { download, element, explain, fill, number, post, say, size, withFreshCode } from "./strict.js";
import { Asked } from "./workers.js";

/** As in package/keeping.js, which belongs to the worker. */
const FOLDER = "handover-open";
const page = element("open");
const offers = page ? JSON.parse(page.dataset.offers) : [];
const pins = page ? JSON.parse(page.dataset.pins) : null;
const worker = page ? new Asked("open-worker.js", progressed) : null;
let startedAt = 0;
let opened = null;

/** What an earlier visit left is removed, unless another tab is at work with it. */
async function purge() {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(FOLDER, { recursive: true }).catch(() => {});
}

function claim() {
  navigator.locks?.request(FOLDER, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    await purge().catch(() => {});
    await new Promise(() => {}); // held until the page ends
  });
}

async function start(event) {
  event.preventDefault();
  show("running");
  element("running-text").textContent = element("running-text").dataset.unlocking;
  element("running-bar").removeAttribute("value");
  try {
    const offer = offers.find((one) => one.id === chosen("offer")) ?? offers[0];
    const file = chosen("source") === "file" ? chosenFile("f-package", "package_missing") : null;
    await worker.ask({ do: "unlock", text: await identityText(), passphrase: element("f-passphrase").value });
    startedAt = performance.now();
    const address = `/api/v1/deliveries/${offer.id}/content`;
    const found = await withFreshCode(() => worker.ask({ do: "open", file, address, facts: offer, pins }));
    finish(offer, found);
  } catch (error) {
    fail(error);
  }
}

function finish(offer, found) {
  const { count, persons, records } = found.files;
  if (count !== offer.files || persons !== offer.persons || records !== offer.records) {
    return fail({ code: "package_differs_from_attestation" });
  }
  opened = { ...found, delivery: offer.id };
  const text = element("opened-text");
  text.textContent = fill(persons ? text.dataset.persons : text.dataset.records, { files: number(count), persons: number(persons), records: number(records) });
  show("opened");
  element("opened").focus();
}

async function save() {
  const text = element("saved-text");
  if (window.showSaveFilePicker) {
    const target = await window.showSaveFilePicker({ suggestedName: opened.name, types: [{ accept: { "application/zip": [".zip"] } }] }).catch(() => null);
    if (!target) return;
    await opened.zip.stream().pipeTo(await target.createWritable());
    await purge();
    element("save").disabled = true;
    text.textContent = text.dataset.picked;
  } else {
    download(opened.zip, opened.name);
    text.textContent = text.dataset.downloaded;
  }
  text.hidden = false;
  element("send-receipt").disabled = false;
}

async function sendReceipt() {
  const button = element("send-receipt");
  button.disabled = true;
  try {
    const receipt = await worker.ask({ do: "receipt", defects: [] });
    await post("/api/v1/receipts", { delivery_id: opened.delivery, receipt });
    element("receipt-text").textContent = say("receipt_sent");
  } catch (error) {
    element("receipt-text").textContent = explain(error);
    button.disabled = false;
  }
}

function progressed({ progress, total }) {
  const bar = element("running-bar");
  const text = element("running-text");
  const seconds = (performance.now() - startedAt) / 1000;
  const left = Math.ceil(((total - progress) * seconds) / progress);
  bar.max = total;
  bar.value = progress;
  text.textContent = fill(seconds > 2 && left > 0 ? text.dataset.estimate : text.dataset.text, { done: size(progress), total: size(total), seconds: number(left) });
}

function fail(error) {
  element("failed-text").textContent = explain(error);
  show("failed", "open-form");
  element("failed").focus();
}

function show(...ids) {
  for (const id of ["open-form", "running", "failed", "opened"]) element(id).hidden = !ids.includes(id);
}

async function identityText() {
  const pasted = element("f-pasted").value.trim();
  return pasted || chosenFile("f-identity", "identity_missing").text();
}

function chosenFile(id, code) {
  const [file] = element(id).files;
  if (!file) throw Object.assign(new Error(code), { code });
  return file;
}

const chosen = (name) => document.querySelector(`input[name="${name}"]:checked`)?.value;

function choose() {
  element("package-field").hidden = chosen("source") !== "file";
  for (const facts of document.querySelectorAll("[data-offer]")) facts.hidden = facts.dataset.offer !== (chosen("offer") ?? offers[0].id);
}

if (page) {
  claim();
  element("open-form").addEventListener("submit", start);
  element("open-form").addEventListener("change", choose);
  element("cancel").addEventListener("click", () => worker.ask({ do: "cancel" }));
  element("save").addEventListener("click", save);
  element("send-receipt").addEventListener("click", sendReceipt);
  choose();
}
