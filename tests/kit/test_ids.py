"""Identifiers."""

from __future__ import annotations

import time

from hiiki.kit.ids import uuid7


def test_what_is_made_later_sorts_later_however_fast() -> None:
    before = time.time_ns() // 1_000_000
    made = [uuid7() for _ in range(20_000)]
    after = time.time_ns() // 1_000_000
    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    # They tell their time: faster than their clock ticks nobody makes them for long.
    assert before <= made[0].int >> 80
    assert made[-1].int >> 80 <= after + 1
