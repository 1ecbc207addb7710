"""Conditions as sets of contact ids.

A condition that is true of people of whom there is no row at all ("bought at most twice", "is
not known to be over 30") is given as the set of those of whom it is **not** true, and who is
meant stands outside of it.
"""

from __future__ import annotations

from hiiki.segments.conditions import (
    Answered,
    AttributeIs,
    Befriended,
    FieldIs,
    FirstOrLast,
    Happened,
    Messaged,
    OnList,
    Sequence,
    Tagged,
)
from hiiki.segments.happenings import Happenings
from hiiki.segments.known import Known
from hiiki.segments.people import Found
from hiiki.segments.proofs import Want

SetCondition = (
    Tagged
    | AttributeIs
    | FieldIs
    | Befriended
    | Answered
    | Happened
    | FirstOrLast
    | Sequence
    | Messaged
    | OnList
)


class Sets(Known, Happenings):
    """Makes the sets of conditions for one frame."""

    __slots__ = ()

    def of(self, rule: SetCondition, want: Want) -> Found:
        """Return the set that decides a condition."""
        match rule:
            case Tagged():
                return self.tagged(rule), want.holds == (rule.op != "has_not")
            case AttributeIs():
                return self.attribute(rule, want)
            case FieldIs():
                return self.field(rule, want)
            case Befriended(status="never"):
                return self.befriended(rule), not want.holds
            case Befriended():
                return self.befriended(rule), want.holds
            case Answered():
                return self.answered(rule), want.holds
            case Happened():
                found, inside = self.happened(rule)
                return found, inside == want.holds
            case FirstOrLast():
                return self.first_or_last(rule), want.holds
            case Sequence():
                return self.sequence(rule), want.holds
            case Messaged():
                return self.messaged(rule), want.holds
            case OnList():
                return self.on_list(rule), want.holds
