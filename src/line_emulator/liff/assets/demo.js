/** The LIFF demo: calls the SDK and shows what it answers. */

const liff = /** @type {any} */ (window).liff;
const words = document.body.dataset;
const find = /** @param {string} id */ (id) => /** @type {any} */ (document.getElementById(id));

const show = /** @param {string} call @param {unknown} value */ (call, value) => {
  find("called").textContent = `liff.${call}`;
  find("result").textContent = value === undefined ? "undefined" : JSON.stringify(value, null, 2);
  find("called").scrollIntoView({ block: "nearest" });
};

async function person() {
  find("where").textContent = liff.isInClient() ? words.inside : words.outside;
  const picture = find("picture");
  if (!liff.isLoggedIn()) {
    find("name").textContent = words.nobody;
    find("friend").textContent = "";
    picture.hidden = true;
    return;
  }
  const profile = await liff.getProfile();
  find("name").textContent = profile.displayName;
  picture.hidden = !profile.pictureUrl;
  if (profile.pictureUrl) picture.src = profile.pictureUrl;
  const { friendFlag } = await liff.getFriendship();
  find("friend").textContent = friendFlag ? words.friend : words.noFriend;
}

/** @type {Record<string, () => unknown>} */
const calls = {
  login: () => liff.login({ redirectUri: location.href }),
  logout: () => liff.logout(),
  "permission.getGrantedAll": () => liff.permission.getGrantedAll(),
  sendMessages: () => liff.sendMessages([{ type: "text", text: find("text").value }]),
  "sendMessages Flex": () => liff.sendMessages([{
    type: "flex",
    altText: find("text").value,
    contents: {
      type: "bubble",
      body: {
        type: "box",
        layout: "vertical",
        contents: [{ type: "text", text: find("text").value, weight: "bold", wrap: true }],
      },
    },
  }]),
  shareTargetPicker: () => liff.shareTargetPicker([{ type: "text", text: find("text").value }]),
  openWindow: () => liff.openWindow({ url: `${location.origin}/phones`, external: true }),
  "permanentLink.createUrl": () => liff.permanentLink.createUrl(),
  isApiAvailable: () => Object.fromEntries(
    ["shareTargetPicker", "multipleLiffTransition", "scanCodeV2", "createShortcutOnHomeScreen"]
      .map((name) => [name, liff.isApiAvailable(name)]),
  ),
};

document.addEventListener("click", async (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("button");
  const call = button?.dataset.call;
  if (!call) return;
  try {
    show(call, await (calls[call] ?? (() => liff[call]()))());
    await person();
  } catch (error) {
    const { code, message } = /** @type {any} */ (error);
    show(call, { code, message });
  }
});

try {
  await liff.init({ liffId: words.liff });
  for (const button of document.querySelectorAll("button")) button.disabled = false;
  await person();
  document.body.classList.add("ready");
} catch (error) {
  find("name").textContent = words.failed + /** @type {any} */ (error).message;
}
