"""The simulated friends: who they are, what they answer, how they waver.

A `Friend` reacts to what arrives on its phone and remembers what it really did. That
memory is the demo's truth: it is made here, without Hiiki.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from hiiki.demo.shops import Question, Shop

Act = dict[str, Any]

NONSENSE = ("???", "ああああ", "カレー🍛🍛🍛", "いま何時?", "<script>alert(1)</script>", "123")


@dataclass
class Friend:
    """One person with a phone."""

    user_id: str
    channel: str
    temper: str
    """finisher, stopper (half-way), blocker (at once), leaver (after the survey), joker."""
    wishes: Mapping[str, str | Sequence[str]]
    """Question title → the label (or labels, or typed words) this person would answer."""
    opens: bool
    redeems: bool
    answered: list[str] = field(default_factory=list[str])
    """Titles of questions answered."""
    tags: set[str] = field(default_factory=set[str])
    """Labels this person really chose."""
    blocked: bool = False
    greeted: int = 0
    finished: bool = False
    coupon_urls: list[str] = field(default_factory=list[str])
    campaign: dict[str, int] = field(default_factory=dict[str, int])
    """Marker of a broadcast → how often it arrived."""
    links: list[str] = field(default_factory=list[str])
    clowned: bool = False
    stop_after: int = 99


def make_friend(user_id: str, channel: str, shop: Shop, dice: random.Random) -> Friend:
    """Roll a person's character and wishes."""
    temper = dice.choices(
        ("finisher", "stopper", "blocker", "leaver", "joker"), weights=(76, 9, 4, 3, 8)
    )[0]
    wishes = {question.title: question.wish(dice) for question in shop.questions}
    return Friend(
        user_id=user_id,
        channel=channel,
        temper=temper,
        wishes=wishes,
        opens=dice.random() < 0.42,
        redeems=dice.random() < 0.35,
        stop_after=dice.randint(0, max(0, len(wishes) - 1)) if temper == "stopper" else 99,
    )


def texts(node: Any) -> Iterator[str]:
    """Yield every string of a message that a person would read."""
    for holder in _objects(node):
        for name in ("text", "title", "altText"):
            if isinstance(holder.get(name), str):
                yield holder[name]


def uris(node: Any) -> Iterator[str]:
    """Yield every address that a message would open."""
    for holder in _objects(node):
        if holder.get("type") == "uri" and isinstance(holder.get("uri"), str):
            yield holder["uri"]


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in `node`, however deep."""
    if isinstance(node, dict):
        holder = cast("dict[str, Any]", node)
        yield holder
        for value in holder.values():
            yield from _objects(value)
    elif isinstance(node, list):
        for value in cast("list[Any]", node):
            yield from _objects(value)


def respond(
    friend: Friend, messages: Sequence[dict[str, Any]], shop: Shop, dice: random.Random
) -> list[Act]:
    """Take in what arrived, and return what this person does about it."""
    words = "\n".join(text for message in messages for text in texts(message))
    addresses = [uri for message in messages for uri in uris(message)]
    for marker in shop.markers:
        if marker in words:
            friend.campaign[marker] = friend.campaign.get(marker, 0) + 1
            friend.links.extend(uri for uri in addresses if "/l/" in uri)
    if shop.greeting_marker in words:
        friend.greeted += 1
    friend.coupon_urls.extend(uri for uri in addresses if "/c/" in uri)
    if friend.blocked:
        return []
    if friend.temper == "blocker" and friend.greeted:
        friend.blocked = True
        return [_act(friend, type="unfollow")]
    if shop.thanks_marker in words:
        friend.finished = True
        if friend.temper == "leaver":
            friend.blocked = True
            return [_act(friend, type="unfollow")]
        return []
    question = shop.question_in(words)
    if question is None or question.title in friend.answered:
        return []
    if len(friend.answered) >= friend.stop_after:
        return []
    if friend.temper == "joker" and not friend.clowned:
        friend.clowned = True
        return [_act(friend, type="message", text=dice.choice(NONSENSE))]
    friend.answered.append(question.title)
    return list(_answer(friend, question))


def _answer(friend: Friend, question: Question) -> Iterator[Act]:
    wish = friend.wishes[question.title]
    if question.kind == "number":
        yield _act(friend, type="message", text=str(wish))
        return
    labels = [wish] if isinstance(wish, str) else list(wish)
    friend.tags.update(labels)
    for label in labels:
        yield _act(friend, type="tap", label=label)
    if question.kind == "choices":
        yield _act(friend, type="tap", label=question.done)


def _act(friend: Friend, **what: Any) -> Act:
    return {"user": friend.user_id, "channel": friend.channel, **what}
