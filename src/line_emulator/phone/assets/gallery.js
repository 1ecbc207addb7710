// @ts-check
/** The gallery: copies a design's JSON, and says what a tap would do. */

const toast = /** @type {HTMLElement} */ (document.getElementById("toast"));
let timer = 0;

/** @param {string} words */
function say(words) {
  toast.textContent = words;
  toast.hidden = false;
  clearTimeout(timer);
  timer = window.setTimeout(() => { toast.hidden = true; }, 4000);
}

document.addEventListener("click", async (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("details button");
  if (!(button instanceof HTMLElement)) return;
  const json = button.parentElement?.querySelector("pre")?.textContent ?? "";
  await navigator.clipboard?.writeText(json).catch(() => {});
  say(button.dataset.copied ?? "");
});

document.addEventListener("lp-action", (event) => {
  const { action } = /** @type {CustomEvent} */ (event).detail;
  say(`${action.type}: ${action.uri ?? action.data ?? action.text ?? action.label ?? ""}`);
});
