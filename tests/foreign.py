"""One of each thing that a route can name, so that every route can be asked for a stranger's.

A new path parameter needs a line in `make_world`: what it names, and how to make one.
"""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from conftest import Shop
from console import make_staff
from hiiki.actions.models import Rule
from hiiki.broadcasts.models import Broadcast
from hiiki.contacts.models import (
    Attribute,
    BulkEdit,
    Contact,
    ContactAttribute,
    ContactTag,
    Friendship,
    Keyword,
    Note,
    Tag,
    View,
)
from hiiki.content.models import Link, Media
from hiiki.coupons.models import Coupon, Issue
from hiiki.db import scope
from hiiki.delivery.models import Parcel, Send, Topic
from hiiki.idlink.models import LoginChannel, Place
from hiiki.imports.models import Export, Import
from hiiki.ingest.models import WebhookEvent
from hiiki.ingest.relay.models import RelayBody, RelayDelivery, RelayTarget
from hiiki.kit.clock import now
from hiiki.kit.ids import code, uuid7
from hiiki.ltv.models import Spending
from hiiki.personas.models import Persona, Reading
from hiiki.purchases.models import Connection, Order, Post, Product, Store
from hiiki.segments.models import PeopleList, Segment, Version
from hiiki.surveys.models import Question, Response, Survey
from hiiki.workspace.models import ApiToken, Channel
from hiiki.workspace.seal import seal

MARK = "よその店の秘密"
"""Stands in everything that has words: no answer to a stranger may hold it."""


async def make_world(shop: Shop) -> dict[str, str]:
    """Make one of each in `shop` and return path parameter → the id of the one that was made."""
    staff_id = await make_staff(shop, "operator")
    names = [
        "contact",
        "other",
        "edit",
        "keyword",
        "view",
        "tag",
        "attribute",
        "note",
        "segment",
        "version",
        "list",
        "rule",
        "survey",
        "question",
        "response",
        "broadcast",
        "send",
        "parcel",
        "topic",
        "coupon",
        "issue",
        "media",
        "link",
        "channel",
        "token",
        "relay",
        "relay_body",
        "spending",
        "login_channel",
        "place",
        "order",
        "product",
        "store",
        "connection",
        "post",
        "import",
        "persona",
        "reading",
        "export",
    ]
    ids: dict[str, uuid.UUID] = {name: uuid7() for name in names}
    event_id = f"01{uuid.uuid4().hex[:24].upper()}"
    rows: list[list[Any]] = [
        [
            Channel(
                id=ids["channel"],
                name=MARK,
                line_channel_id=str(ids["channel"].int)[-12:],
                provider=str(shop.workspace_id),
                sealed_secret=seal("0" * 32, ids["channel"], "secret"),
                sealed_token=seal("token", ids["channel"], "token"),
                webhook_key=code(24),
                is_active=False,
            ),
            Contact(id=ids["contact"], display_name=MARK),
            Contact(id=ids["other"], display_name=MARK),
            Tag(id=ids["tag"], name=MARK),
            Attribute(id=ids["attribute"], key="secret", label=MARK, kind="text"),
            Segment(id=ids["segment"], name=MARK, rule={"kind": "everyone"}),
            PeopleList(id=ids["list"], name=MARK),
            Version(
                id=ids["version"],
                segment_id=ids["segment"],
                what="update",
                actor_name=MARK,
                name=MARK,
                description=MARK,
                rule={"kind": "everyone"},
            ),
            Survey(id=ids["survey"], name=MARK),
            Topic(id=ids["topic"], name=MARK),
            Spending(id=ids["spending"], month=date(2026, 10, 1), source=MARK, amount=1),
            Coupon(id=ids["coupon"], title=MARK, benefit="percent", amount=10),
            Media(
                id=ids["media"],
                key=code(),
                name=MARK,
                content_type="image/png",
                width=1,
                height=1,
                size=1,
                body=b"x",
                preview=b"x",
            ),
            Persona(id=ids["persona"], name=MARK, subject=f"segment:{ids['segment']}"),
            Link(id=ids["link"], code=code(), url="https://example.com/", label=MARK),
            Export(id=ids["export"], kind="friends", name=MARK),
            Import(
                id=ids["import"],
                kind="members",
                name=MARK,
                size=1,
                state="finished",
                encoding="utf-8-sig",
                separator=",",
            ),
            ApiToken(id=ids["token"], name=MARK, token_hash=ids["token"].bytes * 2, role="viewer"),
        ],
        [
            Friendship(
                contact_id=ids["contact"],
                channel_id=ids["channel"],
                line_user_id="U" + ids["contact"].hex,
                status="following",
                followed_at=now(),
            ),
            ContactTag(contact_id=ids["contact"], tag_id=ids["tag"]),
            ContactAttribute(contact_id=ids["contact"], attribute_id=ids["attribute"], text=MARK),
            LoginChannel(
                id=ids["login_channel"],
                channel_id=ids["channel"],
                line_channel_id="1234567890",
                sealed_secret=seal("0" * 32, ids["login_channel"], "line login"),
            ),
            Place(id=ids["place"], name=MARK, code=code(), channel_id=ids["channel"]),
            View(id=ids["view"], name=MARK),
            Keyword(id=ids["keyword"], word=MARK, tag_id=ids["tag"]),
            BulkEdit(
                id=ids["edit"],
                verb="tag_add",
                tag_id=ids["tag"],
                state="done",
                at=now(),
                actor_name=MARK,
            ),
            Reading(id=ids["reading"], persona_id=ids["persona"], state="done", done_at=now()),
            Note(id=ids["note"], contact_id=ids["contact"], body=MARK),
            Rule(
                id=ids["rule"],
                name=MARK,
                event_kind="follow",
                actions=[{"kind": "tag_add", "tag_id": str(ids["tag"])}],
            ),
            Question(
                id=ids["question"],
                survey_id=ids["survey"],
                position=0,
                kind="text",
                title=MARK,
            ),
            Response(
                id=ids["response"],
                contact_id=ids["contact"],
                survey_id=ids["survey"],
                channel_id=ids["channel"],
                state="finished",
            ),
            Issue(
                id=ids["issue"],
                contact_id=ids["contact"],
                coupon_id=ids["coupon"],
                channel_id=ids["channel"],
                grant_key="test",
                code=code(),
            ),
            Broadcast(
                id=ids["broadcast"],
                name=MARK,
                channel_id=ids["channel"],
                segment_id=ids["segment"],
                draft={"messages": [{"kind": "text", "text": MARK}]},
            ),
            Send(
                id=ids["send"],
                channel_id=ids["channel"],
                subject=f"broadcast:{ids['broadcast']}",
                messages=[{"type": "text", "text": MARK}],
                state="paused",
            ),
            WebhookEvent(
                channel_id=ids["channel"],
                event_id=event_id,
                kind="message",
                at=now(),
                payload={"text": MARK},
                state="set_aside",
            ),
        ],
        [
            RelayTarget(
                id=ids["relay"],
                channel_id=ids["channel"],
                name=MARK,
                url="https://tool.example/webhook",
                is_paused=True,
            ),
            RelayBody(
                id=ids["relay_body"],
                channel_id=ids["channel"],
                body=MARK.encode(),
                signature=MARK,
                people=[],
            ),
        ],
        [
            Order(
                id=ids["order"],
                contact_id=ids["contact"],
                source="api",
                number=MARK,
                at=now(),
                status="paid",
                currency="JPY",
                amount=1,
                digest="",
                updated_at=now(),
            ),
            Product(id=ids["product"], key=MARK, name=MARK),
            Store(id=ids["store"], code=MARK, name=MARK),
            Connection(
                id=ids["connection"],
                name=MARK,
                kind="json",
                key=code(),
                source=MARK,
                sealed_secret=b"",
            ),
            Post(
                id=ids["post"],
                connection_id=ids["connection"],
                once=MARK,
                body=MARK.encode(),
                state="failed",
            ),
        ],
        [
            delivery := RelayDelivery(
                target_id=ids["relay"],
                body_id=ids["relay_body"],
                events=1,
                expires_at=now(),
                state="given_up",
            ),
            Parcel(
                id=ids["parcel"],
                send_id=ids["send"],
                channel_id=ids["channel"],
                method="push",
                contact_ids=[ids["contact"]],
                line_user_ids=["U" + ids["contact"].hex],
                state="cancelled",
            ),
        ],
    ]
    async with scope(shop.workspace_id) as session:
        for batch in rows:
            session.add_all(batch)
            await session.flush()
    return {
        **{f"{name}_id": str(ident) for name, ident in ids.items()},
        "staff_id": str(staff_id),
        "workspace_id": str(shop.workspace_id),
        "event_id": event_id,
        "serial": str(delivery.serial),
    }


NOT_OURS = {"key"}
"""Parameters of console pages that name something of no workspace (a ready-made segment)."""
