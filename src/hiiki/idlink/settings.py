"""What staff decide: how customers link, and where they are asked to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from hiiki.actions.checks import clean_actions, refers_to
from hiiki.content.links import base_url
from hiiki.db import WorkspaceSession
from hiiki.idlink.models import Place, Setting
from hiiki.idlink.phrases import LANGUAGES
from hiiki.idlink.schemas import MAX_WORDS, PlaceIn, SettingIn
from hiiki.idlink.service import setting_of
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import Text, _
from hiiki.kit.ids import code
from hiiki.kit.road import Option, Usage
from hiiki.kit.text import grapheme_length
from hiiki.workspace.models import Channel

MAX_PLACES = 500


async def save(session: WorkspaceSession, given: SettingIn) -> Setting:
    """Keep how customers link; raises `Invalid` for wrong actions and words that are too long."""
    errors = _too_long(given.texts)
    try:
        rewards = await clean_actions(session, given.rewards, "rewards")
    except Invalid as error:
        raise Invalid(fields={**error.fields, **errors}) from error
    if errors:
        raise Invalid(fields=errors)
    setting = await setting_of(session)
    if setting is None:
        setting = Setting(workspace_id=session.workspace_id)
        session.add(setting)
    for name, value in given.model_dump(exclude={"rewards"}).items():
        setattr(setting, name, value)
    setting.rewards = rewards
    await session.flush()
    return setting


def _too_long(texts: Mapping[str, Mapping[str, str]]) -> dict[str, Text]:
    return {
        f"texts.{language}.{name}": _(
            "Please shorten this to %(max_length)s characters.", max_length=MAX_WORDS[name]
        )
        for language in LANGUAGES
        for name, said in texts.get(language, {}).items()
        if grapheme_length(said) > MAX_WORDS[name]
    }


async def add_place(session: WorkspaceSession, given: PlaceIn) -> Place:
    """Add a place; raises `NotFound` for an unknown account, `Invalid` for a name there is."""
    await session.one(Channel, given.channel_id)
    names = set(await session.scalars(select(Place.name)))
    if given.name in names:
        raise Invalid(fields={"name": _("There is a place of this name already.")})
    if len(names) >= MAX_PLACES:
        raise Conflict(_("There can be at most %(most)s places.", most=MAX_PLACES))
    place = Place(name=given.name, code=code(), channel_id=given.channel_id)
    session.add(place)
    await session.flush()
    return place


async def places(session: WorkspaceSession) -> Sequence[Place]:
    """Return the places by name."""
    return list(await session.scalars(select(Place).order_by(Place.name)))


def place_url(place: Place) -> str:
    """Return the address that the place's QR code holds."""
    return f"{base_url()}/id-link/at/{place.code}"


async def place_options(session: WorkspaceSession) -> Sequence[Option]:
    """Return the places, for rules that wait for a linking at one of them."""
    return [Option(place.code, place.name) for place in await places(session)]


async def uses(session: WorkspaceSession, kind: str, ident: UUID) -> Sequence[Usage]:
    """Return that the incentive uses a tag, a coupon, …"""
    setting = await setting_of(session)
    rewards: list[Any] = setting.rewards if setting else []
    if not refers_to(rewards, str(ident)):
        return []
    return [Usage(str(_("Incentive of the account link")), "/id-links/settings")]
