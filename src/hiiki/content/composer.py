"""The composer: a draft as a form, drawn by the server, with a phone that shows it.

A page takes `composer=await choices(session)` into its context and draws

    {% from "content/composer.html" import composer as draw_composer %}
    {{ draw_composer("draft", data.draft, errors, composer) }}

Its fields are then `draft.blocks.0.kind`, `draft.blocks.0.text`, … whatever the path.
Buttons that add, remove and move post the composer's own fields to `/content/composer`,
which answers with the composer drawn anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import select

from hiiki.contacts.models import Attribute
from hiiki.content import variables
from hiiki.content.building import preview
from hiiki.content.draft import Draft
from hiiki.content.models import Media
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import HiikiError, Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text
from hiiki.kit.road import Option, Piece, road
from hiiki.line import limits
from hiiki.workspace.models import Channel

_NEW: Mapping[str, dict[str, Any]] = {
    "text": {"kind": "text", "text": "", "track_links": False},
    "image": {"kind": "image", "media_id": "", "url": "", "tracked": True, "alt": ""},
    "card": {"kind": "card", "media_id": "", "title": "", "text": "", "buttons": [{}]},
    "coupon": {"kind": "coupon", "coupon_id": ""},
    "piece": {"kind": "piece", "piece": ""},
}


@dataclass(frozen=True, slots=True)
class Choices:
    """What a message may be made of in this workspace."""

    media: Sequence[Option]
    media_keys: Mapping[str, str]
    """Image id → the key under which it is served."""
    coupons: Sequence[Option]
    variables: Sequence[tuple[str, Text | str]]
    """What is inserted, and what staff call it."""
    pieces: Mapping[str, Piece]
    """Cards of other rooms that are put in as they are."""

    def drawable(self, value: Any) -> dict[str, Any]:
        """Return a draft as the template can draw it; a new one where there is none."""
        found = drawable(value)
        return found if found["blocks"] or at_path(value, "blocks") is not None else empty()


async def choices(session: WorkspaceSession) -> Choices:
    """Read what can be chosen."""
    images = (
        await session.execute(
            select(Media.id, Media.name, Media.key).order_by(Media.id.desc()).limit(500)
        )
    ).all()
    picker = road().pickers.get("coupon")
    attributes = await session.execute(
        select(Attribute.key, Attribute.label).order_by(Attribute.position, Attribute.id).limit(30)
    )
    names: list[tuple[str, Text | str]] = [
        (_with_default(name), label) for name, label in variables.FIELDS.items()
    ]
    names += [(f"{{{{ attributes.{key} }}}}", label) for key, label in attributes]
    return Choices(
        media=[Option(str(ident), name) for ident, name, _key in images],
        media_keys={str(ident): key for ident, _name, key in images},
        coupons=await picker.options(session) if picker else [],
        variables=names,
        pieces=road().pieces,
    )


def _with_default(name: str) -> str:
    if name in ("name", "display_name"):
        return f'{{{{ {name} | default: "お客様" }}}}'
    return f"{{{{ {name} }}}}"


async def title(session: WorkspaceSession, channel_id: Any, otherwise: str) -> str:
    """Return the name of the account that the form has chosen, as the phone's title."""
    try:
        channel = await session.get(Channel, UUID(str(channel_id)))
    except ValueError:
        channel = None
    return channel.name if channel is not None else otherwise


def empty() -> dict[str, Any]:
    """Return a draft to begin with."""
    return {"blocks": [dict(_NEW["text"])]}


def drawable(value: Any) -> dict[str, Any]:
    """Return what a form or a row holds as a draft that can be drawn, whatever is missing."""
    blocks: list[dict[str, Any]] = []
    for block in _list(at_path(value, "blocks")):
        kind = str(block.get("kind", ""))
        if kind not in _NEW:
            continue
        drawn = {**_NEW[kind], **block}
        if kind == "card":
            drawn["buttons"] = [
                {"label": "", "action": "link", "value": "", "tracked": True, **button}
                for button in _list(drawn.get("buttons"))[: limits.BUTTONS_ACTIONS]
            ]
        blocks.append(drawn)
    return {"blocks": blocks[: limits.MAX_MESSAGES]}


def _list(value: Any) -> list[dict[str, Any]]:
    found = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", one) for one in found if isinstance(one, dict)]


def at_path(data: Any, path: str) -> Any:
    """Return what stands at a form path (`finish_actions.0.draft`), or None."""
    for part in path.split("."):
        if isinstance(data, list) and part.isdigit():
            row = cast("list[Any]", data)
            data = row[int(part)] if int(part) < len(row) else None
        elif isinstance(data, dict):
            data = cast("dict[str, Any]", data).get(part)
        else:
            return None
    return data


def change(draft: Any, do: str, at: int, kind: str = "", button: int = 0) -> dict[str, Any]:
    """Return a draft after one of the composer's buttons was pressed."""
    changed = drawable(draft)
    blocks: list[dict[str, Any]] = changed["blocks"]
    there = 0 <= at < len(blocks)
    kind, _dot, piece = kind.partition(".")
    if do == "add" and kind in _NEW and len(blocks) < limits.MAX_MESSAGES:
        blocks.append({**_NEW[kind], **({"piece": piece} if piece else {})})
    elif do == "remove" and there:
        del blocks[at]
    elif do == "up" and 0 < at < len(blocks):
        blocks[at - 1], blocks[at] = blocks[at], blocks[at - 1]
    elif do == "down" and 0 <= at < len(blocks) - 1:
        blocks[at + 1], blocks[at] = blocks[at], blocks[at + 1]
    elif do == "add_button" and there and "buttons" in blocks[at]:
        if len(blocks[at]["buttons"]) < limits.BUTTONS_ACTIONS:
            blocks[at]["buttons"].append({})
    elif (
        do == "remove_button"
        and there
        and "buttons" in blocks[at]
        and 0 <= button < len(blocks[at]["buttons"])
    ):
        del blocks[at]["buttons"][button]
    return drawable(changed)


async def shown(session: WorkspaceSession, draft: Any) -> list[dict[str, Any]]:
    """Return what the phone shows of a draft that may be half-written: all that is right."""
    messages: list[dict[str, Any]] = []
    for block in drawable(draft)["blocks"]:
        try:
            one = parse(Draft, {"blocks": [block]})
            messages += await preview(session, one)
        except Invalid:
            if block["kind"] == "text" and str(block["text"]).strip():
                messages.append({"type": "text", "text": str(block["text"])[: limits.TEXT]})
        except HiikiError:
            continue
    return messages
