"""The little windows that the LIFF SDK opens over an app: share, scan, add as a friend.

Each is a page in a frame. Its answer is told to the app's page by a message, `{"lineEmulator": id,
"answer": …}`; null means that the window was closed.
"""

from __future__ import annotations

import orjson
from markupsafe import Markup

from ..api.operation import Answer
from ..login import screens
from ..login.words import word
from ..model import FRIENDSHIP_NAMES, Channel, Json, User
from ..platform import Platform

LISTED = 50
FRAME_HEADERS = screens.HEADERS | {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src 'self' data: http: https:; base-uri 'none'"
    )
}
"""As of the other screens, but any page may frame these: the app's own host is unknown."""


def framed(answer: Answer) -> Answer:
    """The page, to be shown in a frame of another origin."""
    return Answer(answer.body, answer.status, FRAME_HEADERS, answer.content_type)


def _buttons(yes: str, lang: str) -> Markup:
    return Markup(
        '<div class="buttons"><button class="yes" name="answer" value="ok">{}</button>'
        '<button name="answer" value="cancel" formnovalidate>{}</button></div>'
    ).format(yes, word("cancel", lang))


def picker(
    platform: Platform, key: str, me: User, lang: str, *, several: bool, search: str
) -> Answer:
    """The target picker: people to send to."""
    low = search.lower()
    rows: list[Markup] = []
    kind = "checkbox" if several else "radio"
    for one in platform.user_order:
        if one is me or (low and low not in one.name.lower()):
            continue
        rows.append(
            Markup(
                '<li><label class="person pick"><img src="{}" alt="" width="40" height="40">'
                '<b>{}</b><input type="{}" name="to" value="{}"></label></li>'
            ).format(platform.picture_path(one), one.name, kind, one.id)
        )
        if len(rows) >= LISTED:
            break
    people: Markup | str = Markup('<ul class="people">{}</ul>').format(Markup("").join(rows))
    if not rows:
        people = Markup('<p class="quiet">{}</p>').format(word("nobody_found", lang))
    body = Markup(
        "<h1>{title}</h1><p>{hint}</p>"
        '<form class="search" role="search" method="get" action="/_emulator/liff/windows/{key}">'
        '<input type="hidden" name="lang" value="{lang}"><input type="search" name="q" value="{q}"'
        ' aria-label="{search}" placeholder="{search}"><button>{find}</button></form>'
        '<form class="sheet" method="post" action="/_emulator/liff/windows/{key}?lang={lang}">'
        "{people}{buttons}</form>"
    ).format(
        title=word("picker", lang),
        hint=word("picker_hint", lang),
        key=key,
        lang=lang,
        q=search,
        search=word("search", lang),
        find=word("find", lang),
        people=people,
        buttons=_buttons(word("send", lang), lang),
    )
    return framed(screens.page(word("picker", lang), lang, body, script="window.js"))


def scanner(key: str, lang: str) -> Answer:
    """The code reader's stand-in: type what the code says."""
    body = Markup(
        '<h1>{}</h1><p>{}</p><form method="post" action="/_emulator/liff/windows/{}?lang={}">'
        '<label class="field">{}<input name="value" required autocomplete="off"></label>'
        "{}</form>"
    ).format(
        word("scan", lang),
        word("scan_hint", lang),
        key,
        lang,
        word("scanned", lang),
        _buttons(word("go_on", lang), lang),
    )
    return framed(screens.page(word("scan", lang), lang, body, script="window.js"))


def friendship(account: Channel, user: User, key: str, lang: str) -> Answer:
    """Asks to add the account as a friend, or to unblock it."""
    blocked = FRIENDSHIP_NAMES[account.friendship(user.id)] == "blocked"
    title = word("unblock_option" if blocked else "friend_option", lang, name=account.name)
    body = Markup(
        '<h1>{}</h1><p class="account"><b>{}</b><small>{}</small></p><p>{}</p>'
        '<form method="post" action="/_emulator/liff/windows/{}?lang={}">{}</form>'
    ).format(
        title,
        account.name,
        account.basic_id,
        word("add_hint", lang),
        key,
        lang,
        _buttons(word("unblock" if blocked else "add_friend", lang), lang),
    )
    return framed(screens.page(title, lang, body, script="window.js"))


def done(key: str, answer: Json | None, lang: str) -> Answer:
    """The last page of a window: its script tells the app and the frame is taken away."""
    body = Markup('<p class="quiet" id="done" data-window="{}" data-answer="{}">{}</p>').format(
        key, _json(answer), word("close", lang)
    )
    return framed(screens.page(word("close", lang), lang, body, script="done.js"))


def _json(answer: Json | None) -> str:

    return orjson.dumps(answer).decode()
