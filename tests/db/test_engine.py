"""A server that has gone silent is given up, whichever way one is connected to it."""

from __future__ import annotations

from conftest import Shop, scope
from hiiki.db.engine import autocommit, listening, raw_connection

BOUNDS = {
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "8000",
}


async def test_every_connection_is_told_when_to_give_up(shop: Shop) -> None:
    async with (
        scope(shop.workspace_id) as session,
        autocommit() as direct,
        listening("anything") as ear,
    ):
        for connection in (await raw_connection(session), direct, ear):
            told = connection.info.get_parameters()
            assert {name: told.get(name) for name in BOUNDS} == BOUNDS
