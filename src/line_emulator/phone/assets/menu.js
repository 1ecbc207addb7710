// @ts-check
/** The rich menu below the chat, its bar, and the keyboard that takes its place. */

import { act, one, text, toBottom, word } from "./desk.js";

const holder = one("#menu");
const composer = one("#composer");
const toMenu = one("#tomenu");
const tools = one("#tools");
const attach = one("#attach");

/** The rich menu, if the person has one. @returns {HTMLElement | null} */
function menu() {
  return holder.querySelector(".richmenu");
}

/** Open or close the menu; the platform counts it as seen unless it knows already.
 * @param {boolean} opened @param {boolean} [known] */
export function show(opened, known = false) {
  const here = menu();
  const bar = holder.querySelector("#menubar");
  if (!here || !bar) return;
  if (here.hidden === !opened) return;
  here.hidden = !opened;
  bar.setAttribute("aria-expanded", String(opened));
  bar.setAttribute("title", word(opened ? "closeMenu" : "openMenu"));
  if (!known) act({ type: opened ? "menu_open" : "menu_close" });
  toBottom();
}

/** Show the keyboard in place of the menu, or the menu's bar again. @param {boolean} on */
export function keyboard(on) {
  const has = menu() !== null;
  composer.hidden = has && !on;
  holder.hidden = has && on;
  toMenu.hidden = !has;
  if (composer.hidden) openTools(false);
  if (on && has) show(false);
}

/** @param {boolean} on */
export function openTools(on) {
  tools.hidden = !on;
  attach.setAttribute("aria-expanded", String(on));
  if (on) toBottom();
}

/** Put in a menu that has just become this person's. @param {{html: string, open: boolean}} news */
export function replace(news) {
  const typing = document.activeElement === text && text.value !== "";
  holder.innerHTML = news.html;
  begin(news.open, typing);
}

/** @param {boolean} opened the platform has it open already @param {boolean} [typing] */
function begin(opened, typing = false) {
  keyboard(typing || menu() === null);
  if (typing) return;
  if (opened) show(true, true);
  else if (menu()?.dataset.selected === "true") show(true);
}

holder.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("[data-keyboard]")) {
    keyboard(true);
    text.focus();
  } else if (target.closest("#menubar")) {
    show(menu()?.hidden ?? false);
  }
});
toMenu.addEventListener("click", () => {
  keyboard(false);
  show(true);
});
attach.addEventListener("click", () => openTools(tools.hidden));

begin(false);
