"""What is wanted of a condition, and which rows prove it, where a value may be unknown."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, and_, func, literal, not_, or_

from hiiki.segments.comparisons import KnownTest, Test
from hiiki.segments.conditions import PROFILE_FIELDS, ProfileIs, Randomly
from hiiki.segments.predicates import Frame, is_known, passes


class Want(Enum):
    """What is asked of a part of the rule."""

    TRUE = "true"
    FALSE = "false"
    NOT_TRUE = "not true"
    NOT_FALSE = "not false"

    @property
    def holds(self) -> bool:
        """For what is never unknown, `TRUE` and `NOT_FALSE` are one; so are the other two."""
        return self in (Want.TRUE, Want.NOT_FALSE)

    @property
    def opposite(self) -> Want:
        """What is wanted of what a `not` negates: unknown stays unknown."""
        return _OPPOSITE[self]

    @property
    def complement(self) -> Want:
        """What is true of everybody else."""
        return _COMPLEMENT[self]

    def met(self, truth: bool | None) -> bool:
        """Tell whether this is what was wanted."""
        match self:
            case Want.TRUE:
                return truth is True
            case Want.FALSE:
                return truth is False
            case Want.NOT_TRUE:
                return truth is not True
            case Want.NOT_FALSE:
                return truth is not False


_OPPOSITE = {
    Want.TRUE: Want.FALSE,
    Want.FALSE: Want.TRUE,
    Want.NOT_TRUE: Want.NOT_FALSE,
    Want.NOT_FALSE: Want.NOT_TRUE,
}
_COMPLEMENT = {
    Want.TRUE: Want.NOT_TRUE,
    Want.NOT_TRUE: Want.TRUE,
    Want.FALSE: Want.NOT_FALSE,
    Want.NOT_FALSE: Want.FALSE,
}


@dataclass(frozen=True, slots=True)
class Proof:
    """Which rows prove what is wanted of a comparison; of two values, though a column has three."""

    known: Any
    test: Test
    column: Any
    frame: Frame
    or_unknown: bool = False
    is_moment: bool = False

    @property
    def is_known_test(self) -> bool:
        """The test asks about the value itself."""
        return isinstance(self.test, KnownTest)

    @property
    def asks_known(self) -> bool:
        """Of the two such tests it is this one."""
        return self.test.op == "known"

    def of(self, want: Want) -> Any:
        """Return the expression, which is never NULL where it matters."""
        known = self.known
        if self.is_known_test:
            return known if want.holds == self.asks_known else not_(known)
        passing = passes(self.test, self.column, self.frame, is_moment=self.is_moment)
        if self.or_unknown:
            return or_(not_(known), passing) if want.holds else and_(known, not_(passing))
        match want:
            case Want.TRUE:
                return and_(known, passing)
            case Want.FALSE:
                return and_(known, not_(passing))
            case Want.NOT_TRUE:
                return or_(not_(known), not_(passing))
            case Want.NOT_FALSE:
                return or_(not_(known), passing)


def profile_proof(rule: ProfileIs, person: Any, frame: Frame) -> Proof:
    """Return what proves a condition about a column of the contact itself."""
    column = person[rule.field]
    is_text = PROFILE_FIELDS[rule.field] in ("text", "choice")
    known = is_known(column) if is_text else column.is_not(None)
    return Proof(known, rule.test, column, frame, rule.or_unknown)


def in_share(rule: Randomly, contact_id: Any) -> list[Any]:
    """Return that a contact's place lies in the share.

    The place is the first 32 bits of the MD5 of the id's 16 bytes and the seed's, written in
    hexadecimal digits, which "C" sorts as their numbers. MD5 will be the same in every version
    of PostgreSQL (its own hash functions need not be) and costs a third of SHA-256.
    """
    seed: ColumnElement[bytes] = literal(rule.seed.encode(), LargeBinary)
    place = func.md5(func.uuid_send(contact_id).concat(seed)).collate("C")
    found: list[Any] = []
    if rule.low > 0:
        found.append(place >= _digits(rule.low))
    if rule.high < 100:
        found.append(place < _digits(rule.high))
    return found


def _digits(percent: Decimal) -> str:
    return f"{ceil(percent * 2**32 / 100):08x}"
