// The editor of an attribute's choices: add, remove, move; shown only for kinds that have choices.

const form = /** @type {HTMLFormElement} */ (document.querySelector("form[data-attribute]"));
const box = /** @type {HTMLElement} */ (form.querySelector("[data-choices]"));
const list = /** @type {HTMLElement} */ (box.querySelector("ol"));
const template = /** @type {HTMLTemplateElement} */ (box.querySelector("template"));

/** @returns {HTMLInputElement} the new row's field */
function add() {
  const row = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  list.append(row);
  return /** @type {HTMLInputElement} */ (row.querySelector("input"));
}

box.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("[data-choice]");
  if (!button) return;
  const row = button.closest("li");
  switch (button.getAttribute("data-choice")) {
    case "add":
      add().focus();
      return;
    case "up":
      if (row?.previousElementSibling) row.previousElementSibling.before(row);
      break;
    case "down":
      if (row?.nextElementSibling) row.nextElementSibling.after(row);
      break;
    case "remove": {
      const near = row?.nextElementSibling ?? row?.previousElementSibling;
      row?.remove();
      (near?.querySelector("input") ?? add()).focus();
      return;
    }
  }
  /** @type {HTMLElement} */ (button).focus();
});

list.addEventListener("keydown", (event) => {
  // Enter goes on to the next choice instead of sending a half-written form.
  const field = event.target;
  if (event.key !== "Enter" || event.isComposing || !(field instanceof HTMLInputElement)) return;
  event.preventDefault();
  const next = field.closest("li")?.nextElementSibling?.querySelector("input");
  (next ?? add()).focus();
});

const kinds = [...form.querySelectorAll("input[type=radio][name=kind]")];
if (kinds.length) {
  const show = () => {
    const kind = /** @type {HTMLInputElement | null} */ (form.querySelector("input[name=kind]:checked"));
    box.hidden = !["choice", "choices"].includes(kind?.value ?? "");
  };
  for (const kind of kinds) kind.addEventListener("change", show);
  show();
}
