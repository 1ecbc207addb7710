"""From counts to what a page shows: shares beside each other, differences, the sentence's parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hiiki.kit.statistics import wilson
from hiiki.personas.certainty import (
    CERTAIN,
    VERY_CERTAIN,
    apart,
    apart_means,
    means_effect,
    others_are_part,
    share_effect,
)
from hiiki.personas.crowd import MOST_VALUES
from hiiki.personas.findings import Figures, Trait, Value


@dataclass(frozen=True, slots=True)
class Finding:
    """One value of a trait, in the group beside those it is compared with."""

    trait: Trait
    value: Value
    hits: int
    known: int
    """In the group."""
    share: float
    low: float
    high: float
    """The share's 95% Wilson interval."""
    other: float
    """The share of those they are compared with, whole."""
    lift: float | None
    """`share` divided by `other`; None where nobody else has it."""
    effect: float
    """Cohen's h."""
    certainty: str
    """very, certain, unsure, or few where nothing could be tested."""
    before: float | None = None
    """The share in the reading before."""
    is_asked: bool = False
    """Whether the group's own rule asks for it, so that it is no discovery."""

    @property
    def difference(self) -> float:
        """In shares: 0.1 is ten points more."""
        return self.share - self.other

    @property
    def is_certain(self) -> bool:
        """Whether it is called a difference at all."""
        return self.certainty in ("very", "certain")


@dataclass(frozen=True, slots=True)
class Mean:
    """A number's mean in the group beside that of those it is compared with."""

    trait: Trait
    mean: float
    known: int
    other: float
    effect: float
    """Cohen's d."""
    certainty: str
    is_asked: bool

    @property
    def is_certain(self) -> bool:
        """Whether it is called a difference at all."""
        return self.certainty in ("very", "certain")


def certainty(q: float | None) -> str:
    """Return how sure a difference is, in a word that `words` has a sentence for."""
    if q is None:
        return "few"
    return "very" if q < VERY_CERTAIN else "certain" if q < CERTAIN else "unsure"


def findings(figures: Figures, before: Figures | None = None) -> list[Finding]:
    """Return every share that can be compared, in the order of the traits."""
    is_part = others_are_part(figures.people)
    earlier = shares(before) if before is not None else {}
    # Nobody had what is not listed, unless the list had to end somewhere.
    absent = {key: 0.0 for key, some in earlier.items() if len(some) < MOST_VALUES}
    asked = set(figures.asked)
    found: list[Finding] = []
    for trait in figures.traits:
        known, reference = trait.known[1], trait.known[2]
        if not known or not reference:
            continue
        for value in trait.values:
            share = value.counts[1] / known
            other = value.counts[2] / reference
            hits, of = (
                apart(value.counts, is_part=is_part),
                apart(trait.known, is_part=is_part),
            )
            low, high = wilson(value.counts[1], known)
            found.append(
                Finding(
                    trait=trait,
                    value=value,
                    hits=value.counts[1],
                    known=known,
                    share=share,
                    low=low,
                    high=high,
                    other=other,
                    lift=share / other if other else None,
                    effect=share_effect(hits[0] / of[0], hits[1] / of[1]) if min(of) else 0.0,
                    certainty=certainty(value.q),
                    is_asked=f"{trait.key}={value.value}" in asked or trait.key in asked,
                    before=earlier.get(trait.key, {}).get(value.value, absent.get(trait.key)),
                )
            )
    return found


def shares(figures: Figures) -> dict[str, dict[str, float]]:
    """Return trait → value → the group's share."""
    return {
        trait.key: {value.value: value.counts[1] / trait.known[1] for value in trait.values}
        for trait in figures.traits
        if trait.known[1]
    }


def means_of(figures: Figures) -> list[Mean]:
    """Return every mean that can be compared, the greatest difference first."""
    is_part = others_are_part(figures.people)
    found: list[Mean] = []
    for trait in figures.traits:
        if trait.means is None:
            continue
        own, reference = trait.means[1], trait.means[2]
        if own.mean is None or reference.mean is None:
            continue
        sides = apart_means(trait.means, is_part=is_part)
        found.append(
            Mean(
                trait=trait,
                mean=own.mean,
                known=own.n,
                other=reference.mean,
                effect=means_effect(*sides),
                certainty=certainty(trait.q),
                is_asked=trait.key in figures.asked,
            )
        )
    return sorted(found, key=lambda one: -abs(one.effect))


def striking(found: Iterable[Finding], most: int) -> list[Finding]:
    """Return the greatest certain differences, at most three of one trait."""
    chosen: list[Finding] = []
    taken: dict[str, int] = {}
    for one in sorted(found, key=lambda one: -abs(one.effect)):
        if one.is_certain and not one.is_asked and taken.get(one.trait.key, 0) < 3:
            taken[one.trait.key] = taken.get(one.trait.key, 0) + 1
            chosen.append(one)
    return chosen[:most]


def typical(found: Sequence[Finding]) -> list[Finding]:
    """Return for each trait of which one has one value the most frequent in the group."""
    best: dict[str, Finding] = {}
    for one in found:
        if one.trait.kind == "one" and one.hits:
            known = best.get(one.trait.key)
            if known is None or one.hits > known.hits:
                best[one.trait.key] = one
    return list(best.values())


def on_one_scale(figures: Figures) -> list[Trait]:
    """Return the traits whose values can stand around one picture: three to ten of them."""
    return [
        trait
        for trait in figures.traits
        if 3 <= len(trait.values) <= 10 and trait.known[1] and trait.known[2]
    ]
