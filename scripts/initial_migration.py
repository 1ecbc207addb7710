"""Write the first migration anew from the models. Only until the first release."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from pathlib import Path

import psycopg
from alembic import command

from hiiki.db.base import SCHEMAS
from hiiki.db.embedded import prepare
from hiiki.db.migrate import MIGRATIONS, alembic_config, migrate

HEADER = (
    """    op.execute("create extension if not exists pg_trgm")
    for schema in (
"""
    + "".join(f'        "{name}",\n' for name in SCHEMAS)
    + """    ):
        op.execute(f"create schema {schema}")
"""
)
# Ids are not compressed: they hardly get smaller, and to try takes a third of freezing a send.
FOOTER = """    op.execute(
        "alter table delivery.parcel alter contact_ids set storage external,"
        " alter line_user_ids set storage external"
    )
"""


def main() -> None:
    for old in (MIGRATIONS / "versions").glob("0001_*.py"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        server = prepare(Path(folder) / "pg")
        server.start({"fsync": "off"})
        try:
            server.create_database("hiiki")
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute("create extension pg_trgm")
                for schema in SCHEMAS:
                    connection.execute(f"create schema {schema}")
            command.revision(
                alembic_config(server.url()), "The first tables", autogenerate=True, rev_id="0001"
            )
            [path] = (MIGRATIONS / "versions").glob("0001_*.py")
            text = path.read_text()
            text = text.replace("def upgrade() -> None:\n", "def upgrade() -> None:\n" + HEADER, 1)
            head, tail = text.split("\n\n\ndef downgrade()", 1)
            text = f"{head}\n{FOOTER}\n\ndef downgrade(){tail}"
            path.write_text(text)
            for step in (["check", "--fix"], ["format"]):
                subprocess.run(["ruff", *step, "--quiet", str(path)], check=True)  # noqa: S603, S607
            server.create_database("check")
            asyncio.run(migrate(server.url("check")))
        finally:
            server.stop("immediate")


if __name__ == "__main__":
    main()
