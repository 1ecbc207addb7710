// The button that prints the page; the style sheet says what of it goes on paper.

for (const button of document.querySelectorAll("[data-print]")) {
  button.addEventListener("click", () => window.print());
}
