/** The last page of a LIFF window: tells the app's page what was answered. */
const done = /** @type {HTMLElement} */ (document.querySelector("#done"));
const { window: id, answer } = done.dataset;
window.parent.postMessage({ lineEmulator: id, answer: JSON.parse(answer ?? "null") }, "*");
