"""The plugin as another project would use it, and the emulator in-process."""

from __future__ import annotations

import json
import subprocess
import sys

import aiohttp
import pytest

from line_emulator import Emulator, EmulatorClient

pytest_plugins = ["pytester"]


def test_the_plugin_serves_another_project(pytester):
    pytester.makeconftest('pytest_plugins = ["line_emulator.pytest_plugin"]')
    pytester.makepyfile(
        """
        async def test_first(line):
            await line.follow(await line.new_stranger())
            assert (await line.state())["users"] == 1

        async def test_second_starts_afresh(line):
            assert (await line.state())["users"] == 0
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-o", "asyncio_mode=auto")
    result.assert_outcomes(passed=2)


async def test_in_process():
    async with Emulator(friends=3, channels=2, quota=7) as emulator:
        async with EmulatorClient(emulator.url) as client:
            state = await client.state()
            assert state["users"] == 3
            assert list(state["friends"].values()) == [3, 3]
        headers = {"Authorization": f"Bearer {emulator.channel.token}"}
        url = f"{emulator.url}/v2/bot/message/quota"
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(url) as response,
        ):
            assert await response.json() == {"type": "limited", "value": 7}


def test_the_command_says_when_it_is_ready():
    command = [sys.executable, "-m", "line_emulator", "serve", "--port", "0", "--friends", "2"]
    with subprocess.Popen(
        [*command, "--plan", "light", "--channels", "2"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        process.terminate()
        assert process.wait(10) == 0
    assert ready["ready"] is True
    assert len(ready["channels"]) == 2
    assert set(ready["channels"][0]) == {
        "channel_id", "channel_secret", "access_token", "bot_user_id", "basic_id",
    }  # fmt: skip


async def test_a_port_that_is_taken():
    async with Emulator() as first:
        with pytest.raises(OSError, match="in use"):
            await Emulator(port=first.port).start()
