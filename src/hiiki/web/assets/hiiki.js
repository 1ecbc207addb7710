// What every page of the console needs in the browser: the drawer, dialogs, passing words,
// lists to choose from, charts. No framework; HTMX does the talking with the server.
// Attributes are its interface: data-confirm, data-open, data-copy, data-picker, data-chart,
// data-said.

import { enhancePickers } from "./picker.js";

/** @param {string} name */
const text = (name) => document.body.dataset[name] ?? "";

/**
 * Say something in passing.
 * @param {string} message
 * @param {string} [kind] "danger" or ""
 */
export function toast(message, kind = "") {
  const place = document.querySelector(".hk-toasts");
  if (!place || !message) return;
  const box = document.createElement("div");
  box.className = `hk-toast hk-toast-${kind}`;
  const icon = document.createElement("i");
  icon.className = `ti ti-${kind === "danger" ? "alert-triangle" : "check"}`;
  icon.setAttribute("aria-hidden", "true");
  const words = document.createElement("span");
  words.textContent = message;
  const close = document.createElement("button");
  close.type = "button";
  close.setAttribute("aria-label", text("close"));
  close.innerHTML = '<i class="ti ti-x" aria-hidden="true"></i>';
  close.addEventListener("click", () => box.remove());
  box.append(icon, words, close);
  place.append(box);
  if (kind !== "danger") setTimeout(() => box.remove(), 6000);
}

/**
 * Ask before something that cannot be undone.
 * @param {string} question
 * @param {string} [label] what the confirming button says
 * @returns {Promise<boolean>}
 */
export function confirmed(question, label) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("hk-confirm"));
  const words = /** @type {HTMLElement} */ (dialog.querySelector("p"));
  const yes = /** @type {HTMLButtonElement} */ (dialog.querySelector("button[value=yes]"));
  words.textContent = question;
  yes.textContent = label || yes.dataset.label || "OK";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((answer) =>
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true }),
  );
}

// ---- the drawer (phones) ----
/** @param {boolean} open */
function drawer(open) {
  document.documentElement.classList.toggle("hk-drawer-open", open);
  const opener = document.querySelector("[data-drawer=open]");
  opener?.setAttribute("aria-expanded", String(open));
  document.querySelector(".hk-page")?.toggleAttribute("inert", open);
  const target = open ? ".hk-side [data-drawer=close]" : "[data-drawer=open]";
  /** @type {HTMLElement | null} */ (document.querySelector(target))?.focus();
}

document.addEventListener("click", async (event) => {
  const target = /** @type {Element} */ (event.target);

  const toggle = target.closest("[data-drawer]");
  if (toggle) drawer(toggle.getAttribute("data-drawer") === "open");

  // A menu closes when one clicks elsewhere.
  for (const menu of document.querySelectorAll("details.hk-menu[open]")) {
    if (!menu.contains(target)) menu.removeAttribute("open");
  }

  const opener = target.closest("[data-open]");
  if (opener) {
    const dialog = document.getElementById(opener.getAttribute("data-open") ?? "");
    if (dialog instanceof HTMLDialogElement) dialog.showModal();
  }
  if (target.closest("[data-dialog-close]")) target.closest("dialog")?.close();

  const copier = target.closest("[data-copy]");
  if (copier) {
    const source = document.getElementById(copier.getAttribute("data-copy") ?? "");
    if (source instanceof HTMLInputElement) {
      source.select();
      try {
        await navigator.clipboard.writeText(source.value);
        toast(text("copied"));
      } catch {
        // No clipboard without https: the text is selected, ready for Ctrl-C.
      }
    }
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (document.documentElement.classList.contains("hk-drawer-open")) drawer(false);
  for (const menu of document.querySelectorAll("details.hk-menu[open]")) {
    menu.removeAttribute("open");
    menu.querySelector("summary")?.focus();
  }
});

// ---- forms: ask first, and send once ----
/** @type {HTMLFormElement | null} The form whose question is open. */
let asking = null;
document.addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.method === "dialog" || event.defaultPrevented) return;
  const question = form.dataset.confirm;
  if (question && !form.dataset.asked) {
    event.preventDefault();
    const submitter = /** @type {HTMLElement | null} */ (event.submitter);
    asking = form;
    const sure = await confirmed(question, form.dataset.confirmLabel);
    asking = null;
    if (sure) {
      form.dataset.asked = "yes";
      form.requestSubmit(submitter);
      delete form.dataset.asked;
    }
    return;
  }
  if (form.method === "get") return;
  const button = event.submitter ?? form.querySelector("button[type=submit], button:not([type])");
  // Disabled after the event, or the button's own name and value would not be sent.
  setTimeout(() => button?.setAttribute("aria-busy", "true"));
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  // Coming back by the browser's button: the form may be sent again.
  for (const form of document.querySelectorAll("form[data-sent]")) {
    form.removeAttribute("data-sent");
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
});

// ---- HTMX ----
document.addEventListener("htmx:beforeSwap", (plain) => {
  const { detail } = /** @type {CustomEvent} */ (plain);
  // What draws itself anew every second must not take away the form that is being asked about.
  if (asking && detail.target.contains(asking)) detail.shouldSwap = false;
});
document.addEventListener("htmx:confirm", async (plain) => {
  const event = /** @type {CustomEvent} */ (plain);
  if (!event.detail.question) return;
  event.preventDefault();
  const label = event.detail.elt.getAttribute("data-confirm-label");
  if (await confirmed(event.detail.question, label)) event.detail.issueRequest(true);
});
document.addEventListener("hiiki:toast", (plain) => {
  const { message, kind } = /** @type {CustomEvent} */ (plain).detail;
  toast(message, kind);
});
document.addEventListener("htmx:sendError", () => toast(text("offline"), "danger"));
document.addEventListener("htmx:timeout", () => toast(text("offline"), "danger"));

// ---- what changes by itself is told to those who do not see it, once ----
/** @type {Map<string, string>} By the element's id. */
const told = new Map();
/** @param {boolean} aloud */
function tell(aloud) {
  const news = [];
  for (const element of document.querySelectorAll("[data-said]")) {
    const said = element.getAttribute("data-said") ?? "";
    if (told.get(element.id) !== said) news.push(said);
    told.set(element.id, said);
  }
  const place = document.getElementById("hk-said");
  if (aloud && place && news.length) place.textContent = news.join(" ");
}
tell(false);
document.addEventListener("htmx:afterSettle", () => tell(true));

// ---- where one is can be seen, in long menus and in rows of tabs ----
for (const current of document.querySelectorAll(".hk-nav [aria-current], .hk-tabs [aria-current]")) {
  const place = current.closest(".hk-nav, .hk-tabs");
  if (!place) continue;
  const [inner, outer] = [current.getBoundingClientRect(), place.getBoundingClientRect()];
  if (inner.bottom > outer.bottom) place.scrollTop += inner.bottom - outer.bottom + 48;
  if (inner.right > outer.right) place.scrollLeft += inner.right - outer.right + 16;
}

// ---- what appears, now or later ----
/** @param {ParentNode} root */
async function enhance(root) {
  enhancePickers(root);
  for (const element of root.querySelectorAll("[data-toast]")) {
    toast(element.getAttribute("data-toast") ?? "", element.getAttribute("data-kind") ?? "");
    element.remove();
  }
  if (root.querySelector("[data-chart]")) {
    const { drawCharts } = await import("./charts.js");
    drawCharts(root);
  }
}
enhance(document);
document.addEventListener("htmx:load", (event) => {
  const element = /** @type {CustomEvent} */ (event).detail.elt;
  enhance(element.parentElement ?? document);
});
