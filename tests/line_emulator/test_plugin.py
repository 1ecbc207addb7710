"""The plugin as another project would use it, and the emulator in-process."""

from __future__ import annotations

import json
import subprocess
import sys

import aiohttp
import pytest
from click.testing import CliRunner

from line_emulator import Emulator, EmulatorClient, EmulatorError
from line_emulator.cli import main

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


BOT = '''
"""A bot as somebody else writes one: it greets, echoes, and knows nothing of any emulator."""
import base64, hashlib, hmac, json, threading, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Bot(BaseHTTPRequestHandler):
    api = secret = token = ""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        digest = hmac.new(self.secret.encode(), body, hashlib.sha256).digest()
        right = base64.b64encode(digest).decode() == self.headers["X-Line-Signature"]
        for event in json.loads(body)["events"] if right else ():
            text = "ようこそ！" if event["type"] == "follow" else event["message"]["text"]
            data = {"replyToken": event["replyToken"], "messages": [{"type": "text", "text": text}]}
            request = urllib.request.Request(
                self.api + "/v2/bot/message/reply", json.dumps(data).encode(),
                {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"},
            )
            urllib.request.urlopen(request).close()
        self.send_response(200 if right else 400)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def start(api, secret, token):
    Bot.api, Bot.secret, Bot.token = api, secret, token
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, "http://127.0.0.1:%d/callback" % server.server_port
'''


def test_another_project_tests_its_bot_without_asyncio(pytester):
    pytester.makepyfile(their_bot=BOT)
    pytester.makeconftest(
        """
        import pytest, their_bot

        pytest_plugins = ["line_emulator.pytest_plugin"]

        @pytest.fixture(autouse=True)
        def bot(line_sync):
            server, url = their_bot.start(line_sync.url, line_sync.secret, line_sync.token)
            line_sync.set_webhook(url)
            yield
            server.shutdown()
        """
    )
    pytester.makepyfile(
        """
        import pytest
        from line_emulator import EmulatorError

        def texts(line_sync, user):
            line_sync.wait_webhooks_done()
            return [one["text"] for one in line_sync.received(user)]

        def test_greets(line_sync):
            someone = line_sync.new_stranger()
            line_sync.follow(someone)
            assert texts(line_sync, someone) == ["ようこそ！"]

        def test_echoes_and_streams(line_sync):
            friend = line_sync.new_friend()
            line_sync.say(friend, "a")
            line_sync.say(friend, "b")
            assert sorted(texts(line_sync, friend)) == ["a", "b"]
            assert len(line_sync.deliveries(quiet=0.1)) == 2

        def test_a_forged_post_is_refused(line_sync):
            line_sync.fault("signature", on="webhook")
            friend = line_sync.new_friend()
            line_sync.say(friend, "a")
            assert texts(line_sync, friend) == []
            assert line_sync.webhook_stats()["total"]["failed"] == 1

        def test_the_impossible(line_sync):
            with pytest.raises(EmulatorError, match="already a friend"):
                line_sync.follow(line_sync.new_friend())
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:asyncio")
    result.assert_outcomes(passed=4)


async def test_the_client_knows_what_people_can_do(line, api):
    friend = await line.new_friend(name="花子")
    other = await line.new_friend()
    assert await line.menu(friend) is None
    with pytest.raises(EmulatorError, match="menu"):
        await line.tap_menu(friend, "予約")
    group = await line.create_group([friend, other], name="家族")
    chat = group["id"]
    await line.say_in(chat, other, "@花子 元気？")
    entries = (await line.group(chat))["entries"]
    assert entries[-1]["body"]["text"] == "@花子 元気？"
    await api.push(friend, {"type": "text", "text": "https://example.com/a"})
    assert (await line.open_link(friend, "https://example.com/a"))["uri"].endswith("/a")
    with pytest.raises(EmulatorError):
        await line.play(friend)
    for impossible in (line.get_coupon, line.use_coupon, line.join_membership,
                       line.leave_membership):  # fmt: skip
        with pytest.raises(EmulatorError):
            await impossible(friend)
    assert (await line.live(pace=10))["pace"] == 10
    assert (await line.pause_living())["paused"] is True
    assert (await line.lived())["behaviours"]
    assert (await line.pace(audience_working=7))["audience_working"] == 7


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


def test_a_person_gets_a_table_and_a_machine_json(tmp_path):
    command = f"{sys.executable} -m line_emulator serve --port 0 --state {tmp_path / 's'}"
    for more, expected in (("", "Channel secret"), (" --json", '"channel_secret"')):
        with subprocess.Popen(
            ["script", "-qfc", command + more, "/dev/null"], stdout=subprocess.PIPE, text=True
        ) as process:  # `script` lends a terminal
            assert process.stdout is not None
            shown = ""
            while expected not in shown:
                line = process.stdout.readline()
                assert line, shown
                shown += line
            process.terminate()


@pytest.mark.parametrize(
    ("option", "complaint"),
    [(("--webhook", "ftp://x"), "https"), (("--port", "70000"), "65535"),
     (("--channels", "0"), "1<=x<=100")],
)  # fmt: skip
def test_an_option_that_cannot_be_is_refused(option, complaint):
    done = CliRunner().invoke(main, ["serve", "--port", "0", *option])
    assert done.exit_code == 2
    assert complaint in done.stderr


@pytest.mark.parametrize(
    ("option", "complaint"),
    [(("--webhook", "http://example.com/x"), "https"),
     (("--state", __file__), "not a state file"), (("--host", "203.0.113.1"), "cannot listen")],
)  # fmt: skip
def test_a_wrong_option_is_refused_in_a_sentence(option, complaint):
    done = subprocess.run(
        [sys.executable, "-m", "line_emulator", "serve", "--port", "0", *option],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_port_that_is_taken():
    async with Emulator() as first:
        with pytest.raises(OSError, match="in use"):
            await Emulator(port=first.port).start()
