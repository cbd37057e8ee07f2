// The page of a recipient's key. The private half lives in key-worker.js; here are steps, the public half, and the number.
import { element, explain, post, say } from "./strict.js";
import { encode } from "../vendor/qr.js";
import { Asked } from "./workers.js";

const page = element("key");
const worker = page ? new Asked("key-worker.js") : null;
const api = page ? `/api/v1/recipients/${page.dataset.id}` : "";
let made = null;
let asked = null;

function go(step) {
  for (const part of page.querySelectorAll("[data-step]")) part.hidden = part.dataset.step !== step;
  const first = page.querySelector(`[data-step="${step}"]`);
  first.tabIndex = -1;
  first.focus();
}

/** Runs a step: says that it works, and what went wrong. */
async function run(saying, act) {
  const working = element("working");
  working.textContent = working.dataset[saying] ?? "";
  element("failed").hidden = true;
  try {
    await act();
  } catch (error) {
    element("failed-text").textContent = explain(error);
    element("failed").hidden = false;
    element("failed").focus();
  } finally {
    working.textContent = "";
  }
}

async function make() {
  made = await worker.ask({ do: "make", postQuantum: "postQuantum" in page.dataset, passphrase: element("f-new").value, reference: page.dataset.case });
  for (const id of ["f-new", "f-again"]) element(id).value = "";
  element("suggested").textContent = "";
  element("save-identity").href = URL.createObjectURL(new Blob([made.file], { type: "text/plain" }));
  fillSheet();
  go("backup");
}

function fillSheet() {
  element("sheet").hidden = false; // on paper only: the style sheet keeps it off the screen
  element("sheet-text").textContent = made.file;
  drawCode(element("sheet-qr"), made.file);
}

/** The code as a picture: a canvas turned into an image, because a canvas does not print everywhere. */
function drawCode(image, text) {
  const { data, size } = encode(text, { ecc: "L", border: 4 });
  const scale = 4;
  const canvas = Object.assign(document.createElement("canvas"), { width: size * scale, height: size * scale });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#000";
  data.forEach((row, y) => row.forEach((dark, x) => dark && pen.fillRect(x * scale, y * scale, scale, scale)));
  image.src = canvas.toDataURL("image/png");
}

async function test() {
  await unlock("");
  element("tested").hidden = false;
  element("register").disabled = false;
  element("register").focus();
}

/** The key of a chosen file, held by the worker from then on; returns its public half. */
async function unlock(prefix) {
  const [file] = element(`f-${prefix}identity`).files;
  if (!file) throw Object.assign(new Error("identity_missing"), { code: "identity_missing" });
  const recipient = await worker.ask({ do: "test", text: await file.text(), passphrase: element(`f-${prefix}passphrase`).value });
  element(`f-${prefix}passphrase`).value = "";
  return recipient;
}

async function register() {
  asked = await submit(made.recipient);
  await answer();
}

async function paste() {
  const recipient = element("f-public").value.trim();
  if (/AGE-SECRET-KEY/i.test(recipient)) {
    element("f-public").value = "";
    throw Object.assign(new Error("private"), { code: "private_pasted" });
  }
  asked = await submit(recipient);
  showChallenge();
}

async function submit(recipient) {
  page.dataset.recipient = recipient;
  const found = await post(`${api}/keys`, { recipient });
  page.dataset.keyId = found.key_id;
  return found;
}

async function askChallenge() {
  asked = await post(`${api}/keys/${page.dataset.keyId}/challenges`, {});
  showChallenge();
}

function showChallenge() {
  go("prove");
  element("challenge").hidden = false;
  element("save-challenge").href = URL.createObjectURL(new Blob([asked.challenge], { type: "text/plain" }));
}

async function answer() {
  const { challenge, context } = asked;
  await prove(await worker.ask({ do: "answer", challenge, context, recipient: page.dataset.recipient }));
}

/** The answer out of what `age -d` printed: the secret as the key, the context as the message. */
async function answerPasted() {
  let opened;
  try {
    opened = JSON.parse(element("f-answer").value);
    if (opened.context !== asked.context || !/^[0-9a-f]{64}$/.test(opened.secret)) throw new TypeError("not this challenge");
  } catch {
    throw Object.assign(new Error("malformed"), { code: "answer_malformed" });
  }
  const secret = Uint8Array.from(opened.secret.match(/../g), (pair) => Number.parseInt(pair, 16));
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(opened.context)));
  await prove(Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(""));
}

async function prove(answered) {
  await post(`${api}/keys/${page.dataset.keyId}/proof`, { answer: answered });
  await showNumber();
  go("number");
}

/** The safety number of docs/package-format.md, computed here: the recipient's side does not ask the server for it. */
async function showNumber() {
  const text = `handover-safety-v1\n${page.dataset.recipient}\n${page.dataset.case}\n${page.dataset.person}`;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const groups = Array.from({ length: 6 }, (_, at) => digest.subarray(at * 5, at * 5 + 5).reduce((value, byte) => value * 256 + byte, 0) % 100000);
  element("groups").replaceChildren(...groups.map((value) => Object.assign(document.createElement("li"), { textContent: String(value).padStart(5, "0") })));
}

async function check() {
  const recipient = await unlock("check-");
  element("checked").textContent = say(recipient === page.dataset.recipient ? "same" : "different");
}

function judge() {
  const text = element("strength");
  const length = element("f-new").value.length;
  text.textContent = length ? text.dataset[length < 14 ? "weak" : length < 20 ? "fair" : "strong"] : "";
  const again = element("f-again");
  again.setCustomValidity(again.value && again.value !== element("f-new").value ? again.dataset.differs : "");
}

async function suggest() {
  const passphrase = await worker.ask({ do: "suggest" });
  for (const id of ["f-new", "f-again"]) element(id).value = passphrase;
  element("suggested").textContent = passphrase;
  element("suggested-hint").hidden = false;
  judge();
}

function on(id, event, saying, act) {
  element(id)?.addEventListener(event, (happened) => {
    happened.preventDefault();
    run(saying, act);
  });
}

if (page) {
  for (const button of page.querySelectorAll("[data-go]")) button.addEventListener("click", () => go(button.dataset.go));
  on("make-form", "submit", "making", make);
  on("make-form", "input", "", judge);
  on("suggest", "click", "", suggest);
  on("print", "click", "", () => window.print());
  on("test-form", "submit", "testing", test);
  on("register", "click", "registering", register);
  on("paste-form", "submit", "registering", paste);
  on("ask-challenge", "click", "", askChallenge);
  on("prove-form", "submit", "testing", async () => { await unlock("prove-"); await answer(); });
  on("answer-form", "submit", "registering", answerPasted);
  on("check-form", "submit", "testing", check);
  if (page.dataset.recipient) showNumber();
}
