"""The wall: many phones at once, to watch a broadcast arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup

from ..model import FRIENDSHIP_NAMES, Channel, Sending, User
from ..platform import Platform
from . import draw
from .shell import icon, join, link, other, page, switches, texts
from .words import word

ON_WALL = 3
"""How many of the latest entries a phone on the wall shows."""
SIZES = (12, 24, 60, 120, 200)
DEFAULT_SIZE = 24
MAX_SIZE = SIZES[-1]
STATES = ("friend", "not_friend", "blocked")
_FEW_BUBBLES = 2


@dataclass(frozen=True, slots=True)
class Found:
    """The people on one page of the wall; `number` counts pages from 0."""

    shown: list[User]
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Which phones are on the wall: whose name has `search`, in this `state`, so many a page."""

    search: str
    state: str
    size: int
    number: int

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Choice:
        """What a query asks for; nonsense counts as nothing asked."""
        state = query.get("state", "")
        return cls(
            search=query.get("q", "").strip()[:100],
            state=state if state in STATES else "",
            size=max(1, min(MAX_SIZE, _whole(query.get("size"), DEFAULT_SIZE))),
            number=_whole(query.get("page"), 0),
        )

    def people(self, platform: Platform, channel: Channel) -> Found:
        """The people found, a page of them."""
        people = platform.user_order
        if self.search:
            low = self.search.lower()
            people = [one for one in people if low in one.name.lower() or one.id.lower() == low]
        if self.state:
            people = [
                one for one in people if FRIENDSHIP_NAMES[channel.friendship(one.id)] == self.state
            ]
        last_page = max(0, (len(people) - 1) // self.size)
        number = min(last_page, self.number)
        shown = people[number * self.size : (number + 1) * self.size]
        return Found(shown, number, len(people))

    def query(self) -> dict[str, str | int]:
        """The query that asks for this, without the page."""
        query: dict[str, str | int] = {"size": self.size}
        if self.search:
            query["q"] = self.search
        if self.state:
            query["state"] = self.state
        return query


def _whole(text: str | None, default: int) -> int:
    return int(text[:9]) if text and text.isascii() and text.isdigit() else default


def card_screen(user: User, channel: Channel, lang: str) -> Markup:
    """The little screen of a phone on the wall: its latest entries."""
    phone = channel.phones.get(user.id)
    entries = phone.entries[-ON_WALL:] if phone else []
    if phone is None or not entries:
        return Markup('<p class="nothing">{}</p>').format(word("empty_wall", lang))
    # What a sending with many bubbles shows at its end fills the screen alone.
    newest = entries[-1]
    if isinstance(newest, Sending) and len(newest.message_ids) >= _FEW_BUBBLES:
        entries = [newest]
    last = len(entries) - 1
    return join(
        draw.entry(one, channel, user.id, phone, lang, newest=place == last)
        for place, one in enumerate(entries)
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


def wall_page(platform: Platform, channel: Channel, lang: str, choice: Choice) -> Markup:
    """The page `/phones`."""
    found = choice.people(platform, channel)
    people, number = found.shown, found.number
    common: dict[str, str | int] = {"channel": channel.id, "lang": lang} | choice.query()
    steps: list[Markup] = []
    if number > 0:
        steps.append(link("/phones", word("previous", lang), "step", **common, page=number - 1))
    if (number + 1) * choice.size < found.total:
        steps.append(link("/phones", word("next", lang), "step", **common, page=number + 1))
    if people:
        cards = join(_card(platform, user, channel, lang) for user in people)
    else:
        searched = bool(choice.search or choice.state)
        cards = Markup('<li class="none"><b>{}</b><br>{}</li>').format(
            word("nobody_found" if searched else "nobody", lang),
            "" if searched else word("nobody_hint", lang),
        )
    first = number * choice.size + 1 if people else 0
    body = Markup(
        '<header class="top"><div class="head"><h1>{title}</h1><p>{intro}</p></div>'
        '<nav class="accounts">{accounts}<span class="ways">{gallery}{switch}</span></nav>'
        '{form}<p class="counts"><span>{reached} <b id="reached">0</b> / {on_page}</span>'
        '<span>{bubbles} <b id="bubbles">0</b></span>'
        '<button type="button" id="clear">{clear}</button>'
        '<button type="button" id="sound" aria-pressed="false">{bell}<span>{sound}</span>'
        "</button></p></header>"
        '<main class="wall" data-channel="{channel}" data-lang="{lang}" data-q="{search}"'
        ' data-state="{state}" data-page="{number}" data-size="{size}"'
        ' data-drawn="{drawn}" {texts}>'
        "<ul>{cards}</ul></main>"
        '<footer class="pages"><span>{first}–{last} / {total}</span>{steps}</footer>'
        '<p id="toast" role="status" hidden></p>'
    ).format(
        drawn=platform.deliveries.last,
        title=word("phones", lang),
        intro=word("phones_intro", lang),
        form=_form(channel, lang, choice),
        accounts=switches(list(platform.channels.values()), channel, "/phones", lang),
        gallery=link("/phone-gallery", word("gallery", lang), lang=lang),
        switch=link(
            "/phones", word("other_language", lang), "switch", **(common | {"lang": other(lang)})
        ),
        reached=word("arrived_count", lang),
        bubbles=word("arrived_messages", lang),
        clear=word("clear", lang),
        bell=icon("bell"),
        sound=word("sound", lang),
        channel=channel.id,
        lang=lang,
        search=choice.search,
        state=choice.state,
        number=number,
        size=choice.size,
        texts=texts(lang, "lost", "on", "off"),
        cards=cards,
        on_page=len(people),
        first=first,
        last=first + len(people) - 1 if people else 0,
        total=found.total,
        steps=join(steps),
    )
    return page(word("phones", lang), lang, body, "wall", "wall.css")


def _form(channel: Channel, lang: str, choice: Choice) -> Markup:
    states = _options(
        [("", word("everybody", lang)), *((one, word(one, lang)) for one in STATES)], choice.state
    )
    sizes = sorted({*SIZES, choice.size})
    return Markup(
        '<form role="search" id="filter"><input type="search" name="q" value="{search}"'
        ' placeholder="{ask}" aria-label="{ask}"><label><span class="sr">{show}</span>'
        '<select name="state">{states}</select></label><label>{per_page} '
        '<select name="size">{sizes}</select></label><input type="hidden" name="channel"'
        ' value="{channel}"><input type="hidden" name="lang" value="{lang}">'
        "<button>{find}</button></form>"
    ).format(
        search=choice.search,
        ask=word("search", lang),
        show=word("show_state", lang),
        states=states,
        per_page=word("per_page", lang),
        sizes=_options([(str(one), str(one)) for one in sizes], str(choice.size)),
        channel=channel.id,
        lang=lang,
        find=word("find", lang),
    )


def _options(options: list[tuple[str, str]], chosen: str) -> Markup:
    return join(
        Markup('<option value="{}"{}>{}</option>').format(
            value, Markup(" selected") if value == chosen else "", name
        )
        for value, name in options
    )
