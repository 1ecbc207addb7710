"""The command `line-emulator`."""

from __future__ import annotations

import asyncio
import logging
import signal

import click
import orjson
import uvloop

from .emulator import Emulator
from .platform import PLANS


@click.group()
def main() -> None:
    """LINE's bot platform on your own machine, for development and tests."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=9000, show_default=True, help="Port; 0 picks a free one.")
@click.option("--public-url", help="How others reach the emulator, if not by host and port.")
@click.option("--channels", default=1, show_default=True, help="Channels to create.")
@click.option("--friends", default=0, show_default=True, help="People who are friends already.")
@click.option("--seed", default=1, show_default=True, help="Same seed, same ids and people.")
@click.option("--webhook", "webhook_url", help="Webhook URL of the channels.")
@click.option("--plan", type=click.Choice(list(PLANS)), help="Monthly quota of a LINE plan.")
@click.option("--quota", type=click.IntRange(0), help="Monthly quota; none by default.")
@click.option("--unlimited", is_flag=True, help="Lift LINE's rate limits.")
@click.option("--living", is_flag=True, help="People open, tap, answer and block by themselves.")
@click.option(
    "--log-level",
    default="warning",
    show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"]),
)
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
    log_level: str,
) -> None:
    """Serve until interrupted; prints one JSON line when it listens."""
    logging.basicConfig(level=log_level.upper(), format="%(levelname)s %(name)s %(message)s")
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
    )
    uvloop.run(_serve(emulator))


async def _serve(emulator: Emulator) -> None:
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
    click.echo(orjson.dumps(emulator.ready()).decode())
    await stop.wait()
    await emulator.stop()
