// @ts-check
/** What every part of the phone's page needs: whose phone it is, doing things, and short notes. */

/** @template {HTMLElement} T @param {string} selector @returns {T} */
export function one(selector) {
  return /** @type {T} */ (/** @type {unknown} */ (document.querySelector(selector)));
}

export const desk = one(".desk");
export const chat = one("#chat");
export const text = /** @type {HTMLTextAreaElement} */ (one("#text"));
export const { user = "", channel = "", chat: group = "", lang = "ja" } = desk.dataset;
const toast = one("#toast");
let timer = 0;

/** A word that the page brought along. @param {string} key */
export function word(key) {
  return desk.dataset[key] ?? "";
}

/** Show a short note; 0 seconds keep it. @param {string} words @param {number} [seconds] */
export function say(words, seconds = 4) {
  toast.textContent = words;
  toast.hidden = false;
  clearTimeout(timer);
  if (seconds) timer = window.setTimeout(() => { toast.hidden = true; }, seconds * 1000);
}

/** Do one thing as this person, here or in the group that is shown.
 * @param {Record<string, unknown>} what */
export async function act(what) {
  const where = group ? { user, chat: group } : { user, channel };
  let answer;
  try {
    const response = await fetch("/_emulator/acts", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ acts: [{ ...where, ...what }] }),
    });
    answer = await response.json();
  } catch {
    say(word("lost"));
    return { ok: false, error: word("lost") };
  }
  const result = answer.results?.[0] ?? { ok: false, error: answer.error };
  if (!result.ok) say(result.error);
  return result;
}

export function toBottom() {
  chat.scrollTop = chat.scrollHeight;
}

/** An address of a page of this phone. @param {string} path @param {Record<string, string>} more */
export function address(path, more) {
  const query = new URLSearchParams({ channel, lang, ...(group ? { chat: group } : {}), ...more });
  return `/phone/${user}${path}?${query}`;
}
