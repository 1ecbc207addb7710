"""The HTML of the phone and of the wall of phones."""

from __future__ import annotations

from urllib.parse import urlencode

from markupsafe import Markup

from ..model import FRIENDSHIP_NAMES, Channel, Phone, User
from ..platform import Platform
from . import draw
from .words import word

SHOWN = 200
"""How many of a chat's latest entries the page draws."""
ON_WALL = 3
"""How many of the latest entries a phone on the wall shows."""


def page(title: str, lang: str, body: Markup, script: str, kind: str) -> Markup:
    """A whole page with its stylesheets and the one module that makes it live."""
    return Markup(
        '<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<title>{title}</title><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="/phone-assets/line-preview.css">'
        '<link rel="stylesheet" href="/phone-assets/phone.css">'
        '<script type="module" src="/phone-assets/line-preview.js"></script>'
        '<script type="module" src="/phone-assets/{script}"></script>'
        '</head><body class="{kind}">{body}</body></html>'
    ).format(lang=lang, title=title, script=script, kind=kind, body=body)


def _link(path: str, text: str, css: str = "", **query: str | int) -> Markup:
    return Markup('<a class="{}" href="{}?{}">{}</a>').format(css, path, urlencode(query), text)


# One phone


def friendship_controls(state: str, lang: str) -> Markup:
    """How the person stands to the account, and what they can do about it."""
    act, label = {
        "friend": ("unfollow", "block"),
        "blocked": ("unblock", "unblock"),
    }.get(state, ("follow", "add"))
    return Markup(
        '<span class="state {state}">{name}</span>'
        '<button type="button" class="act {act}" data-act="{act}">{label}</button>'
    ).format(state=state, name=word(state, lang), act=act, label=word(label, lang))


def chat(phone: Phone, channel: Channel, lang: str) -> Markup:
    """The latest entries of a chat with a line between days."""
    entries = phone.entries[-SHOWN:]
    parts: list[Markup] = []
    day = ""
    for place, one in enumerate(entries):
        if draw.day(one) != day:
            day = draw.day(one)
            parts.append(Markup('<p class="day">{}</p>').format(day))
        parts.append(draw.entry(one, channel, lang, newest=place == len(entries) - 1))
    if not parts:
        parts.append(Markup('<p class="nothing">{}</p>').format(word("empty", lang)))
    return Markup("").join(parts)


def phone_page(platform: Platform, user: User, channel: Channel, lang: str) -> Markup:
    """The page `/phone/{user}`: one person's chat with one account."""
    phone = channel.phones.get(user.id) or Phone()
    state = FRIENDSHIP_NAMES[phone.friendship]
    other = "en" if lang == "ja" else "ja"
    accounts = Markup("").join(
        _link(
            f"/phone/{user.id}",
            one.name,
            "account here" if one is channel else "account",
            channel=one.id,
            lang=lang,
        )
        for one in platform.channels.values()
    )
    texts = ("copied", "opened", "lost", "nothing_to_tap")
    body = Markup(
        '<main class="desk" data-user="{user}" data-channel="{channel}" data-lang="{lang}"'
        ' data-typing="{typing}" {texts}>'
        '<section class="phone" aria-label="{name}"><header class="bar">'
        '<a class="back" href="/phones?{back}" aria-label="{all}">‹</a><h1>{account}</h1>'
        '<span class="friendship">{friendship}</span></header>'
        '<div class="chat" id="chat" tabindex="0" role="log" aria-live="polite">{chat}</div>'
        '<p class="typing" id="typing" role="status" aria-label="{loading}" hidden>'
        "<span></span><span></span><span></span></p>"
        '<form class="composer" id="composer">'
        '<details class="attach"><summary aria-label="{attach}" title="{attach}">＋</summary><menu>'
        '<button type="button" data-send="photo">{photo}</button>'
        '<button type="button" data-send="sticker">{sticker}</button>'
        '<button type="button" data-send="location">{location}</button></menu></details>'
        '<input type="file" id="file" accept="image/*" hidden>'
        '<input id="text" name="text" autocomplete="off" placeholder="{message}"'
        ' aria-label="{message}" maxlength="5000">'
        '<button type="submit">{send}</button></form></section>'
        '<aside class="person"><img src="{picture}" alt="" width="96" height="96"><h2>{name}</h2>'
        '<p class="friendship">{friendship}</p>'
        "<h3>{accounts_title}</h3><nav>{accounts}</nav>"
        "<dl><dt>{language}</dt><dd>{spoken}</dd><dt>{user_id}</dt><dd><code>{user}</code></dd></dl>"
        "<nav>{wall} · {switch}</nav></aside></main>"
        '<dialog id="picker"><form method="dialog"><label>{pick}<input id="picked"></label>'
        '<div><button value="cancel">{cancel}</button><button value="ok">{ok}</button></div>'
        '</form></dialog><p id="toast" role="status" hidden></p>'
    ).format(
        user=user.id,
        channel=channel.id,
        lang=lang,
        texts=Markup(" ").join(
            Markup('data-{}="{}"').format(key.replace("_", "-"), word(key, lang)) for key in texts
        ),
        typing=max(0, round(phone.loading_until - platform.clock.now())),
        name=user.name,
        account=channel.name,
        back=urlencode({"channel": channel.id, "lang": lang}),
        all=word("all_phones", lang),
        friendship=friendship_controls(state, lang),
        chat=chat(phone, channel, lang),
        loading=word("loading", lang),
        attach=word("attach", lang),
        photo=word("photo", lang),
        sticker=word("sticker", lang),
        location=word("location", lang),
        message=word("message", lang),
        send=word("send", lang),
        picture=platform.picture_path(user),
        accounts_title=word("account", lang),
        accounts=accounts,
        language=word("language", lang),
        spoken=user.language,
        user_id=word("user_id", lang),
        wall=_link("/phones", word("all_phones", lang), channel=channel.id, lang=lang),
        switch=_link(
            f"/phone/{user.id}", word("other_language", lang), channel=channel.id, lang=other
        ),
        pick=word("pick", lang),
        cancel=word("cancel", lang),
        ok=word("ok", lang),
    )
    return page(f"{user.name} – {channel.name}", lang, body, "phone.js", "one")


# The wall


def card_screen(user: User, channel: Channel, lang: str) -> Markup:
    """The little screen of a phone on the wall: its latest entries."""
    phone = channel.phones.get(user.id)
    entries = phone.entries[-ON_WALL:] if phone else []
    if not entries:
        return Markup('<p class="nothing">{}</p>').format(word("empty_wall", lang))
    last = len(entries) - 1
    return Markup("").join(
        draw.entry(one, channel, lang, newest=place == last) for place, one in enumerate(entries)
    )


def _card(platform: Platform, user: User, channel: Channel, lang: str) -> Markup:
    state = FRIENDSHIP_NAMES[channel.friendship(user.id)]
    return Markup(
        '<li class="card {state}" data-user="{id}">'
        '<a href="/phone/{id}?{query}"><span class="who"><img src="{picture}" alt="" width="32"'
        ' height="32" loading="lazy"><b>{name}</b><i class="dot" title="{state_name}"></i></span>'
        '<span class="sr">{state_name}</span></a>'
        '<div class="screen" inert><div class="zoom">{screen}</div></div></li>'
    ).format(
        state=state,
        id=user.id,
        query=urlencode({"channel": channel.id, "lang": lang}),
        picture=platform.picture_path(user),
        name=user.name,
        state_name=word(state, lang),
        screen=card_screen(user, channel, lang),
    )


def wall_page(
    platform: Platform,
    people: list[User],
    channel: Channel,
    lang: str,
    *,
    search: str,
    number: int,
    size: int,
    total: int,
) -> Markup:
    """The page `/phones`: page `number` (0 is the first) of the people found."""
    common: dict[str, str | int] = {"channel": channel.id, "lang": lang, "size": size}
    if search:
        common["q"] = search
    steps: list[Markup] = []
    if number > 0:
        steps.append(_link("/phones", word("previous", lang), "step", **common, page=number - 1))
    if (number + 1) * size < total:
        steps.append(_link("/phones", word("next", lang), "step", **common, page=number + 1))
    first = number * size + 1 if people else 0
    other = "en" if lang == "ja" else "ja"
    accounts = Markup("").join(
        _link(
            "/phones",
            one.name,
            "account here" if one is channel else "account",
            channel=one.id,
            lang=lang,
        )
        for one in platform.channels.values()
    )
    if people:
        cards = Markup("").join(_card(platform, user, channel, lang) for user in people)
    else:
        words = ("nobody_found", "nobody_found") if search else ("nobody", "nobody_hint")
        cards = Markup('<li class="none"><b>{}</b><br>{}</li>').format(
            word(words[0], lang), word(words[1], lang) if words[0] != words[1] else ""
        )
    body = Markup(
        '<header class="top"><h1>{title}</h1><p>{intro}</p>'
        '<form role="search"><input type="search" name="q" value="{search}" placeholder="{ask}"'
        ' aria-label="{ask}"><input type="hidden" name="channel" value="{channel}">'
        '<input type="hidden" name="lang" value="{lang}"><button>{find}</button></form>'
        '<nav class="accounts">{accounts}{switch}</nav></header>'
        '<main class="wall" data-channel="{channel}" data-lang="{lang}" data-q="{search}"'
        ' data-page="{number}" data-size="{size}" data-lost="{lost}"><ul>{cards}</ul></main>'
        '<footer class="pages"><span>{first}–{last} / {total}</span>{steps}</footer>'
        '<p id="toast" role="status" hidden></p>'
    ).format(
        title=word("phones", lang),
        intro=word("phones_intro", lang),
        search=search,
        ask=word("search", lang),
        find=word("find", lang),
        channel=channel.id,
        lang=lang,
        accounts=accounts,
        switch=_link(
            "/phones", word("other_language", lang), "switch", **(common | {"lang": other})
        ),
        number=number,
        size=size,
        lost=word("lost", lang),
        cards=cards,
        first=first,
        last=first + len(people) - 1 if people else 0,
        total=total,
        steps=Markup("").join(steps),
    )
    return page(word("phones", lang), lang, body, "wall.js", "many")
