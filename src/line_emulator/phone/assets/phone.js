// @ts-check
/** One phone: shows what arrives, and does what the person types and taps. */

import { act, address, chat, desk, one, say, text, toBottom, user, word } from "./desk.js";
import { copy, follow, messageOf, placesGoTo } from "./links.js";
import { keyboard, openTools, replace, show } from "./menu.js";
import { close, open, pickMedia, pickMoment, pickPhoto, pickPlace, pickSticker } from "./sheets.js";

const composer = /** @type {HTMLFormElement} */ (one("#composer"));
const typing = one("#typing");
const quotebar = one("#quotebar");
const menuHolder = one("#menu");
let typingTimer = 0;
/** The message that the next words reply to. */
let quoted = "";
/** The message that the next words take the place of. */
let edited = "";

// What the person sends

/** @param {Record<string, unknown>} content */
async function send(content) {
  const quote = quoted && ["text", "sticker"].includes(String(content.type)) ? { quote: quoted } : {};
  const result = await act({ type: "message", message: content, ...quote });
  if (result.ok && quote.quote) quoting("");
  return result;
}

/** @param {Record<string, unknown>} place */
const sendPlace = (place) => send({ type: "location", ...place });
placesGoTo(sendPlace);

/** Reply to a message with the next words; "" stops it. @param {string} id @param {string} [words] */
function quoting(id, words = "") {
  quoted = id;
  edited = "";
  quotebar.hidden = !id;
  /** @type {HTMLElement} */ (quotebar.querySelector("p")).textContent =
    id ? `${word("quoting")}: ${words}` : "";
}

function grow() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, 120)}px`;
}

composer.addEventListener("submit", async (event) => {
  event.preventDefault();
  const words = text.value.trim();
  if (!words) return;
  text.value = "";
  grow();
  const result = edited
    ? await act({ type: "edit", message: edited, text: words })
    : await send({ type: "text", text: words });
  if (!result.ok) text.value = words;
  else if (edited) quoting("");
  grow();
});
text.addEventListener("input", grow);
text.addEventListener("keydown", (event) => {
  // Enter sends, Shift+Enter breaks the line; Enter that only chooses Japanese letters does neither.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});
quotebar.addEventListener("click", (event) => {
  if (/** @type {HTMLElement} */ (event.target).closest("[data-unquote]")) quoting("");
});
one("#tools").addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("button");
  const kind = button?.dataset.send;
  if (!kind) return;
  openTools(false);
  if (kind === "photo") pickPhoto("cameraRoll");
  else if (kind === "camera") pickPhoto("camera");
  else if (kind === "sticker") pickSticker(send);
  else if (kind === "location") pickPlace(sendPlace);
  else pickMedia(kind);
});

// What the person taps

/** After a postback LINE may open the keyboard, the recorder or the menu.
 * @param {any} action */
function after(action) {
  const option = action.inputOption;
  if (option === "openKeyboard") {
    keyboard(true);
    text.value = action.fillInText ?? "";
    grow();
    text.focus();
  } else if (option === "openVoice") {
    pickMedia("audio");
  } else if (option === "openRichMenu" || option === "closeRichMenu") {
    keyboard(false);
    show(option === "openRichMenu");
  }
}

/** Carry out an action; `tap` tells the platform of it.
 * @param {any} action @param {(more: Record<string, unknown>) => Promise<any>} tap
 * @param {string} message @param {boolean} counts whether following a link is still to be counted */
async function perform(action, tap, message, counts) {
  switch (action.type) {
    case "uri": {
      const uri = action.uri ?? action.linkUri ?? "";
      if (!counts) await tap({});
      follow(uri, counts ? message : "");
      break;
    }
    case "clipboard":
      await copy(action.clipboardText ?? "");
      await tap({});
      break;
    case "datetimepicker": {
      const value = await pickMoment(action);
      if (value) await tap({ value });
      break;
    }
    case "camera":
    case "cameraRoll":
      pickPhoto(action.type);
      break;
    case "location":
      pickPlace(sendPlace);
      break;
    case "message":
    case "postback":
    case "richmenuswitch": {
      const result = await tap({});
      if (result.ok) after(action);
      break;
    }
    case "coupon":
      coupon(action.couponId ?? "");
      break;
    default:
      say(word("nothingToTap"));
  }
}

document.addEventListener("lp-action", (event) => {
  const { action } = /** @type {CustomEvent} */ (event).detail;
  const message = messageOf(/** @type {Element} */ (event.target));
  perform(action, (more) => act({ type: "tap", action, message, ...more }), message, true);
});
document.addEventListener("lp-played", (event) => {
  const target = /** @type {Element} */ (event.target);
  const { percent } = /** @type {CustomEvent} */ (event).detail;
  // LINE counts media of messages in a person's own chat; not in groups, nor videos in Flex Messages.
  if (desk.dataset.chat || target.closest(".lp-bub") || !target.closest(".received")) return;
  act({ type: "play", message: messageOf(target), percent });
});
menuHolder.addEventListener("click", async (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest(".area");
  if (!(button instanceof HTMLElement)) return;
  const area = Number(button.dataset.area);
  const action = JSON.parse(button.dataset.action ?? "{}");
  perform(action, (more) => act({ type: "menu", area, ...more }), "", false);
});

// Coupons

/** @param {string} id */
async function coupon(id) {
  const inside = /** @param {HTMLElement} sheet */ (sheet) => sheet.querySelector(".holder");
  const draw = async (/** @type {HTMLElement} */ sheet) => {
    const page = await fetch(address("/coupon", { id }));
    const holder = inside(sheet);
    if (holder) holder.innerHTML = await page.text();
  };
  open("coupon", (sheet) => {
    draw(sheet);
    inside(sheet)?.addEventListener("click", async (event) => {
      const button = /** @type {HTMLElement} */ (event.target).closest("[data-coupon-act]");
      if (!(button instanceof HTMLElement)) return;
      const result = await act({ type: button.dataset.couponAct, coupon: id });
      if (result.ok) await draw(sheet);
    });
  });
}

// The menu of a message

/** @param {Element} line */
function messageMenu(line) {
  const entry = /** @type {HTMLElement} */ (line.closest(".entry"));
  const id = messageOf(line);
  const mine = entry.dataset.mine !== undefined;
  const words = line.querySelector(".lp-text")?.textContent ?? "";
  const spoken = words || line.querySelector(".lp-msg")?.textContent?.trim() || "…";
  open("message", (sheet) => {
    /** @type {HTMLElement} */ (sheet.querySelector(".words")).textContent = spoken.slice(0, 80);
    /** @type {Record<string, [boolean, () => void]>} */
    const rows = {
      quote: [id !== "", () => { keyboard(true); quoting(id, spoken.slice(0, 40)); text.focus(); }],
      copy: [words !== "", () => { copy(words); }],
      edit: [mine && words !== "" && (desk.dataset.chat ?? "").startsWith("C"), () => {
        keyboard(true);
        quoting(id, spoken.slice(0, 40));
        [edited, quoted] = [id, ""];
        text.value = words;
        grow();
        text.focus();
      }],
      unsend: [mine, () => { act({ type: "unsend", message: id }); }],
    };
    for (const button of sheet.querySelectorAll("[data-do]")) {
      const [possible, run] = rows[/** @type {HTMLElement} */ (button).dataset.do ?? ""];
      if (!possible) button.parentElement?.remove();
      button.addEventListener("click", () => { close(); run(); });
    }
  });
}

/** Give each message its menu: a button for mouse and keys, a long press for fingers. */
function dress() {
  for (const line of chat.querySelectorAll(".entry[data-ids] .lp-line:not(.dressed)")) {
    line.classList.add("dressed");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "dots";
    button.setAttribute("aria-label", word("actionsFor"));
    button.textContent = "⋯";
    const inside = line.querySelector(".lp-row") ?? line;
    if (line.classList.contains("lp-said")) inside.prepend(button);
    else inside.append(button);
    button.addEventListener("click", () => messageMenu(line));
  }
}

let press = 0;
chat.addEventListener("pointerdown", (event) => {
  if (event.pointerType === "mouse") return;
  const line = /** @type {Element} */ (event.target).closest(".entry[data-ids] .lp-line");
  if (line) press = window.setTimeout(() => messageMenu(line), 550);
});
for (const name of ["pointerup", "pointercancel", "pointermove"]) {
  chat.addEventListener(name, () => clearTimeout(press));
}
chat.addEventListener("contextmenu", (event) => {
  const line = /** @type {Element} */ (event.target).closest(".entry[data-ids] .lp-line");
  if (!line) return;
  event.preventDefault();
  messageMenu(line);
});

// What arrives

/** Show the loading animation for so long; 0 ends it. @param {number} seconds */
function type(seconds) {
  clearTimeout(typingTimer);
  typing.hidden = !(seconds > 0);
  if (seconds > 0) typingTimer = window.setTimeout(() => type(0), seconds * 1000);
}

function settle() {
  dress();
  // Pictures grow when they load: keep the newest in sight.
  for (const picture of chat.querySelectorAll("img")) {
    if (!picture.complete) picture.addEventListener("load", toBottom, { once: true });
  }
  toBottom();
}

/** Looking at the chat counts as reading it. */
function read() {
  if (document.visibilityState === "visible") act({ type: "read" });
}

/** @param {{entries: string[], whole?: string, friendship?: string, typing: number,
 *   menu?: {html: string, open: boolean}}} news */
function add(news) {
  type(news.typing);
  if (news.whole !== undefined) {
    chat.innerHTML = news.whole;
  } else if (news.entries.length) {
    for (const old of chat.querySelectorAll(".lp-chips, .nothing")) old.remove();
    for (const entry of news.entries) chat.insertAdjacentHTML("beforeend", entry);
  }
  if (news.friendship !== undefined) {
    for (const place of document.querySelectorAll(".friendship")) place.innerHTML = news.friendship;
  }
  if (news.menu) replace(news.menu);
  if (news.whole !== undefined || news.entries.length) settle();
  if (news.entries.some((entry) => entry.includes('class="entry received"'))) read();
}

// The rest of the page

document.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("button");
  if (button?.dataset.act) act({ type: button.dataset.act });
  if (button && "about" in button.dataset) {
    open("about", (sheet) => {
      const person = one("#person").cloneNode(true);
      /** @type {HTMLElement} */ (person).removeAttribute("id");
      for (const radio of /** @type {HTMLElement} */ (person).querySelectorAll("input")) {
        radio.name = "letters-here";
      }
      sheet.querySelector(".holder")?.replaceChildren(person);
      showLetters();
    });
  }
});

const LETTERS = "line-emulator-letters";
function showLetters() {
  const scale = localStorage.getItem(LETTERS) ?? "1";
  chat.style.setProperty("--lp-scale", scale);
  for (const radio of document.querySelectorAll('.letters input')) {
    if (radio instanceof HTMLInputElement) radio.checked = radio.value === scale;
  }
}
document.addEventListener("change", (event) => {
  const radio = event.target;
  if (!(radio instanceof HTMLInputElement) || !radio.closest(".letters")) return;
  localStorage.setItem(LETTERS, radio.value);
  showLetters();
});

const stream = new EventSource(address("/stream", { drawn: desk.dataset.drawn ?? "" }));
let wasLost = false;
stream.onmessage = (event) => add(JSON.parse(event.data));
stream.onerror = () => { wasLost = true; say(word("lost"), 0); };
stream.onopen = () => {
  // What came in between is not repeated by the stream: draw the page anew.
  if (wasLost) location.reload();
};
window.addEventListener("pagehide", () => stream.close());
document.addEventListener("visibilitychange", read);

type(Number(desk.dataset.typing));
showLetters();
settle();
read();
for (const picture of chat.querySelectorAll("img")) picture.addEventListener("load", toBottom);
document.documentElement.dataset.ready = user;
