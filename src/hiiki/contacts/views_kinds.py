"""Console pages: changing the kind of one of the shop's own fields."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.response import Redirect, Stream, Template

from hiiki.contacts import kinds
from hiiki.contacts.attributes import KIND_LABELS, changing
from hiiki.contacts.models import Attribute
from hiiki.contacts.people import safe_cell
from hiiki.contacts.schemas import KindIn
from hiiki.contacts.views_attributes import KIND_HINTS
from hiiki.db import WorkspaceSession, scope
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _, current_locale, speaking
from hiiki.kit.pages import form_data, page, to
from hiiki.workspace.access import Access

AnyRequest = Request[Any, Any, Any]
OPERATOR = {"role": "operator"}


@get("/attributes/{attribute_id:uuid}/kind", opt=OPERATOR)
async def choose_kind(attribute_id: UUID, session: WorkspaceSession) -> Template | Redirect:
    """Ask of what kind it is to be."""
    attribute = await session.one(Attribute, attribute_id)
    if edit := await changing(session, attribute_id):
        return to(f"/friends/bulk/{edit.id}")
    return await _draw(session, attribute, {})


@post("/attributes/{attribute_id:uuid}/kind/check", status_code=200)
async def check_kind(
    request: AnyRequest, attribute_id: UUID, session: WorkspaceSession
) -> Template | Redirect:
    """Show what would become of the values."""
    attribute = await session.one(Attribute, attribute_id)
    data = await form_data(request)
    try:
        return await _look(session, attribute, parse(KindIn, data))
    except Invalid as error:
        return await _draw(session, attribute, data, error.fields)


@post("/attributes/{attribute_id:uuid}/kind")
async def change_kind(
    request: AnyRequest, attribute_id: UUID, session: WorkspaceSession, access: Access
) -> Template | Redirect:
    """Have the kind changed."""
    attribute = await session.one(Attribute, attribute_id)
    data = await form_data(request)
    try:
        wish = parse(KindIn, data)
        edit = await kinds.start(session, access, attribute, wish)
    except Invalid as error:
        if "lose" in error.fields:
            return await _look(session, attribute, parse(KindIn, {**data, "lose": 0}), error)
        return await _draw(session, attribute, data, error.fields)
    except Conflict as error:
        return await _look(session, attribute, parse(KindIn, data), error)
    return to(f"/friends/bulk/{edit.id}")


@post("/attributes/{attribute_id:uuid}/kind/lost.csv", status_code=200)
async def lost_values(request: AnyRequest, attribute_id: UUID, session: WorkspaceSession) -> Stream:
    """Download all values that could not be kept, a person a line."""
    await session.one(Attribute, attribute_id)
    wish = parse(KindIn, await form_data(request))
    return lost_csv(session.workspace_id, attribute_id, wish)


def lost_csv(workspace_id: UUID, attribute_id: UUID, wish: KindIn) -> Stream:
    """Return the values that a change of kind would lose, as a CSV file that is sent by and by."""
    locale = current_locale()

    async def lines() -> AsyncIterator[bytes]:
        with speaking(locale):
            yield b"\xef\xbb\xbf" + _line(_("Contact ID"), _("Name"), _("Value"))
            # The handler's own transaction ends before the body is sent.
            async with scope(workspace_id) as own:
                attribute = await own.one(Attribute, attribute_id)
                async for contact_id, name, value in kinds.lost_values(own, attribute, wish):
                    yield _line(contact_id, name, value)

    return Stream(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="lost-values.csv"'},
    )


def _line(*cells: object) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow([safe_cell(str(cell)) for cell in cells])
    return out.getvalue().encode()


async def _look(
    session: WorkspaceSession,
    attribute: Attribute,
    wish: KindIn,
    refused: Invalid | Conflict | None = None,
) -> Template:
    return page(
        "contacts/kind_check.html",
        status=200 if refused is None else 409 if isinstance(refused, Conflict) else 422,
        attribute=attribute,
        wish=wish,
        kinds=KIND_LABELS,
        outlook=await kinds.outlook(session, attribute, wish),
        usages=await kinds.in_the_way(session, attribute, wish),
        message="" if refused is None else refused.fields.get("lose", refused.message),
    )


async def _draw(
    session: WorkspaceSession,
    attribute: Attribute,
    typed: dict[str, Any],
    errors: dict[str, Text] | None = None,
) -> Template:
    errors = errors or {}
    for path in [path for path in errors if path.startswith("choices.")]:
        errors.setdefault("choices", errors[path])
    others = [kind for kind in KIND_LABELS if kind != attribute.kind]
    return page(
        "contacts/kind.html",
        status=422 if errors else 200,
        attribute=attribute,
        kinds=[(kind, KIND_LABELS[kind], KIND_HINTS[kind]) for kind in others],
        was=KIND_LABELS[attribute.kind],
        kind=typed.get("kind", others[0]),
        choices=typed.get("choices") or await kinds.common_values(session, attribute),
        errors=errors,
    )


HANDLERS = [choose_kind, check_kind, change_kind, lost_values]
