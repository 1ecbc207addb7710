"""People can leave: nothing of them stays, and all of it can be taken along."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

import hiiki.rooms
from conftest import Shop, make_shop, scope
from hiiki.contacts import erasure
from hiiki.contacts.identities import Keys, resolve
from hiiki.contacts.merging import merge
from hiiki.contacts.models import Attribute, BulkEdit, Contact, Note, Tag, View
from hiiki.contacts.naming import GONE
from hiiki.contacts.service import add_tag, meet, set_attribute
from hiiki.coupons.models import Coupon, Issue
from hiiki.db import everywhere
from hiiki.delivery.models import Parcel, Send
from hiiki.idlink.passes import take_nonce
from hiiki.imports.models import Import, Refusal
from hiiki.ingest.models import WebhookEvent
from hiiki.segments.models import ListGap, PeopleList
from hiiki.surveys.models import Response, Survey
from hiiki.timeline import record
from hiiki.workspace.models import Channel

from .people import T0, make_channel, make_friend

assert hiiki.rooms.registry

GROUP = "C" + "0" * 32


async def rows_that_mention(words: list[str]) -> dict[str, int]:
    """Look into every column of every table for these words: whatever a room may have kept."""
    async with everywhere() as session:
        tables = await session.execute(
            text(
                "select table_schema, table_name from information_schema.tables"
                " where table_type = 'BASE TABLE'"
                " and table_schema not in ('pg_catalog', 'information_schema')"
            ),
            execution_options={"scoped_by_hand": True},
        )
        found: dict[str, int] = {}
        for schema, name in tables.all():
            number = await session.scalar(
                text(
                    f'select count(*) from "{schema}"."{name}" as t'
                    " where exists (select from unnest(cast(:words as text[])) w"
                    " where position(w in t::text) > 0)"
                ),
                {"words": words},
                execution_options={"scoped_by_hand": True},
            )
            if number:
                found[f"{schema}.{name}"] = number
    return found


async def with_everything(shop: Shop, channel: Channel, name: str) -> tuple[Contact, str]:
    """A friend about whom every room keeps something."""
    contact = await make_friend(
        shop, channel, name, real_name=f"{name} 本名", email="x@example.com"
    )
    async with scope(shop.workspace_id) as session:
        user = await session.scalar(
            text("select line_user_id from contacts.friendship where contact_id = :id"),
            {"id": contact.id},
            execution_options={"scoped_by_hand": True},
        )
        tag = Tag(name=f"tag {name}")
        field = Attribute(key=f"k{contact.id.hex[:8]}", label="辛さ", kind="text", choices=[])
        coupon = Coupon(title="c", benefit="gift")
        survey = Survey(name="s")
        session.add_all([tag, field, coupon, survey])
        await session.flush()
        await add_tag(session, contact.id, tag.id)
        await set_attribute(session, contact.id, field, f"secret of {name}")
        session.add_all(
            [
                Note(contact_id=contact.id, body=f"note on {name}"),
                Issue(contact_id=contact.id, coupon_id=coupon.id, grant_key="g", code=user[-10:]),
                Response(contact_id=contact.id, survey_id=survey.id, channel_id=channel.id),
            ]
        )
        for number in range(3):
            record(session, contact.id, "message", at=T0, data={"text": f"{name} says {number}"})
        session.add(
            WebhookEvent(
                channel_id=channel.id,
                event_id=f"event {contact.id.hex}"[:14],
                source_id=user,
                kind="message",
                at=T0,
                payload={"source": {"userId": user}, "message": {"text": f"{name} says 1"}},
            )
        )
        session.add(
            WebhookEvent(
                channel_id=channel.id,
                event_id=f"group {contact.id.hex}"[:14],
                source_id=GROUP,
                kind="message",
                at=T0,
                payload={
                    "source": {"type": "group", "groupId": GROUP, "userId": user},
                    "message": {"text": f"{name} says to all"},
                },
            )
        )
        session.add(
            Parcel(
                channel_id=channel.id,
                method="push",
                contact_ids=[contact.id],
                line_user_ids=[user],
                messages=[{"type": "text", "text": f"dear {name}"}],
            )
        )
    return contact, user


async def erase(shop: Shop, contact_id: UUID) -> None:
    async with scope(shop.workspace_id) as session:
        await erasure.erase(session, await session.one(Contact, contact_id))


async def test_nothing_stays_anywhere(shop: Shop, channel: Channel) -> None:
    gone, user = await with_everything(shop, channel, "さようなら")
    stays, other_user = await with_everything(shop, channel, "こんにちは")
    async with scope(shop.workspace_id) as session:
        send = Send(channel_id=channel.id, subject="broadcast:1", messages=[], targeted=2)
        session.add(send)
        await session.flush()
        both = [
            Parcel(
                channel_id=channel.id,
                send_id=send.id if state == "ready" else None,
                method="multicast",
                state=state,
                contact_ids=[stays.id, gone.id],
                line_user_ids=[other_user, user],
                messages=[{"type": "text", "text": "hello"}],
            )
            for state in ("ready", "accepted")
        ]
        done = Parcel(
            channel_id=channel.id,
            method="push",
            state="accepted",
            contact_ids=[gone.id],
            line_user_ids=[user],
            messages=[{"type": "text", "text": "さようなら様"}],
        )
        session.add_all([*both, done])
    words = [str(gone.id), user, "さようなら"]
    before = await rows_that_mention(words)
    assert {"contacts.contact", "timeline.event", "delivery.parcel", "coupons.issue"} <= set(before)
    assert "ingest.webhook_event" in before
    others = await rows_that_mention([str(stays.id), other_user])

    await erase(shop, gone.id)

    left = await rows_that_mention(words)
    left.pop("contacts.tag", None)  # the shop's own word, which happens to hold the name
    assert left == {}
    assert await rows_that_mention([str(stays.id), other_user]) == others
    async with scope(shop.workspace_id) as session:
        waiting, gone_out = [await session.one(Parcel, each.id) for each in both]
        assert (waiting.contact_ids, waiting.line_user_ids) == ([stays.id], [other_user])
        assert gone_out.contact_ids == [stays.id, UUID(int=0)]
        assert gone_out.line_user_ids == [other_user, ""]
        assert (await session.one(Parcel, done.id)).messages == []
        assert (await session.one(Send, send.id)).targeted == 1
        of_group = select(WebhookEvent).where(WebhookEvent.source_id == GROUP)
        emptied, kept = await session.scalars(of_group.order_by(WebhookEvent.serial))
        assert (emptied.payload, emptied.state) == ({}, "dismissed")
        assert (kept.payload["message"]["text"], kept.state) == (
            "こんにちは says to all",
            "waiting",
        )


async def test_nothing_stays_where_rows_are_nobodys(shop: Shop, channel: Channel) -> None:
    """Merged, imported, changed among many, half linked: each keeps something beside their rows."""
    keys = Keys(customer="C-987654321", email="bye@example.com", phone="090-1234-5678")
    friend = await make_friend(shop, channel, "さようなら", real_name="去る花子")
    stays = await make_friend(shop, channel, "こんにちは")
    refused = [
        "BYE@example.com,",
        "０９０(1234)5678x",
        "c-987654321",
        "去る花子様",
        "here@example.com",
    ]
    async with scope(shop.workspace_id) as session:
        [member] = await resolve(session, [keys])
        (await session.one(Contact, member)).real_name = "去る花子"
        await merge(session, friend.id, member)
        made = Import(kind="members", name="x.csv", size=1, encoding="utf-8", separator=",")
        many = BulkEdit(verb="tag_add", contact_ids=[friend.id, stays.id])
        named = BulkEdit(verb="tag_add", state="done", filter={"q": "０９０-1234-5678"})
        other = BulkEdit(verb="tag_add", state="done", filter={"q": "here@example.com"})
        views = [
            View(name=f"v{n}", query={"q": q}) for n, q in enumerate(["Bye@example.com", "花"])
        ]
        lost = PeopleList(name="貼り付け")
        session.add_all([made, many, named, other, *views, lost])
        await session.flush()
        lines = ["c-987654321", "Bye@Example.com", "here@example.com", "090 1234 5678", "x12345678"]
        session.add(ListGap(list_id=lost.id, n=5, lines="\n".join(lines)))
        for line, value in enumerate(refused):
            session.add(Refusal(import_id=made.id, line=line, value=value, reason="No."))
        await take_nonce(session, "C-987654321")
    await erase(shop, friend.id)
    words = [str(friend.id), str(member), "さようなら", "去る花子", "bye@", "BYE@"]
    # Long enough that no random id and no hash has them by chance.
    words += ["987654321", "9012345678", "(1234)5678", "1234 5678", "1234-5678"]
    left = await rows_that_mention(words)
    # That the two were merged is told by ids alone, which lead nowhere now.
    assert left.pop("workspace.audit_entry") == 1
    assert left == {}
    async with scope(shop.workspace_id) as session:
        kept = await session.scalars(select(Refusal.value).order_by(Refusal.line))
        assert list(kept) == ["", "", "", "", "here@example.com"]
        assert (await session.one(BulkEdit, many.id)).contact_ids == [stays.id]
        assert (await session.one(BulkEdit, named.id)).filter == {"q": GONE}
        assert (await session.one(BulkEdit, other.id)).filter == {"q": "here@example.com"}
        assert [view.name for view in await session.scalars(select(View))] == ["v1"]
        gap = await session.one(ListGap, lost.id)
        assert (gap.n, gap.lines) == (2, "here@example.com\nx12345678")


async def test_every_table_about_contacts_is_emptied_by_itself(
    shop: Shop, channel: Channel
) -> None:
    """A room that is added tomorrow with a `contact_id` needs no line here."""
    names = {table.fullname for table in erasure.tables_about_contacts()}
    async with everywhere() as session:
        known = await session.execute(
            text(
                "select table_schema || '.' || table_name from information_schema.columns"
                " where column_name = 'contact_id'"
            ),
            execution_options={"scoped_by_hand": True},
        )
        assert set(known.scalars()) == names


async def test_erasing_stays_inside_the_shop(shop: Shop, channel: Channel) -> None:
    other = await make_shop("別の店")
    their_channel = await make_channel(other)
    mine = await make_friend(shop, channel, "a")
    theirs = await make_friend(other, their_channel, "a")
    async with scope(other.workspace_id) as session:
        record(session, theirs.id, "message", data={"text": "x"})
    await erase(shop, mine.id)
    async with scope(other.workspace_id) as session:
        assert await session.get(Contact, theirs.id)
    assert "timeline.event" in await rows_that_mention([str(theirs.id)])


async def test_who_was_erased_comes_back_as_somebody_new(shop: Shop, channel: Channel) -> None:
    gone, user = await with_everything(shop, channel, "さようなら")
    await erase(shop, gone.id)
    async with scope(shop.workspace_id) as session:
        back = await session.one(Contact, await meet(session, channel, user, at=T0))
        assert (back.id, back.display_name, back.email) == (gone.id, "", None)


async def test_the_export_holds_everything(shop: Shop, channel: Channel) -> None:
    contact, user = await with_everything(shop, channel, "わたし")
    await with_everything(shop, channel, "ほかの人")
    async with scope(shop.workspace_id) as session:
        found: dict[str, Any] = await erasure.export(
            session, await session.one(Contact, contact.id)
        )
    written = json.dumps(found, ensure_ascii=False)
    assert found["tags"] == ["tag わたし"]
    assert [each["value"] for each in found["attributes"].values()] == ["secret of わたし"]
    assert len(found["records"]["timeline.event"]) == 3
    assert {"contacts.note", "contacts.friendship", "coupons.issue", "surveys.response"} <= set(
        found["records"]
    )
    assert user in written
    assert "ほかの人" not in written
    assert str(shop.workspace_id) not in written
