// @ts-check
/** One phone: adds what arrives, and sends what the person types and taps to the control API. */

const desk = /** @type {HTMLElement} */ (document.querySelector(".desk"));
const chat = /** @type {HTMLElement} */ (document.getElementById("chat"));
const composer = /** @type {HTMLFormElement} */ (document.getElementById("composer"));
const text = /** @type {HTMLInputElement} */ (document.getElementById("text"));
const file = /** @type {HTMLInputElement} */ (document.getElementById("file"));
const picker = /** @type {HTMLDialogElement} */ (document.getElementById("picker"));
const picked = /** @type {HTMLInputElement} */ (document.getElementById("picked"));
const typing = /** @type {HTMLElement} */ (document.getElementById("typing"));
const toast = /** @type {HTMLElement} */ (document.getElementById("toast"));
const { user = "", channel = "", lang = "ja" } = desk.dataset;

let toastTimer = 0;
let typingTimer = 0;

/** @param {string} words @param {number} [seconds] */
function say(words, seconds = 4) {
  toast.textContent = words;
  toast.hidden = false;
  clearTimeout(toastTimer);
  if (seconds) toastTimer = window.setTimeout(() => { toast.hidden = true; }, seconds * 1000);
}

/** Do one thing as this person. @param {Record<string, unknown>} what */
async function act(what) {
  const response = await fetch("/_emulator/acts", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ acts: [{ user, channel, ...what }] }),
  });
  const answer = await response.json();
  const result = answer.results?.[0] ?? { ok: false, error: answer.error };
  if (!result.ok) say(result.error);
  return result;
}

function toBottom() {
  chat.scrollTop = chat.scrollHeight;
}

/** Show the loading animation for so long; 0 ends it. @param {number} seconds */
function type(seconds) {
  clearTimeout(typingTimer);
  typing.hidden = !(seconds > 0);
  if (seconds > 0) typingTimer = window.setTimeout(() => type(0), seconds * 1000);
}

/** @param {{entries: string[], friendship: string, typing: number}} news */
function add(news) {
  if (news.entries.length) {
    for (const old of chat.querySelectorAll(".lp-chips, .nothing")) old.remove();
  }
  type(news.typing);
  for (const entry of news.entries) chat.insertAdjacentHTML("beforeend", entry);
  for (const place of document.querySelectorAll(".friendship")) place.innerHTML = news.friendship;
  // Pictures grow when they load: keep the newest in sight.
  for (const picture of chat.querySelectorAll("img")) {
    if (!picture.complete) picture.addEventListener("load", toBottom, { once: true });
  }
  toBottom();
}

/** Ask for a date or time. @param {{mode: string, initial?: string, min?: string, max?: string}} action */
function pickMoment(action) {
  const local = /** @param {string | undefined} value */ (value) => (value ?? "").toUpperCase();
  picked.type = { date: "date", time: "time" }[action.mode] ?? "datetime-local";
  picked.min = local(action.min);
  picked.max = local(action.max);
  picked.value = local(action.initial);
  picker.returnValue = "";
  picker.showModal();
  return new Promise((resolve) => {
    picker.addEventListener(
      "close",
      () => resolve(picker.returnValue === "ok" ? picked.value : ""),
      { once: true },
    );
  });
}

/** @param {string} uri */
function open(uri) {
  if (/^https?:/i.test(uri)) window.open(uri, "_blank", "noopener");
  say(`${desk.dataset.opened}${uri}`);
}

/** @param {any} action */
async function tap(action) {
  switch (action.type) {
    case "uri":
      open(action.uri ?? action.linkUri ?? "");
      return;
    case "clipboard":
      await navigator.clipboard?.writeText(action.clipboardText).catch(() => {});
      say(desk.dataset.copied ?? "");
      return;
    case "datetimepicker": {
      const value = await pickMoment(action);
      if (value) await act({ type: "tap", action, value });
      return;
    }
    case "camera":
    case "cameraRoll":
      file.click();
      return;
    case "message":
    case "postback":
    case "location": {
      await act({ type: "tap", action });
      if (action.inputOption === "openKeyboard") {
        text.value = action.fillInText ?? "";
        text.focus();
      }
      return;
    }
    default:
      say(desk.dataset.nothingToTap ?? "");
  }
}

/** @param {Blob} blob @returns {Promise<string>} */
function base64(blob) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",")[1] ?? "");
    reader.readAsDataURL(blob);
  });
}

composer.addEventListener("submit", async (event) => {
  event.preventDefault();
  const words = text.value.trim();
  if (!words) return;
  text.value = "";
  const result = await act({ type: "message", text: words });
  if (!result.ok) text.value = words;
});

file.addEventListener("change", async () => {
  const photo = file.files?.[0];
  if (!photo) return;
  const data = await base64(photo);
  file.value = "";
  await act({ type: "message", message: { type: "image", data, contentType: photo.type } });
});

document.addEventListener("lp-action", (event) => {
  tap(/** @type {CustomEvent} */ (event).detail.action);
});

document.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("button");
  if (!button) return;
  if (button.dataset.act) act({ type: button.dataset.act });
  if (button.dataset.send) {
    /** @type {HTMLDetailsElement | null} */ (button.closest("details"))?.removeAttribute("open");
    if (button.dataset.send === "photo") file.click();
    else act({ type: "message", message: { type: button.dataset.send } });
  }
});

const query = new URLSearchParams({ channel, lang });
const stream = new EventSource(`/phone/${user}/stream?${query}`);
let wasLost = false;
stream.onmessage = (event) => add(JSON.parse(event.data));
stream.onerror = () => { wasLost = true; say(desk.dataset.lost ?? "", 0); };
stream.onopen = () => {
  // What came in between is not repeated by the stream: draw the page anew.
  if (wasLost) location.reload();
};
window.addEventListener("pagehide", () => stream.close());

type(Number(desk.dataset.typing));
toBottom();
for (const picture of chat.querySelectorAll("img")) picture.addEventListener("load", toBottom);
