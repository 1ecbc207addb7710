"""Messages that a LIFF app sends in a person's name: `sendMessages()` and the target picker.

LIFF reference, "liff.sendMessages()", "liff.shareTargetPicker()".
"""

from __future__ import annotations

from typing import Any, cast

from ..acts import Actor
from ..api.operation import LineError
from ..groups import chat
from ..groups import store as groups
from ..impossible import ActError
from ..login.store import LoginChannel, UserToken
from ..model import Channel, Friendship, Json, Said, User
from ..platform import Platform
from ..validation import problem
from ..validation.core import as_object, obj
from ..validation.messages import MESSAGES
from ..validation.report import Path, Report
from .store import LiffApp, LiffApps, Shared

SPOKEN = ("text", "sticker", "image", "video", "audio", "location")
"""Said by the person as any message, with a webhook."""
DRAWN = ("template", "flex")
"""Shown in the chat; LINE sends no webhook for them."""
_BARRED = {
    "text": ("emojis", "quoteToken"),
    "sticker": ("quoteToken",),
    "video": ("trackingId",),
}
NOT_GRANTED = LineError(403, "user doesn't grant required permissions yet")


def _only_links(value: Any) -> bool:
    """Whether all actions in a template or Flex container are URI actions."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo.extend(cast(list[Any], one))
        elif isinstance(one, dict):
            here = cast(Json, one)
            actions = [here.get(name) for name in ("action", "defaultAction")]
            given = here.get("actions")
            if isinstance(given, list):
                actions += cast(list[Any], given)
            if any(as_object(each).get("type", "uri") != "uri" for each in actions if each):
                return False
            todo.extend(here.values())
    return True


def _speakable(body: Json, path: Path, report: Report) -> None:
    for index, given in enumerate(cast(list[Any], body["messages"])):
        message = as_object(given)
        kind = message.get("type")
        place: Path = ((path, "messages"), index)
        if kind not in SPOKEN + DRAWN:
            report.invalid((place, "type"), f"{kind} messages cannot be sent by a LIFF app")
        for name in _BARRED.get(str(kind), ()):
            if name in message:
                report.invalid((place, name), f"{name} is not available in LIFF apps")
        if kind in DRAWN and not _only_links(message):
            report.invalid(place, "Only URI actions are available in LIFF apps")


_BODY = obj({"messages": MESSAGES})
_SPEAKABLE = obj({}, {}, _speakable)


def checked(messages: Any, *, sticker: bool = True) -> list[Json]:
    """The messages, if a LIFF app may send them. Raises LineError with LINE's error JSON."""
    body: Json = {"messages": messages}
    wrong = problem(_BODY, body) or problem(_SPEAKABLE, body)
    if wrong is not None:
        raise LineError(400, wrong)
    found = cast(list[Json], messages)
    if not sticker and any(one["type"] == "sticker" for one in found):
        raise LineError(400, "Sticker messages cannot be shared")
    return found


def _content(message: Json) -> Json:
    """A message object as the content of what a person says."""
    kind = message["type"]
    if kind in ("image", "video", "audio"):
        names = ("originalContentUrl", "previewImageUrl")
        urls = {name: message[name] for name in names if name in message}
        content: Json = {"type": kind, "contentProvider": {"type": "external"} | urls}
        if "duration" in message:
            content["duration"] = message["duration"]
        return content
    kept = {
        "text": ("text",),
        "sticker": ("packageId", "stickerId"),
        "location": ("title", "address", "latitude", "longitude"),
    }
    return {"type": kind} | {name: message[name] for name in kept[kind] if name in message}


def _show(platform: Platform, channel: Channel, user: User, token: UserToken, one: Json) -> None:
    message_id = platform.message_ids.take(1)[0]
    now = platform.clock.now_ms()
    if token.chat_id is None:
        said = Said(at_ms=now, kind="message", body={"id": message_id} | one, message_id=message_id)
        platform.put_on_phone(channel, user.id, said)
        return
    group = platform.store.of(groups.Groups).by_id[token.chat_id]
    body = {"id": message_id} | one
    group.entries.append(groups.Entry(now, "message", user.id, message_id=message_id, body=body))
    chat.tell(platform, group)


def send(platform: Platform, app: LiffApp, user: User, token: UserToken, messages: Any) -> None:
    """`liff.sendMessages()`: say it in the chat in which the app was opened. Raises LineError."""
    channel = platform.channels.get(token.chat_channel or "")
    if channel is None or not {"chat_message.write"} & set(token.scopes) & set(app.scopes):
        raise NOT_GRANTED
    if token.chat_id is None and channel.friendship(user.id) is Friendship.BLOCKED:
        raise NOT_GRANTED
    if token.chat_id is not None:
        group = platform.store.of(groups.Groups).by_id.get(token.chat_id)
        if group is None or user.id not in group.members:
            raise NOT_GRANTED
    actor = Actor(platform)
    for one in checked(messages):
        if one["type"] in DRAWN:
            _show(platform, channel, user, token, one)
            continue
        act: Json = {"type": "message", "user": user.id, "channel": channel.id}
        if token.chat_id is not None:
            act["chat"] = token.chat_id
        try:
            actor.do(act | {"message": _content(one)})
        except ActError as error:
            raise LineError(400, str(error)) from None


def share(
    platform: Platform,
    channel: LoginChannel,
    app: LiffApp,
    user: User,
    to: list[str],
    messages: list[Json],
) -> None:
    """Send the messages from the person to other people. LINE tells no bot of it."""
    shared = Shared(platform.clock.now_ms(), app.id, user.id, to, messages)
    platform.store.of(LiffApps).share(shared)
