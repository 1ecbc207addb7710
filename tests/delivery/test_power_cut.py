"""Promise 2, when it is PostgreSQL that ends in the middle, at times with the worker."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Callable

import pytest

from conftest import make_shop
from hiiki.db.embedded import EmbeddedServer
from line_emulator.client import EmulatorClient
from line_emulator.emulator import Emulator

from .conftest import Forked, open_account
from .killing import FAULTS, PEOPLE, PERSONAL, Toll, Watch, Work, all_once

pytestmark = pytest.mark.slow
MANY = 300
PLACES = [
    ("committed", ""),  # what was just said must not be forgotten
    ("answered", "reply"),  # which has no retry key: that it was claimed must not be, either
    ("coming", ""),
    ("answered", "reply"),
    ("answered", ""),
]


async def test_postgresql_ends_at_once_in_the_middle(
    own_server: EmbeddedServer,
    line: Emulator,
    control: EmulatorClient,
    worker: Callable[..., Forked],
) -> None:
    dice = random.Random(1)
    account = await open_account(await make_shop(), line, control, MANY + len(PLACES) * PEOPLE)
    work, watch, toll, one = Work(account), Watch(line), Toll(), worker()
    await control.faults(FAULTS)
    first = [account.contacts[n] for n in work.next(MANY)]
    await account.send(to=first, messages=PERSONAL, personal=True)
    one.start()
    for place, method in PLACES:
        postmaster = int((own_server.data / "postmaster.pid").read_text().split()[0])
        is_both = dice.random() < 0.4

        def strike(pid: int = postmaster, both: bool = is_both) -> None:
            os.kill(pid, signal.SIGQUIT)  # "immediate": it writes nothing down any more
            if both:
                one.strike()

        await work.more()
        if place == "committed":
            strike()
        else:
            number = 1 if method else dice.randint(1, 20)
            await watch.nth(place, number, strike, method=method)
        await asyncio.to_thread(own_server.stop, "immediate")
        await asyncio.to_thread(own_server.start)
        await toll.count(account)
        if is_both:
            await one.kill()
            one.start()
    await all_once(account)
    await one.stop()
    assert toll.unheard, "nothing was under way, so nothing was proved"
