// The composer's two small helps: a counter that counts as LINE does, and buttons that put
// a variable where the cursor is. Everything else is the server's.

/** @param {string} text */
function graphemes(text) {
  if (!("Segmenter" in Intl)) return [...text].length;
  return [...new Intl.Segmenter().segment(text)].length;
}

/** @param {Element} box */
function count(box) {
  const field = /** @type {HTMLTextAreaElement | null} */ (box.querySelector("textarea, input"));
  const output = box.querySelector("output");
  if (!field || !output) return;
  // What LINE gets has no carriage returns, and a string's length is its UTF-16 units.
  const text = field.value.replaceAll("\r\n", "\n");
  const limit = Number(/** @type {HTMLElement} */ (box).dataset.limit);
  const n = /** @type {HTMLElement} */ (box).dataset.count === "units" ? text.length : graphemes(text);
  output.textContent = `${n.toLocaleString()} / ${limit.toLocaleString()}`;
  // Variables come out shorter or longer: then the server's word counts.
  output.classList.toggle("co-over", n > limit && !text.includes("{{"));
}

/** @param {ParentNode} root */
function countAll(root) {
  for (const box of root.querySelectorAll(".co-words")) count(box);
}

if (!document.documentElement.dataset.composer) {
  document.documentElement.dataset.composer = "yes";
  document.addEventListener("input", (event) => {
    const box = /** @type {Element} */ (event.target).closest?.(".co-words");
    if (box) count(box);
  });
  document.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement | null} */ (
      /** @type {Element} */ (event.target).closest("[data-insert]")
    );
    if (!button) return;
    const field = document.getElementById(button.dataset.into ?? "");
    if (!(field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement)) return;
    field.setRangeText(
      button.dataset.insert ?? "",
      field.selectionStart ?? field.value.length,
      field.selectionEnd ?? field.value.length,
      "end",
    );
    button.closest("details")?.removeAttribute("open");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("htmx:load", () => countAll(document));
}
countAll(document);
