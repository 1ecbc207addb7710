"""The screens of login and consent as HTML, good at a phone's width.

No inline script or style: the Content-Security-Policy forbids both. There is no form-action in it,
since an answer leads back to the developer's own site.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from markupsafe import Markup

from ..api.operation import Answer
from ..model import FRIENDSHIP_NAMES, Channel, User
from ..platform import Platform
from .idtokens import email_of
from .store import LoginChannel, Underway
from .words import word

LISTED = 30
"""So many people are offered on the login screen; more are found by name."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src 'self' data: http: https:; base-uri 'none'; frame-ancestors 'self'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def page(
    title: str, lang: str, body: Markup, *, status: int = 200, script: str | None = None
) -> Answer:
    """A whole page."""
    module = (
        Markup('<script type="module" src="/_emulator/login/assets/{}"></script>').format(script)
        if script
        else ""
    )
    html = Markup(
        '<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<title>{title}</title><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="/_emulator/login/assets/login.css">{module}</head>'
        '<body><main class="card"><p class="brand">{brand}</p>{body}</main></body></html>'
    ).format(lang=lang, title=title, module=module, brand=word("emulator", lang), body=body)
    return Answer(str(html).encode(), status, HEADERS, "text/html; charset=utf-8")


def problem(key: str, lang: str, status: int = 400, *, hint: str = "") -> Answer:
    """A page that says what is wrong, with what may help; nobody is sent anywhere."""
    title = word("bad_request", lang) if status == 400 else str(status)
    body = Markup('<h1>{}</h1><p class="wrong" role="alert">{}</p>').format(title, word(key, lang))
    if hint:
        body += Markup('<p class="hint"><code>{}</code></p>').format(hint)
    return page(title, lang, body, status=status)


def _hidden(fields: Mapping[str, str]) -> Markup:
    return Markup("").join(
        Markup('<input type="hidden" name="{}" value="{}">').format(name, value)
        for name, value in fields.items()
    )


def _face(platform: Platform, user: User, size: int) -> Markup:
    return Markup('<img src="{}" alt="" width="{s}" height="{s}">').format(
        platform.picture_path(user), s=size
    )


# Who


def _people(platform: Platform, search: str) -> tuple[list[User], int]:
    low = search.lower()
    found: list[User] = []
    count = 0
    for user in platform.user_order:
        if low and low not in user.name.lower() and user.id != low:
            continue
        count += 1
        if len(found) < LISTED:
            found.append(user)
    return found, count


def _person(platform: Platform, user: User, css: str = "person") -> Markup:
    return Markup(
        '<li><button class="{css}" name="user" value="{id}">{face}<b>{name}</b></button></li>'
    ).format(css=css, id=user.id, face=_face(platform, user, 40), name=user.name)


def choose(
    platform: Platform,
    lang: str,
    *,
    title: str,
    path: str,
    query: Mapping[str, str],
    before: User | None = None,
) -> Answer:
    """The screen on which one says who one is; then `path` with `query` is visited again."""
    search = query.get("q", "").strip()[:100]
    people, count = _people(platform, search)
    rest = {name: value for name, value in query.items() if name not in ("q", "login_ticket")}
    parts: list[Markup] = []
    if before is not None and not search:
        parts.append(
            Markup('<h2>{}</h2><ul class="people">{}</ul><h2>{}</h2>').format(
                word("again", lang), _person(platform, before), word("others", lang)
            )
        )
    if people:
        listed = Markup("").join(_person(platform, one) for one in people if one is not before)
        parts.append(Markup('<ul class="people">{}</ul>').format(listed))
    else:
        key = "nobody_found" if search else "nobody"
        parts.append(Markup('<p class="quiet">{}</p>').format(word(key, lang)))
    if count > len(people):
        more = word("more", lang, count=count - len(people))
        parts.append(Markup('<p class="quiet">{}</p>').format(more))
    shown = query.get("initial_amr_display")
    methods = Markup("").join(
        Markup('<label><input type="radio" name="method" value="{v}"{on}>{w}</label>').format(
            v=one,
            on=Markup(" checked") if (one == "lineqr") == (shown == "lineqr") else "",
            w=word(one, lang),
        )
        for one in ("pwd", "lineqr")
    )
    body = Markup(
        "<h1>{title}</h1><p>{who}</p>"
        '<form class="search" role="search" method="get" action="{path}">{rest}'
        '<input type="search" name="q" value="{q}" aria-label="{search}" placeholder="{search}">'
        "<button>{find}</button></form>"
        '<form method="post" action="/_emulator/login/choose">{next}'
        '<fieldset class="method"{hide}><legend>{method}</legend>{methods}</fieldset>'
        "{people}</form>"
    ).format(
        title=title,
        who=word("who", lang),
        path=path,
        rest=_hidden(rest),
        q=search,
        search=word("search", lang),
        find=word("find", lang),
        next=_hidden({"next": f"{path}?{urlencode(rest)}"}),
        hide=Markup(" hidden") if query.get("switch_amr") == "false" else "",
        method=word("method", lang),
        methods=methods,
        people=Markup("").join(parts),
    )
    return page(title, lang, body)


# Consent


def _permission(scope: str, user: User, lang: str) -> Markup:
    hint = {"profile": "profile_hint", "openid": "openid_hint", "chat_message.write": "chat_hint"}
    if scope == "email":
        text = email_of(user) or ""
        mark = Markup('<input type="checkbox" name="email" value="yes" checked>')
    else:
        text = word(hint[scope], lang)
        mark = Markup('<span class="required">{}</span>').format(word("required", lang))
    return Markup("<li><label><span><b>{}</b><small>{}</small></span>{}</label></li>").format(
        word(scope, lang), text, mark
    )


def _friend_option(account: Channel, state: str, lang: str, certified: bool) -> Markup:
    if state == "friend":
        return Markup('<p class="option is-friend">{}</p>').format(
            word("is_friend", lang, name=account.name)
        )
    key = "unblock_option" if state == "blocked" else "friend_option"
    return Markup(
        '<label class="option"><span><b>{}</b><small>{}</small></span>'
        '<input type="checkbox" name="friend" value="yes"{}></label>'
    ).format(
        word(key, lang, name=account.name),
        account.basic_id,
        Markup(" checked") if certified else "",
    )


def consent(
    platform: Platform, channel: LoginChannel, name: str, key: str, one: Underway, lang: str
) -> Answer:
    """The screen on which permissions are granted to `name` (docs, "User authorization")."""
    user = platform.users[one.user_id]
    account = platform.channels.get(channel.linked_channel or "")
    option = Markup("")
    if account is not None and one.friend_shown:
        state = FRIENDSHIP_NAMES[account.friendship(user.id)]
        option = _friend_option(account, state, lang, channel.certified)
    title = word("consent", lang, name=name)
    body = Markup(
        '<h1>{title}</h1><p class="me">{face}<span>{me}</span></p>'
        '<form method="post" action="/_emulator/login/consent">{hidden}'
        '<ul class="permissions">{permissions}</ul>{option}'
        '<div class="buttons"><button class="yes" name="answer" value="allow">{allow}</button>'
        '<button name="answer" value="cancel">{cancel}</button></div></form>'
    ).format(
        title=title,
        face=_face(platform, user, 40),
        me=word("as", lang, name=user.name),
        hidden=_hidden({"underway": key, "lang": lang}),
        permissions=Markup("").join(_permission(scope, user, lang) for scope in one.scopes),
        option=option,
        allow=word("allow", lang),
        cancel=word("cancel", lang),
    )
    return page(title, lang, body)


def friend(platform: Platform, account: Channel, key: str, one: Underway, lang: str) -> Answer:
    """The screen of its own to add the account, for `bot_prompt=aggressive`."""
    blocked = FRIENDSHIP_NAMES[account.friendship(one.user_id)] == "blocked"
    title = word("unblock_option" if blocked else "friend_option", lang, name=account.name)
    body = Markup(
        '<h1>{title}</h1><p class="account"><b>{name}</b><small>{id}</small></p><p>{hint}</p>'
        '<form method="post" action="/_emulator/login/friend">{hidden}<div class="buttons">'
        '<button class="yes" name="answer" value="add">{add}</button>'
        '<button name="answer" value="skip">{skip}</button></div></form>'
    ).format(
        title=title,
        name=account.name,
        id=account.basic_id,
        hint=word("add_hint", lang),
        hidden=_hidden({"underway": key, "lang": lang}),
        add=word("unblock" if blocked else "add_friend", lang),
        skip=word("not_now", lang),
    )
    return page(title, lang, body)


def post_on(action: str, fields: Mapping[str, str], lang: str) -> Answer:
    """A page that posts the fields to the callback URL by itself (`response_mode=form_post`)."""
    title = word("going_on", lang)
    body = Markup(
        '<h1>{}</h1><form id="go" method="post" action="{}">{}<div class="buttons">'
        '<button class="yes">{}</button></div></form>'
    ).format(title, action, _hidden(fields), word("go_on", lang))
    return page(title, lang, body, script="go.js")


def notice(
    title: str, text: str, lang: str, *, good: bool, back: str | None, status: int
) -> Answer:
    """A page that tells how something ended."""
    link = (
        Markup(
            '<div class="buttons"><a class="button" target="_top" href="{}">{}</a></div>'
        ).format(back, word("back", lang))
        if back
        else ""
    )
    body = Markup('<h1>{}</h1><p class="{}" role="status">{}</p>{}').format(
        title, "good" if good else "wrong", text, link
    )
    return page(title, lang, body, status=status)
