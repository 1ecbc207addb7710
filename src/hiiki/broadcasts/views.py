"""Console pages: the list, writing one, and what became of it."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Request, get, post
from litestar.params import Parameter
from litestar.response import Redirect, Stream, Template
from sqlalchemy import select

from hiiki.broadcasts import service
from hiiki.broadcasts.listing import listed
from hiiki.broadcasts.models import Broadcast
from hiiki.broadcasts.pages import detail, progress_fragment, reach_of
from hiiki.broadcasts.report import CSV_HEAD, csv_rows, lines, recipients
from hiiki.broadcasts.schemas import BroadcastIn
from hiiki.contacts.models import Contact, Friendship
from hiiki.content import composer
from hiiki.db import WorkspaceSession, scope
from hiiki.kit.errors import HiikiError, Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _, gettext
from hiiki.kit.pages import form_data, page, to
from hiiki.kit.road import Option, road
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import Channel

AnyRequest = Request[Any, Any, Any]
OPERATOR = {"role": "operator"}
State = Annotated[str, Parameter(query="state")]
"""Litestar keeps the name `state` for itself."""
LIST_STATES = ("draft", "scheduled", "sent", "cancelled")


@get("/broadcasts")
async def list_broadcasts(
    session: WorkspaceSession,
    q: str = "",
    stage: Annotated[str, Parameter(query="state")] = "",
    before: UUID | None = None,
) -> Template:
    """List broadcasts, newest first."""
    wanted = stage if stage in LIST_STATES else ""
    found, more = await listed(session, q, wanted or None, before, 50)
    query = {"q": q, "state": wanted}
    kept = {name: value for name, value in query.items() if value}
    return page(
        "broadcasts/list.html",
        lines=await lines(session, found),
        segments={option.value: option.label for option in await _segments(session)},
        q=q,
        state=wanted,
        back="/broadcasts" + (f"?{urlencode(kept)}" if kept else "") if before else "",
        more=f"/broadcasts?{urlencode({**kept, 'before': more})}" if more else "",
    )


@get("/broadcasts/new", opt=OPERATOR)
async def new_broadcast(session: WorkspaceSession, segment_id: str = "") -> Template:
    """Show an empty form."""
    channels = await _channels(session)
    data: dict[str, Any] = {
        "name": "",
        "channel_id": channels[0].value if channels else "",
        "segment_id": segment_id,
        "topic_id": "",
        "must_go": "false",
        "up_to_quota": "false",
        "draft": composer.empty(),
    }
    return await _form(session, None, data, {})


@post("/broadcasts/new")
async def create_broadcast(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Make a draft, and go on to its page to check and send it."""
    data = await form_data(request)
    try:
        made = await service.save(session, None, parse(BroadcastIn, data))
    except Invalid as error:
        return await _form(session, None, data, error.fields)
    audit(session, access, "broadcasts.create", made.id, name=made.name)
    return to(f"/broadcasts/{made.id}")


@get("/broadcasts/{broadcast_id:uuid}/edit", opt=OPERATOR)
async def edit_broadcast(session: WorkspaceSession, broadcast_id: UUID) -> Redirect | Template:
    """Show a draft in its form."""
    broadcast = await session.one(Broadcast, broadcast_id)
    if broadcast.state not in ("draft", "cancelled"):
        return to(f"/broadcasts/{broadcast_id}")
    data: dict[str, Any] = {
        "name": broadcast.name,
        "channel_id": str(broadcast.channel_id),
        "segment_id": str(broadcast.segment_id or ""),
        "topic_id": str(broadcast.topic_id or ""),
        "must_go": "true" if broadcast.must_go else "false",
        "up_to_quota": "true" if broadcast.up_to_quota else "false",
        "draft": broadcast.draft,
    }
    return await _form(session, broadcast, data, {})


@post("/broadcasts/{broadcast_id:uuid}/edit")
async def save_broadcast(
    request: AnyRequest, session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> Redirect | Template:
    """Change a draft."""
    broadcast = await session.one(Broadcast, broadcast_id)
    data = await form_data(request)
    try:
        await service.save(session, broadcast, parse(BroadcastIn, data))
    except Invalid as error:
        return await _form(session, broadcast, data, error.fields)
    audit(session, access, "broadcasts.update", broadcast_id, name=broadcast.name)
    return to(f"/broadcasts/{broadcast_id}", _("Saved."))


@post("/broadcasts/reach", status_code=200, opt={"role": "viewer"})
async def show_reach(request: AnyRequest, session: WorkspaceSession) -> Template:
    """Draw whom a message would reach and what that costs, as one chooses."""
    data = await form_data(request)
    return page("broadcasts/_reach.html", **await _reach(session, data))


@get("/broadcasts/{broadcast_id:uuid}")
async def show_broadcast(
    session: WorkspaceSession,
    access: Access,
    broadcast_id: UUID,
    after: str = "",
    stage: Annotated[str, Parameter(query="state")] = "",
) -> Template:
    """Show a draft to be sent, or what became of one that has been."""
    broadcast = await session.one(Broadcast, broadcast_id)
    return await detail(session, access, broadcast, after=after, state=stage)


@get("/broadcasts/{broadcast_id:uuid}/progress")
async def show_progress(session: WorkspaceSession, broadcast_id: UUID) -> Template:
    """Draw how far a send is."""
    return await progress_fragment(session, await session.one(Broadcast, broadcast_id))


@post("/broadcasts/{broadcast_id:uuid}/send")
async def send_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> Redirect | Template:
    """Send it now."""
    await service.ask_quota(access.workspace_id, broadcast_id)
    try:
        async with session.begin_nested():
            send = await service.send_now(session, broadcast_id)
    except HiikiError as error:
        return await _refused(session, access, broadcast_id, error)
    audit(session, access, "broadcasts.send", broadcast_id, people=send.targeted)
    return to(f"/broadcasts/{broadcast_id}", _("It is being sent."))


@post("/broadcasts/{broadcast_id:uuid}/schedule")
async def schedule_broadcast(
    request: AnyRequest, session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> Redirect | Template:
    """Let it go out at a time."""
    data = await form_data(request)
    typed = str(data.get("at", ""))
    try:
        at = service.local_time(typed, access.timezone)
        async with session.begin_nested():
            await service.schedule(session, broadcast_id, at.astimezone(ZoneInfo("UTC")))
    except HiikiError as error:
        return await _refused(session, access, broadcast_id, error, at=typed)
    audit(session, access, "broadcasts.schedule", broadcast_id, at=at.isoformat())
    return to(f"/broadcasts/{broadcast_id}", _("It is scheduled."))


@post("/broadcasts/{broadcast_id:uuid}/cancel")
async def cancel_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> Redirect:
    """Take back a schedule, or stop sending for good."""
    await service.cancel(session, broadcast_id)
    audit(session, access, "broadcasts.cancel", broadcast_id)
    return to(f"/broadcasts/{broadcast_id}", _("It has been cancelled."))


@post("/broadcasts/{broadcast_id:uuid}/pause")
async def pause_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> Redirect:
    """Stop sending for the time being."""
    await service.pause(session, broadcast_id)
    audit(session, access, "broadcasts.pause", broadcast_id)
    return to(f"/broadcasts/{broadcast_id}", _("Sending is paused."))


@post("/broadcasts/{broadcast_id:uuid}/resume")
async def resume_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> Redirect:
    """Go on sending."""
    await service.resume(session, broadcast_id)
    audit(session, access, "broadcasts.resume", broadcast_id)
    return to(f"/broadcasts/{broadcast_id}", _("Sending goes on."))


@post("/broadcasts/{broadcast_id:uuid}/test")
async def test_broadcast(
    request: AnyRequest, session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> Redirect | Template:
    """Send it to a few chosen friends."""
    chosen = _ids((await form_data(request)).get("contact_ids"))
    try:
        sent = await service.send_test(session, broadcast_id, chosen)
    except HiikiError as error:
        return await _refused(session, access, broadcast_id, error)
    audit(session, access, "broadcasts.test", broadcast_id, people=sent)
    return to(f"/broadcasts/{broadcast_id}", _("The test is on its way to %(n)s people.", n=sent))


@post("/broadcasts/{broadcast_id:uuid}/testers", status_code=200, opt=OPERATOR)
async def find_testers(
    request: AnyRequest, session: WorkspaceSession, broadcast_id: UUID
) -> Template:
    """Draw friends whose name fits, the chosen ones first."""
    broadcast = await session.one(Broadcast, broadcast_id)
    data = await form_data(request)
    chosen = _ids(data.get("contact_ids"))[: service.MAX_TESTERS]
    wanted = str(data.get("who", "")).strip()
    query = (
        select(Contact.id, Contact.real_name, Contact.display_name, Contact.picture_url)
        .join(Friendship, Friendship.contact_id == Contact.id)
        .where(Friendship.channel_id == broadcast.channel_id, Friendship.status == "following")
    )
    kept = list(await session.execute(query.where(Contact.id.in_(chosen))))
    found = query.where(Contact.id.not_in(chosen)).order_by(Contact.created_at.desc()).limit(8)
    if wanted:
        found = found.where(
            Contact.display_name.icontains(wanted, autoescape=True)
            | Contact.real_name.icontains(wanted, autoescape=True)
        )
    rows = [*kept, *await session.execute(found)]
    return page("broadcasts/_testers.html", people=rows, chosen=set(chosen))


@post("/broadcasts/{broadcast_id:uuid}/duplicate")
async def duplicate_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> Redirect:
    """Make a new draft with the same content."""
    old = await session.one(Broadcast, broadcast_id)
    name = gettext("Copy of %(name)s", name=old.name)
    made = await service.duplicate(session, broadcast_id, name)
    audit(session, access, "broadcasts.create", made.id, name=made.name)
    return to(f"/broadcasts/{made.id}/edit", _("Here is the copy."))


@post("/broadcasts/{broadcast_id:uuid}/delete")
async def delete_broadcast(
    session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> Redirect:
    """Delete a draft."""
    await service.delete(session, broadcast_id)
    audit(session, access, "broadcasts.delete", broadcast_id)
    return to("/broadcasts", _("The broadcast has been deleted."))


@get("/broadcasts/{broadcast_id:uuid}/recipients.csv")
async def export_recipients(
    session: WorkspaceSession, access: Access, broadcast_id: UUID
) -> Stream:
    """Send the whole list of recipients as a file."""
    broadcast = await session.one(Broadcast, broadcast_id)
    return Stream(
        _csv(access.workspace_id, broadcast),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="broadcast-{broadcast_id}.csv"'},
    )


async def _csv(workspace_id: UUID, broadcast: Broadcast) -> AsyncIterator[str]:
    # The request's transaction is over when this runs: each page has one of its own.
    yield "\ufeff" + _written([CSV_HEAD])
    after: str | None = None
    while True:
        async with scope(workspace_id) as session:
            people, after = await recipients(session, broadcast, after=after, limit=1000)
        yield _written(csv_rows(people))
        if after is None:
            return


def _written(rows: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


async def _form(
    session: WorkspaceSession,
    broadcast: Broadcast | None,
    data: dict[str, Any],
    errors: dict[str, Text],
) -> Template:
    names = ("name", "channel_id", "segment_id", "topic_id", "must_go", "up_to_quota")
    values: dict[str, Any] = {**dict.fromkeys(names, ""), "draft": None}
    values.update(data)
    return page(
        "broadcasts/edit.html",
        status=422 if errors else 200,
        broadcast=broadcast,
        data=values,
        errors=errors,
        channels=await _channels(session),
        segments=await _segments(session),
        topics=await road().pickers["topic"].options(session),
        composer=await composer.choices(session),
        **await _reach(session, values),
    )


async def _reach(session: WorkspaceSession, data: dict[str, Any]) -> dict[str, Any]:
    channel = _ids([data.get("channel_id")])
    segment = _ids([data.get("segment_id")])
    if not channel or (data.get("segment_id") not in ("", "all") and not segment):
        return {"reach": None, "trouble": None, "account": None}
    topic = _ids([data.get("topic_id")])
    return await reach_of(
        session,
        channel[0],
        segment[0] if segment else None,
        topic[0] if topic else None,
        data.get("must_go") == "true",
        data.get("up_to_quota") == "true",
    )


async def _refused(
    session: WorkspaceSession,
    access: Access,
    broadcast_id: UUID,
    error: HiikiError,
    at: str = "",
) -> Template:
    broadcast = await session.one(Broadcast, broadcast_id)
    await session.refresh(broadcast)
    return await detail(session, access, broadcast, error=error, at=at)


async def _channels(session: WorkspaceSession) -> Sequence[Option]:
    rows = await session.execute(
        select(Channel.id, Channel.name).where(Channel.is_active).order_by(Channel.id)
    )
    return [Option(str(ident), name) for ident, name in rows]


async def _segments(session: WorkspaceSession) -> Sequence[Option]:
    return await road().pickers["segment"].options(session)


def _ids(values: Any) -> list[UUID]:
    found: list[UUID] = []
    for value in values if isinstance(values, list) else []:  # pyright: ignore[reportUnknownVariableType]
        try:
            found.append(UUID(str(value)))  # pyright: ignore[reportUnknownArgumentType]
        except ValueError:
            continue
    return found


HANDLERS = [
    list_broadcasts,
    new_broadcast,
    create_broadcast,
    edit_broadcast,
    save_broadcast,
    show_reach,
    show_broadcast,
    show_progress,
    send_broadcast,
    schedule_broadcast,
    cancel_broadcast,
    pause_broadcast,
    resume_broadcast,
    test_broadcast,
    find_testers,
    duplicate_broadcast,
    delete_broadcast,
    export_recipients,
]
