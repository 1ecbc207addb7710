"""What this room can do: check a draft, build it, fill it in for each recipient."""

from __future__ import annotations

from sqlalchemy import select

from hiiki.contacts.models import Attribute
from hiiki.content import variables
from hiiki.content.building import Built, build, coupon_message, measured_text, media_url
from hiiki.content.draft import CardBlock, CouponBlock, Draft, ImageBlock, TextBlock
from hiiki.content.models import Media
from hiiki.content.personal import fill, personalise, shared_values
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid, NotFound
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import road
from hiiki.kit.text import utf16_length
from hiiki.line import limits
from hiiki.settings import settings

__all__ = [
    "Built",
    "build",
    "check",
    "coupon_message",
    "fill",
    "media_url",
    "personalise",
    "shared_values",
]


async def check(session: WorkspaceSession, draft: Draft, prefix: str = "") -> None:
    """Raise `Invalid`, with `prefix` before each path, for what only the database can tell.

    That is: variables of fields the shop does not have, images and coupons that are gone,
    images that LINE could not fetch.
    """
    errors: dict[str, Text] = {}
    errors.update(await _unknown_attributes(session, draft))
    for index, block in enumerate(draft.blocks):
        at = f"blocks.{index}"
        if isinstance(block, ImageBlock | CardBlock) and block.media_id:
            if await session.scalar(select(Media.id).where(Media.id == block.media_id)) is None:
                errors[f"{at}.media_id"] = _("Please choose one from the list.")
            elif not settings().public_url.startswith("https://"):
                errors[f"{at}.media_id"] = _(
                    "LINE fetches images by https only, and this server's public address "
                    "is %(url)s. Set HIIKI_PUBLIC_URL to its https address.",
                    url=settings().public_url,
                )
        elif isinstance(block, CouponBlock):
            try:
                await road().cards["coupon"](session, block.coupon_id)
            except (NotFound, KeyError):
                errors[f"{at}.coupon_id"] = _("Please choose one from the list.")
        elif isinstance(block, TextBlock) and block.track_links:
            template = variables.read(measured_text(block))
            length = utf16_length(variables.least(template))
            if length > limits.TEXT:
                errors[f"{at}.text"] = _(
                    "With tracked addresses this has %(length)s characters; LINE takes at "
                    "most %(limit)s.",
                    length=length,
                    limit=limits.TEXT,
                )
    if errors:
        raise Invalid(fields={f"{prefix}{path}": text for path, text in errors.items()})


async def _unknown_attributes(session: WorkspaceSession, draft: Draft) -> dict[str, Text]:
    used = {
        path: variables.read(source).attributes
        for path, source in draft.templates()
        if variables.is_template(source)
    }
    if not any(used.values()):
        return {}
    known = list(await session.scalars(select(Attribute.key).order_by(Attribute.position)))
    errors: dict[str, Text] = {}
    for path, keys in used.items():
        for key in sorted(keys - set(known)):
            names = [f"attributes.{name}" for name in known] + list(variables.FIELDS)
            error = variables.unknown_variable(f"attributes.{key}", names)
            errors.setdefault(path, error.said)
    return errors
