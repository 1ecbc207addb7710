// @ts-check
/** The wall of phones: shows on each little screen what has just arrived there. */

const wall = /** @type {HTMLElement} */ (document.querySelector(".wall"));
const toast = /** @type {HTMLElement} */ (document.getElementById("toast"));
const { channel = "", lang = "", q = "", page = "0", size = "24", lost = "" } = wall.dataset;

/** @type {Map<string, HTMLElement>} */
const cards = new Map();
for (const card of wall.querySelectorAll(".card")) {
  if (card instanceof HTMLElement) cards.set(card.dataset.user ?? "", card);
}

/** @param {HTMLElement} card */
function toBottom(card) {
  const screen = card.querySelector(".screen");
  if (screen) screen.scrollTop = screen.scrollHeight;
}

/** @param {{user: string, screen: string, state: string, arrived: boolean}} news */
function show(news) {
  const card = cards.get(news.user);
  const inside = card?.querySelector(".zoom");
  if (!card || !inside) return;
  inside.innerHTML = news.screen;
  card.classList.remove("friend", "blocked", "not_friend", "arrived");
  card.classList.add(news.state);
  if (news.arrived) {
    void card.offsetWidth; // restarts the animation
    card.classList.add("arrived");
  }
  toBottom(card);
}

const query = new URLSearchParams({ channel, lang, q, page, size });
const stream = new EventSource(`/phones/stream?${query}`);
let wasLost = false;
stream.onmessage = (event) => show(JSON.parse(event.data));
stream.onerror = () => {
  wasLost = true;
  toast.textContent = lost;
  toast.hidden = false;
};
stream.onopen = () => {
  if (wasLost) location.reload();
};
window.addEventListener("pagehide", () => stream.close());
cards.forEach(toBottom);
