"""Identifiers."""

from __future__ import annotations

import time

import pytest

from hiiki.kit import ids
from hiiki.kit.ids import uuid7


def test_what_is_made_later_sorts_later_however_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    before = time.time_ns() // 1_000_000
    made = [uuid7() for _ in range(2_000)]
    after = time.time_ns() // 1_000_000
    # They tell their time, to the millisecond.
    assert before <= made[0].int >> 80
    assert made[-1].int >> 80 <= after
    # The clock stands still, and is then set back by a second.
    stood = time.time_ns()
    monkeypatch.setattr(ids.time, "time_ns", lambda: stood)
    made += [uuid7() for _ in range(2_000)]
    monkeypatch.setattr(ids.time, "time_ns", lambda: stood - 10**9)
    made += [uuid7() for _ in range(2_000)]
    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
