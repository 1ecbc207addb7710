"""People found once, and asked about many times in the same transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, MetaData, Select, Table, Uuid, insert, select, text
from sqlalchemy.schema import CreateTable

from hiiki.db import WorkspaceSession

BY_HAND = {"scoped_by_hand": True}
ENOUGH_MEMORY = "64MB"
"""For each sort and each hash of a statement: of a million people these would go by the disk."""


async def found_once(session: WorkspaceSession, name: str, members: Select[Any]) -> Select[Any]:
    """Put the ids that a statement gives into a table of this transaction, and return its query.

    For what asks of the same people in many statements: their segment is then asked once. `name`
    is the table's. What is asked next has memory enough for sets of a million.
    """
    table = Table(
        name,
        MetaData(),
        Column("contact_id", Uuid(as_uuid=True), primary_key=True),
        prefixes=["temporary"],
        postgresql_on_commit="drop",
    )
    for statement in (
        text(f"set local work_mem = '{ENOUGH_MEMORY}'"),
        CreateTable(table),
        insert(table).from_select(["contact_id"], members),
        text(f"analyze {table.name}"),
    ):
        await session.execute(statement, execution_options=BY_HAND)
    return select(table.c.contact_id)
