/**
 * The LIFF SDK's calls, answered by the LINE emulator.
 *
 * Load it in place of https://static.line-scdn.net/liff/edge/2/sdk.js; it makes `window.liff`. Where
 * the emulator is, it knows from its own address.
 */
(() => {
  "use strict";

  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const base = new URL(script?.src || location.href).origin;
  const VERSION = "2.27.2";
  const LINE_VERSION = "15.20.0";
  const SECRETS = ["access_token", "context_token", "feature_token", "id_token", "client_id"];
  const API_NAMES = [
    "shareTargetPicker", "multipleLiffTransition", "subwindowOpen", "scanCode", "scanCodeV2",
    "createShortcutOnHomeScreen", "iap", "skipChannelVerificationScreen",
  ];

  class LiffError extends Error {
    /** @param {string} code @param {string} [message] @param {unknown} [cause] */
    constructor(code, message = code, cause) {
      super(message);
      this.name = "LiffError";
      this.code = code;
      if (cause !== undefined) this.cause = cause;
    }
  }

  // What is remembered between pages: of an app on a phone as long as its window is open, of one in
  // another browser as long as the login lasts.

  let liffId = /** @type {string | null} */ (null);
  let told = /** @type {any} */ (null);
  let language = "";
  let extraQuery = "";
  let initDone = () => {};
  const ready = new Promise((resolve) => { initDone = () => resolve(undefined); });

  /**
   * A storage of the browser, or the window's name: in a frame of another site, browsers may deny
   * storage, and the name is what lives on when the frame goes to its next page.
   * @param {"sessionStorage" | "localStorage"} kind
   */
  const storage = (kind) => {
    try {
      window[kind].getItem("");
      return window[kind];
    } catch {
      const MARK = "line-emulator:";
      const all = () => {
        try {
          return window.name.startsWith(MARK) ? JSON.parse(window.name.slice(MARK.length)) : {};
        } catch {
          return {};
        }
      };
      /** @param {any} values */
      const write = (values) => { window.name = MARK + JSON.stringify(values); };
      return {
        /** @param {string} name */
        getItem: (name) => all()[name] ?? null,
        /** @param {string} name @param {string} value */
        setItem: (name, value) => write({ ...all(), [name]: value }),
        /** @param {string} name */
        removeItem: (name) => write({ ...all(), [name]: undefined }),
      };
    }
  };
  const ofWindow = storage("sessionStorage");
  const ofBrowser = storage("localStorage");

  /** @param {string} hash */
  const credentials = (hash) => {
    const given = new URLSearchParams(hash.replace(/^#/, ""));
    return given.has("access_token") && given.has("context_token") ? given : null;
  };
  const arrived = credentials(location.hash);
  const CLIENT = "line-emulator:in-client";
  if (arrived) ofWindow.setItem(CLIENT, "yes");
  const inClient = () => ofWindow.getItem(CLIENT) === "yes";

  const shelf = () => (inClient() ? ofWindow : ofBrowser);
  /** @returns {any} */
  const kept = () => JSON.parse(shelf().getItem(`line-emulator:${liffId}`) ?? "{}");
  /** @param {any} values */
  const keep = (values) => shelf().setItem(`line-emulator:${liffId}`, JSON.stringify(values));
  const forget = () => shelf().removeItem(`line-emulator:${liffId}`);

  /** The claims of a JWT, unchecked. @param {string} token */
  const claims = (token) => {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(part), (one) => one.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  };

  /** Ask the emulator; errors become LiffErrors. @param {string} path @param {RequestInit} [how] */
  const ask = async (path, how) => {
    let response;
    try {
      response = await fetch(base + path, how);
    } catch (error) {
      throw new LiffError("UNKNOWN", "The emulator does not answer", error);
    }
    const body = await response.json().catch(() => ({}));
    if (!response.ok) {
      const details = (body.details ?? []).map(
        /** @param {any} one */ (one) => `${one.property}: ${one.message}`,
      );
      const words = [body.message ?? body.error_description ?? body.error, ...details].join(" / ");
      throw new LiffError(String(response.status), words);
    }
    return body;
  };

  const bearer = () => {
    const token = liff.getAccessToken();
    if (!token) {
      throw new LiffError("UNAUTHORIZED", "Need access_token for api call, Please login first");
    }
    return { Authorization: `Bearer ${token}` };
  };

  /** @param {string} name @param {any} [body] */
  const call = (name, body = {}) => ask(`/_emulator/liff/call/${name}`, {
    method: "POST",
    headers: { ...bearer(), "Content-Type": "application/json" },
    body: JSON.stringify({ liffId, ...body }),
  });

  const mustBeReady = () => {
    if (!told) throw new LiffError("INIT_FAILED", "Call liff.init() first");
  };

  /** @param {string} scope */
  const needs = (scope) => {
    mustBeReady();
    if (!told.context.scope.includes(scope)) {
      throw new LiffError("FORBIDDEN", `The scope ${scope} is not set for this LIFF app`);
    }
  };

  // Initialization

  /** Whether `url` is the endpoint or below it. @param {string} endpoint @param {string} url */
  const below = (endpoint, url) => {
    const from = new URL(endpoint);
    const there = new URL(url);
    const path = from.pathname.replace(/\/$/, "");
    return from.origin === there.origin
      && (there.pathname.replace(/\/$/, "") === path || there.pathname.startsWith(`${path}/`));
  };

  /** The secondary redirect URL. @param {string} endpoint @param {string} state */
  const secondary = (endpoint, state) => {
    const url = new URL(endpoint);
    const given = new URL(state.replace(/^(?=[^/?#])/, "/"), "http://x");
    if (!/^[?#]/.test(state)) {
      url.pathname = url.pathname.replace(/\/$/, "") + given.pathname;
    }
    for (const [name, value] of given.searchParams) url.searchParams.append(name, value);
    url.hash = given.hash;
    return url;
  };

  /** Take what belongs to the emulator out of the address. */
  const cleaned = () => {
    const url = new URL(location.href);
    if (credentials(url.hash)) {
      const hash = new URLSearchParams(url.hash.slice(1));
      for (const name of SECRETS) hash.delete(name);
      url.hash = hash.toString();
    }
    for (const name of ["liff.state", "code", "state", "liffClientId", "liffRedirectUri",
      "friendship_status_changed", "error", "error_description"]) {
      if (name === "liff.state" || url.searchParams.has("liffClientId")) url.searchParams.delete(name);
    }
    return url;
  };

  /** The login has come back with a code: get tokens for it. @param {URLSearchParams} query */
  const redeem = async (query) => {
    const started = JSON.parse(ofWindow.getItem("line-emulator:login") ?? "{}");
    if (started.state !== query.get("state")) {
      throw new LiffError("INIT_FAILED", "The state of the login does not match");
    }
    ofWindow.removeItem("line-emulator:login");
    const answer = await ask("/oauth2/v2.1/token", {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({
        grant_type: "authorization_code",
        client_id: query.get("liffClientId") ?? "",
        code: query.get("code") ?? "",
        code_verifier: started.verifier ?? "",
        redirect_uri: query.get("liffRedirectUri") ?? "",
        id_token_key_type: "JWK",
      }),
    });
    keep({ accessToken: answer.access_token, idToken: answer.id_token });
  };

  /** Never resolves: the page is about to be left. */
  const leaving = () => new Promise(() => {});

  /** @param {any} config */
  const start = async (config) => {
    if (!config?.liffId) {
      throw new LiffError("INVALID_CONFIG", "liffId is necessary for liff.init()");
    }
    liffId = config.liffId;
    const query = new URLSearchParams(location.search);
    const fragment = credentials(location.hash);
    if (fragment) {
      keep({
        accessToken: fragment.get("access_token"),
        idToken: fragment.get("id_token") ?? undefined,
        context: claims(fragment.get("context_token") ?? ""),
      });
    } else if (query.has("code") && query.has("liffClientId")) {
      await redeem(query);
    }
    const back = query.get("liffRedirectUri");
    const body = { liffId, accessToken: kept().accessToken };
    const about = () => ask("/_emulator/liff/call/app", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    try {
      told = await about();
    } catch (error) {
      if (!(error instanceof LiffError) || error.code !== "401") throw error;
      // The token has run out or was taken back: start as nobody.
      forget();
      body.accessToken = undefined;
      told = await about();
    }
    const here = cleaned();
    const endpoint = told.context.endpointUrl;
    if (!below(endpoint, location.href)) {
      console.warn(
        "liff.init() was called with a current URL that is not related to the endpoint URL.\n"
        + `${location.origin}${location.pathname} is not under ${endpoint}`,
      );
    }
    const state = query.get("liff.state");
    const target = state ? secondary(endpoint, state) : back ? new URL(back) : here;
    for (const name of ["liff.referrer"]) {
      const value = query.get(name);
      if (value && state) target.searchParams.set(name, value);
    }
    if (target.origin !== here.origin || target.pathname !== here.pathname) {
      location.replace(target.href);
      return leaving();
    }
    if (target.href !== location.href) history.replaceState(history.state, "", target.href);
    if (config.withLoginOnExternalBrowser && !inClient() && !liff.isLoggedIn()) {
      liff.login();
      return leaving();
    }
  };

  // Plugins

  const beforeInit = /** @type {Function[]} */ ([]);
  const afterInit = /** @type {Function[]} */ ([]);
  /** What plugins may wait for: `init`, and `$name` with the hooks of the plugin of that name. */
  const hooks = /** @type {any} */ ({
    init: {
      before: /** @param {Function} then */ (then) => { beforeInit.push(then); },
      after: /** @param {Function} then */ (then) => { afterInit.push(then); },
    },
  });
  /** @param {Function[]} waiting */
  const fire = (waiting) => Promise.all(waiting.map((then) => then()));

  // Windows over the page

  /** Ask the person something in a frame; null when it was closed. @param {any} what */
  const askPerson = async (what) => {
    const opened = await call("windows", what);
    if ("answer" in opened) return opened.answer;
    const dialog = document.createElement("dialog");
    Object.assign(dialog.style, {
      width: "min(480px, 100vw)", height: "min(720px, 100dvh)", maxWidth: "100vw",
      maxHeight: "100dvh", padding: "0", border: "0", borderRadius: "16px", overflow: "hidden",
    });
    const frame = document.createElement("iframe");
    const lang = liff.getAppLanguage();
    frame.src = `${base}${opened.path}?lang=${encodeURIComponent(lang.slice(0, 2))}`;
    frame.title = "LIFF";
    Object.assign(frame.style, { display: "block", width: "100%", height: "100%", border: "0" });
    dialog.append(frame);
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((resolve) => {
      /** @param {unknown} answer */
      const end = (answer) => {
        window.removeEventListener("message", listen);
        dialog.remove();
        resolve(answer);
      };
      /** @param {MessageEvent} event */
      const listen = (event) => {
        if (event.origin === base && event.data?.lineEmulator === opened.id) end(event.data.answer);
      };
      window.addEventListener("message", listen);
      dialog.addEventListener("cancel", () => end(null));
    });
  };

  // Addresses

  /** A LIFF URL leads to the emulator. @param {string} url */
  const local = (url) => {
    const parsed = new URL(url);
    if (!["liff.line.me", "miniapp.line.me"].includes(parsed.hostname)) return url;
    if (parsed.hash) parsed.searchParams.set("liff.hash", parsed.hash.slice(1));
    return `${base}/liff${parsed.pathname}${parsed.search}`;
  };

  /** @param {string} url */
  const permanent = (url) => {
    mustBeReady();
    const endpoint = told.context.endpointUrl;
    if (!below(endpoint, url)) {
      throw new LiffError("INVALID_CONFIG", "currentPageUrl must start with endpoint URL of LIFF App.");
    }
    const from = new URL(endpoint);
    const there = new URL(url);
    const path = there.pathname.slice(from.pathname.replace(/\/$/, "").length).replace(/^\/$/, "");
    const query = new URLSearchParams(there.search);
    for (const [name, value] of from.searchParams) query.delete(name, value);
    for (const name of [...query.keys()]) if (name.startsWith("liff.")) query.delete(name);
    const search = query.toString();
    return `https://liff.line.me/${liffId}${path}${search ? `?${search}` : ""}${there.hash}`;
  };

  // The object

  /** @type {any} */
  const liff = {
    get id() { return liffId; },
    get ready() { return ready; },

    /** @param {any} config @param {Function} [success] @param {Function} [failure] */
    async init(config, success, failure) {
      try {
        await fire(beforeInit);
        await start(config);
        await fire(afterInit);
        initDone();
      } catch (error) {
        const wrapped = error instanceof LiffError && !/^\d/.test(error.code)
          ? error
          : new LiffError("INIT_FAILED", /** @type {any} */ (error)?.message, error);
        if (failure) failure(wrapped);
        throw wrapped;
      }
      success?.();
    },

    getOS() {
      const agent = navigator.userAgent;
      if (/iPhone|iPad|iPod/.test(agent)) return "ios";
      return /Android/.test(agent) ? "android" : "web";
    },
    getAppLanguage: () => language || navigator.language,
    getLanguage: () => navigator.language,
    getVersion: () => VERSION,
    getLineVersion: () => (inClient() ? LINE_VERSION : null),
    isInClient: inClient,
    isSubWindow: () => false,
    isLoggedIn: () => Boolean(liffId && kept().accessToken),

    getContext() {
      mustBeReady();
      const context = kept().context ?? told.context;
      const hash = told.accessTokenHash;
      return structuredClone(hash ? { ...context, accessTokenHash: hash } : context);
    },

    /** @param {string} name */
    isApiAvailable(name) {
      mustBeReady();
      if (!API_NAMES.includes(name)) throw new LiffError("INVALID_ARGUMENT", `no such API: ${name}`);
      if (name === "multipleLiffTransition" && !inClient()) return false;
      if (["shareTargetPicker", "scanCodeV2"].includes(name) && !liff.isLoggedIn()) return false;
      return liff.getContext().availability[name]?.permission === true;
    },

    // Authentication

    /** @param {{redirectUri?: string}} [config] */
    login(config) {
      mustBeReady();
      if (inClient()) return;
      const random = () => {
        const bytes = crypto.getRandomValues(new Uint8Array(32));
        return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
      };
      const verifier = random();
      const state = random();
      ofWindow.setItem("line-emulator:login", JSON.stringify({ verifier, state }));
      crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)).then((digest) => {
        const challenge = btoa(String.fromCharCode(...new Uint8Array(digest)))
          .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
        const query = new URLSearchParams({
          app_id: liffId ?? "",
          client_id: told.channelId,
          response_type: "code",
          scope: told.context.scope.join(" "),
          state,
          code_challenge: challenge,
          code_challenge_method: "S256",
          redirect_uri: config?.redirectUri ?? told.context.endpointUrl,
          lang: liff.getAppLanguage().slice(0, 2),
        });
        location.href = `${base}/liff/v1/authorize?${query}`;
      });
    },
    logout() {
      mustBeReady();
      forget();
    },
    getAccessToken: () => (liffId ? kept().accessToken ?? null : null),
    getIDToken: () => (liffId ? kept().idToken ?? null : null),
    getDecodedIDToken() {
      const token = liff.getIDToken();
      return token ? claims(token) : null;
    },

    permission: {
      async getGrantedAll() {
        mustBeReady();
        return (await call("permissions")).granted;
      },
      /** @param {string} scope */
      async query(scope) {
        mustBeReady();
        if (!["profile", "chat_message.write", "openid", "email"].includes(scope)) {
          throw new LiffError("INVALID_ARGUMENT", `no such permission: ${scope}`);
        }
        const found = await call("permissions");
        if (!found.scope.includes(scope)) return { state: "unavailable" };
        return { state: found.granted.includes(scope) ? "granted" : "prompt" };
      },
      async requestAll() {
        throw new LiffError("FORBIDDEN", "requestAll() is for LINE MINI Apps only");
      },
    },

    // People

    async getProfile() {
      needs("profile");
      return ask("/v2/profile", { headers: bearer() });
    },
    async getFriendship() {
      needs("profile");
      return ask("/friendship/v1/status", { headers: bearer() });
    },
    async requestFriendship() {
      mustBeReady();
      try {
        await askPerson({ kind: "friendship" });
      } catch (error) {
        throw forbidden(error);
      }
    },

    // Windows

    /** @param {{url: string, external?: boolean}} params */
    openWindow(params) {
      if (typeof params?.url !== "string") {
        throw new LiffError("INVALID_ARGUMENT", "parameter 'url' must be specified");
      }
      const url = local(params.url);
      if (url !== params.url && !params.external && inClient()) location.href = url;
      else window.open(url, "_blank");
    },
    closeWindow() {
      ofWindow.removeItem(CLIENT);
      if (window.parent !== window) window.parent.postMessage({ lineEmulatorLiff: "close" }, "*");
      window.close();
    },

    // Messages

    /** @param {any[]} messages */
    async sendMessages(messages) {
      mustBeReady();
      if (!inClient()) throw new LiffError("FORBIDDEN", "sendMessages() is for the LIFF browser");
      if (!Array.isArray(messages) || !messages.length || messages.length > 5) {
        throw new LiffError("INVALID_ARGUMENT", "parameter 'messages' must be an array of 1 to 5");
      }
      await call("send", { messages });
    },
    /** @param {any[]} messages @param {{isMultiple?: boolean}} [options] */
    async shareTargetPicker(messages, options) {
      mustBeReady();
      if (!Array.isArray(messages) || !messages.length || messages.length > 5) {
        throw new LiffError("INVALID_ARGUMENT", "no proper argument");
      }
      try {
        const answer = await askPerson({
          kind: "share", messages, isMultiple: options?.isMultiple ?? true,
        });
        return answer ?? undefined;
      } catch (error) {
        throw forbidden(error);
      }
    },
    async scanCodeV2() {
      mustBeReady();
      try {
        return (await askPerson({ kind: "scan" })) ?? { value: null };
      } catch (error) {
        throw forbidden(error);
      }
    },

    /** The old reader is there in LINE for Android only. */
    get scanCode() {
      return inClient() && liff.getOS() === "android" ? liff.scanCodeV2 : undefined;
    },

    // Links

    permanentLink: {
      createUrl() {
        const url = new URL(location.href);
        for (const [name, value] of new URLSearchParams(extraQuery)) url.searchParams.append(name, value);
        return permanent(url.href);
      },
      /** @param {string} url */
      async createUrlBy(url) {
        return permanent(url);
      },
      /** @param {string} query */
      setExtraQueryParam(query) {
        extraQuery = query;
      },
    },

    // Others

    /** @param {any} module @param {unknown} [option] */
    use(module, option) {
      if (!module?.name || typeof module.install !== "function") {
        throw new LiffError("INVALID_ARGUMENT", "a plugin has a name and install()");
      }
      const name = `$${module.name}`;
      if (name in liff) return liff;
      liff[name] = module.install({ liff, hooks }, option);
      hooks[name] = Object.fromEntries(Object.entries(module.hooks ?? {}).map(
        ([when, hook]) => [when, /** @param {Function} then */ (then) => hook.on(then)],
      ));
      return liff;
    },
    i18n: {
      /** @param {string} tag */
      async setLang(tag) {
        language = String(tag).startsWith("ja") ? "ja" : "en";
      },
    },
    async createShortcutOnHomeScreen() {
      throw new LiffError("FORBIDDEN", "createShortcutOnHomeScreen() is for LINE MINI Apps only");
    },
    iap: Object.fromEntries(
      ["getPlatformProducts", "requestConsentAgreement", "createPayment"].map((name) => [
        name,
        async () => {
          throw new LiffError("FORBIDDEN", `iap.${name}() is for LINE MINI Apps only`);
        },
      ]),
    ),
  };

  /** @param {unknown} error */
  const forbidden = (error) => (
    error instanceof LiffError && error.code === "403"
      ? new LiffError("FORBIDDEN", error.message)
      : error
  );

  /** @type {any} */ (window).liff = liff;
})();
