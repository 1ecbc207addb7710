/** A LIFF window in its frame: Escape cancels, and typing can begin at once. */
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  /** @type {HTMLButtonElement | null} */ (document.querySelector('[value="cancel"]'))?.click();
});
/** @type {HTMLInputElement | null} */ (document.querySelector(".field input"))?.focus();
