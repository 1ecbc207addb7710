"""A shop whose customers link: an account at the emulator, imported members, browsers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import httpx
from sqlalchemy import select

from console import Client, Console, Shop
from hiiki.contacts.identities import Keys, resolve
from hiiki.contacts.models import Contact
from hiiki.db import scope
from hiiki.idlink import settings
from hiiki.idlink.cards import own_page
from hiiki.idlink.models import Link
from hiiki.idlink.schemas import SettingIn
from hiiki.kit.ids import uuid7
from hiiki.timeline import Event
from hiiki.workspace.models import Channel
from hiiki.workspace.seal import seal
from ingest.line_side import Person, make_channel
from line_emulator.pytest_plugin import Line


@dataclass
class World:
    """All that a test of linking plays with."""

    shop: Shop
    app: Console
    line: Line
    channel: Channel
    people: list[Person] = field(default_factory=list)

    async def person(self) -> Person:
        """Somebody who is a friend of the account, at LINE and here."""
        made = Person(self.channel, await self.line.new_friend())
        await made.follow()
        self.people.append(made)
        return made

    async def member(self, number: str, **known: Any) -> UUID:
        """Somebody from the shop's list of members, not known on LINE."""
        async with scope(self.shop.workspace_id) as session:
            [ident] = await resolve(session, [Keys(customer=number)])
            assert ident is not None
            member = await session.one(Contact, ident)
            for name, value in known.items():
                setattr(member, name, value)
        return ident

    async def setting(self, **given: Any) -> None:
        """Say how customers link."""
        async with scope(self.shop.workspace_id) as session:
            await settings.save(session, SettingIn.model_validate(given))

    async def come(self, who: Person) -> Client:
        """The browser of somebody who has tapped the button in the chat."""
        async with scope(self.shop.workspace_id) as session:
            url = await own_page(session, who.contact_id)
        browser = self.app.client()
        await follow(browser, url)
        return browser

    async def link_of(self, who: Person) -> Link | None:
        """What is kept of somebody's link."""
        async with scope(self.shop.workspace_id) as session:
            return await session.get(Link, who.contact_id)

    async def happened(self, who: Person) -> list[tuple[str, str]]:
        """What of linking stands on a timeline, oldest first: kind and subject."""
        async with scope(self.shop.workspace_id) as session:
            rows = await session.execute(
                select(Event.kind, Event.subject)
                .where(Event.contact_id == who.contact_id, Event.kind.startswith("id_"))
                .order_by(Event.id)
            )
            return [(kind, subject) for kind, subject in rows.all()]

    async def dialog(self, url: str, as_user: str) -> httpx.Response:
        """Open LINE's account link dialog on this person's phone; its webhook comes by hand."""
        async with httpx.AsyncClient() as phone:
            return await phone.get(url, params={**dict(httpx.URL(url).params), "as": as_user})


async def follow(browser: Client, url: str) -> httpx.Response:
    """Open an address of ours and go wherever it leads, as long as that is ours."""
    answer = await browser.get(httpx.URL(url).raw_path.decode())
    while answer.is_redirect and answer.headers["location"].startswith(("/", "http://console")):
        answer = await browser.get(urljoin("http://console.test", answer.headers["location"]))
    return answer


def going_to(answer: httpx.Response) -> str:
    """Return the address at LINE that our page sends the browser on to."""
    found = re.search(r'<a class="btn il-button il-line" href="([^"]+)"', answer.text)
    assert found, answer.text
    return found[1].replace("&amp;", "&")


async def open_account(shop: Shop, line: Line) -> Channel:
    """The shop's account, with the credentials that the emulator knows."""
    ident = uuid7()
    return await make_channel(
        shop.workspace_id,
        id=ident,
        line_channel_id=line.channel["channel_id"],
        basic_id=line.channel["basic_id"],
        sealed_secret=seal(line.secret, ident, "secret"),
        sealed_token=seal(line.token, ident, "token"),
    )
