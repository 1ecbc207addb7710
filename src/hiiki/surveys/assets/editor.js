// The survey editor's preview follows the question that one is working on, and is drawn
// anew when a button has changed the form.

const form = document.getElementById("sv-form");

form?.addEventListener("focusin", (event) => {
  const card = /** @type {Element} */ (event.target).closest("[data-question]");
  const show = /** @type {HTMLSelectElement | null} */ (document.getElementById("sv-show"));
  const place = card?.getAttribute("data-question");
  if (!show || place === null || place === undefined || show.value === place) return;
  show.value = place;
  document.body.dispatchEvent(new Event("sv-redraw"));
});

document.body.addEventListener("htmx:afterSettle", (event) => {
  const target = /** @type {Element} */ (event.target);
  if (target.id !== "sv-preview") document.body.dispatchEvent(new Event("sv-redraw"));
});
