"""A persona's figures against plain Python over small random worlds."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import mean, mode
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy import stats as scipy_stats

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from hiiki.contacts.models import Attribute, Contact, ContactAttribute, ContactTag, Friendship, Tag
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.ninecells.models import Standing
from hiiki.personas.bands import bands_of
from hiiki.personas.certainty import CERTAIN, means_p, share_p
from hiiki.personas.compare import findings, means_of, striking
from hiiki.personas.findings import Figures, Four, Moments, Trait
from hiiki.personas.reading import figures_of
from hiiki.segments.models import Segment
from hiiki.surveys import service as surveys
from hiiki.surveys.models import Question
from hiiki.surveys.schemas import SurveySpec
from hiiki.timeline import record
from ingest.line_side import make_channel

stats: Any = scipy_stats
TOKYO = ZoneInfo("Asia/Tokyo")
HOURS = (6, 9, 12, 15, 18, 21)


@dataclass
class Person:
    """What is known of somebody, as plain data."""

    id: uuid.UUID = field(default_factory=uuid.uuid4)
    tags: set[str] = field(default_factory=set)
    prefecture: str | None = None
    birthday: date | None = None
    taste: str | None = None
    likes: list[str] | None = None
    visits: int | None = None
    source: str | None = None
    answers: list[tuple[datetime, str]] = field(default_factory=list)
    active: list[datetime] = field(default_factory=list)
    coupons: set[str] = field(default_factory=set)
    cell: str | None = None


def people(dice: random.Random, count: int) -> list[Person]:
    """People with a leaning: those who like it hot are from Tokyo more often than others."""
    found: list[Person] = []
    for _n in range(count):
        one = Person()
        is_hot = dice.random() < 0.4
        for tag, chance in (("hot", is_hot), ("vip", dice.random() < 0.3)):
            if chance:
                one.tags.add(tag)
        if dice.random() < 0.8:
            one.prefecture = dice.choice(["東京都"] * (4 if is_hot else 1) + ["大阪府", "北海道"])
        if dice.random() < 0.7:
            one.birthday = date(dice.randrange(1930, 2010), dice.randrange(1, 13), 15)
        if dice.random() < 0.6:
            one.taste = dice.choice(["甘口", "辛口"])
        if dice.random() < 0.6:
            one.likes = dice.sample(["映画", "旅行", "料理"], dice.randrange(4))
        if dice.random() < 0.7:
            one.visits = dice.randrange(30) + (8 if is_hot else 0)
        one.source = dice.choice([None, "poster", "web"])
        for _answer in range(dice.randrange(3)):
            at = now() - timedelta(hours=dice.randrange(1, 900), minutes=dice.randrange(50))
            one.answers.append((at, dice.choice("ab")))
        if dice.random() < 0.6:
            start = now().astimezone(TOKYO).replace(minute=20) - timedelta(days=40)
            # One part of the day and one weekday clearly lead.
            one.active = [start.replace(hour=dice.randrange(24))] * 3
        if dice.random() < 0.3:
            one.coupons = set(dice.sample(["spring", "autumn"], 1))
        if dice.random() < 0.5:
            one.cell = dice.choice(["loyal_active", "unaware"])
        found.append(one)
    return found


async def settle(shop: Shop, world: Sequence[Person]) -> dict[str, str]:
    """Put a world into the database; return name → id of what it refers to."""
    channel = await make_channel(shop.workspace_id)
    async with scope(shop.workspace_id) as session:
        tags = {name: Tag(name=name) for name in ("hot", "vip")}
        attributes = {
            kind: Attribute(key=kind, label=kind, kind=kind, choices=[])
            for kind in ("choice", "choices", "number")
        }
        session.add_all([*tags.values(), *attributes.values()])
        survey = await surveys.create_survey(
            session,
            SurveySpec.model_validate(
                {
                    "name": "q",
                    "questions": [
                        {
                            "kind": "choice",
                            "title": "q",
                            "choices": [{"id": "a", "label": "A"}, {"id": "b", "label": "B"}],
                        }
                    ],
                }
            ),
        )
        await session.flush()
        question = (await surveys.questions_of(session, survey.id))[0]
        session.add_all(
            Contact(id=one.id, prefecture=one.prefecture, birthday=one.birthday) for one in world
        )
        await session.flush()
        segments = {
            name: Segment(name=name, rule={"kind": "tag", "tag_ids": [str(tag.id)]})
            for name, tag in tags.items()
        }
        session.add_all(segments.values())
        await session.flush()
        for one in world:
            session.add_all(_rows(one, channel.id, tags, attributes))
            _happen(session, one, question)
        return {
            **{kind: str(row.id) for kind, row in attributes.items()},
            **{name: f"segment:{row.id}" for name, row in segments.items()},
            **{f"tag {name}": str(row.id) for name, row in tags.items()},
            "question": str(question.id),
        }


def _rows(
    one: Person, channel: uuid.UUID, tags: dict[str, Tag], attributes: dict[str, Attribute]
) -> Iterable[Any]:
    for tag in one.tags:
        yield ContactTag(contact_id=one.id, tag_id=tags[tag].id)
    given = {"choice": one.taste, "choices": one.likes, "number": one.visits}
    for kind, value in given.items():
        if value is not None:
            yield ContactAttribute(
                contact_id=one.id, attribute_id=attributes[kind].id, **{kind: value}
            )
    yield Friendship(
        contact_id=one.id,
        channel_id=channel,
        line_user_id=str(one.id),
        status="following",
        source=one.source,
    )
    if one.cell is not None:
        yield Standing(contact_id=one.id, cell=one.cell, since=now())


def _happen(session: WorkspaceSession, one: Person, question: Question) -> None:
    given: list[tuple[str, datetime, str, dict[str, Any]]] = [
        *(("survey_answer", at, str(question.id), {"choice_ids": [c]}) for at, c in one.answers),
        *(("message", at, "", {}) for at in one.active),
        *(("coupon_use", now() - timedelta(days=200), c, {}) for c in one.coupons),
    ]
    for kind, at, subject, data in given:
        record(session, one.id, kind, at=at, subject=subject, data=data)


Ask = Callable[[Person], Iterable[str] | None]
"""A person's values of a trait, or None where it is not known."""


def age_of(one: Person) -> int | None:
    if one.birthday is None:
        return None
    today, born = now().astimezone(TOKYO).date(), one.birthday
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def asks(ids: dict[str, str]) -> dict[str, Ask]:
    """What each trait asks, in plain Python."""

    def maybe(value: str | None) -> list[str] | None:
        return None if value is None else [value]

    def active_at(one: Person) -> list[datetime]:
        return [*one.active, *(at.astimezone(TOKYO) for at, _choice in one.answers)]

    def part(one: Person) -> list[str] | None:
        parts = [sum(at.hour >= hour for hour in HOURS) for at in active_at(one)]
        return [str(min(_modes(parts)))] if parts else None

    def weekday(one: Person) -> list[str] | None:
        days = [at.isoweekday() for at in active_at(one)]
        return [str(min(_modes(days)))] if days else None

    def age_band(one: Person) -> list[str] | None:
        age = age_of(one)
        return None if age is None else [str(min(age // 10 * 10, 80))]

    return {
        "tag": lambda one: [ids[f"tag {tag}"] for tag in one.tags],
        "profile:prefecture": lambda one: maybe(one.prefecture),
        "profile:age_band": age_band,
        "profile:purchaser": lambda one: ["false"],
        f"attribute:{ids['choice']}": lambda one: maybe(one.taste),
        f"attribute:{ids['choices']}": lambda one: one.likes or None,
        f"answer:{ids['question']}": lambda one: [max(one.answers)[1]] if one.answers else None,
        "friendship:source": lambda one: maybe(one.source),
        "done:coupon_use": lambda one: one.coupons,
        "activity:hour": part,
        "activity:weekday": weekday,
        "field:ninecells.cell": lambda one: maybe(one.cell),
    }


def _modes(values: list[int]) -> list[int]:
    return [value for value in values if values.count(value) == values.count(mode(values))]


def counted(world: Sequence[Person], inside: Callable[[Person], bool], a: str, b: str) -> Four:
    def count(*tags: str) -> int:
        return sum(inside(one) and set(tags) <= one.tags for one in world)

    return (count(), count(a), count(b) if b else count(), count(a, b) if b else count(a))


def sides(world: Sequence[Person], a: str, b: str) -> tuple[list[Person], list[Person]]:
    """The two groups of a test, which have nobody in common."""
    if not b:
        return [p for p in world if a in p.tags], [p for p in world if a not in p.tags]
    return (
        [p for p in world if a in p.tags],
        [p for p in world if b in p.tags and a not in p.tags],
    )


@pytest.mark.parametrize(("against", "seed"), [("", 1), ("vip", 2)])
async def test_a_random_world_agrees_with_plain_python(
    shop: Shop, other_shop: Shop, against: str, seed: int
) -> None:
    dice = random.Random(seed)
    world = people(dice, 160)
    ids = await settle(shop, world)
    await settle(other_shop, people(dice, 20))
    figures = await figures_of(shop.workspace_id, ids["hot"], ids[against] if against else "")
    assert figures.people == counted(world, lambda one: True, "hot", against)
    traits = {trait.key: trait for trait in figures.traits}
    tests: list[float] = []
    for key, ask in asks(ids).items():
        trait = traits[key]
        known = counted(world, lambda one, ask=ask: ask(one) is not None, "hot", against)
        assert trait.known == known, key
        assert {value.value for value in trait.values} == {
            value for one in world for value in ask(one) or ()
        }, key
        for value in trait.values:
            assert value.counts == counted(
                world, lambda one, v=value.value, ask=ask: v in (ask(one) or ()), "hot", against
            ), (key, value.value)
    for key, number in (
        (f"attribute:{ids['number']}", lambda one: one.visits),
        ("profile:age", age_of),
    ):
        _numbers_agree(world, traits[key], number, against)
    for trait in figures.traits:
        tests += [value.p for value in trait.values if value.p is not None]
        tests += [trait.p] if trait.p is not None else []
    assert figures.tests == len(tests) > 20
    _corrected(figures, tests)


def _numbers_agree(
    world: Sequence[Person],
    trait: Trait,
    number: Callable[[Person], int | None],
    against: str,
) -> None:
    assert trait.means is not None
    for moments, wanted in zip(
        trait.means, (set[str](), {"hot"}, {against} - {""}, {"hot", against} - {""}), strict=True
    ):
        values = [n for one in world if wanted <= one.tags and (n := number(one)) is not None]
        assert moments.n == len(values)
        assert moments.mean == pytest.approx(mean(values))
        assert moments.variance == pytest.approx(np.var(values, ddof=1))
    one, other = (
        [n for person in side if (n := number(person)) is not None]
        for side in sides(world, "hot", against)
    )
    assert trait.p == pytest.approx(stats.ttest_ind(one, other, equal_var=False).pvalue)
    for value in trait.values:
        inside = counted(
            world, lambda p, band=value.value: _within(number(p), band), "hot", against
        )
        assert value.counts == inside, value.value


def _within(number: int | None, band: str) -> bool:
    low, dots, high = band.partition("..")
    if number is None or not dots:
        return number is not None and number == float(low)
    return float(low or "-inf") <= number < float(high or "inf")


def _corrected(figures: Figures, tests: list[float]) -> None:
    """Benjamini and Hochberg's step-up, as in their paper."""
    ranked = sorted(tests)
    reached = [p for rank, p in enumerate(ranked, 1) if p <= CERTAIN * rank / len(ranked)]
    limit = max(reached, default=-1.0)
    found = [value for trait in figures.traits for value in trait.values if value.p is not None]
    for value in found:
        assert value.q is not None
        assert (value.q <= CERTAIN) == (value.p is not None and value.p <= limit)


def test_shares_are_tested_as_the_textbook_does() -> None:
    for hits, of in (((30, 20), (60, 90)), ((4, 1), (12, 200)), ((0, 9), (40, 45))):
        counts: Four = (sum(hits), hits[0], sum(hits), hits[0])
        known: Four = (sum(of), of[0], sum(of), of[0])
        table = np.array([[hits[0], of[0] - hits[0]], [hits[1], of[1] - hits[1]]])
        n = table.sum()
        chi, p, _df, expected = stats.chi2_contingency(table, correction=False)
        if expected.min() < 5:
            p = stats.fisher_exact(table).pvalue
        else:
            p = stats.chi2.sf(chi * (n - 1) / n, 1)
        assert share_p(counts, known) == pytest.approx(p)
    few: Four = (9, 9, 9, 9)
    # Nine tenths of the best thousand against four tenths of all five thousand they are of; and
    # the other way round, where those one is compared with are a part of the group.
    best = share_p((9000, 900, 2000, 900), (10_000, 1000, 5000, 1000))
    assert best == share_p((9000, 2000, 900, 900), (10_000, 5000, 1000, 1000), is_part=True)
    assert best is not None
    assert best < 1e-9
    assert share_p((4, 4, 4, 4), (500, 100, 500, 100)) is None
    assert share_p((9, 9, 9, 9), (500, 9, 500, 9)) is None
    assert share_p((50, 9, 50, 9), few) is None, "nobody else is known"
    million = (600_000, 300_000, 600_000, 300_000)
    assert share_p(million, (1_000_000, 500_000, 1_000_000, 500_000)) == 1
    nothing = Moments(n=50, total=0, squares=0)
    assert means_p((nothing, nothing, nothing, nothing)) is None


async def test_what_is_planted_is_found_and_noise_is_not(shop: Shop) -> None:
    """Those who like it hot are from Tokyo and come more often; nothing else is true of them."""
    world = people(random.Random(4), 500)
    ids = await settle(shop, world)
    figures = await figures_of(shop.workspace_id, ids["hot"])
    found = striking(findings(figures), 50)
    assert figures.asked == [f"tag={ids['tag hot']}"], "that they are tagged is no discovery"
    # Of those that are only clear, one in twenty may be chance; of these one in a thousand.
    assert {one.trait.key for one in found if one.certainty == "very"} == {
        "profile:prefecture",
        f"attribute:{ids['number']}",
    }
    best = next(one for one in found if one.trait.key == "profile:prefecture")
    assert (best.value.value, best.certainty) == ("東京都", "very")
    assert best.lift is not None
    assert best.lift > 1.3
    assert [one.trait.key for one in means_of(figures) if one.is_certain] == [
        f"attribute:{ids['number']}"
    ]


def test_bands_are_easy_to_read() -> None:
    assert bands_of([1234.5, 2999, 8_111, 30_500], is_whole=False) == [1200, 3000, 8100, 30_000]
    assert bands_of([1, 1, 2, 5], is_whole=True) == [1, 2, 5]
    assert bands_of([0, 0, 0, 0], is_whole=True) == [0]
    assert bands_of([-1234, 0.0123, 0.04567, None], is_whole=False) == [-1200, 0.012, 0.046]
