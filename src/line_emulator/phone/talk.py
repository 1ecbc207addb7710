"""A group or room as one of its members sees it."""

from __future__ import annotations

from markupsafe import Markup

import line_preview

from ..groups.chat import account_in, name_of
from ..groups.store import Entry, Group
from ..model import Channel, Json, User
from ..platform import Platform
from . import draw
from .shell import join
from .words import word


def title(platform: Platform, group: Group) -> str:
    """What stands at the top: the name and how many people are in it."""
    return f"{name_of(platform, group)} ({len(group.members)})"


def drawn(
    platform: Platform, group: Group, me: User, lang: str, shown: int
) -> list[tuple[int, Markup]]:
    """The latest entries with their times in milliseconds."""
    latest = group.entries[-shown:]
    last = len(latest) - 1
    view = _View(platform, group, me, lang)
    return [
        (entry.at_ms, view.draw(entry, newest=place == last)) for place, entry in enumerate(latest)
    ]


class _View:
    """Draws entries for one member."""

    def __init__(self, platform: Platform, group: Group, me: User, lang: str) -> None:
        self.platform = platform
        self.group = group
        self.me = me
        self.lang = lang

    def draw(self, entry: Entry, *, newest: bool) -> Markup:
        at = draw.clock_time(entry.at_ms)
        if entry.kind == "sent":
            channel = self.platform.channels.get(entry.channel_id or "")
            if channel is None:
                return Markup("")
            return self._frame(
                "received", entry.message_ids, self._sent(entry, channel, at, newest)
            )
        if entry.kind == "message" and entry.body is not None:
            return self._message(entry, at)
        if entry.kind == "postback":
            return self._frame("postback", [], self._postback(entry, at))
        return self._frame(entry.kind, [], draw.note_line(f"{self._happened(entry)} {at}"))

    def _frame(self, kind: str, ids: list[str], inside: Markup, *, mine: bool = False) -> Markup:
        return Markup('<div class="entry {}" data-ids="{}"{}>{}</div>').format(
            kind, " ".join(ids), Markup(" data-mine") if mine else "", inside
        )

    def _sent(self, entry: Entry, channel: Channel, at: str, newest: bool) -> Markup:
        messages = entry.messages()
        for message in messages:
            substitution: dict[str, Json] = message.get("substitution") or {}
            for one in substitution.values():
                mentionee: Json = one.get("mentionee") or {}
                if user := self.platform.users.get(mentionee.get("userId") or ""):
                    mentionee["name"] = user.name
        return draw.received(messages, channel, None, self.lang, at, newest=newest)

    def _message(self, entry: Entry, at: str) -> Markup:
        body = entry.body or {}
        quote = self._quote(body)
        message = draw.as_message(body)
        if entry.edited:
            at = f"{word('edited', self.lang)} {at}"
        mine = entry.user_id == self.me.id
        if mine:
            seen = sum(
                1
                for user_id, read_to in self.group.read_to_ms.items()
                if user_id != self.me.id and read_to >= entry.at_ms
            )
            read = f"{word('read', self.lang)} {seen}" if seen else None
            html = line_preview.render_said(message, self.lang, at=at, read=read, quote=quote)
        else:
            user = self.platform.users.get(entry.user_id or "")
            html = line_preview.render_heard(
                message,
                self._name(entry.user_id),
                self.lang,
                icon=self.platform.picture_path(user) if user and user.picture else None,
                at=at,
                quote=quote,
            )
        ids = [entry.message_id] if entry.message_id else []
        return self._frame("message", ids, html, mine=mine)

    def _quote(self, body: Json) -> tuple[str, str] | None:
        wanted = body.get("quotedMessageId")
        if wanted is None:
            return None
        held = self.group.holding(str(wanted))
        if held is None or (held.kind != "sent" and held.body is None):
            return "", word("quoted_gone", self.lang)
        if held.kind == "sent":
            account = self.platform.channels.get(held.channel_id or "")
            message = held.messages()[held.message_ids.index(str(wanted))]
            return account.name if account else "", draw.snippet(message, self.lang)
        return self._name(held.user_id), draw.snippet(held.body or {}, self.lang)

    def _postback(self, entry: Entry, at: str) -> Markup:
        body = entry.body or {}
        note = draw.note_line(
            f"{self._name(entry.user_id)} · {word('postback', self.lang)}: {body.get('data', '')}"
        )
        words = body.get("displayText")
        if not isinstance(words, str) or not words:
            return note
        if entry.user_id == self.me.id:
            return line_preview.render_said(words, self.lang, at=at) + note
        message = {"type": "text", "text": words}
        name = self._name(entry.user_id)
        return line_preview.render_heard(message, name, self.lang, at=at) + note

    def _name(self, user_id: str | None) -> str:
        user = self.platform.users.get(user_id or "")
        return user.name if user else "?"

    def _happened(self, entry: Entry) -> str:
        account = account_in(self.platform, self.group)
        name = self._name(entry.user_id) if entry.user_id else account.name if account else ""
        others = ", ".join(self._name(one) for one in entry.others if one != entry.user_id)
        return word(f"group_{entry.kind}", self.lang).format(name=name, others=others)


def members(platform: Platform, group: Group, lang: str) -> Markup:
    """Who is in the chat, for the sheet about it."""
    people = [platform.users[one] for one in group.members if one in platform.users]
    return join(Markup("<li>{}</li>").format(one.name) for one in people)
