// The bulk bar says how many sets are chosen, and offers to choose all; the form works without.
const form = document.getElementById("bulk");
const boxes = form ? [...form.querySelectorAll("input[name=chosen]")] : [];
const count = form?.querySelector("[data-count]");
const all = document.getElementById("all");

function tell() {
  const chosen = boxes.filter((box) => box.checked).length;
  if (chosen && count) count.textContent = count.dataset.text.replace("#", String(chosen));
  if (all) { all.checked = chosen === boxes.length; all.indeterminate = chosen > 0 && chosen < boxes.length; }
}

if (all && boxes.length) {
  all.hidden = false;
  all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; tell(); });
  form.addEventListener("change", tell);
  tell();
}
