// A <select data-picker> becomes a field in which one types to find: the ARIA combobox pattern.
// The select stays in the form, hidden, and keeps the value; without the script it just works.

let serial = 0;

/** @param {ParentNode} root */
export function enhancePickers(root) {
  for (const select of root.querySelectorAll("select[data-picker]:not([hidden])")) {
    enhance(/** @type {HTMLSelectElement} */ (select));
  }
}

/** @param {string} words */
const folded = (words) => words.normalize("NFKC").toLowerCase();

/** @param {HTMLSelectElement} select */
function enhance(select) {
  const id = `hk-picker-${++serial}`;
  const box = document.createElement("div");
  box.className = "hk-picker";
  const input = document.createElement("input");
  input.type = "text";
  input.className = "form-control";
  input.autocomplete = "off";
  input.disabled = select.disabled;
  input.placeholder = select.dataset.placeholder ?? "";
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", id);
  for (const name of ["aria-describedby", "aria-invalid", "aria-label"]) {
    const value = select.getAttribute(name);
    if (value) input.setAttribute(name, value);
  }
  const label = select.id ? document.querySelector(`label[for="${CSS.escape(select.id)}"]`) : null;
  input.id = `${id}-input`;
  label?.setAttribute("for", input.id);
  const icon = document.createElement("i");
  icon.className = "ti ti-selector";
  icon.setAttribute("aria-hidden", "true");
  const list = document.createElement("ul");
  list.id = id;
  list.className = "hk-picker-list";
  list.setAttribute("role", "listbox");
  list.hidden = true;
  box.append(input, icon, list);
  select.after(box);
  select.hidden = true;

  const show = () => {
    input.value = select.value ? (select.selectedOptions[0]?.label ?? "") : "";
  };
  let active = -1;
  /** @type {HTMLOptionElement[]} */
  let found = [];

  const mark = () => {
    [...list.children].forEach((item, index) => {
      const is = index === active;
      item.setAttribute("aria-selected", String(is));
      if (is) item.scrollIntoView({ block: "nearest" });
    });
    input.setAttribute("aria-activedescendant", active >= 0 ? `${id}-${active}` : "");
  };
  /** @param {string} typed */
  const open = (typed) => {
    const wanted = folded(typed).split(/\s+/).filter(Boolean);
    found = [...select.options].filter(
      (option) =>
        !option.disabled && wanted.every((word) => folded(option.label).includes(word)),
    );
    list.replaceChildren(
      ...found.slice(0, 200).map((option, index) => {
        const item = document.createElement("li");
        item.id = `${id}-${index}`;
        item.setAttribute("role", "option");
        item.textContent = option.label || "–";
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          choose(index);
        });
        return item;
      }),
    );
    if (!found.length) {
      const none = document.createElement("li");
      none.className = "hk-picker-none";
      none.textContent = document.body.dataset.nothing ?? "";
      list.append(none);
    }
    active = Math.max(
      0,
      found.findIndex((option) => option.value === select.value),
    );
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark();
  };
  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    show();
  };
  /** @param {number} index */
  const choose = (index) => {
    const option = found[index];
    if (option && option.value !== select.value) {
      select.value = option.value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
    close();
  };

  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => list.hidden && open(""));
  input.addEventListener("input", () => open(input.value));
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return open("");
      const step = event.key === "ArrowDown" ? 1 : -1;
      active = (active + step + found.length) % Math.max(found.length, 1);
      mark();
    } else if (event.key === "Enter" && !list.hidden) {
      event.preventDefault();
      choose(active);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      close();
    }
  });
  select.addEventListener("change", show);
  show();
}
