"""The command line: `hiiki up` for everything on one machine, the rest for the parts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import click

from hiiki.kit.i18n import set_locale
from hiiki.kit.logs import configure_logs
from hiiki.settings import settings

T = TypeVar("T")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hiiki")
def main() -> None:
    """Hiiki: a self-hosted CRM for LINE Official Accounts."""
    set_locale("en")
    configure_logs(as_json=settings().log_json, level=settings().log_level)


@main.command()
@click.option("--host", default=None, help="Address to listen on (HIIKI_HOST).")
@click.option("--port", type=int, default=None, help="Port to listen on (HIIKI_PORT).")
def up(host: str | None, port: int | None) -> None:
    """Run everything: a database if none is set, the web server and a worker."""
    from hiiki.supervisor import Part, database, keep_running

    host, port = host or settings().host, port or settings().port
    _needs_assets()
    _needs_prices()
    with database() as url:
        asyncio.run(_migrate(url))
        asyncio.run(_tell_of_citus(url))
        click.echo(f"Hiiki runs at http://{host}:{port} (end it with Ctrl-C)")
        web_part = Part("web", "hiiki", "web", "--host", host, "--port", str(port))
        sys.exit(keep_running([web_part, Part("worker", "hiiki", "worker")]))


@main.command()
@click.option("--host", default=None, help="Address to listen on (HIIKI_HOST).")
@click.option("--port", type=int, default=None, help="Port to listen on (HIIKI_PORT).")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True)
def web(host: str | None, port: int | None, processes: int) -> None:
    """Run the web server: console, API, webhooks and public pages. Keeps no state."""
    from granian import Granian
    from granian.constants import Interfaces, Loops
    from granian.log import LogLevels

    _needs_database()
    _needs_prices()
    Granian(
        "hiiki.web.app:served_app",
        factory=True,
        address=host or settings().host,
        port=port or settings().port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        workers=processes,
        websockets=False,
        backlog=2048,
        log_level=LogLevels.warning,
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
    ).serve()


@main.command()
def worker() -> None:
    """Run a worker: handles webhook events, sends messages, runs jobs. Run as many as needed."""
    import signal

    from hiiki.worker import run_worker

    _needs_database()
    _needs_prices()

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await run_worker(stop)

    _run(run)


@main.command()
def migrate() -> None:
    """Bring the database to this version."""
    from hiiki.db.engine import database_url

    _needs_database()
    asyncio.run(_migrate(database_url()))
    click.echo("The database is up to date.")
    asyncio.run(_tell_of_citus(database_url()))


@main.group("db")
def database_group() -> None:
    """The database."""


@database_group.command("distribute")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be moved, and move nothing.")
def distribute(yes: bool, dry_run: bool) -> None:
    """Spread the tables that grow with people over the servers of a Citus cluster.

    Nobody can write meanwhile: end the web and worker processes first. See docs/scaling.md.
    """
    from hiiki.db import distribute as spreading
    from hiiki.db.engine import database_url, libpq_url

    _needs_database()
    url = database_url()
    try:
        plan = asyncio.run(spreading.look(libpq_url(url)))
        click.echo(f"Citus {plan.citus}, with shards on {', '.join(plan.servers)}.")
        if dry_run:
            for move in plan.moves:
                click.echo(move)
        if plan.done:
            click.echo(f"{plan.done} tables have been moved before.")
        click.echo(f"{len(plan.moves)} tables are to be moved.")
        if dry_run:
            return
        if plan.moves and not yes:
            click.confirm("Nobody can write meanwhile. Go on?", abort=True)
        asyncio.run(_migrate(url))
        moved = asyncio.run(spreading.distribute(libpq_url(url), click.echo))
    except spreading.NoCitus as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{moved} tables were moved.")


@main.group()
def staff() -> None:
    """The people who may log in."""


@staff.command("add")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--workspace", "workspace_name", required=True, help="Made if there is none.")
@click.option("--role", type=click.Choice(["owner", "operator", "viewer"]), default="owner")
@click.password_option(help="Asked for when it is not given.")
def staff_add(email: str, name: str, workspace_name: str, role: str, password: str) -> None:
    """Add a person to a workspace, making the workspace if it does not exist."""
    from sqlalchemy import select

    from hiiki.db import everywhere
    from hiiki.workspace import service
    from hiiki.workspace.models import Workspace

    async def run() -> None:
        async with everywhere() as session:  # the command line stands above all workspaces
            found = await session.scalar(
                select(Workspace).where(Workspace.name == workspace_name).limit(1)
            )
            workspace = found or await service.create_workspace(session, workspace_name)
            await service.create_staff(session, workspace.id, email, name, password, role)
        click.echo(f"{email} is now {role} of {workspace_name}.")

    _run(run)


@main.group()
def token() -> None:
    """Keys to the API."""


@token.command("create")
@click.option("--workspace", "workspace_id", type=click.UUID, default=None)
@click.option("--name", default="command line", show_default=True)
@click.option("--role", type=click.Choice(["owner", "operator", "viewer"]), default="operator")
def token_create(workspace_id: UUID | None, name: str, role: str) -> None:
    """Make an API token and print it. It is shown this once only."""
    from hiiki.db import scope
    from hiiki.workspace import service

    async def run() -> None:
        async with scope(await _only_workspace(workspace_id)) as session:
            click.echo(await service.create_token(session, name, role))

    _run(run)


@main.group()
def channel() -> None:
    """The LINE Official Accounts."""


@channel.command("list")
def channel_list() -> None:
    """List the accounts of all workspaces, with what is left of their quota."""
    from sqlalchemy import select

    from hiiki.db import everywhere
    from hiiki.workspace.models import Channel, Workspace

    async def run() -> None:
        async with everywhere() as session:  # the command line stands above all workspaces
            rows = await session.execute(
                select(Workspace.name, Channel)
                .join(Workspace, Workspace.id == Channel.workspace_id)
                .order_by(Workspace.name, Channel.name)
            )
            for workspace_name, found in rows:
                limit = "unlimited" if found.quota_limit is None else str(found.quota_limit)
                click.echo(
                    f"{found.id}  {workspace_name}  {found.name}  {found.basic_id}  "
                    f"{found.messages_used} of {limit} messages  {found.paused_reason or 'ok'}"
                )

    _run(run)


@channel.command("add")
@click.option("--workspace", "workspace_id", type=click.UUID, default=None)
@click.option("--channel-id", required=True, help="The Messaging API channel's id.")
@click.option("--secret", prompt=True, hide_input=True)
@click.option("--token", "access_token", prompt=True, hide_input=True)
def channel_add(workspace_id: UUID | None, channel_id: str, secret: str, access_token: str) -> None:
    """Add an account: checks it against LINE, and sets and tests its webhook address."""
    from hiiki.db import scope
    from hiiki.workspace.channels import add_channel

    async def run() -> None:
        async with scope(await _only_workspace(workspace_id)) as session:
            added = await add_channel(
                session, line_channel_id=channel_id, secret=secret, token=access_token
            )
        click.echo(f"{added.name} ({added.basic_id}) is connected.")

    _run(run)


@main.command()
@click.option("--friends", type=click.IntRange(10, 100_000), default=3000, show_default=True)
@click.option("--once", is_flag=True, help="End after the story, with one line of JSON.")
@click.option("--port", type=int, default=8000, show_default=True, help="The console's port.")
@click.option("--seed", type=int, default=7, show_default=True)
def demo(friends: int, once: bool, port: int, seed: int) -> None:
    """Play a shop's story with simulated friends, then leave the console running."""
    from hiiki.demo import play

    _needs_assets()
    sys.exit(play(friends=friends, once=once, port=port, seed=seed))


async def _migrate(url: str) -> None:
    from hiiki.db.migrate import migrate as bring_up

    await bring_up(url)


async def _tell_of_citus(url: str) -> None:
    from hiiki.db import distribute as spreading
    from hiiki.db.engine import libpq_url

    try:
        left = len((await spreading.look(libpq_url(url))).moves)
    except spreading.NoCitus:
        return
    if left:
        click.echo(
            f"This database has Citus, and {left} tables that could be spread stand on one server:"
            " see `hiiki db distribute --dry-run` and docs/scaling.md."
        )


async def _only_workspace(wanted: UUID | None) -> UUID:
    """Return the workspace that is meant: the one given, or the only one there is."""
    from sqlalchemy import select

    from hiiki.db import everywhere
    from hiiki.workspace.models import Workspace

    if wanted is not None:
        return wanted
    async with everywhere() as session:  # it looks for the workspace itself
        found = (await session.execute(select(Workspace.id, Workspace.name).limit(50))).all()
    if len(found) == 1:
        return found[0][0]
    known = "\n".join(f"  {ident}  {name}" for ident, name in found) or "  (there is none yet)"
    raise click.ClickException(f"Say which workspace with --workspace:\n{known}")


def _run(run: Callable[[], Awaitable[T]]) -> T:
    """Run a command's coroutine with the rooms loaded; domain errors become plain words."""
    import uvloop

    from hiiki.db.engine import dispose
    from hiiki.kit.errors import HiikiError
    from hiiki.rooms import registry

    _needs_database()
    assert registry.rooms  # the road is open

    async def wrapped() -> Any:
        try:
            return await run()
        finally:
            await dispose()

    try:
        return uvloop.run(wrapped())
    except HiikiError as error:
        details = "".join(f"\n  {path}: {text}" for path, text in error.fields.items())
        raise click.ClickException(f"{error.message}{details}") from error


def _needs_database() -> None:
    """End with advice when there is no database address.

    `hiiki up` runs a server in the data directory; while it runs, other commands use it.
    """
    import os

    if settings().database_url:
        return
    from hiiki.db.embedded import prepare

    folder = settings().data_dir / "postgres"
    if (folder / "PG_VERSION").exists():
        server = prepare(folder)
        if server.running():
            os.environ["HIIKI_DATABASE_URL"] = server.url()
            settings.cache_clear()
            return
    raise click.ClickException(
        "No database: set HIIKI_DATABASE_URL, or start `hiiki up` first, which runs its own."
    )


def _needs_prices() -> None:
    """End with what is wrong when the operator's price list cannot be read."""
    if settings().line_prices is None:
        return
    from hiiki.line.prices import price_list

    try:
        price_list()
    except (OSError, ValueError) as error:
        raise click.ClickException(f"HIIKI_LINE_PRICES: {error}") from error


def _needs_assets() -> None:
    from pathlib import Path

    vendor = Path(__file__).parent / "web" / "assets" / "vendor"
    if not vendor.is_dir():
        raise click.ClickException(
            "The browser libraries are missing: run `make setup` in a checkout "
            "(an installed wheel carries them)."
        )
