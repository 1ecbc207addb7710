// @ts-check
/** The wall of phones: shows on each little screen what has just arrived there. */

const wall = /** @type {HTMLElement} */ (document.querySelector(".wall"));
const toast = /** @type {HTMLElement} */ (document.getElementById("toast"));
const sound = /** @type {HTMLElement} */ (document.getElementById("sound"));
const { channel = "", lang = "ja", q = "", state = "", page = "0", size = "24", drawn = "", lost = "" } = wall.dataset;
const SOUND = "line-emulator-sound";

/** @type {Map<string, HTMLElement>} */
const cards = new Map();
for (const card of wall.querySelectorAll(".card")) {
  if (card instanceof HTMLElement) cards.set(card.dataset.user ?? "", card);
}

// How many phones something has arrived at, and how many bubbles

/** @type {Set<string>} */
const reached = new Set();
let bubbles = 0;

function count() {
  /** @type {HTMLElement} */ (document.getElementById("reached")).textContent = String(reached.size);
  /** @type {HTMLElement} */ (document.getElementById("bubbles")).textContent = String(bubbles);
}

document.getElementById("clear")?.addEventListener("click", () => {
  reached.clear();
  bubbles = 0;
  count();
});

// A short sound, off until it is switched on

/** @type {AudioContext | null} */
let speaker = null;
let rang = 0;

function ring() {
  // One sound for a whole broadcast is enough.
  if (!speaker || performance.now() - rang < 400) return;
  rang = performance.now();
  const tone = speaker.createOscillator();
  const loudness = speaker.createGain();
  tone.frequency.value = 880;
  loudness.gain.setValueAtTime(0.12, speaker.currentTime);
  loudness.gain.exponentialRampToValueAtTime(0.001, speaker.currentTime + 0.3);
  tone.connect(loudness).connect(speaker.destination);
  tone.start();
  tone.stop(speaker.currentTime + 0.3);
}

/** @param {boolean} on */
function setSound(on) {
  sound.setAttribute("aria-pressed", String(on));
  const words = /** @type {HTMLElement} */ (sound.querySelector("span"));
  words.dataset.name ??= words.textContent ?? "";
  words.textContent = `${words.dataset.name}: ${on ? wall.dataset.on : wall.dataset.off}`;
  localStorage.setItem(SOUND, on ? "on" : "off");
  if (on) speaker ??= new AudioContext();
  else { speaker?.close(); speaker = null; }
}
sound.addEventListener("click", () => {
  setSound(sound.getAttribute("aria-pressed") !== "true");
  ring();
});
setSound(localStorage.getItem(SOUND) === "on");

// What arrives

const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const FLASH = [{ boxShadow: "0 0 0 6px #06c755" }, { boxShadow: "0 0 0 0 transparent" }];

/** @typedef {{user: string, screen: string, state: string, bubbles: number}} News */

/** News of each phone that are not drawn yet: the newest of a burst is enough.
 * @type {Map<string, News>} */
const waiting = new Map();
/** Phones in sight: only these are drawn; the others when they come into sight.
 * @type {Set<string>} */
const inSight = new Set();
let drawing = 0;

/** @param {HTMLElement} card @param {News} news */
function mark(card, news) {
  card.classList.remove("friend", "blocked", "not_friend");
  card.classList.add(news.state);
  if (news.bubbles) card.classList.add("arrived");
}

/** Draw what waits, a few phones in each frame, so that two hundred at once do not stop the page. */
function draw() {
  const began = performance.now();
  drawing = 0;
  for (const user of inSight) {
    const news = waiting.get(user);
    const card = cards.get(user);
    const inside = card?.querySelector(".zoom");
    if (!news || !card || !inside) continue;
    if (performance.now() - began > 10) {
      drawing = requestAnimationFrame(draw);
      return;
    }
    waiting.delete(user);
    inside.innerHTML = news.screen;
    if (news.bubbles && !still) card.animate(FLASH, 1600);
  }
}

/** @param {News} news */
function show(news) {
  const card = cards.get(news.user);
  if (!card) return;
  waiting.set(news.user, news);
  mark(card, news);
  if (news.bubbles) {
    reached.add(news.user);
    bubbles += news.bubbles;
    count();
    ring();
  }
  drawing ||= requestAnimationFrame(draw);
}

const sight = new IntersectionObserver((seen) => {
  for (const { target, isIntersecting } of seen) {
    const { user = "" } = /** @type {HTMLElement} */ (target).dataset;
    if (isIntersecting) inSight.add(user);
    else inSight.delete(user);
  }
  drawing ||= requestAnimationFrame(draw);
}, { rootMargin: "300px" });
for (const card of cards.values()) sight.observe(card);

document.getElementById("filter")?.addEventListener("change", (event) => {
  if (event.target instanceof HTMLSelectElement) event.target.form?.requestSubmit();
});

const query = new URLSearchParams({ channel, lang, q, state, page, size, drawn });
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
