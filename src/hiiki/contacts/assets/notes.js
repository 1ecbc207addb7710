// Notes: Ctrl+Enter (or Command+Enter) saves, and sets what is suggested and ticked.

document.addEventListener("keydown", (event) => {
  const area = event.target;
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  if (!(area instanceof HTMLTextAreaElement) || !area.matches("[data-note]")) return;
  event.preventDefault();
  const form = area.form;
  const button = form?.querySelector("button[name=set]") ?? form?.querySelector("button");
  if (form && button instanceof HTMLElement) form.requestSubmit(button);
});
