"""The embedded PostgreSQL, also where its directory's path is too long for a socket."""

from __future__ import annotations

from pathlib import Path

import psycopg

from hiiki.db.embedded import prepare


def test_it_starts_keeps_data_and_stops(tmp_path: Path) -> None:
    server = prepare(tmp_path / "a" / "pg")
    try:
        server.start()
        server.start()  # starting twice is starting once
        server.create_database("hiiki")
        server.create_database("hiiki")
        with psycopg.connect(server.url()) as connection:
            connection.execute("create table kept (x int)")
        server.stop()
        assert not server.running()
        again = prepare(tmp_path / "a" / "pg")
        again.start()
        with psycopg.connect(again.url()) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (0,)
    finally:
        server.stop("immediate")


def test_only_its_own_user_may_open_the_directory(tmp_path: Path) -> None:
    server = prepare(tmp_path / "pg")
    assert server.data.stat().st_mode & 0o077 == 0


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    server = prepare(tmp_path / ("x" * 60) / ("y" * 60) / "pg")
    try:
        server.start()
        assert len(str(server.socket)) < 90
        server.create_database("hiiki")
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        server.stop("immediate")
