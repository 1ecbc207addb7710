"""From what the composer edits to what LINE takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from hiiki.contacts.models import Attribute
from hiiki.content import links
from hiiki.content.draft import (
    Button,
    CardBlock,
    CouponBlock,
    Draft,
    ImageBlock,
    PieceBlock,
    TextBlock,
)
from hiiki.content.models import Media
from hiiki.content.personal import compiled
from hiiki.content.variables import literal
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import NotFound
from hiiki.kit.i18n import DEFAULT_LOCALE, _, gettext
from hiiki.kit.road import Card, road
from hiiki.workspace.models import Workspace

_LIQUID = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})", re.DOTALL)
_URL = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_AFTER_URL = ".,!?;:)]"
_ACCENT = "#C2410C"
_QUIET = "#5F6B7A"

Wanted = tuple[str, str]
"""A tracked link's address and label."""


@dataclass(frozen=True, slots=True)
class Built:
    """LINE messages; `personal` when they still hold variables to be filled in for each person."""

    messages: list[dict[str, Any]]
    personal: bool


@dataclass(frozen=True, slots=True)
class _Media:
    key: str
    width: int
    height: int


async def build(session: WorkspaceSession, draft: Draft, owner: str) -> Built:
    """Return `draft` as LINE messages whose tracked links belong to `owner`.

    Raises `NotFound` when it holds an image or a coupon that is no longer there.
    """
    media = await _media(session, draft)
    cards = await _cards(session, draft)
    workspace = await session.known(Workspace, session.workspace_id)
    codes = await links.ensure(session, owner, _wanted(draft, cards))
    builder = _Builder(media, cards, codes, workspace.locale)
    messages = [builder.block(block) for block in draft.blocks]
    program = compiled(messages)
    if program.is_personal:
        return Built(messages, personal=True)
    return Built(program.fill({}), personal=False)


async def preview(session: WorkspaceSession, draft: Draft) -> list[dict[str, Any]]:
    """Return `draft` as somebody might get it, with stand-ins for what is personal.

    Images have addresses on this server, whatever its public one is. Raises `NotFound`.
    """
    media = await _media(session, draft)
    cards = await _cards(session, draft)
    workspace = await session.get(Workspace, session.workspace_id)
    wanted = list(dict.fromkeys(_wanted(draft, cards)))
    codes = {one: f"x{index}" for index, one in enumerate(wanted)}
    builder = _Builder(media, cards, codes, workspace.locale if workspace else DEFAULT_LOCALE)
    builder.media_base = ""
    program = compiled([builder.block(block) for block in draft.blocks])
    labels = await session.execute(
        select(Attribute.key, Attribute.label).where(Attribute.key.in_(program.attributes))
    )
    name = gettext("Hanako")
    return program.fill(
        {
            "name": name,
            "display_name": name,
            "prefecture": gettext("Tokyo"),
            "attributes": {key: f"〈{label}〉" for key, label in labels},
            "link": {code: links.absolute(url) for (url, _label), code in codes.items()},
        }
    )


async def _media(session: WorkspaceSession, draft: Draft) -> dict[UUID, _Media]:
    ids = {
        block.media_id
        for block in draft.blocks
        if isinstance(block, ImageBlock | CardBlock) and block.media_id
    }
    if not ids:
        return {}
    rows = await session.execute(
        select(Media.id, Media.key, Media.width, Media.height).where(Media.id.in_(ids))
    )
    found = {ident: _Media(key, width, height) for ident, key, width, height in rows}
    if ids - found.keys():
        raise NotFound(_("An image in this message is no longer in the library."))
    return found


async def _cards(session: WorkspaceSession, draft: Draft) -> dict[UUID | str, Card]:
    found: dict[UUID | str, Card] = {}
    for block in draft.blocks:
        if isinstance(block, CouponBlock):
            found[block.coupon_id] = await road().cards["coupon"](session, block.coupon_id)
        elif isinstance(block, PieceBlock):
            found[block.piece] = await road().pieces[block.piece].card(session)
    return found


def _card_of(block: CouponBlock | PieceBlock) -> UUID | str:
    return block.coupon_id if isinstance(block, CouponBlock) else block.piece


def _wanted(draft: Draft, cards: Mapping[UUID | str, Card]) -> Iterator[Wanted]:
    for block in draft.blocks:
        match block:
            case TextBlock(track_links=True):
                for part in _text_parts(block.text):
                    if isinstance(part, tuple):
                        yield part
            case ImageBlock(url=str(url), tracked=True):
                yield url, block.alt
            case CardBlock():
                for button in block.buttons:
                    if button.action == "link" and button.tracked:
                        yield button.value, button.label
            case CouponBlock() | PieceBlock():
                card = cards[_card_of(block)]
                yield card.path, card.title
            case _:
                pass


def _text_parts(source: str) -> Iterator[str | Wanted]:
    """Give a text's parts: Liquid and words as they are, addresses as links to be tracked."""
    if "{%" in source and re.search(r"\{%-?\s*(raw|comment|doc)\b", source):
        yield source
        return
    parts = _LIQUID.split(source)
    for index, part in enumerate(parts):
        if index % 2:
            yield part
            continue
        at = 0
        for found in _URL.finditer(part):
            url = found[0].rstrip(_AFTER_URL)
            end = found.start() + len(url)
            if end == len(part) and index + 1 < len(parts):
                continue  # it goes on with a variable: not an address of its own
            if part[end : end + 1].isalnum():
                continue  # letters that are not ASCII: theirs or the sentence's, who can tell
            yield part[at : found.start()]
            yield (url, "")
            at = end
        yield part[at:]


def measured_text(block: TextBlock) -> str:
    """Return a text with its tracked addresses as long as they will be when sent."""
    if not block.track_links:
        return block.text
    stand_in = links.base_url() + "x" * links.TRACKED_LENGTH
    return "".join(stand_in if isinstance(p, tuple) else p for p in _text_parts(block.text))


class _Builder:
    """Writes message objects. Every string in them is a template (`variables.literal`)."""

    def __init__(
        self,
        media: Mapping[UUID, _Media],
        cards: Mapping[UUID | str, Card],
        codes: Mapping[Wanted, str],
        locale: str,
    ) -> None:
        self.media = media
        self.cards = cards
        self.codes = codes
        self.locale = locale
        self.media_base = links.base_url()

    def block(
        self, block: TextBlock | ImageBlock | CardBlock | CouponBlock | PieceBlock
    ) -> dict[str, Any]:
        match block:
            case TextBlock():
                return {"type": "text", "text": self._text(block)}
            case ImageBlock():
                return self._image(block)
            case CardBlock():
                return self._card(block)
            case CouponBlock() | PieceBlock():
                return self._coupon(self.cards[_card_of(block)])

    def _link(self, url: str, label: str, tracked: bool) -> str:
        if tracked:
            return f"{{{{ link.{self.codes[url, label]} }}}}"
        return literal(url)

    def _text(self, block: TextBlock) -> str:
        if not block.track_links:
            return block.text
        return "".join(
            self._link(*part, tracked=True) if isinstance(part, tuple) else part
            for part in _text_parts(block.text)
        )

    def _image(self, block: ImageBlock) -> dict[str, Any]:
        media = self.media[block.media_id]
        if block.url is None:
            return {
                "type": "image",
                "originalContentUrl": self._media_url(media.key),
                "previewImageUrl": self._media_url(media.key, "preview"),
            }
        return {
            "type": "flex",
            "altText": literal(block.alt or _("An image").to(self.locale)),
            "contents": {
                "type": "bubble",
                "hero": {
                    "type": "image",
                    "url": self._media_url(media.key),
                    "size": "full",
                    # LINE shows nothing taller than three times its width.
                    "aspectRatio": f"{media.width}:{min(media.height, media.width * 3)}",
                    "aspectMode": "cover",
                    "action": {
                        "type": "uri",
                        "uri": self._link(block.url, block.alt, block.tracked),
                    },
                },
            },
        }

    def _card(self, block: CardBlock) -> dict[str, Any]:
        template: dict[str, Any] = {"type": "buttons"}
        if block.media_id:
            template["thumbnailImageUrl"] = self._media_url(self.media[block.media_id].key)
        if block.title.strip():
            template["title"] = block.title
        template["text"] = block.text
        template["actions"] = [self._button(button) for button in block.buttons]
        alt = f"{block.title}\n{block.text}" if block.title.strip() else block.text
        return {"type": "template", "altText": alt, "template": template}

    def _button(self, button: Button) -> dict[str, Any]:
        label = literal(button.label)
        match button.action:
            case "say":
                return {"type": "message", "label": label, "text": literal(button.value)}
            case "call":
                number = re.sub(r"[^+0-9]", "", button.value)
                return {"type": "uri", "label": label, "uri": f"tel:{number}"}
            case "link":
                uri = self._link(button.value, button.label, button.tracked)
                return {"type": "uri", "label": label, "uri": uri}

    def _media_url(self, key: str, variant: str = "") -> str:
        return media_url(key, variant, base=self.media_base)

    def _coupon(self, card: Card) -> dict[str, Any]:
        uri = self._link(card.path, card.title, tracked=True)
        return coupon_message(card, uri, escape=True)


def coupon_message(card: Card, uri: str, *, escape: bool = False) -> dict[str, Any]:
    """Return the Flex message of a card. With `escape` its words may go through Liquid."""

    def plain(words: str) -> str:
        return literal(words) if escape else words

    def line(words: str, **look: Any) -> dict[str, Any]:
        return {"type": "text", "text": plain(words), "wrap": True, **look}

    contents = [line(card.label, size="sm", weight="bold", color=_ACCENT)]
    if card.highlight:
        contents.append(line(card.highlight, size="xxl", weight="bold", margin="sm"))
    contents.append(
        line(card.title, size="md" if card.highlight else "lg", weight="bold", margin="sm")
    )
    if card.text:
        contents.append(line(card.text, size="sm", color=_QUIET, margin="md"))
    return {
        "type": "flex",
        "altText": plain(f"{card.title} {card.highlight}".strip()),
        "contents": {
            "type": "bubble",
            "body": {"type": "box", "layout": "vertical", "contents": contents},
            "footer": {
                "type": "box",
                "layout": "vertical",
                "contents": [
                    {
                        "type": "button",
                        "style": "primary",
                        "color": _ACCENT,
                        "action": {"type": "uri", "label": plain(card.button), "uri": uri},
                    }
                ],
            },
        },
    }


def media_url(key: str, variant: str = "", *, base: str | None = None) -> str:
    """Return the public address of an image, or of its preview."""
    start = links.base_url() if base is None else base
    return f"{start}/media/{key}" + (f"/{variant}" if variant else "")
