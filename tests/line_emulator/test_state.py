"""The state file: everything comes back, kill -9 leaves a whole file, a wrong one is left alone."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import json
import os
import pkgutil
import re
import signal
import subprocess
import sys
import time
import types
from collections import deque
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import line_emulator
from line_emulator import Emulator, EmulatorClient
from line_emulator.model import Friendship, Said, Sending
from line_emulator.platform import Platform, Setup
from line_emulator.sending import deliver
from line_emulator.state import StateError, StateFile, restore, snapshot
from line_emulator.state.snapshot import keep_drawer, read_drawer

HELLO = {"type": "text", "text": "こんにちは"}


# Every drawer there is


def _modules():
    for found in pkgutil.walk_packages(line_emulator.__path__, "line_emulator."):
        if not found.name.endswith(("__main__", "pytest_plugin")):
            yield importlib.import_module(found.name)


def drawers() -> list[type]:
    """Every class that some module asks a store for, by reading the source."""
    found: dict[str, type] = {}
    for module in _modules():
        source = Path(module.__file__ or "").read_text("utf-8")
        for name in re.findall(r"store\.of\((\w+(?:\.\w+)*)\)", source):
            if name == "Coupons" and module.__name__ == "line_emulator.stores":
                continue  # the example in its documentation
            value: Any = module
            for part in name.split("."):
                value = getattr(value, part, None)
            if isinstance(value, type):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return [found[name] for name in sorted(found)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    int: st.integers(-(2**60), 2**60),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=20),
    bytearray: st.binary(max_size=20).map(bytearray),
    type(None): st.none(),
    Any: JSON,
    object: JSON,
}


def things(hint: Any) -> st.SearchStrategy[Any]:
    """Anything that the annotation allows."""
    if hint in PLAIN:
        return PLAIN[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return st.one_of([things(one) for one in args])
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return st.lists(things(args[0]), max_size=3).map(tuple)
        return st.tuples(*[things(one) for one in args])
    if origin in (list, set, frozenset, deque):
        return st.lists(things(args[0]), max_size=3).map(origin)
    if origin is dict:
        return st.dictionaries(things(args[0]), things(args[1]), max_size=3)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint)
        given_fields = {f.name: things(hints[f.name]) for f in dataclasses.fields(hint) if f.init}
        return st.builds(hint, **given_fields)
    raise AssertionError(f"{hint} cannot be kept in a state file")


def test_there_are_drawers():
    names = {kind.__name__ for kind in drawers()}
    assert {"RichMenus", "Audiences", "Groups", "Logins", "Records", "Coupons"} <= names


@pytest.mark.parametrize("kind", drawers(), ids=lambda kind: kind.__name__)
def test_every_drawer_comes_back(kind):
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(things(kind))
    def check(drawer: Any) -> None:
        again = read_drawer(kind, keep_drawer(drawer))
        assert type(again) is kind
        assert dataclasses.asdict(again) == dataclasses.asdict(drawer)

    check()


def test_what_cannot_be_kept_is_an_error_and_not_a_loss():
    @dataclasses.dataclass
    class Wrong:
        call: Any = None

    with pytest.raises((TypeError, NotImplementedError)):
        keep_drawer(Wrong(lambda: None))


# The platform


KEPT_OTHERWISE = {"base_url", "setup", "webhooks", "watchers"}
KEPT = {
    "agenda", "channel_by_token", "channels", "clock", "deliveries", "faults", "message_ids",
    "own_errors", "requests", "rng", "store", "user_order", "users",
}  # fmt: skip
NOT_KEPT = {"errands"}
"""Orders on their way to a shop: whoever drops the connection has to expect them again."""


def test_nothing_of_the_platform_is_forgotten():
    """Who adds something to the platform has to decide here whether a state file keeps it."""
    assert set(vars(Platform())) == KEPT_OTHERWISE | KEPT | NOT_KEPT


def _lived() -> Platform:
    platform = Platform(Setup(friends=20, channels=2, seed=5, quota=1000))
    channel = platform.channel(None)
    shared = Sending(
        at_ms=1, channel_id=channel.id, via="broadcast", request_id="r", messages_json=b"[]",
        message_ids=platform.message_ids.take(1), unit=None, retry_key=None, silent=False,
    )  # fmt: skip
    people = list(platform.friends(channel))
    deliver(platform, channel, shared, people)
    channel.phones[people[0]].entries.append(Said(at_ms=2, kind="message", body=HELLO))
    channel.phones[people[1]].friendship = Friendship.BLOCKED
    channel.contents["1"] = ("image/png", b"\x89PNG\xff\x00")
    channel.contents["2"] = None
    channel.units["202611"] = {"a", "b"}
    platform.clock.freeze(1_800_000_000.25)
    platform.clock.advance(5)
    platform.faults.add({"kind": "429", "nth": [2, 5], "match": {"path": "/v2"}})
    platform.rng.random()
    return platform


def test_a_platform_comes_back():
    before = _lived()
    data = snapshot(before)
    after = Platform(Setup(channels=0))
    restore(after, data)
    assert after.setup == before.setup
    assert after.clock.now() == before.clock.now() == 1_800_000_005.25
    assert after.rng.random() == before.rng.random()
    assert after.message_ids.take(1) == before.message_ids.take(1)
    assert [u.name for u in after.user_order] == [u.name for u in before.user_order]
    assert after.users[after.user_order[3].id] is after.user_order[3]
    one, other = after.channel(None), before.channel(None)
    assert one.public() == other.public()
    assert after.channel_by_token[one.token] is one
    assert (one.contents, one.units, one.consumed) == (other.contents, other.units, other.consumed)
    assert one.recent_events.maxlen == other.recent_events.maxlen
    phones = list(one.phones.values())
    assert [p.friendship for p in phones] == [p.friendship for p in other.phones.values()]
    assert phones[1].friendship is Friendship.BLOCKED
    assert after.deliveries.last == before.deliveries.last == 20
    assert [r[2] for r in after.deliveries.after(15, 9)] == [
        r[2] for r in before.deliveries.after(15, 9)
    ]
    assert [r.describe() for r in after.faults.rules] == [r.describe() for r in before.faults.rules]


def test_a_sending_on_many_phones_stays_one_object():
    after = Platform(Setup(channels=0))
    restore(after, snapshot(_lived()))
    entries = [phone.entries[0] for phone in after.channel(None).phones.values()]
    assert len({id(entry) for entry in entries}) == 1
    assert after.deliveries.after(0, 1)[0][1] is entries[0]


def test_rate_limits_fill_up_while_nobody_runs(monkeypatch):
    from line_emulator.limits import PER_HOUR_60

    before = Platform()
    buckets = before.channel(None).buckets
    while buckets.take("POST /x", PER_HOUR_60, before.clock.elapsed()):
        pass
    data = snapshot(before)
    for away, allowed in ((0, 0), (120, 2)):
        monkeypatch.setattr(time, "time", lambda away=away, now=time.time: now() + away)
        after = Platform(Setup(channels=0))
        restore(after, data)
        monkeypatch.undo()
        buckets = after.channel(None).buckets
        taken = 0
        while buckets.take("POST /x", PER_HOUR_60, after.clock.elapsed()):
            taken += 1
        assert taken == allowed


# The file


def test_a_damaged_or_foreign_file_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "s"
    file = StateFile(path)
    file.open()
    assert file.read() is None
    file.write(b"content" * 100)
    whole = path.read_bytes()
    assert file.read() == b"content" * 100
    for broken, why in (
        (whole[:-1], "cut off"),
        (whole[:30], "cut off"),
        (whole[:-1] + b"!", "damaged"),
        (b"", "not a state file"),
        (b'{"my": "data"}', "not a state file"),
        (whole.replace(b"state 1\n", b"state 99\n"), "format 99"),
    ):
        path.write_bytes(broken)
        with pytest.raises(StateError, match=why):
            file.read()
        assert path.read_bytes() == broken
    file.close()
    path.write_bytes(b"precious")
    with pytest.raises(StateError, match="not a state file"):
        Emulator(state=path)
    assert path.read_bytes() == b"precious"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["s"]


def test_what_another_version_wrote_is_refused():
    data = snapshot(_lived())
    for old, new, why in (
        (b"line_emulator.model:Story", b"line_emulator.model:Stony", "Stony"),
        (b"line_emulator.model:Story", b"subprocess.abcdefg:Popen0", "not of this emulator"),
    ):
        assert old in data
        with pytest.raises(StateError, match=why):
            restore(Platform(Setup(channels=0)), data.replace(old, new))
    with pytest.raises(StateError):
        restore(Platform(Setup(channels=0)), data[:-5])


def test_two_emulators_do_not_share_a_file(tmp_path):
    first = Emulator(state=tmp_path / "s")
    with pytest.raises(StateError, match="another emulator"):
        Emulator(state=tmp_path / "s")
    with pytest.raises(StateError, match="no directory"):
        Emulator(state=tmp_path / "missing" / "s")
    assert first.platform.users == {}


# The emulator


async def _push(url: str, token: str, to: str, key: str | None = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} | ({"X-Line-Retry-Key": key} if key else {})
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(
            f"{url}/v2/bot/message/push", json={"to": to, "messages": [HELLO]}
        ) as response,
    ):
        return response.status, await response.json()


async def test_go_on_where_it_stopped(tmp_path):
    key = "123e4567-e89b-12d3-a456-426614174000"
    async with Emulator(friends=2, quota=3, state=tmp_path / "s") as first:
        token, friend = first.channel.token, first.platform.user_order[0].id
        assert (await _push(first.url, token, friend, key))[0] == 200
        async with EmulatorClient(first.url) as line:
            await line.clock(advance=3600)
            await line.say(friend, "まだいる？")
            await line.fault("401", nth=2)
            before = await line.phone(friend)
    async with Emulator(friends=50, state=tmp_path / "s", unlimited=True) as second:
        assert second.channel.token == token
        assert second.channel.unlimited
        status, again = await _push(second.url, token, friend, key)
        assert (status, again["message"]) == (409, "The retry key is already accepted")
        async with EmulatorClient(second.url) as line:
            after = await line.phone(friend)
            assert after["entries"] == before["entries"]
            assert (await line.clock())["now"] > time.time() + 3599
            assert len((await line.users())["users"]) == 2
            deliveries, last = await line.deliveries_page()
            assert (len(deliveries), last) == (1, 1)
            state = await line.state()
            assert state["own_errors"] == 0


async def test_a_retry_key_and_a_reply_token_outlive_the_process(tmp_path):
    key = "123e4567-e89b-12d3-a456-426614174000"
    async with Emulator(friends=1, state=tmp_path / "s") as first:
        token, friend = first.channel.token, first.platform.user_order[0].id
        _, sent = await _push(first.url, token, friend, key)
        async with EmulatorClient(first.url) as line:
            await line.say(friend, "?")
        reply = next(iter(first.channel.reply_tokens))
    async with Emulator(state=tmp_path / "s") as second:
        status, again = await _push(second.url, token, friend, key)
        assert (status, again["sentMessages"]) == (409, sent["sentMessages"])
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
            for expected in (200, 400):
                async with session.post(
                    f"{second.url}/v2/bot/message/reply",
                    json={"replyToken": reply, "messages": [HELLO]},
                ) as response:
                    assert response.status == expected


async def test_webhooks_nobody_answered_for_go_out_after_the_restart(tmp_path, bot):
    async with Emulator(friends=1, state=tmp_path / "s", webhook_url=bot.url) as first:
        friend = first.platform.user_order[0].id
        async with EmulatorClient(first.url) as line:
            await line.delay_webhooks(30)
            said = await line.say(friend, "later")
    assert bot.events == []
    async with Emulator(state=tmp_path / "s") as second:
        (event,) = await bot.until(1)
        assert event["webhookEventId"] == said["webhookEventIds"][0]
        async with EmulatorClient(second.url) as line:
            total = await line.wait_webhooks_done()
            assert (total["created"], total["ok"]) == (1, 1)


async def test_duties_wait_for_their_time_across_a_restart(tmp_path):
    from line_emulator.agenda import DUTIES

    done: list[Any] = []
    DUTIES["test.state"] = lambda platform, data: done.append(data)
    try:
        async with Emulator(state=tmp_path / "s") as first:
            first.platform.agenda.after(3600, "test.state", {"n": 1})
        async with Emulator(state=tmp_path / "s") as second:
            await asyncio.sleep(0.05)
            assert done == []
            async with EmulatorClient(second.url) as line:
                await line.clock(advance=3601)
            await asyncio.sleep(0.05)
            assert done == [{"n": 1}]
    finally:
        del DUTIES["test.state"]


async def test_saved_now_and_then_and_only_when_something_changed(tmp_path):
    async with Emulator(friends=1, state=tmp_path / "s", save_every=0.05) as emulator:
        keeper = emulator._keeper
        assert keeper is not None
        friend = emulator.platform.user_order[0].id

        async def quiet() -> int:
            while True:
                before = keeper.saves
                await asyncio.sleep(0.6)
                if keeper.saves == before:
                    return before

        idle = await quiet()
        await _push(emulator.url, emulator.channel.token, friend)
        for _look in range(200):
            data = StateFile(tmp_path / "s").read()
            assert data is not None
            kept = Platform(Setup(channels=0))
            restore(kept, data)
            if kept.channel(None).phones[friend].entries:
                break
            await asyncio.sleep(0.05)
        assert len(kept.channel(None).phones[friend].entries) == 1
        assert await quiet() > idle


async def test_a_failing_copy_is_replaced_by_saving_in_the_process(tmp_path, monkeypatch):
    async with Emulator(state=tmp_path / "s", save_every=0.05) as emulator:
        keeper = emulator._keeper
        assert keeper is not None
        monkeypatch.setattr(type(keeper), "_write_and_end", lambda self, parent: os._exit(3))
        saves = keeper.saves
        async with asyncio.timeout(10):
            while keeper.saves == saves:
                async with EmulatorClient(emulator.url) as line:
                    await line.create_users(1)
                await asyncio.sleep(0.05)
        assert not keeper._forks


SERVE_AND_SAVE_OFTEN = """
import asyncio, json, sys
from line_emulator.emulator import Emulator

async def serve():
    async with Emulator(friends=3000, state=sys.argv[1], save_every=0.3) as line:
        print(json.dumps(line.ready()), flush=True)
        await asyncio.Event().wait()

asyncio.run(serve())
"""


@pytest.mark.slow
def test_killed_while_saving(tmp_path):
    """Kill -9 at some moments of constant saving: what is there is always a whole state."""
    path = tmp_path / "s"
    command = [sys.executable, "-c", SERVE_AND_SAVE_OFTEN, str(path)]
    seen = 0
    for round_ in range(4):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            asyncio.run(_busy(ready, path, more=0.28 + round_ * 0.03))
            process.send_signal(signal.SIGKILL)
            process.wait()
        if path.exists():
            data = StateFile(path).read()
            assert data is not None
            kept = Platform(Setup(channels=0))
            restore(kept, data)
            assert len(kept.user_order) >= 3000
            assert kept.deliveries.last >= seen
            seen = kept.deliveries.last
    assert seen > 0
    time.sleep(0.3)
    file = StateFile(path)
    file.open()
    file.close()
    assert [one.name for one in tmp_path.iterdir()] == ["s"]


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


async def _busy(ready: dict[str, Any], path: Path, more: float) -> None:
    """Send until something was saved, and so many seconds more: into the next saving, about."""
    token = ready["channels"][0]["access_token"]
    before = _written(path)
    end, patience = None, time.monotonic() + 60
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        while end is None or time.monotonic() < end:
            assert time.monotonic() < patience, "nothing was saved"
            if end is None and _written(path) != before:
                end = time.monotonic() + more
            async with session.post(
                f"{ready['url']}/v2/bot/message/multicast",
                json={"to": ready.get("to") or await _some(session, ready), "messages": [HELLO]},
            ) as response:
                assert response.status in (200, 429)


async def _some(session: aiohttp.ClientSession, ready: dict[str, Any]) -> list[str]:
    async with session.get(f"{ready['url']}/_emulator/users?limit=100") as response:
        ready["to"] = [one["id"] for one in (await response.json())["users"]]
    return ready["to"]
