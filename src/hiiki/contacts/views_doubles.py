"""Console pages: possible doubles, two side by side, merging them or telling them apart."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.response import Redirect, Response, Template
from pydantic import BaseModel, Field

from hiiki.contacts import doubles
from hiiki.contacts.doubles import Side
from hiiki.contacts.people import STATUS_LABELS
from hiiki.contacts.prefectures import prefecture_name
from hiiki.contacts.values import Parsed, language_name, shown
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Conflict
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _, current_locale
from hiiki.kit.pages import flash, form_data, go, is_fragment, page, to
from hiiki.workspace.access import Access, audit

AnyRequest = Request[Any, Any, Any]

LABELS = {
    "real_name": _("Real name"),
    "picture_url": _("Picture"),
    "language": _("Language"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "prefecture": _("Prefecture"),
    "birthday": _("Birthday"),
}


class Progress(BaseModel):
    """How far a change of many has come, as the page tells it from request to request."""

    done: int = Field(default=0, ge=0)


@get("/friends/doubles", name="doubles")
async def double_list(session: WorkspaceSession, after: str = "") -> Template:
    """List who may be one person, the certain ones first."""
    found = await doubles.page_of_pairs(session, after)
    total, certain = await doubles.counts(session)
    return page(
        "contacts/doubles.html",
        found=found,
        total=total,
        certain=certain,
        first_page=not after,
        statuses=STATUS_LABELS,
        reason_words=doubles.reason_words,
    )


@post("/friends/doubles/look")
async def look_for_doubles(session: WorkspaceSession, access: Access) -> Redirect:
    """Look through all people now."""
    number = await doubles.look(session)
    audit(session, access, "contacts.doubles_look", count=number)
    return to("/friends/doubles", _("%(n)s possible doubles are listed now.", n=f"{number:,}"))


@post("/friends/doubles/certain", status_code=200)
async def merge_certain(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Response[None] | Template:
    """Merge the pairs of which a machine is certain, some at a time, with the progress shown."""
    done = parse(Progress, await form_data(request)).done
    merged, left = await doubles.merge_certain(session, access)
    done += merged
    if left:
        part = "contacts/_doubles_progress.html"
        whole = "contacts/doubles_progress.html"
        return page(part if is_fragment(request) else whole, done=done, total=done + left)
    said = _("%(n)s pairs have been merged.", n=f"{done:,}")
    if is_fragment(request):
        answer = go("/friends/doubles")
        answer.set_cookie(flash(said))
        return answer
    return to("/friends/doubles", said)


@get("/friends/{contact_id:uuid}/doubles/{other_id:uuid}")
async def compare(contact_id: UUID, other_id: UUID, session: WorkspaceSession) -> Template:
    """Show two contacts side by side, and let staff choose what holds."""
    return await _compare(session, contact_id, other_id)


@post("/friends/{contact_id:uuid}/doubles/{other_id:uuid}/merge")
async def merge_two(
    request: AnyRequest,
    contact_id: UUID,
    other_id: UUID,
    session: WorkspaceSession,
    access: Access,
) -> Redirect | Template:
    """Merge two contacts; what cannot be merged is shown again with the reason."""
    given: dict[str, Any] = (await form_data(request)).get("take") or {}
    ids = {str(ident): ident for ident in (contact_id, other_id)}
    chosen = {name: ids[whose] for name, whose in given.items() if whose in ids}
    try:
        stays = await doubles.join(session, access, contact_id, other_id, chosen)
    except Conflict as error:
        return await _compare(session, contact_id, other_id, refused=error.message)
    return to(f"/friends/{stays}", _("The two contacts are one now."))


@post("/friends/{contact_id:uuid}/doubles/{other_id:uuid}/different")
async def tell_apart(
    contact_id: UUID, other_id: UUID, session: WorkspaceSession, access: Access
) -> Redirect:
    """Remember that they are two people."""
    await doubles.tell_apart(session, access, contact_id, other_id)
    return to("/friends/doubles", _("They will not be listed as doubles again."))


async def _compare(
    session: WorkspaceSession, one: UUID, other: UUID, refused: Text | None = None
) -> Template:
    first, second = await doubles.stays_first(session, one, other)
    sides = [await doubles.side(session, first), await doubles.side(session, second)]
    attributes = await doubles.known_attributes(session, sides)
    rows: list[tuple[str, Text | str, list[Any]]] = [
        (name, label, [_profile(side, name) for side in sides]) for name, label in LABELS.items()
    ]
    rows += [
        (str(each.id), each.label, [_told(side.values.get(each.id)) for side in sides])
        for each in attributes
    ]
    return page(
        "contacts/compare.html",
        status=409 if refused else 200,
        sides=sides,
        rows=[row for row in rows if any(row[2])],
        statuses=STATUS_LABELS,
        refused=refused,
        cannot=all(side.friend.friendships for side in sides),
    )


def _told(value: Parsed | None) -> str:
    if isinstance(value, list) and current_locale() == "en":
        return ", ".join(value)
    return shown(value)


def _profile(side: Side, name: str) -> Any:
    value = getattr(side.friend.contact, name)
    written = {"prefecture": prefecture_name, "language": language_name}.get(name)
    return written(value) if written else value


HANDLERS = [double_list, look_for_doubles, merge_certain, compare, merge_two, tell_apart]
