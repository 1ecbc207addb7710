"""The demo at `/_emulator/liff/demo`: a LIFF app in which every call of the SDK can be tried."""

from __future__ import annotations

from markupsafe import Markup

from ..api.operation import Answer
from ..login.store import login_channel
from ..platform import Platform
from .store import DEMO

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "frame-src 'self'; img-src 'self' data: http: https:; base-uri 'none'"
)
_WORDS: dict[str, tuple[str, str]] = {
    "title": ("LIFFデモ", "LIFF demo"),
    "intro": (
        "LIFF SDKの呼び出しに、エミュレーターがどう答えるかを試せます。",
        "Try how the emulator answers the calls of the LIFF SDK.",
    ),
    "starting": ("liff.init() を実行中…", "Running liff.init()…"),
    "inside": ("LINEアプリの中で開いています", "Opened inside the LINE app"),
    "outside": ("外部ブラウザで開いています", "Opened in an external browser"),
    "failed": ("liff.init() が失敗しました: ", "liff.init() failed: "),
    "nobody": ("ログインしていません", "Not logged in"),
    "friend": ("公式アカウントの友だちです", "Friend of the official account"),
    "no_friend": ("公式アカウントの友だちではありません", "Not a friend of the official account"),
    "people": ("人", "People"),
    "messages": ("メッセージ", "Messages"),
    "windows": ("画面", "Windows"),
    "environment": ("環境", "Environment"),
    "result": ("結果", "Result"),
    "text": ("送る文", "Text to send"),
    "hello": ("LIFFからこんにちは", "Hello from LIFF"),
    "try": ("ボタンを押すと、ここに結果が表示されます。", "Press a button to see the result here."),
    "other": ("English", "日本語"),
}
_GROUPS = (
    ("people", ("login", "logout", "getProfile", "getDecodedIDToken", "getFriendship",
                "requestFriendship", "permission.getGrantedAll")),
    ("messages", ("sendMessages", "sendMessages Flex", "shareTargetPicker")),
    ("windows", ("scanCodeV2", "openWindow", "closeWindow", "permanentLink.createUrl")),
    ("environment", ("getContext", "getOS", "getAppLanguage", "getVersion", "getLineVersion",
                     "isApiAvailable")),
)  # fmt: skip


def page(platform: Platform, lang: str) -> Answer:
    """The demo app's page."""
    channel = login_channel(platform)
    assert channel is not None

    def word(key: str) -> str:
        return _WORDS[key][0 if lang == "ja" else 1]

    groups = Markup("").join(
        Markup("<section><h2>{}</h2><div>{}</div></section>").format(
            word(name),
            Markup("").join(
                Markup('<button type="button" data-call="{c}" disabled>{c}</button>').format(c=one)
                for one in calls
            ),
        )
        for name, calls in _GROUPS
    )
    told = ("starting", "inside", "outside", "failed", "nobody", "friend", "no_friend", "hello")
    body = Markup(
        '<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<title>{title}</title><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="/_emulator/liff/assets/demo.css">'
        '<script src="/_emulator/liff/sdk.js"></script>'
        '<script type="module" src="/_emulator/liff/assets/demo.js"></script></head>'
        '<body data-liff="{liff}" {words}><header><h1>{title}</h1><p>{intro}</p>'
        '<a href="?lang={other}">{switch}</a></header>'
        '<main><div class="who"><img id="picture" alt="" width="56" height="56" hidden>'
        '<p><b id="name">{starting}</b><small id="where"></small><small id="friend"></small></p>'
        '</div><label class="text">{text}<input id="text" value="{hello}" maxlength="5000"></label>'
        '{groups}<section class="outcome"><h2>{result}</h2><h3 id="called"></h3>'
        '<pre id="result" role="status" tabindex="0">{attempt}</pre></section></main></body></html>'
    ).format(
        lang=lang,
        title=word("title"),
        liff=f"{channel.id}-{DEMO}",
        words=Markup(" ").join(
            Markup('data-{}="{}"').format(key.replace("_", "-"), word(key)) for key in told
        ),
        intro=word("intro"),
        other="en" if lang == "ja" else "ja",
        switch=word("other"),
        starting=word("starting"),
        text=word("text"),
        hello=word("hello"),
        groups=groups,
        result=word("result"),
        attempt=word("try"),
    )
    headers = {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Answer(str(body).encode(), 200, headers, "text/html; charset=utf-8")
