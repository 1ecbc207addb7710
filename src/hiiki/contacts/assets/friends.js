// The list of friends: select a whole page, and show what can be done once somebody is selected.

/** @param {Element | Document} root */
function enhance(root) {
  for (const form of root.querySelectorAll("form[data-bulk]:not([data-ready])")) {
    wire(/** @type {HTMLFormElement} */ (form));
  }
  // The export follows the filter.
  const list = document.getElementById("friends");
  const csv = document.getElementById("csv");
  if (list instanceof HTMLElement && csv && list.dataset.csv) csv.setAttribute("href", list.dataset.csv);
}

/** @param {HTMLFormElement} form */
function wire(form) {
  form.dataset.ready = "";
  const bar = /** @type {HTMLElement | null} */ (form.querySelector("[data-bulk-bar]"));
  const whole = /** @type {HTMLElement | null} */ (form.querySelector("[data-all-of-page]"));
  const all = /** @type {HTMLInputElement | null} */ (whole?.querySelector("input") ?? null);
  if (!bar || !whole || !all) return;
  const boxes = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input[name='ids[]']")]);
  const some = /** @type {HTMLOptionElement} */ (bar.querySelector("option[value=selected]"));
  whole.hidden = false;

  const show = () => {
    const selected = boxes.filter((box) => box.checked).length;
    bar.hidden = selected === 0;
    all.checked = selected === boxes.length;
    all.indeterminate = selected > 0 && selected < boxes.length;
    some.textContent = (some.dataset.many ?? "").replace("{n}", String(selected));
  };
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    show();
  });
  form.addEventListener("change", show);
  show();
}

enhance(document);
document.addEventListener("htmx:load", () => enhance(document));
window.addEventListener("pageshow", () => enhance(document));
