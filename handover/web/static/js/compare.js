// The six boxes of a safety number: a pasted number is spread over them, and the next box follows five digits.
// Without this script the boxes are typed one by one, or the whole number into the first.

const GROUP = 5;

function spread(boxes, start, text) {
  const digits = text.replace(/\D/g, "");
  let last = start;
  for (let at = 0; at * GROUP < digits.length && start + at < boxes.length; at += 1) {
    last = start + at;
    boxes[last].value = digits.slice(at * GROUP, (at + 1) * GROUP);
  }
  boxes[last].focus();
}

for (const field of document.querySelectorAll("[data-groups]")) {
  const boxes = [...field.querySelectorAll("input")];
  boxes.forEach((box, at) => {
    box.addEventListener("paste", (event) => {
      event.preventDefault();
      spread(boxes, at, event.clipboardData.getData("text"));
    });
    box.addEventListener("input", () => {
      const digits = box.value.replace(/\D/g, "");
      if (digits.length > GROUP) spread(boxes, at, digits);
      else if (digits.length === GROUP && document.activeElement === box) boxes[at + 1]?.focus();
    });
    box.addEventListener("keydown", (event) => {
      if (event.key === "Backspace" && box.value === "") boxes[at - 1]?.focus();
    });
  });
}
