"""The command `line-emulator`."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from pathlib import Path

import click
import orjson
import uvloop

from .api.webhook_settings import valid_webhook_url
from .emulator import Emulator
from .model import Json
from .platform import PLANS
from .state import StateError

_EXAMPLES = """\b
Examples:
  line-emulator serve
      one channel, nobody there yet; open the phones' page and add the account
  line-emulator serve --friends 1000 --webhook http://127.0.0.1:8000/callback
      a thousand friends, and every event posted to your bot
  line-emulator serve --state shop.state
      go on tomorrow where you stopped today
  line-emulator serve --friends 100000 --living --unlimited
      a crowd that reads, taps and blocks by itself, without LINE's rate limits

\b
Give your bot the address in place of https://api.line.me and of
https://api-data.line.me.
"""


def _webhook_url(context: click.Context, option: click.Parameter, url: str | None) -> str | None:
    if url is not None and not valid_webhook_url(url):
        raise click.BadParameter(
            "must be https://… of at most 500 characters, or http://… on this machine or network"
        )
    return url


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """LINE's bot platform on your own machine, for development and tests."""


@main.command(epilog=_EXAMPLES)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=9000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port; 0 picks a free one.",
)
@click.option(
    "--public-url", metavar="URL", help="How others reach the emulator, if not by host and port."
)
@click.option(
    "--channels",
    default=1,
    show_default=True,
    type=click.IntRange(1, 100),
    help="Channels, all of one provider: people have the same ids in each.",
)
@click.option(
    "--friends",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="People who are friends already.",
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same ids and people.")
@click.option(
    "--webhook",
    "webhook_url",
    metavar="URL",
    callback=_webhook_url,
    help="Where the channels' events are posted.",
)
@click.option("--plan", type=click.Choice(list(PLANS)), help="Monthly quota of a LINE plan.")
@click.option(
    "--quota",
    type=click.IntRange(0),
    metavar="N",
    help="Monthly quota in messages; none by default.",
)
@click.option("--unlimited", is_flag=True, help="Lift LINE's rate limits.")
@click.option("--living", is_flag=True, help="People open, tap, answer and block by themselves.")
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep everything in this file and go on from it; in memory by default.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one line of JSON, as when the output is no terminal.",
)
@click.option(
    "--log-level",
    default="warning",
    show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"]),
)  # fmt: skip
def serve(
    host: str,
    port: int,
    public_url: str | None,
    channels: int,
    friends: int,
    seed: int,
    webhook_url: str | None,
    plan: str | None,
    quota: int | None,
    unlimited: bool,
    living: bool,
    state: Path | None,
    as_json: bool,
    log_level: str,
) -> None:
    """Serve until interrupted.

    Once it listens it prints what your bot needs: a table on a terminal, one line of JSON
    otherwise. There is no authentication but LINE's own: keep it on this machine.
    """
    logging.basicConfig(level=log_level.upper(), format="%(levelname)s %(name)s %(message)s")
    try:
        emulator = Emulator(
            host=host,
            port=port,
            public_url=public_url,
            channels=channels,
            friends=friends,
            seed=seed,
            webhook_url=webhook_url,
            quota=PLANS[plan] if quota is None and plan else quota,
            unlimited=unlimited,
            living=living,
            state=state,
        )
    except StateError as error:
        raise click.ClickException(str(error)) from None
    uvloop.run(_serve(emulator, state, as_json or not sys.stdout.isatty()))


async def _serve(emulator: Emulator, state: Path | None, as_json: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for interrupt in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(interrupt, stop.set)
    try:
        await emulator.start()
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {emulator.host}:{emulator.port}: {error.strerror or error}"
        ) from None
    # A crowd of friends is here to stay: the collector need not look at them again and again.
    gc.collect()
    gc.freeze()
    ready = emulator.ready()
    if as_json:
        click.echo(orjson.dumps(ready).decode())
    else:
        click.echo(table(ready, emulator, state))
    await stop.wait()
    await emulator.stop()


def table(ready: Json, emulator: Emulator, state: Path | None) -> str:
    """What a person reads when the emulator listens on a terminal."""
    url: str = ready["url"]
    lines = [
        "",
        f"{click.style('LINE emulator', bold=True)}  {url}",
        "",
        _row("API, in place of api.line.me", url),
        _row("Phones, to open in a browser", f"{url}/phones"),
        _row("Control API", f"{url}/_emulator/openapi.json"),
        _row("People", f"{len(emulator.platform.users):,}"),
        _row("State", str(state) if state else "in memory only"),
    ]
    for channel in emulator.platform.channels.values():
        lines += [
            "",
            click.style(f"{channel.name} {channel.basic_id}", bold=True),
            _row("Channel ID", channel.id),
            _row("Channel secret", channel.secret),
            _row("Channel access token", channel.token),
            _row("Webhook URL", channel.webhook_url or "none yet"),
            _row("Month's quota", "no limit" if channel.quota is None else f"{channel.quota:,}"),
        ]
    for login in ready["login_channels"]:
        lines += [
            "",
            click.style(f"LINE Login: {login['name']}", bold=True),
            _row("Channel ID", login["channel_id"]),
            _row("Channel secret", login["channel_secret"]),
        ]
    return "\n".join([*lines, "", "Ctrl-C ends it.", ""])


def _row(name: str, value: str) -> str:
    return f"  {click.style(f'{name:<30}', dim=True)}{value}"
