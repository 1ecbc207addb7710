"""Webhook event objects, built as LINE builds them, and put on their way.

Reference: "Webhook Event Objects"; for events of contracts, the reference of the options for
corporate customers. An event comes from one person's chat, a group chat or a multi-person chat; its
reply token is kept by the channel until it is used or too old.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .contracts.store import Contracts
from .ids import quote_token, reply_token, ulid
from .model import Channel, Json, ReplyToken
from .platform import Platform

REPLY_SECONDS = 60
"""A reply token must be used within a minute of the webhook (reference, "Reply token")."""
REDELIVERED_REPLY_SECONDS = 20 * 60
"""A redelivered event's token dies 20 minutes after the event (the same section)."""
_QUOTABLE = ("text", "sticker", "image", "video")
_KINDS = {"U": ("user", "userId"), "C": ("group", "groupId"), "R": ("room", "roomId")}


@dataclass(frozen=True, slots=True)
class Source:
    """Where something happened and who did it (reference, "Common properties", `source`).

    `chat_id` is a user, group or room id and tells the kind by its first letter. `user_id` is the
    person; None for what a group or room has without one, such as join and leave.
    """

    chat_id: str
    user_id: str | None = None

    @property
    def kind(self) -> str:
        """ "user", "group" or "room"."""
        return _KINDS[self.chat_id[0]][0]

    def json(self) -> Json:
        """The `source` object."""
        kind, name = _KINDS[self.chat_id[0]]
        if kind == "user":
            return {"type": "user", "userId": self.chat_id}
        here: Json = {"type": kind, name: self.chat_id}
        return here if self.user_id is None else here | {"userId": self.user_id}


Where = Source | str
"""A source; a user id alone stands for that person's chat with the account."""


def source_of(where: Where) -> Source:
    """The source that `where` means."""
    return where if isinstance(where, Source) else Source(where, where)


def mode_in(platform: Platform, channel: Channel, chat_id: str) -> Literal["active", "standby"]:
    """Whether the channel leads in this chat or stands by."""
    contracts = channel.store.of(Contracts)
    if contracts.module:
        leads = contracts.leads_in(chat_id, platform.clock.now_ms())
        return "active" if leads else "standby"
    return channel.mode


def common(platform: Platform, channel: Channel, kind: str, where: Where | None) -> Json:
    """The properties all events have (reference, "Common properties").

    `where` None is for the few events that come from no chat; their mode is always active.
    """
    now_ms = platform.clock.now_ms()
    event: Json = {"type": kind, "mode": "active", "timestamp": now_ms}
    if where is not None:
        source = source_of(where)
        event["mode"] = mode_in(platform, channel, source.chat_id)
        event["source"] = source.json()
    event["webhookEventId"] = ulid(now_ms)
    event["deliveryContext"] = {"isRedelivery": False}
    return event


# Reply tokens


def with_reply_token(platform: Platform, channel: Channel, event: Json, where: Where) -> Json:
    """Give the event a reply token. A channel that stands by gets none: it must not answer."""
    if event["mode"] == "standby":
        return event
    now = platform.clock.now()
    tokens = channel.reply_tokens
    _forget_old_tokens(tokens, now)
    token = reply_token()
    tokens[token] = ReplyToken(source_of(where).chat_id, now, now)
    event["replyToken"] = token
    return event


def _forget_old_tokens(tokens: dict[str, ReplyToken], now: float) -> None:
    # The dictionary keeps the order of issue, so the oldest are in front.
    while tokens:
        oldest = next(iter(tokens))
        if now - tokens[oldest].event_at <= REDELIVERED_REPLY_SECONDS:
            return
        del tokens[oldest]


def good_reply_token(platform: Platform, channel: Channel, token: str) -> ReplyToken | None:
    """The token, to be marked as used once the reply is accepted; None if LINE calls it invalid."""
    known = channel.reply_tokens.get(token)
    now = platform.clock.now()
    if known is None or known.used or now - known.delivered_at > REPLY_SECONDS:
        return None
    if known.redelivered and now - known.event_at > REDELIVERED_REPLY_SECONDS:
        return None
    return known


# Read tokens


def read_token(channel: Channel, chat_id: str, at_ms: int) -> str:
    """A `markAsReadToken`. It never expires (docs, "Mark messages as read"), so it is not kept:

    it says itself which chat and moment it means, sealed with the channel's secret.
    """
    said = f"{chat_id}{at_ms}".encode()
    return base64.urlsafe_b64encode(_seal(channel, said) + said).decode().rstrip("=")


def read_token_means(channel: Channel, token: str) -> tuple[str, int] | None:
    """Chat id and moment (milliseconds) of a token made by `read_token`; None for any other."""
    try:
        raw = base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    seal, said = raw[:12], raw[12:]
    if not hmac.compare_digest(seal, _seal(channel, said)):
        return None
    text = said.decode("ascii")
    return text[:33], int(text[33:])


def _seal(channel: Channel, said: bytes) -> bytes:
    return hmac.new(channel.secret.encode(), said, hashlib.sha256).digest()[:12]


# Messages


def message(platform: Platform, channel: Channel, where: Where, content: Json) -> Json:
    """A message event around a message content that has its `id` and `type`."""
    event = common(platform, channel, "message", where)
    if content["type"] in _QUOTABLE:
        content.setdefault("quoteToken", quote_token())
    if channel.chat_mode == "chat":
        chat_id = source_of(where).chat_id
        content.setdefault("markAsReadToken", read_token(channel, chat_id, event["timestamp"]))
    event["message"] = content
    return with_reply_token(platform, channel, event, where)


def message_edited(platform: Platform, channel: Channel, where: Where, content: Json) -> Json:
    """An edit event (reference, "Edit event"): the same message id, a new quote token, no read
    token. LINE has it in group chats only.
    """
    event = common(platform, channel, "messageEdited", where)
    edited = {name: value for name, value in content.items() if name != "markAsReadToken"}
    event["message"] = edited | {"quoteToken": quote_token()}
    return with_reply_token(platform, channel, event, where)


def unsend(platform: Platform, channel: Channel, where: Where, message_id: str) -> Json:
    """An unsend event. It has no reply token."""
    event = common(platform, channel, "unsend", where)
    event["unsend"] = {"messageId": message_id}
    return event


def postback(
    platform: Platform, channel: Channel, where: Where, data: str, params: Json | None
) -> Json:
    """A postback event; `params` is what a date picker or a rich-menu switch adds."""
    event = common(platform, channel, "postback", where)
    event["postback"] = {"data": data} if params is None else {"data": data, "params": params}
    return with_reply_token(platform, channel, event, where)


# Friendship and groups


def follow(platform: Platform, channel: Channel, user_id: str, unblocked: bool) -> Json:
    """A follow event: added as a friend, or unblocked."""
    event = common(platform, channel, "follow", user_id)
    event["follow"] = {"isUnblocked": unblocked}
    return with_reply_token(platform, channel, event, user_id)


def unfollow(platform: Platform, channel: Channel, user_id: str) -> Json:
    """An unfollow event: blocked. It has no reply token."""
    return common(platform, channel, "unfollow", user_id)


def join(platform: Platform, channel: Channel, chat_id: str) -> Json:
    """A join event: the account is now in this group or room."""
    event = common(platform, channel, "join", Source(chat_id))
    return with_reply_token(platform, channel, event, Source(chat_id))


def leave(platform: Platform, channel: Channel, chat_id: str) -> Json:
    """A leave event: the account was removed from the group or room, or left it."""
    return common(platform, channel, "leave", Source(chat_id))


def member_joined(
    platform: Platform, channel: Channel, chat_id: str, people: Iterable[str]
) -> Json:
    """A member join event, of one or several people."""
    event = common(platform, channel, "memberJoined", Source(chat_id))
    event["joined"] = {"members": [Source(one).json() for one in people]}
    return with_reply_token(platform, channel, event, Source(chat_id))


def member_left(platform: Platform, channel: Channel, chat_id: str, people: Iterable[str]) -> Json:
    """A member leave event. It has no reply token."""
    event = common(platform, channel, "memberLeft", Source(chat_id))
    event["left"] = {"members": [Source(one).json() for one in people]}
    return event


# What else a person does


def video_play_complete(
    platform: Platform, channel: Channel, where: Where, tracking_id: str
) -> Json:
    """A video viewing complete event, for a video message that has a `trackingId`."""
    event = common(platform, channel, "videoPlayComplete", where)
    event["videoPlayComplete"] = {"trackingId": tracking_id}
    return with_reply_token(platform, channel, event, where)


def beacon(
    platform: Platform,
    channel: Channel,
    user_id: str,
    hwid: str,
    kind: Literal["enter", "banner", "stay"] = "enter",
    dm: str | None = None,
) -> Json:
    """A beacon event; `dm` is the device message in hexadecimal digits."""
    event = common(platform, channel, "beacon", user_id)
    event["beacon"] = {"hwid": hwid, "type": kind} | ({} if dm is None else {"dm": dm})
    return with_reply_token(platform, channel, event, user_id)


def account_link(
    platform: Platform, channel: Channel, user_id: str, nonce: str, ok: bool = True
) -> Json:
    """An account link event. A failed one has neither source nor reply token."""
    event = common(platform, channel, "accountLink", user_id if ok else None)
    event["link"] = {"result": "ok" if ok else "failed", "nonce": nonce}
    return with_reply_token(platform, channel, event, user_id) if ok else event


def membership(
    platform: Platform,
    channel: Channel,
    user_id: str,
    kind: Literal["joined", "left", "renewed"],
    membership_id: int,
) -> Json:
    """A membership event."""
    event = common(platform, channel, "membership", user_id)
    event["membership"] = {"type": kind, "membershipId": membership_id}
    return with_reply_token(platform, channel, event, user_id)


# Contracts


def module_attached(platform: Platform, channel: Channel, scopes: list[str]) -> Json:
    """An attached event: the module channel belongs to the account from now on."""
    event = common(platform, channel, "module", None)
    event["module"] = {"type": "attached", "botId": channel.bot_user_id, "scopes": scopes}
    return event


def module_detached(platform: Platform, channel: Channel, reason: str | None) -> Json:
    """A detached event. "bot_deleted" is the only reason that LINE names; its example has none."""
    event = common(platform, channel, "module", None)
    event["module"] = {"type": "detached", "botId": channel.bot_user_id}
    if reason is not None:
        event["module"]["reason"] = reason
    return event


def activated(platform: Platform, channel: Channel, chat_id: str, until_ms: int) -> Json:
    """An activated event: the module channel leads in the chat until `until_ms`."""
    event = common(platform, channel, "activated", Source(chat_id)) | {"mode": "active"}
    event["chatControl"] = {"expireAt": until_ms}
    return event


def deactivated(platform: Platform, channel: Channel, chat_id: str) -> Json:
    """A deactivated event: the module channel stands by again."""
    return common(platform, channel, "deactivated", Source(chat_id)) | {"mode": "active"}


def bot_suspended(platform: Platform, channel: Channel) -> Json:
    """A botSuspended event: LINE has suspended the account."""
    return common(platform, channel, "botSuspended", None)


def bot_resumed(platform: Platform, channel: Channel) -> Json:
    """A botResumed event: the account is back."""
    return common(platform, channel, "botResumed", None)


def delivery(platform: Platform, channel: Channel, data: str) -> Json:
    """A delivery completion event of a LINE notification message: `data` is the phone number's
    hash or the delivery tag. It has no source (docs, "Webhook delivery completion event").
    """
    event = common(platform, channel, "delivery", None)
    event["delivery"] = {"data": data}
    return event


def post(platform: Platform, channel: Channel, where: Where | None, event: Json) -> bool:
    """Put the event on its way; False if the channel uses no webhook.

    Events of one chat keep their order, whoever of its members caused them.
    """
    order_key = "" if where is None else source_of(where).chat_id
    return platform.webhooks.send(channel, event, order_key)
