"""Webhook event objects, built as LINE builds them, and put on their way.

Reference: "Webhook Event Objects". A person's event goes to one channel; its reply token is kept
by the channel until it is used or too old.
"""

from __future__ import annotations

from .ids import quote_token, reply_token, ulid
from .model import Channel, Json, ReplyToken
from .platform import Platform

REPLY_SECONDS = 60
"""A reply token must be used within a minute of the webhook (reference, "Reply token")."""
REDELIVERED_REPLY_SECONDS = 20 * 60
"""A redelivered event's token dies 20 minutes after the event (the same section)."""


def common(platform: Platform, channel: Channel, kind: str, user_id: str) -> Json:
    """The properties all events have (reference, "Common properties")."""
    now_ms = platform.clock.now_ms()
    return {
        "type": kind,
        "mode": channel.mode,
        "timestamp": now_ms,
        "source": {"type": "user", "userId": user_id},
        "webhookEventId": ulid(now_ms),
        "deliveryContext": {"isRedelivery": False},
    }


def with_reply_token(platform: Platform, channel: Channel, event: Json, user_id: str) -> Json:
    """Give the event a reply token. A standby channel gets none: it must not answer."""
    if channel.mode == "standby":
        return event
    now = platform.clock.now()
    tokens = channel.reply_tokens
    _forget_old_tokens(tokens, now)
    token = reply_token()
    tokens[token] = ReplyToken(user_id, now, now)
    event["replyToken"] = token
    return event


def _forget_old_tokens(tokens: dict[str, ReplyToken], now: float) -> None:
    # The dictionary keeps the order of issue, so the oldest are in front.
    while tokens:
        oldest = next(iter(tokens))
        if now - tokens[oldest].event_at <= REDELIVERED_REPLY_SECONDS:
            return
        del tokens[oldest]


def use_reply_token(platform: Platform, channel: Channel, token: str) -> str | None:
    """Use the token up and return whom it replies to, or None if LINE would call it invalid."""
    known = channel.reply_tokens.get(token)
    now = platform.clock.now()
    if known is None or known.used or now - known.delivered_at > REPLY_SECONDS:
        return None
    if known.redelivered and now - known.event_at > REDELIVERED_REPLY_SECONDS:
        return None
    known.used = True
    return known.user_id


def follow(platform: Platform, channel: Channel, user_id: str, unblocked: bool) -> Json:
    """A follow event: added as a friend, or unblocked."""
    event = common(platform, channel, "follow", user_id)
    event["follow"] = {"isUnblocked": unblocked}
    return with_reply_token(platform, channel, event, user_id)


def unfollow(platform: Platform, channel: Channel, user_id: str) -> Json:
    """An unfollow event: blocked. It has no reply token."""
    return common(platform, channel, "unfollow", user_id)


def message(platform: Platform, channel: Channel, user_id: str, content: Json) -> Json:
    """A message event around a message content that has its `id` and `type`."""
    event = common(platform, channel, "message", user_id)
    if content["type"] in ("text", "sticker", "image", "video"):
        content.setdefault("quoteToken", quote_token())
    if channel.chat_mode == "chat":
        content.setdefault("markAsReadToken", quote_token())
    event["message"] = content
    return with_reply_token(platform, channel, event, user_id)


def postback(
    platform: Platform, channel: Channel, user_id: str, data: str, params: Json | None
) -> Json:
    """A postback event; `params` is what a date picker or a rich-menu switch adds."""
    event = common(platform, channel, "postback", user_id)
    event["postback"] = {"data": data} if params is None else {"data": data, "params": params}
    return with_reply_token(platform, channel, event, user_id)


def unsend(platform: Platform, channel: Channel, user_id: str, message_id: str) -> Json:
    """An unsend event. It has no reply token."""
    event = common(platform, channel, "unsend", user_id)
    event["unsend"] = {"messageId": message_id}
    return event


def post(platform: Platform, channel: Channel, user_id: str, event: Json) -> bool:
    """Put the event on its way; False if the channel uses no webhook."""
    return platform.webhooks.send(channel, event, user_id)
