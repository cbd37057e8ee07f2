// What makes pages pleasanter; every one of them works without it.

/** The language switch keeps what was typed, for this one load; passwords and codes are never kept. */
const KEPT = "handover-kept-form";

function keepForm(event) {
  const form = document.querySelector("main form:not(.move):not(.inline)");
  if (!form) return;
  const kept = {};
  for (const field of form.elements) {
    if (!field.name || ["password", "hidden", "file"].includes(field.type) || field.autocomplete === "one-time-code") continue;
    if (["checkbox", "radio"].includes(field.type)) { if (field.checked) (kept[field.name] ??= []).push(field.value); }
    else (kept[field.name] ??= []).push(field.value);
  }
  sessionStorage.setItem(KEPT, JSON.stringify({ path: location.pathname, kept }));
}

function restoreForm() {
  const stored = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  if (!stored) return;
  const { path, kept } = JSON.parse(stored);
  const form = document.querySelector("main form:not(.move):not(.inline)");
  if (path !== location.pathname || !form) return;
  for (const field of form.elements) {
    if (!(field.name in kept) || ["password", "hidden", "file"].includes(field.type)) continue;
    if (["checkbox", "radio"].includes(field.type)) field.checked = kept[field.name].includes(field.value);
    else field.value = kept[field.name].shift() ?? "";
  }
}

function offerCopies() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const before = button.textContent;
      button.textContent = "✓";
      setTimeout(() => { button.textContent = before; }, 1500);
    });
  }
}

/** Progress of jobs through server-sent events; the page is loaded again once, when the last one ends. */
function watchJobs() {
  const open = [...document.querySelectorAll("[data-job]")].filter((job) => !["done", "dead", "cancelled"].includes(job.dataset.state));
  let left = open.length;
  for (const element of open) {
    const source = new EventSource(`/api/v1/jobs/${element.dataset.job}/events`);
    source.addEventListener("job", (event) => {
      const job = JSON.parse(event.data);
      const bar = element.querySelector("progress");
      if (job.total) { bar.max = job.total; bar.value = job.done; }
      if (["done", "dead", "cancelled"].includes(job.state)) {
        source.close();
        if (--left === 0) location.reload();
      }
    });
  }
}

document.querySelector("[data-keep-form]")?.addEventListener("click", keepForm);
restoreForm();
offerCopies();
watchJobs();
document.getElementById("form-errors")?.focus();
