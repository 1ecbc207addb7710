"""The demo plays the whole road, and notices when something on it goes wrong."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from hiiki.demo.check import Faults
from hiiki.demo.friends import Friend, respond
from hiiki.demo.shops import CURRY, WEDDING


def friend(temper: str = "finisher") -> Friend:
    wishes = {"カレーの辛さのお好みは?": "甘口", "お好きなトッピングは?(いくつでも)": ["カツ"]}
    return Friend("U1", "c", temper, wishes, opens=True, redeems=True)


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def test_a_friend_remembers_what_it_really_chose() -> None:
    one = friend()
    dice = random.Random(1)
    acts = respond(one, [text(CURRY.questions[0].title)], CURRY, dice)
    assert [act["label"] for act in acts] == ["甘口"]
    assert one.tags == {"甘口"}
    assert respond(one, [text(CURRY.questions[0].title)], CURRY, dice) == []
    assert CURRY.campaigns[0].wants(one.tags)


def test_whoever_has_blocked_does_nothing_more() -> None:
    one = friend("blocker")
    greeting = [text("友だちに追加いただきありがとう"), text(CURRY.questions[0].title)]
    acts = respond(one, greeting, CURRY, random.Random(1))
    assert [act["type"] for act in acts] == ["unfollow"]
    assert respond(one, [text(CURRY.questions[0].title)], CURRY, random.Random(1)) == []


def test_nested_wishes_of_the_wedding_hall() -> None:
    engaged, family, done = WEDDING.campaigns
    assert engaged.wants({"婚約中", "式を検討中", "子どもなし"})
    assert not engaged.wants({"婚約中", "式は済んだ"})
    assert family.wants({"結婚3年以上", "子どもあり", "式の予定あり"})
    assert not family.wants({"結婚3年以上", "子どもなし", "式の予定あり"})
    assert done.wants({"結婚1年未満", "子どもあり", "式は済んだ"})


def test_the_verdict_counts_what_is_lost_and_what_is_double() -> None:
    faults = Faults()
    faults.exactly_once("x", friend(), 1)
    assert (faults.lost, faults.duplicated, faults.words) == (0, 0, [])
    faults.exactly_once("x", friend(), 0)
    faults.exactly_once("x", friend(), 3)
    faults.equal("y", 1, 2)
    assert (faults.lost, faults.duplicated, len(faults.words)) == (1, 2, 3)


@pytest.mark.slow
def test_the_whole_story(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hiiki", "demo", "--friends", "150", "--once"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HIIKI_DATA_DIR": str(tmp_path), "HIIKI_DATABASE_URL": ""},
    )
    assert done.stdout, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found.get("faults", []) == []
    assert found["ok"], found
    assert done.returncode == 0
    assert found["friends"] == 150
    assert (found["lost"], found["duplicated"]) == (0, 0)
    assert found["coupons_issued"] == found["surveys_finished"] > 90
    assert found["segments"]["甘口が好き"]["members"] > 10
    assert all(one["received_by_others"] == 0 for one in found["segments"].values())
    assert found["messages_saved"] > 100
    assert 0 < found["coupons_used"] <= found["clicks"]
