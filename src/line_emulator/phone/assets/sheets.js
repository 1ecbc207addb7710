// @ts-check
/** What comes up from the bottom of the phone, and the pickers that live there. */

import { act, chat, one, say, word } from "./desk.js";

const sheet = one("#sheet");
const ground = one("#ground");
const front = one(".front");
/** @type {HTMLElement | null} */
let before = null;
/** @type {((value: any) => void) | null} */
let answer = null;

/** Close the sheet with what was chosen. @param {any} [value] */
export function close(value) {
  if (sheet.hidden) return;
  sheet.hidden = true;
  ground.hidden = true;
  sheet.replaceChildren();
  sheet.className = "sheet";
  front.inert = false;
  // What brought the sheet up may be gone by now: the chat takes the focus then.
  (before?.offsetParent ? before : chat).focus({ preventScroll: true });
  const told = answer;
  answer = null;
  told?.(value);
}

/** Bring up a sheet; the promise gives what is chosen in it, or undefined.
 * @param {string} name @param {(inside: HTMLElement) => void} [prepare] @param {string} [title]
 * @returns {Promise<any>} */
export function open(name, prepare, title) {
  close();
  const template = /** @type {HTMLTemplateElement} */ (one(`#sheet-${name}`));
  before = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  sheet.replaceChildren(template.content.cloneNode(true));
  const heading = /** @type {HTMLElement} */ (sheet.querySelector("h2"));
  if (title) heading.textContent = title;
  sheet.setAttribute("aria-label", heading.textContent ?? "");
  prepare?.(sheet);
  sheet.hidden = false;
  ground.hidden = false;
  front.inert = true;
  const first = sheet.querySelector("input:not(.sr), .inside button, .inside a, button");
  if (first instanceof HTMLElement) first.focus({ preventScroll: true });
  return new Promise((resolve) => { answer = resolve; });
}

ground.addEventListener("click", () => close());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
});
sheet.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("[data-close]")) close();
});
sheet.addEventListener("keydown", (event) => {
  // The page around stays out of reach of the Tab key, as the rest of the phone does.
  if (event.key !== "Tab") return;
  const all = [...sheet.querySelectorAll("button, input, select, textarea, a[href], summary, iframe")]
    .filter((each) => each instanceof HTMLElement && each.offsetParent !== null);
  const [first, last] = [all[0], all[all.length - 1]];
  if (event.shiftKey && document.activeElement === first) {
    event.preventDefault();
    /** @type {HTMLElement} */ (last).focus();
  } else if (!event.shiftKey && document.activeElement === last) {
    event.preventDefault();
    /** @type {HTMLElement} */ (first).focus();
  }
});

/** LINE writes hours as 00:00, with `t` or `T` between day and hour. @param {string | undefined} value */
const local = (value) => (value ?? "").replace("t", "T");

/** Ask for a date or time.
 * @param {{mode: string, initial?: string, min?: string, max?: string}} action
 * @returns {Promise<string | undefined>} */
export function pickMoment(action) {
  const kind = { date: "date", time: "time" }[action.mode] ?? "datetime-local";
  const [min, max] = [local(action.min), local(action.max)];
  return open("moment", (inside) => {
    const input = /** @type {HTMLInputElement} */ (inside.querySelector("input"));
    const range = /** @type {HTMLElement} */ (inside.querySelector(".range"));
    const wrong = /** @type {HTMLElement} */ (inside.querySelector(".wrong"));
    input.type = kind;
    input.min = min;
    input.max = max;
    input.value = local(action.initial) || now(kind);
    if (min || max) {
      range.hidden = false;
      /** @type {HTMLElement} */ (range.querySelector("b")).textContent =
        `${min.replace("T", " ")} – ${max.replace("T", " ")}`;
    }
    const form = /** @type {HTMLFormElement} */ (inside.querySelector("form"));
    form.noValidate = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { value } = input;
      const outside = !value || (min && value < min) || (max && value > max);
      wrong.hidden = !outside;
      if (outside) input.focus();
      else close(value.slice(0, 16));
    });
  }, word(action.mode));
}

/** What a picker begins with when the action says nothing: this moment. @param {string} kind */
function now(kind) {
  const here = new Date();
  const iso = new Date(here.getTime() - here.getTimezoneOffset() * 60000).toISOString();
  return { date: iso.slice(0, 10), time: iso.slice(11, 16) }[kind] ?? iso.slice(0, 16);
}

/** @param {Blob} blob @returns {Promise<string>} */
function base64(blob) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",")[1] ?? "");
    reader.readAsDataURL(blob);
  });
}

/** Send a blob as a message. @param {string} type @param {Blob} blob @param {string} [name] */
export async function sendBlob(type, blob, name) {
  const contentType = blob.type || "application/octet-stream";
  const more = type === "file" ? { fileName: name ?? "file" } : {};
  await act({ type: "message", message: { type, data: await base64(blob), contentType, ...more } });
}

/** Let a file input of a sheet send what is chosen. @param {HTMLElement} inside @param {string} type */
function sendsOwn(inside, type) {
  const input = /** @type {HTMLInputElement} */ (inside.querySelector('input[type="file"]'));
  input.id = "file";
  input.addEventListener("change", async () => {
    const file = input.files?.[0];
    close();
    if (file) await sendBlob(type, file, file.name);
  });
}

/** Photo from camera or camera roll. @param {"camera" | "cameraRoll"} kind */
export function pickPhoto(kind) {
  open("photos", (inside) => {
    sendsOwn(inside, "image");
    for (const button of inside.querySelectorAll("[data-photo]")) {
      button.addEventListener("click", async () => {
        const { photo } = /** @type {HTMLElement} */ (button).dataset;
        close();
        const picture = await fetch(`/phone-pictures/${photo}.jpg`);
        if (picture.ok) await sendBlob("image", await picture.blob());
        else say(word("lost"));
      });
    }
  }, word(kind === "camera" ? "takePhoto" : "choosePhoto"));
}

/** Video, sound or file. @param {string} type */
export function pickMedia(type) {
  open(type, (inside) => {
    sendsOwn(inside, type);
    inside.querySelector("[data-sample]")?.addEventListener("click", () => {
      close();
      act({ type: "message", message: { type } });
    });
  });
}

/** @param {(content: Record<string, unknown>) => void} send */
export function pickSticker(send) {
  open("stickers", (inside) => {
    for (const button of inside.querySelectorAll("[data-sticker]")) {
      button.addEventListener("click", () => {
        const { package: packageId, sticker: stickerId } = /** @type {HTMLElement} */ (button).dataset;
        close();
        send({ type: "sticker", packageId, stickerId });
      });
    }
  });
}

/** @param {(place: Record<string, unknown>) => void} send */
export function pickPlace(send) {
  open("places", (inside) => {
    for (const button of inside.querySelectorAll("[data-latitude]")) {
      button.addEventListener("click", () => {
        const { title, address, latitude, longitude } = /** @type {HTMLElement} */ (button).dataset;
        close();
        send({ title, address, latitude: Number(latitude), longitude: Number(longitude) });
      });
    }
    const form = /** @type {HTMLFormElement} */ (inside.querySelector("form"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const data = new FormData(form);
      const place = {
        latitude: Number(data.get("latitude")),
        longitude: Number(data.get("longitude")),
      };
      const named = ["title", "address"].filter((name) => data.get(name));
      close();
      send({ ...place, ...Object.fromEntries(named.map((name) => [name, data.get(name)])) });
    });
  });
}
