// @ts-check
/**
 * What a preview needs beyond HTML and CSS: styles that a strict Content-Security-Policy would
 * forbid as attributes, taps, and the playing of video and audio. Load it as a module; it looks
 * after every preview on the page, also those that come later.
 */

/** The only properties a preview may set; line_preview/style.py has the same list. */
export const ALLOWED = new Set([
  "--lp-line-gap",
  "--lp-size",
  "-webkit-line-clamp",
  "aspect-ratio",
  "background-color",
  "background-image",
  "border-color",
  "border-radius",
  "border-width",
  "bottom",
  "color",
  "flex-grow",
  "height",
  "inset-inline-end",
  "inset-inline-start",
  "left",
  "margin-inline-start",
  "margin-top",
  "max-height",
  "max-width",
  "padding-bottom",
  "padding-inline-end",
  "padding-inline-start",
  "padding-top",
  "top",
  "width",
]);

/** What is set on an element now, to be taken back when its attribute changes.
 * @type {WeakMap<HTMLElement, string[]>} */
const applied = new WeakMap();

/** @param {Element} element */
function applyStyle(element) {
  if (!(element instanceof HTMLElement)) return;
  for (const name of applied.get(element) ?? []) element.style.removeProperty(name);
  const names = [];
  for (const declaration of (element.dataset.lpStyle ?? "").split(";")) {
    const colon = declaration.indexOf(":");
    const name = declaration.slice(0, colon).trim();
    const value = declaration.slice(colon + 1).trim();
    if (colon < 0 || !ALLOWED.has(name) || /url|expression|[\\<>{}]/i.test(value)) continue;
    element.style.setProperty(name, value);
    names.push(name);
  }
  applied.set(element, names);
}

/** Shrink letters until they fit their line, as `adjustMode` asks. @param {Element} element */
function shrink(element) {
  if (!(element instanceof HTMLElement)) return;
  const line = element.querySelector(".lp-p, .lp-btn-label");
  if (!(line instanceof HTMLElement)) return;
  element.style.removeProperty("--lp-fit");
  for (let fit = 1; line.clientWidth && line.scrollWidth > line.clientWidth && fit > 0.3; fit -= 0.05) {
    element.style.setProperty("--lp-fit", fit.toFixed(2));
  }
}

/** Widths are known only after the layout, and change with it. */
const widths = new ResizeObserver((seen) => {
  for (const { target } of seen) if (target.parentElement) shrink(target.parentElement);
});

/** @param {ParentNode & Node} root */
function watchWidths(root) {
  for (const one of root.querySelectorAll(".lp-shrink > .lp-p, .lp-shrink > .lp-btn-label")) {
    widths.observe(one);
  }
}

/** Apply the styles of a preview and everything in it.
 * @param {ParentNode & Node} root */
export function apply(root) {
  if (root instanceof Element && root.hasAttribute("data-lp-style")) applyStyle(root);
  root.querySelectorAll("[data-lp-style]").forEach(applyStyle);
  watchWidths(root);
}

/** @param {HTMLElement} holder */
function play(holder) {
  if (holder.querySelector("video, audio")) return;
  const kind = holder.dataset.lpPlay === "audio" ? "audio" : "video";
  const player = document.createElement(kind);
  player.controls = true;
  player.src = holder.dataset.lpSrc ?? "";
  const { lpTracking: trackingId } = holder.dataset;
  let next = 0;
  const tell = (/** @type {number} */ percent) => {
    for (; next <= percent; next += 25) {
      const detail = { trackingId, percent: next };
      holder.dispatchEvent(new CustomEvent("lp-played", { bubbles: true, detail }));
    }
  };
  player.addEventListener("timeupdate", () => {
    if (player.duration > 0) tell(Math.min(99, (player.currentTime / player.duration) * 100));
  });
  player.addEventListener("ended", () => tell(100));
  holder.replaceChildren(player);
  holder.removeAttribute("role");
  holder.removeAttribute("tabindex");
  // A browser may refuse to start by itself; the controls are there.
  player.play().catch(() => {});
}

/** @param {Event} event */
function tap(event) {
  const target = event.target;
  if (!(target instanceof Element)) return;
  const file = target.closest("[data-lp-file]");
  if (file instanceof HTMLElement) {
    window.open(file.dataset.lpFile, "_blank", "noopener");
    return;
  }
  const touched = target.closest("[data-lp-action], [data-lp-play]");
  if (!(touched instanceof HTMLElement)) return;
  const json = touched.dataset.lpAction;
  if (json === undefined) {
    play(touched);
    return;
  }
  const detail = { action: JSON.parse(json) };
  touched.dispatchEvent(new CustomEvent("lp-action", { bubbles: true, detail }));
}

/** @param {KeyboardEvent} event */
function press(event) {
  const target = event.target;
  if (event.key !== "Enter" && event.key !== " ") return;
  if (!(target instanceof HTMLElement)) return;
  if (!target.matches("[data-lp-action], [data-lp-play][role], [data-lp-file]")) return;
  event.preventDefault();
  target.click();
}

/** Put the stand-in that media.py draws for unusable addresses in place of an image that failed.
 * @param {EventTarget | null} target */
function standIn(target) {
  if (!(target instanceof HTMLImageElement) || !target.hasAttribute("data-lp-image")) return;
  const svg = "http://www.w3.org/2000/svg";
  const glyph = document.createElementNS(svg, "svg");
  glyph.setAttribute("class", "lp-glyph");
  glyph.setAttribute("viewBox", "0 0 24 24");
  const lines = document.createElementNS(svg, "path");
  lines.setAttribute("d", "M3 4.5h18v15H3zM4 17l5-4.5 3.5 3 3.5-4 4.5 5M8.5 8.4a1.6 1.6 0 1 1-.1 0");
  for (const [name, value] of [["fill", "none"], ["stroke", "currentColor"], ["stroke-width", "1.8"]]) {
    lines.setAttribute(name, value);
  }
  glyph.append(lines);
  const span = document.createElement("span");
  span.className = `${target.className} lp-noimage`;
  if (target.alt) {
    span.setAttribute("role", "img");
    span.setAttribute("aria-label", target.alt);
  }
  span.append(glyph);
  target.replaceWith(span);
}

function start() {
  apply(document);
  // Images that failed before this module ran send no more events.
  for (const image of document.querySelectorAll("img[data-lp-image]")) {
    if (image instanceof HTMLImageElement && image.complete && image.naturalWidth === 0) {
      standIn(image);
    }
  }
  new MutationObserver((records) => {
    for (const record of records) {
      if (record.type === "attributes" && record.target instanceof Element) {
        applyStyle(record.target);
      }
      for (const node of record.addedNodes) {
        if (node instanceof Element) apply(node);
      }
    }
  }).observe(document.documentElement, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ["data-lp-style"],
  });
  document.addEventListener("click", tap);
  document.addEventListener("keydown", press);
  // Errors of images do not bubble, but they can be caught on the way down.
  document.addEventListener("error", (event) => standIn(event.target), true);
}

start();
