// @ts-check
/** What opens when a link is tapped: a tab, the in-app browser, or a note of what LINE would do. */

import { address, desk, say, text, word } from "./desk.js";
import { keyboard } from "./menu.js";
import { close, open, pickPhoto, pickPlace } from "./sheets.js";

/** Sends a place: set by the page, which knows how. @type {(place: Record<string, unknown>) => void} */
let sendPlace = () => {};
/** @param {(place: Record<string, unknown>) => void} send */
export function placesGoTo(send) { sendPlace = send; }

/** Follow a link. @param {string} uri @param {string} [message] id of the message it stands in */
export function follow(uri, message = "") {
  if (!uri) return;
  if (/^https?:\/\/line\.me\/r\//i.test(uri) || /^line:\/\//i.test(uri)) {
    if (lineScreen(uri)) return;
  }
  if (/^(https:\/\/(liff|miniapp)\.line\.me\/|line:\/\/app\/)/i.test(uri)) {
    liff(uri.replace(/^line:\/\/app\//i, "https://liff.line.me/"), message);
    return;
  }
  if (/^https?:/i.test(uri)) {
    window.open(address("/open", { url: uri, message }), "_blank", "noopener");
    return;
  }
  const title = /^tel:/i.test(uri) ? "wouldCall" : /^mailto:/i.test(uri) ? "wouldMail" : "wouldLine";
  note(uri, word(title));
}

/** Say what a phone would open. @param {string} uri @param {string} title */
function note(uri, title) {
  open("link", (inside) => {
    /** @type {HTMLElement} */ (inside.querySelector("code")).textContent = uri;
    inside.querySelector("[data-copy]")?.addEventListener("click", () => copy(uri));
  }, title);
}

/** @param {string} words */
export async function copy(words) {
  await navigator.clipboard?.writeText(words).catch(() => {});
  say(word("copied") + words);
}

/** LINE's own screens, as far as a phone here has them (docs, "Use LINE URL scheme").
 * @param {string} uri @returns {boolean} whether something was done */
function lineScreen(uri) {
  const path = uri.replace(/^https?:\/\/line\.me\/r\//i, "").replace(/^line:\/\//i, "");
  if (/^nv\/camera\/?$/i.test(path)) pickPhoto("camera");
  else if (/^nv\/cameraRoll\//i.test(path)) pickPhoto("cameraRoll");
  else if (/^nv\/location\/?$/i.test(path)) pickPlace(sendPlace);
  else if (/^oaMessage\//i.test(path)) return message(path);
  else if (/^app\//i.test(path)) return false;
  else note(uri, word("wouldLine"));
  return true;
}

/** A chat with an account, with words in the composer. @param {string} path */
function message(path) {
  const [, id = "", words = ""] = /^oaMessage\/([^/?]+)\/?\??(.*)$/i.exec(path) ?? [];
  if (decode(id) !== desk.dataset.basicId) return false;
  keyboard(true);
  text.value = decode(words);
  text.dispatchEvent(new Event("input"));
  text.focus();
  return true;
}

/** @param {string} words */
function decode(words) {
  try {
    return decodeURIComponent(words);
  } catch {
    return words;
  }
}

/** A LIFF app in the in-app browser; its page says how tall it wants to be.
 * @param {string} uri @param {string} message */
function liff(uri, message) {
  const target = address("/open", { url: uri, message });
  open("page", (inside) => {
    const frame = /** @type {HTMLIFrameElement} */ (inside.querySelector("iframe"));
    inside.classList.add("browser", "full");
    const tab = document.createElement("a");
    tab.href = target;
    tab.target = "_blank";
    tab.rel = "noopener";
    tab.className = "tab";
    tab.textContent = word("openTab");
    inside.querySelector("h2")?.after(tab);
    frame.src = target;
    const id = new URL(uri).pathname.split("/").filter(Boolean).find((part) => part !== "liff") ?? "";
    resize(inside, id);
  });
}

// A LIFF app closes its window by `liff.closeWindow()`.
window.addEventListener("message", (event) => {
  if (event.data?.lineEmulatorLiff === "close") close();
});

/** The size that the LIFF app was registered with. @param {HTMLElement} sheet @param {string} id */
async function resize(sheet, id) {
  const answer = await fetch(address("/liff", { id })).catch(() => null);
  if (!answer?.ok) return;
  const { size } = await answer.json();
  if (["compact", "tall", "full"].includes(size)) sheet.classList.replace("full", size);
}

/** The id of the message an element of the chat belongs to. @param {Element} element */
export function messageOf(element) {
  const entry = element.closest(".entry");
  const line = element.closest(".lp-line");
  const ids = entry instanceof HTMLElement ? (entry.dataset.ids ?? "").split(" ") : [];
  if (!entry) return "";
  if (!line) return ids[ids.length - 1] ?? "";
  return ids[[...entry.querySelectorAll(".lp-line")].indexOf(line)] ?? "";
}

