// The builder's part in the browser: undo and redo, moving by hand or with Alt and an arrow, the
// marks at fields that are still wrong, and finding among many choices. The server draws the tree.

import Sortable from "../vendor/sortable.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("segment-form"));
const undoButton = /** @type {HTMLButtonElement} */ (document.querySelector("[data-undo]"));
const redoButton = /** @type {HTMLButtonElement} */ (document.querySelector("[data-redo]"));
const LIMIT = 100;

// ---- undo and redo: earlier states of the form's rule ----

/** @returns {string} */
function snapshot() {
  /** @type {[string, string][]} */
  const pairs = [];
  for (const [name, value] of new FormData(form)) {
    if (name.startsWith("rule.")) pairs.push([name, String(value)]);
  }
  return JSON.stringify(pairs);
}

/** @type {string[]} */
const past = [];
/** @type {string[]} */
const future = [];
let present = snapshot();

function showButtons() {
  undoButton.disabled = past.length === 0;
  redoButton.disabled = future.length === 0;
}

function remember() {
  const next = snapshot();
  if (next === present) return;
  past.push(present);
  if (past.length > LIMIT) past.shift();
  future.length = 0;
  present = next;
  showButtons();
}

/**
 * @param {string[]} from
 * @param {string[]} to
 */
function go(from, to) {
  if (shaping) return;
  remember();
  const state = from.pop();
  if (state === undefined) return;
  to.push(present);
  present = state;
  showButtons();
  redraw(JSON.parse(state), { do: "undo" });
}

/**
 * Have the server draw a state of the rule, with one edit done to it.
 * @param {[string, string][]} state
 * @param {Record<string, string>} edit
 */
function redraw(state, edit) {
  /** @type {Record<string, string | string[]>} */
  const values = { ...edit, segment_id: form.elements.namedItem("segment_id")?.["value"] ?? "" };
  for (const [name, value] of state) {
    if (name.endsWith("[]")) values[name] = [...(values[name] ?? []), value];
    else values[name] = value;
  }
  // @ts-ignore htmx is a global of the page
  htmx.ajax("POST", "/segments/builder", { target: "#builder", swap: "outerHTML", values });
}

undoButton.addEventListener("click", () => go(past, future));
redoButton.addEventListener("click", () => go(future, past));
form.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const target = /** @type {HTMLElement} */ (event.target);
  // In a field of words, the browser's own undo is what one expects.
  if (target.matches("input:not([type=checkbox]), textarea")) return;
  const key = event.key.toLowerCase();
  if (key === "z" && !event.shiftKey) go(past, future);
  else if (key === "y" || (key === "z" && event.shiftKey)) go(future, past);
  else return;
  event.preventDefault();
});

let waiting = 0;
form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = window.setTimeout(remember, 600);
});
form.addEventListener("change", (event) => {
  clearTimeout(waiting);
  // What draws the tree again is remembered as it is then: with the fields of the new choice.
  if (!(/** @type {HTMLElement} */ (event.target).matches("[hx-post]"))) remember();
});
// The tree has been drawn again: by an edit, which is remembered, or by undo, which is not.
document.body.addEventListener("hiiki:rule", (plain) => {
  const { undo } = /** @type {CustomEvent} */ (plain).detail;
  if (undo) remember();
  else present = snapshot();
  showButtons();
});

// ---- moving: by the handle, or with Alt and an arrow; into groups, and out of them ----

function makeSortable() {
  for (const list of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-rules]"))) {
    if (Sortable.get(list)) continue;
    Sortable.create(list, {
      group: "rules",
      handle: ".sg-handle",
      draggable: ".sg-part",
      ghostClass: "sg-ghost",
      animation: 120,
      // The browser's own dragging knows no fingers, and shows what it likes.
      forceFallback: true,
      fallbackOnBody: true,
      swapThreshold: 0.65,
      onEnd({ item, from, to, oldDraggableIndex, newDraggableIndex }) {
        if (from === to && oldDraggableIndex === newDraggableIndex) return;
        redraw(JSON.parse(present), {
          do: "move",
          at: item.dataset.part,
          to: to.dataset.rules,
          place: String(newDraggableIndex),
        });
      },
      onStart: remember,
    });
  }
}

makeSortable();
form.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  const step = { ArrowUp: "up", ArrowDown: "down" }[event.key];
  const target = /** @type {HTMLElement} */ (event.target);
  const node = target.closest("[data-node]");
  // Alt and an arrow open a select, in the browsers that do so; the tools' buttons are free of it.
  if (!step || !node || target.matches("select, input")) return;
  const button = [...node.querySelectorAll(`[data-do="${step}"]`)].find(
    (each) => each.closest("[data-node]") === node,
  );
  if (!button) return;
  event.preventDefault();
  /** @type {HTMLElement} */ (button).click();
});

// ---- one change of the tree's shape after the other ----

// Where such a change takes place is said by the tree as it stands: the next one waits until the
// tree has been drawn. What can then no longer be told to be the same place is left out.

/** @typedef {{ do: string, at: string }} Edit */
/** @type {Edit | null} */
let shaping = null;
/** @type {Edit | null} */
let shaped = null;
/** @type {Edit[]} */
const following = [];
/** @type {XMLHttpRequest | null} */
let latest = null;

document.body.addEventListener("htmx:confirm", (plain) => {
  const { elt, target } = /** @type {CustomEvent} */ (plain).detail;
  if (!shaping || target?.id !== "builder") return;
  plain.preventDefault();
  const at = elt.closest("[data-node]")?.dataset.node;
  if (elt.dataset.do && at) following.push({ do: elt.dataset.do, at });
});
document.body.addEventListener("htmx:beforeRequest", (plain) => {
  const { target, requestConfig, xhr } = /** @type {CustomEvent} */ (plain).detail;
  if (target.id !== "builder") return;
  latest = xhr;
  const { do: what, at } = requestConfig.parameters;
  if (what) shaping = { do: what, at };
});
document.body.addEventListener("htmx:beforeSwap", (plain) => {
  const detail = /** @type {CustomEvent} */ (plain).detail;
  // An answer that another request has overtaken would take back what that one did.
  if (detail.target.id === "builder" && detail.xhr !== latest) detail.shouldSwap = false;
});
document.body.addEventListener("htmx:afterRequest", (plain) => {
  const { target, xhr, successful } = /** @type {CustomEvent} */ (plain).detail;
  if (target.id !== "builder" || xhr !== latest) return;
  [shaped, shaping] = [shaping, null];
  if (!successful) following.length = 0;
});

function goOn() {
  const edit = following.shift();
  if (!edit || !shaped) return;
  const here = /** @type {HTMLElement | null} */ (document.activeElement);
  if (edit.do === shaped.do && edit.at === shaped.at && here?.dataset.do === edit.do) here.click();
  else if (edit.do.startsWith("add") && shaped.do.startsWith("add")) {
    const button = `[data-node="${CSS.escape(edit.at)}"] > .sg-add [data-do="${edit.do}"]`;
    /** @type {HTMLElement | null} */ (form.querySelector(button))?.click();
  } else following.length = 0;
}

// ---- an old count is shown as such until the new one is there ----

const aside = /** @type {HTMLElement} */ (document.querySelector(".sg-panel"));
const stale = () => aside.classList.add("sg-stale");
form.addEventListener("input", (event) => {
  if (/** @type {Element} */ (event.target).closest("#builder")) stale();
});
document.body.addEventListener("htmx:beforeRequest", (plain) => {
  const { target } = /** @type {CustomEvent} */ (plain).detail;
  if (target.id === "panel") stale();
});

// ---- what is typed while the tree is on its way is not lost ----

/** @returns {Map<string, string | boolean>} */
function fields() {
  const found = new Map();
  for (const field of form.querySelectorAll("#builder input")) {
    const input = /** @type {HTMLInputElement} */ (field);
    if (!input.name) continue;
    if (input.type === "checkbox") found.set(`${input.name}=${input.value}`, input.checked);
    else found.set(input.name, input.value);
  }
  return found;
}

/** @type {Map<string, string | boolean>} */
let sent = new Map();
/** @type {[string, string | boolean][]} */
let typed = [];
document.body.addEventListener("htmx:beforeRequest", (plain) => {
  const { target } = /** @type {CustomEvent} */ (plain).detail;
  if (target.id === "builder") sent = fields();
});
document.body.addEventListener("htmx:beforeSwap", (plain) => {
  const { target, requestConfig } = /** @type {CustomEvent} */ (plain).detail;
  if (target.id !== "builder") return;
  // Where nodes move, a field's name means another field: only a mere redrawing keeps names.
  typed = requestConfig.parameters.do
    ? []
    : [...fields()].filter(([name, value]) => sent.has(name) && sent.get(name) !== value);
});
document.body.addEventListener("htmx:afterSwap", () => {
  for (const field of typed.length ? form.querySelectorAll("#builder input") : []) {
    const input = /** @type {HTMLInputElement} */ (field);
    for (const [name, value] of typed) {
      if (typeof value === "boolean" && name === `${input.name}=${input.value}`) input.checked = value;
      else if (name === input.name) input.value = String(value);
    }
  }
  typed = [];
});

// ---- what is still wrong, at its field ----

/** @param {string} path */
function controlAt(path) {
  const name = CSS.escape(path);
  return /** @type {HTMLElement | null} */ (
    form.querySelector(`[name="${name}"]`) ?? form.querySelector(`[name="${name}[]"]`)
  );
}

/** @param {string} path */
function placeOf(path) {
  const control = controlAt(path);
  const field = control?.closest(".sg-field") ?? document.getElementById(`f-${path.replaceAll(".", "-")}`);
  if (field) return field;
  for (let rest = path; rest; rest = rest.slice(0, Math.max(0, rest.lastIndexOf(".")))) {
    const node = form.querySelector(`[data-node="${CSS.escape(rest)}"]`);
    if (node) return node.querySelector(":scope > .sg-fields, :scope > .sg-add") ?? node;
  }
  return null;
}

/** @param {Record<string, string>} errors */
function mark(errors) {
  for (const old of form.querySelectorAll(".sg-error")) old.remove();
  for (const old of form.querySelectorAll(".sg-wrong")) {
    old.classList.remove("sg-wrong");
    for (const control of old.querySelectorAll("[aria-invalid]")) {
      control.removeAttribute("aria-invalid");
      control.removeAttribute("aria-describedby");
    }
  }
  for (const [path, words] of Object.entries(errors)) {
    const place = placeOf(path);
    if (!place) continue;
    const note = document.createElement("span");
    note.className = "sg-error";
    note.id = `wrong-${path.replaceAll(".", "-")}`;
    note.textContent = words;
    place.classList.add("sg-wrong");
    place.append(note);
    for (const control of place.querySelectorAll("input, select")) {
      control.setAttribute("aria-invalid", "true");
      control.setAttribute("aria-describedby", note.id);
    }
  }
}

document.body.addEventListener("htmx:afterSettle", (plain) => {
  const target = /** @type {HTMLElement} */ (/** @type {CustomEvent} */ (plain).detail.target);
  if (target.id === "builder") {
    makeSortable();
    goOn();
  }
  if (target.id !== "panel") return;
  aside.classList.remove("sg-stale");
  const holder = target.querySelector("[data-errors]");
  if (holder) mark(JSON.parse(holder.getAttribute("data-errors") ?? "{}"));
});

document.addEventListener("click", (event) => {
  const link = /** @type {Element} */ (event.target).closest("[data-go]");
  if (!link) return;
  const place = placeOf(link.getAttribute("data-go") ?? "");
  const control = place?.querySelector("input:not([type=hidden]), select:not([hidden]), button");
  place?.scrollIntoView({ block: "center" });
  /** @type {HTMLElement | null} */ (control ?? null)?.focus();
});

// ---- many choices ----

/** @param {string} words */
const folded = (words) => words.normalize("NFKC").toLowerCase();

form.addEventListener("input", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  if (!field.matches("[data-filter]")) return;
  const wanted = folded(field.value).split(/\s+/).filter(Boolean);
  for (const chip of field.closest(".sg-chips")?.querySelectorAll(".sg-chip") ?? []) {
    const fits = wanted.every((word) => folded(chip.textContent ?? "").includes(word));
    /** @type {HTMLElement} */ (chip).hidden = !fits && !chip.querySelector(":checked");
  }
});
// Enter in a field of the tree would save the whole form unasked.
form.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.key === "Enter" && target.closest("#builder") && target.matches("input")) {
    event.preventDefault();
  }
});
