"""The HTML of one phone: a chat with an account, or of a group, and what lies around it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup

from ..groups.store import Group, Groups
from ..model import FRIENDSHIP_NAMES, Channel, Phone, User
from ..platform import Platform
from . import draw, talk
from .menu import draw_menu
from .sheets import sheets
from .shell import icon, join, link, other, page, switches, texts
from .words import word

SHOWN = 200
"""How many of a chat's latest entries the page draws."""
_TEXTS = (
    "copied",
    "lost",
    "nothing_to_tap",
    "actions_for",
    "would_call",
    "would_mail",
    "would_line",
    "would_open",
    "take_photo",
    "choose_photo",
    "date",
    "time",
    "datetime",
    "quoting",
    "close_menu",
    "open_menu",
    "open_tab",
)
_SIZES = (("small", "0.85"), ("normal", "1"), ("large", "1.2"), ("extra_large", "1.45"))


@dataclass(frozen=True, slots=True)
class Chat:
    """Which chat a phone shows: that with the account of `channel`, or `group`."""

    platform: Platform
    user: User
    channel: Channel
    group: Group | None
    lang: str

    @property
    def title(self) -> str:
        """What stands at the top of the chat."""
        if self.group is None:
            return self.channel.name
        return talk.title(self.platform, self.group)

    @property
    def query(self) -> dict[str, str]:
        """The query of the page, without the language."""
        query = {"channel": self.channel.id}
        return query | {"chat": self.group.id} if self.group else query


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


def entries(chat: Chat) -> Markup:
    """The latest entries of the chat with a line between days."""
    if chat.group is not None:
        drawn = talk.drawn(chat.platform, chat.group, chat.user, chat.lang, SHOWN)
    else:
        phone = chat.channel.phones.get(chat.user.id) or Phone()
        latest = phone.entries[-SHOWN:]
        last = len(latest) - 1
        drawn = [
            (
                one.at_ms,
                draw.entry(one, chat.channel, chat.user.id, phone, chat.lang, newest=place == last),
            )
            for place, one in enumerate(latest)
        ]
    parts: list[Markup] = []
    day = ""
    for at_ms, html in drawn:
        if draw.day(at_ms) != day:
            day = draw.day(at_ms)
            parts.append(Markup('<p class="day">{}</p>').format(day))
        parts.append(html)
    if not parts:
        parts.append(Markup('<p class="nothing">{}</p>').format(word("empty", chat.lang)))
    return join(parts)


def phone_page(chat: Chat) -> Markup:
    """The page `/phone/{user}`."""
    lang, channel, user = chat.lang, chat.channel, chat.user
    phone = channel.phones.get(user.id) or Phone()
    in_group = chat.group is not None
    body = Markup(
        '<main class="desk" data-user="{user}" data-channel="{channel}" data-chat="{group}"'
        ' data-basic-id="{basic}" data-lang="{lang}" data-typing="{typing}"'
        ' data-drawn="{drawn}" {texts}>'
        '<section class="phone" aria-label="{name}">'
        '<div class="front"><header class="bar">'
        '<a class="round back" href="/phones?{back}" aria-label="{all}">{arrow}</a><h1>{title}</h1>'
        '{friendship}<button type="button" class="round more" data-about aria-label="{person}"'
        ' title="{person}">{lines}</button></header>'
        '<div class="chat" id="chat" tabindex="0" role="log" aria-live="polite">{entries}</div>'
        '<p class="typing" id="typing" role="status" aria-label="{loading}" hidden>'
        "<span></span><span></span><span></span></p>"
        '<div class="quotebar" id="quotebar" hidden><p></p><button type="button" class="round"'
        ' data-unquote aria-label="{unquote}">{cross}</button></div>{below}</div>'
        '<div class="ground" id="ground" hidden></div>'
        '<section class="sheet" id="sheet" role="dialog" aria-modal="true" hidden></section>'
        '<p id="toast" role="status" hidden></p></section>{aside}</main>{sheets}'
    ).format(
        user=user.id,
        channel=channel.id,
        group=chat.group.id if chat.group else "",
        basic=channel.basic_id,
        lang=lang,
        texts=texts(lang, *_TEXTS),
        drawn=len(chat.group.entries if chat.group else phone.entries),
        typing=0 if in_group else max(0, round(phone.loading_until - chat.platform.clock.now())),
        name=user.name,
        title=chat.title,
        back=urlencode({"channel": channel.id, "lang": lang}),
        all=word("all_phones", lang),
        arrow=icon("back"),
        friendship=Markup("")
        if in_group
        else Markup('<span class="friendship">{}</span>').format(
            friendship_controls(FRIENDSHIP_NAMES[phone.friendship], lang)
        ),
        person=word("person", lang),
        lines=icon("lines"),
        entries=entries(chat),
        loading=word("loading", lang),
        unquote=word("stop_quoting", lang),
        cross=icon("close"),
        below=_below(chat),
        aside=_aside(chat, FRIENDSHIP_NAMES[phone.friendship]),
        sheets=sheets(lang),
    )
    return page(f"{user.name} – {chat.title}", lang, body, "phone")


def _below(chat: Chat) -> Markup:
    lang = chat.lang
    menu = Markup("") if chat.group else draw_menu(chat.platform, chat.channel, chat.user.id, lang)
    tools = join(
        Markup('<button type="button" data-send="{}">{}<span>{}</span></button>').format(
            name, icon(name), word(name, lang)
        )
        for name in ("photo", "camera", "video", "audio", "sticker", "location", "file")
    )
    return Markup(
        '<div class="below" id="below"><form class="composer" id="composer">'
        '<button type="button" class="round" id="tomenu" aria-label="{back}" title="{back}" hidden>'
        '{lines}</button><button type="button" class="round" id="attach" aria-label="{attach}"'
        ' title="{attach}" aria-expanded="false" aria-controls="tools">{plus}</button>'
        '<textarea id="text" name="text" rows="1" autocomplete="off" placeholder="{message}"'
        ' aria-label="{message}" maxlength="5000"></textarea>'
        '<button type="submit" class="round send" aria-label="{send}" title="{send}">{arrow}'
        '</button></form><div class="tools" id="tools" hidden>{tools}</div>'
        '<div id="menu">{menu}</div></div>'
    ).format(
        back=word("to_menu", lang),
        lines=icon("lines"),
        attach=word("attach", lang),
        plus=icon("plus"),
        message=word("message", lang),
        send=word("send", lang),
        arrow=icon("send"),
        tools=tools,
        menu=menu,
    )


def _aside(chat: Chat, state: str) -> Markup:
    lang, user = chat.lang, chat.user
    platform = chat.platform
    path = f"/phone/{user.id}"
    groups = list(platform.store.of(Groups).of_user(user.id))
    group_links = join(
        link(
            path,
            talk.title(platform, one),
            "account here" if one is chat.group else "account",
            chat=one.id,
            channel=chat.channel.id,
            lang=lang,
        )
        for one in groups
    )
    accounts = switches(
        list(platform.channels.values()),
        chat.channel if chat.group is None else None,
        path,
        lang,
    )
    sizes = join(
        Markup('<label><input type="radio" name="letters" value="{}"{}>{}</label>').format(
            value, Markup(" checked") if value == "1" else "", word(name, lang)
        )
        for name, value in _SIZES
    )
    return Markup(
        '<aside class="person" id="person"><img src="{picture}" alt="" width="80" height="80">'
        '<h2>{name}</h2><p class="friendship">{friendship}</p>'
        "<h3>{account}</h3><nav>{accounts}</nav>{groups}"
        '<fieldset class="letters"><legend>{letters}</legend>{sizes}</fieldset>'
        "<dl><dt>{language}</dt><dd>{spoken}</dd><dt>{user_id}</dt><dd><code>{user}</code></dd></dl>"
        '<nav class="ways">{wall}{gallery}{switch}</nav></aside>'
    ).format(
        picture=platform.picture_path(user),
        name=user.name,
        friendship=friendship_controls(state, lang),
        account=word("account", lang),
        accounts=accounts,
        groups=Markup("<h3>{}</h3><nav>{}</nav>").format(word("groups", lang), group_links)
        if groups
        else "",
        letters=word("letters", lang),
        sizes=sizes,
        language=word("language", lang),
        spoken=user.language,
        user_id=word("user_id", lang),
        user=user.id,
        wall=link("/phones", word("all_phones", lang), channel=chat.channel.id, lang=lang),
        gallery=link("/phone-gallery", word("gallery", lang), lang=lang),
        switch=link(path, word("other_language", lang), **(chat.query | {"lang": other(lang)})),
    )
