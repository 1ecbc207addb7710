"""LIFF by the control API: apps without a token, and what people shared."""

from __future__ import annotations

import dataclasses

from ..control.route import Ask, control
from ..model import Json
from .store import LiffApps


@control("GET", "/_emulator/liff/apps", "List LIFF apps of all channels", returns="The apps")
async def apps(ask: Ask) -> Json:
    """Every LIFF app that was added, with the address that opens it here."""
    found = ask.platform.store.of(LiffApps).apps.values()
    base = ask.platform.base_url
    return {
        "apps": [dataclasses.asdict(one) | {"opens_at": f"{base}/liff/{one.id}"} for one in found]
    }


@control(
    "GET",
    "/_emulator/liff/shared",
    "What people shared by the target picker",
    returns="Who shared which messages with whom, oldest first",
)
async def shared(ask: Ask) -> Json:
    """LINE tells nobody of this; tests may want to know."""
    found = ask.platform.store.of(LiffApps).shared
    return {"shared": [dataclasses.asdict(one) for one in found]}
