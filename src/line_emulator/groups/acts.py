"""What people do in groups and rooms.

`group_create` founds one; every other act names it by `chat`. An account is told of what happens
only while it is in the chat.
"""

from __future__ import annotations

from typing import Any, cast

from .. import events, tapping
from ..acts import ACTS, CHAT_ACTS, Act, ActError, Actor
from ..content import compose as composing
from ..model import Channel, Json, Sending, User
from . import chat
from .mentions import mention_in
from .store import Entry, Group, Groups

MAX_NAME = 50


def _members(actor: Actor, given: Any) -> list[User]:
    if not isinstance(given, list):
        raise ActError("members must be a list of user ids")
    people: list[User] = []
    for one in cast(list[Any], given):
        user = actor.platform.users.get(one) if isinstance(one, str) else None
        if user is None:
            raise ActError(f"no such user: {one}")
        people.append(user)
    return people


def _group(actor: Actor, user: User, act: Json) -> Group:
    chat_id = act.get("chat")
    groups = actor.platform.store.of(Groups).by_id
    group = groups.get(chat_id) if isinstance(chat_id, str) else None
    if group is None:
        raise ActError(f"no such group or room: {chat_id}")
    if user.id not in group.members:
        raise ActError("not a member of this chat")
    return group


def _source(group: Group, user: User) -> events.Source:
    return events.Source(group.id, user.id if chat.consents(user) else None)


def create(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Found a group (`name`) or a room (`room` true) with `members`; `account` invites it, too."""
    name = act.get("name", "グループ")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        raise ActError(f"name must be a text of up to {MAX_NAME} characters")
    people = [user, *_members(actor, act.get("members", []))]
    kind = "room" if act.get("room") is True else "group"
    picture = act.get("picture", True) is not False
    group = chat.create(actor.platform, kind, name, people, picture=picture)
    result: Json = chat.NOTHING
    if act.get("account") is True:
        result = chat.invite_account(actor.platform, group, channel, user.id)
    return result | {"chat": group.id}


ACTS["group_create"] = create


def chat_act(kind: str) -> Any:
    """Register an act that happens in the group or room `chat`."""

    def register(function: Act) -> Act:
        CHAT_ACTS[kind] = function
        return function

    return register


@chat_act("group_invite")
def invite(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Bring `members` in, or the account with `account` true."""
    group = _group(actor, user, act)
    result: Json = chat.NOTHING
    if act.get("members") is not None:
        people = _members(actor, act["members"])
        new = [one for one in dict.fromkeys(people) if one.id not in group.members]
        if new:
            result = chat.people_join(actor.platform, group, new, user.id)
    if act.get("account") is True:
        if group.channel_id is not None:
            raise ActError("there is an account in this chat already")
        result = chat.invite_account(actor.platform, group, channel, user.id)
    return result


@chat_act("group_leave")
def leave(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Leave the chat."""
    return chat.person_goes(actor.platform, _group(actor, user, act), user, None)


@chat_act("group_remove")
def remove(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Remove `member`, or the account with `account` true. Rooms know no removing."""
    group = _group(actor, user, act)
    if act.get("account") is True:
        if group.channel_id is None:
            raise ActError("there is no account in this chat")
        return chat.account_leaves(actor.platform, group, user.id)
    if group.kind == "room":
        raise ActError("nobody can be removed from a room")
    member = actor.platform.users.get(str(act.get("member")))
    if member is None or member.id not in group.members:
        raise ActError(f"not a member of this chat: {act.get('member')}")
    return chat.person_goes(actor.platform, group, member, user.id)


def _record(
    actor: Actor, group: Group, entry: Entry, channel: Channel | None, event: Json | None
) -> Json:
    group.entries.append(entry)
    if entry.user_id is not None:
        group.read_to_ms[entry.user_id] = entry.at_ms
    chat.tell(actor.platform, group)
    if channel is None or event is None:
        return chat.NOTHING
    entry.event_id = event["webhookEventId"]
    return chat.post(actor.platform, channel, group, event)


def _say(actor: Actor, group: Group, channel: Channel, user: User, content: Json) -> Json:
    platform = actor.platform
    # Without an account in the chat the bytes still need a keeper, for the members' phones.
    account = chat.account_in(platform, group)
    whole = composing.compose(platform, account or channel, content)
    mention_in(platform, group, whole)
    event = None
    if account is not None:
        event = events.message(platform, account, _source(group, user), whole)
    now = event["timestamp"] if event is not None else platform.clock.now_ms()
    entry = Entry(now, "message", user.id, message_id=whole["id"], body=whole)
    return _record(actor, group, entry, account, event) | {"messageId": whole["id"]}


@chat_act("message")
def message(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Say something to all: as the act `message`; `@name` and `@All` become mentions."""
    group = _group(actor, user, act)
    contents = composing.wanted(act)
    composing.quote(act, contents[0], lambda id: group.holding(id) is not None)
    results = [_say(actor, group, channel, user, content) for content in contents]
    if len(results) == 1:
        return results[0]
    return {
        "webhookEventIds": [one for result in results for one in result["webhookEventIds"]],
        "messageIds": [result["messageId"] for result in results],
        "posted": results[0]["posted"],
    }


def _mine(group: Group, user: User, act: Json, only_text: bool = False) -> Entry:
    wanted = act.get("message", "last")
    for entry in reversed(group.entries):
        said = entry.kind == "message" and entry.user_id == user.id
        if said and wanted in ("last", entry.message_id):
            if only_text and (entry.body or {}).get("type") != "text":
                raise ActError("only a text can be edited")
            return entry
    raise ActError("there is no such message of this person")


@chat_act("edit")
def edit(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Change a text said before into `text`; in groups only (docs, "Webhook events for chats")."""
    group = _group(actor, user, act)
    if group.kind != "group":
        raise ActError("messages can be edited in groups only")
    text = act.get("text")
    if not isinstance(text, str):
        raise ActError("edit needs `text`")
    entry = _mine(group, user, act, only_text=True)
    body: Json = {"id": entry.message_id, "type": "text", "text": text}
    mention_in(actor.platform, group, body)
    entry.body = body
    entry.edited = True
    chat.tell(actor.platform, group)
    account = chat.account_in(actor.platform, group)
    if account is None:
        return chat.NOTHING
    event = events.message_edited(actor.platform, account, _source(group, user), body)
    return chat.post(actor.platform, account, group, event)


@chat_act("unsend")
def unsend(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Take back a message: `message` is its id or "last"."""
    group = _group(actor, user, act)
    entry = _mine(group, user, act)
    assert entry.message_id is not None
    entry.kind = "unsent"
    entry.body = None
    chat.tell(actor.platform, group)
    account = chat.account_in(actor.platform, group)
    composing.forget(account or channel, entry.message_id)
    if account is None:
        return chat.NOTHING | {"messageId": entry.message_id}
    event = events.unsend(actor.platform, account, _source(group, user), entry.message_id)
    return chat.post(actor.platform, account, group, event) | {"messageId": entry.message_id}


@chat_act("postback")
def postback(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Send a postback with `data` and `params` from this chat."""
    group = _group(actor, user, act)
    data = act.get("data")
    if not isinstance(data, str):
        raise ActError("a postback needs `data`")
    return _postback(actor, group, user, {"data": data}, act.get("params"))


def _postback(actor: Actor, group: Group, user: User, action: Json, params: Json | None) -> Json:
    account = chat.account_in(actor.platform, group)
    if account is None:
        raise ActError("there is no account in this chat")
    data = str(action.get("data", ""))
    event = events.postback(actor.platform, account, _source(group, user), data, params)
    shown = {"data": data, "displayText": action.get("displayText"), "params": params}
    entry = Entry(event["timestamp"], "postback", user.id, body=shown)
    return _record(actor, group, entry, account, event)


@chat_act("read")
def read(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Look at the chat. LINE tells the bot nothing."""
    group = _group(actor, user, act)
    group.read_to_ms[user.id] = actor.platform.clock.now_ms()
    return {"webhookEventIds": []}


@chat_act("tap")
def tap(actor: Actor, channel: Channel, user: User, act: Json) -> Json:
    """Tap something that the account sent into the chat, as the act `tap` in a person's own."""
    group = _group(actor, user, act)
    given = act.get("action")
    if isinstance(given, dict):
        action = cast(Json, given)
    else:
        found = _tappables(group, str(act.get("message", "last")))
        label, index = act.get("label"), act.get("index")
        chosen = tapping.choose(
            found,
            None if label is None else str(label),
            index if isinstance(index, int) else None,
        )
        if chosen is None:
            there = ", ".join(repr(one.label) for one in found) or "nothing"
            raise ActError(f"no such action; there is {there}")
        action = chosen.action
    return {"action": action} | _perform(actor, group, channel, user, action, act)


def _tappables(group: Group, message_id: str) -> list[tapping.Tappable]:
    entry = group.last_sent() if message_id == "last" else group.holding(message_id)
    if entry is None or entry.kind != "sent":
        raise ActError("the account has sent no such message into this chat")
    sending = Sending(
        at_ms=entry.at_ms,
        channel_id=entry.channel_id or "",
        via=entry.via or "push",
        request_id=entry.request_id or "",
        messages_json=entry.messages_json,
        message_ids=entry.message_ids,
        unit=None,
        retry_key=None,
        silent=False,
    )
    place = None if message_id == "last" else entry.message_ids.index(message_id)
    return tapping.in_sending(sending, place)


def _perform(
    actor: Actor, group: Group, channel: Channel, user: User, action: Json, act: Json
) -> Json:
    kind = action.get("type")
    if kind == "message":
        said = {"type": "text", "text": str(action.get("text", ""))}
        return _say(actor, group, channel, user, said)
    if kind == "postback":
        said_ids: list[str] = []
        if isinstance(action.get("text"), str):
            said = {"type": "text", "text": action["text"]}
            said_ids = _say(actor, group, channel, user, said)["webhookEventIds"]
        result = _postback(actor, group, user, action, None)
        return result | {"webhookEventIds": [*said_ids, *result["webhookEventIds"]]}
    if kind == "datetimepicker":
        params = {str(action.get("mode")): actor.picked(action, act)}
        return _postback(actor, group, user, action, params)
    if kind == "uri":
        return {"uri": action.get("uri") or action.get("linkUri"), "webhookEventIds": []}
    if kind == "clipboard":
        return {"clipboard": action.get("clipboardText"), "webhookEventIds": []}
    if kind in ("camera", "cameraRoll"):
        return _say(actor, group, channel, user, {"type": "image"})
    if kind == "location":
        place: Any = act.get("value")
        content = cast(Json, place) if isinstance(place, dict) else {}
        return _say(actor, group, channel, user, content | {"type": "location"})
    raise ActError(f"a {kind} action cannot be tapped in a group")
