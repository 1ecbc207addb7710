"""What people do on their phones: add, block, say, tap, take back.

Each act is one JSON object of the control API, `{"user": …, "channel": …, "type": …, …}`; `Actor`
carries it out and returns what came of it. An act that is impossible (a blocked account cannot be
written to) raises `ActError` with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import events, tapping
from .content import compose as composing
from .impossible import ActError
from .insight import friends, links, record
from .model import Channel, ChatChange, Friendship, Json, Phone, Said, Sending, User
from .platform import Platform
from .sending import find_message, last_sending

__all__ = ["ACTS", "CHAT_ACTS", "PERFORMERS", "Act", "ActError", "Actor", "act", "performs"]

Act = Callable[["Actor", Channel, User, Json], Json]
ACTS: dict[str, Act] = {}
"""Every act by its `type`. A feature adds its own with `act`, or performs a kind of action."""
PERFORMERS: dict[str, Act] = {}
"""What tapping an action of this type does, beyond those that `Actor` knows: the `Json` has the
action as `action`."""
CHAT_ACTS: dict[str, Act] = {}
"""Acts that have a `chat`, the id of a group or room in which they happen, by their `type`."""


def act(kind: str) -> Callable[[Act], Act]:
    """Register what the act `kind` does; it returns the result or raises ActError."""

    def register(function: Act) -> Act:
        ACTS[kind] = function
        return function

    return register


def performs(action_type: str) -> Callable[[Act], Act]:
    """Register what tapping an action object of this type does."""

    def register(function: Act) -> Act:
        PERFORMERS[action_type] = function
        return function

    return register


class Actor:
    """Carries out acts on a platform."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    def do(self, act: Json) -> Json:
        """Carry out one act. Raises ActError."""
        kind = act.get("type")
        known = ACTS if act.get("chat") is None else CHAT_ACTS
        handler = known.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise ActError(f"type must be one of {', '.join(known)}")
        try:
            channel = self.platform.channel(act.get("channel"))
        except (KeyError, TypeError):
            raise ActError(f"no such channel: {act.get('channel')}") from None
        user = self.platform.users.get(str(act.get("user")))
        if user is None:
            raise ActError(f"no such user: {act.get('user')}")
        return handler(self, channel, user, act)

    # Friendship

    def follow(self, channel: Channel, user: User, act: Json) -> Json:
        """Add the account as a friend (or unblock it, if it is blocked)."""
        before = channel.friendship(user.id)
        if before is Friendship.FRIEND:
            raise ActError("already a friend")
        return self._befriend(channel, user, unblocked=before is Friendship.BLOCKED)

    def unblock(self, channel: Channel, user: User, act: Json) -> Json:
        """Take the block back."""
        if channel.friendship(user.id) is not Friendship.BLOCKED:
            raise ActError("not blocked")
        return self._befriend(channel, user, unblocked=True)

    def _befriend(self, channel: Channel, user: User, *, unblocked: bool) -> Json:
        phone = channel.phone(user.id)
        phone.friendship = Friendship.FRIEND
        if not unblocked:
            phone.followed_at = self.platform.clock.now()
        friends.befriended(self.platform, channel, user, first=not unblocked)
        event = events.follow(self.platform, channel, user.id, unblocked)
        return self.record(channel, user, event, "unblock" if unblocked else "follow")

    def unfollow(self, channel: Channel, user: User, act: Json) -> Json:
        """Block the account."""
        phone = channel.phone(user.id)
        if phone.friendship is not Friendship.FRIEND:
            raise ActError("not a friend")
        phone.friendship = Friendship.BLOCKED
        friends.blocked(self.platform, channel, user)
        event = events.unfollow(self.platform, channel, user.id)
        return self.record(channel, user, event, "unfollow")

    # Saying

    def message(self, channel: Channel, user: User, act: Json) -> Json:
        """Send a message to the account: `message` is its content, or `text` for short.

        `images` sends so many photos at a time; `quote` is the id of a message that is quoted.
        """
        contents = composing.wanted(act)
        composing.quote(act, contents[0], lambda id: self._has_message(channel, user, id))
        results = [self.say(channel, user, content) for content in contents]
        if len(results) == 1:
            return results[0]
        return {
            "webhookEventIds": [one for result in results for one in result["webhookEventIds"]],
            "messageIds": [result["messageId"] for result in results],
            "posted": results[0]["posted"],
        }

    @staticmethod
    def _has_message(channel: Channel, user: User, message_id: str) -> bool:
        phone = channel.phone(user.id)
        return find_message(phone, message_id) is not None or any(
            isinstance(one, Said) and one.message_id == message_id for one in phone.entries
        )

    def say(self, channel: Channel, user: User, content: Json) -> Json:
        self.open_chat(channel, user)
        whole = composing.compose(self.platform, channel, content)
        event = events.message(self.platform, channel, user.id, whole)
        return self.record(channel, user, event, "message", whole, whole["id"])

    def postback(self, channel: Channel, user: User, act: Json) -> Json:
        """Send a postback, as if a button with this `data` (and `params`) was tapped."""
        data = act.get("data")
        if not isinstance(data, str):
            raise ActError("a postback needs `data`")
        self.open_chat(channel, user)
        event = events.postback(self.platform, channel, user.id, data, act.get("params"))
        shown = {"data": data, "displayText": act.get("displayText")}
        return self.record(channel, user, event, "postback", shown)

    def unsend(self, channel: Channel, user: User, act: Json) -> Json:
        """Take back a message the person sent: `message` is its id or "last"."""
        phone = channel.phone(user.id)
        wanted = act.get("message", "last")
        mine = [e for e in phone.entries if isinstance(e, Said) and e.kind == "message"]
        if wanted != "last":
            mine = [entry for entry in mine if entry.message_id == wanted]
        if not mine:
            raise ActError("there is no such message to take back")
        taken = mine[-1]
        assert taken.message_id is not None
        composing.forget(channel, taken.message_id)
        taken.kind = "unsent"
        taken.body = None
        self.platform.tell_watchers(channel, user.id, ChatChange())
        event = events.unsend(self.platform, channel, user.id, taken.message_id)
        return self.send_event(channel, user, event) | {"messageId": taken.message_id}

    def read(self, channel: Channel, user: User, act: Json) -> Json:
        """Look at the chat: everything received counts as read. LINE tells the bot nothing."""
        record.read_chat(self.platform, channel, user)
        return {"webhookEventIds": []}

    def raw(self, channel: Channel, user: User, act: Json) -> Json:
        """Post an arbitrary event object exactly as given; `fill` adds the common properties."""
        event = act.get("event")
        if not isinstance(event, dict):
            raise ActError("raw needs an `event` object")
        given: Json = event  # pyright: ignore[reportUnknownVariableType]
        if act.get("fill"):
            kind = str(given.get("type", "message"))
            given = events.common(self.platform, channel, kind, user.id) | given
        return self.send_event(channel, user, given)

    # Tapping

    def tap(self, channel: Channel, user: User, act: Json) -> Json:
        """Tap something in a message that really arrived, chosen by `label` or `index`.

        `message` is an id or "last". `value` is what is picked in a date picker; `action` taps a
        given action object without looking it up, as the browser's phone does. A link in a text
        has its address as label.
        """
        record.read_chat(self.platform, channel, user)
        message = str(act.get("message", "last"))
        given = act.get("action")
        if isinstance(given, dict):
            action: Json = given  # pyright: ignore[reportUnknownVariableType]
            return self._tap(channel, user, action, act, None if message == "last" else message)
        phone = channel.phone(user.id)
        sending, found = self._tappables(phone, message)
        label = act.get("label")
        index = act.get("index")
        chosen = tapping.choose(
            found,
            None if label is None else str(label),
            index if isinstance(index, int) else None,
        )
        if chosen is None and isinstance(label, str):
            chosen = next((one for one in links.tappable(sending) if one.label == label), None)
        if chosen is None:
            there = ", ".join(repr(one.label) for one in found) or "nothing"
            what = f"label {label!r}" if label is not None else f"index {index}"
            raise ActError(f"no action with {what}; there is {there}")
        return self._tap(
            channel, user, chosen.action, act, sending.message_ids[chosen.message_index]
        )

    def _tap(
        self, channel: Channel, user: User, action: Json, act: Json, message: str | None
    ) -> Json:
        result = self.perform(channel, user, action, act)
        url = links.url_of(action)
        if url is not None:
            links.open_link(self.platform, channel, user, url, message)
        return result

    @staticmethod
    def _tappables(phone: Phone, message: str) -> tuple[Sending, list[tapping.Tappable]]:
        if message == "last":
            sending = last_sending(phone)
            if sending is None:
                raise ActError("nothing has arrived at this phone")
            return sending, tapping.in_sending(sending)
        held = find_message(phone, message)
        if held is None:
            raise ActError(f"message {message} did not arrive at this phone")
        return held[0], tapping.in_sending(held[0], held[1])

    def perform(self, channel: Channel, user: User, action: Json, act: Json) -> Json:
        kind = action.get("type")
        result: Json = {"action": action}
        if kind == "message":
            return result | self.say(channel, user, {"type": "text", "text": action["text"]})
        if kind == "postback":
            return result | self._tap_postback(channel, user, action, None)
        if kind == "datetimepicker":
            params = {str(action.get("mode")): self.picked(action, act)}
            return result | self._tap_postback(channel, user, action, params)
        if kind == "uri":
            uri = action.get("uri") or action.get("linkUri")
            return result | {"uri": uri, "webhookEventIds": []}
        if kind == "clipboard":
            return result | {"clipboard": action.get("clipboardText"), "webhookEventIds": []}
        if kind in ("camera", "cameraRoll"):
            return result | self.say(channel, user, {"type": "image"})
        if kind == "location":
            place: Any = act.get("value")
            content: Json = place if isinstance(place, dict) else {}  # pyright: ignore
            return result | self.say(channel, user, content | {"type": "location"})
        performer = PERFORMERS.get(str(kind))
        if performer is not None:
            return result | performer(self, channel, user, act | {"action": action})
        raise ActError(f"a {kind} action cannot be tapped here")

    def _tap_postback(
        self, channel: Channel, user: User, action: Json, params: Json | None
    ) -> Json:
        self.open_chat(channel, user)
        result: Json = {"webhookEventIds": []}
        text = action.get("text")
        if isinstance(text, str):
            # The old `text` is really said, unlike `displayText` (reference, "Postback action").
            said = self.say(channel, user, {"type": "text", "text": text})
            result["webhookEventIds"] += said["webhookEventIds"]
        data = str(action.get("data", ""))
        event = events.postback(self.platform, channel, user.id, data, params)
        shown = {"data": data, "displayText": action.get("displayText"), "params": params}
        done = self.record(channel, user, event, "postback", shown)
        result["webhookEventIds"] += done["webhookEventIds"]
        return result

    def picked(self, action: Json, act: Json) -> str:
        """What is picked in a date picker: the act's `value`, or what the picker begins with."""
        value = act.get("value") or action.get("initial")
        if isinstance(value, str):
            return value
        now = self.platform.clock
        day = f"{now.day()[:4]}-{now.day()[4:6]}-{now.day()[6:]}"
        return {"date": day, "time": "12:00"}.get(str(action.get("mode")), f"{day}T12:00")

    # Common

    def open_chat(self, channel: Channel, user: User) -> Phone:
        phone = channel.phone(user.id)
        if phone.friendship is Friendship.BLOCKED:
            raise ActError("the account is blocked: unblock it first")
        phone.last_said_at = self.platform.clock.now()
        record.read_chat(self.platform, channel, user)
        return phone

    def record(
        self,
        channel: Channel,
        user: User,
        event: Json,
        kind: str,
        body: Json | None = None,
        message_id: str | None = None,
    ) -> Json:
        said = Said(
            at_ms=event["timestamp"],
            kind=kind,
            body=body,
            message_id=message_id,
            event_id=event["webhookEventId"],
        )
        self.platform.put_on_phone(channel, user.id, said)
        result = self.send_event(channel, user, event)
        return result if message_id is None else result | {"messageId": message_id}

    def send_event(self, channel: Channel, user: User, event: Json) -> Json:
        posted = events.post(self.platform, channel, user.id, event)
        event_id = event.get("webhookEventId")
        return {"webhookEventIds": [event_id] if event_id else [], "posted": posted}


ACTS.update(
    follow=Actor.follow,
    unfollow=Actor.unfollow,
    unblock=Actor.unblock,
    message=Actor.message,
    postback=Actor.postback,
    tap=Actor.tap,
    unsend=Actor.unsend,
    read=Actor.read,
    raw=Actor.raw,
)
