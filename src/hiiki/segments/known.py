"""Conditions about what is known of people: tags, attributes, figures, friendships."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from hiiki.contacts.models import ContactAttribute, ContactTag, Friendship
from hiiki.db import Base
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.kit.road import Field, road
from hiiki.segments.comparisons import (
    AnyDayTest,
    ChoicesTest,
    ChoiceTest,
    KnownTest,
    Test,
    TextTest,
)
from hiiki.segments.conditions import AttributeIs, Befriended, FieldIs, OnList, Tagged
from hiiki.segments.models import ListMember
from hiiki.segments.people import Found, Maker, Rows, Set, columns_of, every
from hiiki.segments.predicates import holds, is_known, within
from hiiki.segments.proofs import Proof, Want
from hiiki.workspace.models import Channel


class Known(Maker):
    """Makes the sets of these conditions."""

    __slots__ = ()

    def tagged(self, rule: Tagged) -> Set:
        """Return who has one of the tags."""
        pieces = [self._with_tag(ident) for ident in rule.tag_ids]
        if len(pieces) == 1:
            return pieces[0]
        row = columns_of(ContactTag)
        any_of_them = self.mine(row, row.tag_id.in_(rule.tag_ids))
        return replace(any_of_them, pieces=[piece.query for piece in pieces])

    def _with_tag(self, tag_id: UUID) -> Set:
        row = columns_of(ContactTag)
        return self.mine(row, row.tag_id == tag_id, unique=True)

    def attribute(self, rule: AttributeIs, want: Want) -> Found:
        """Return the set that decides about a value of the shop's own."""

        def proof(row: Any) -> Proof:
            known, column = _value_in(row, rule.test)
            return Proof(known, rule.test, column, self.frame, rule.or_unknown)

        return self._of_a_value(
            ContactAttribute,
            proof,
            want,
            None,
            kind=rule.attribute_id,
            pick=lambda row: [row.attribute_id == rule.attribute_id],
        )

    def field(self, rule: FieldIs, want: Want) -> Found:
        """Return the set that decides about what a room has worked out."""
        field = field_named(rule.field)
        name = field.column.property.columns[0].name

        def proof(row: Any) -> Proof:
            column = row[name]
            known = is_known(column) if field.kind == "choice" else column.is_not(None)
            is_moment = field.kind == "moment"
            return Proof(known, rule.test, column, self.frame, rule.or_unknown, is_moment)

        nothing = None if field.nothing is None else holds(rule.test, field.nothing)
        return self._of_a_value(field.column.class_, proof, want, nothing)

    def _of_a_value(
        self,
        model: type[Base],
        proof: Callable[[Any], Proof],
        want: Want,
        nothing: bool | None,
        kind: Hashable = None,
        pick: Callable[[Any], list[Any]] = lambda _row: [],
    ) -> Found:
        """Return the set for a table with at most one row a person (of a kind).

        `nothing` is what is true of people without one.
        """
        asked = proof(columns_of(model))
        if asked.is_known_test and nothing is None:
            nothing = not asked.asks_known
        elif asked.or_unknown and nothing is None:
            nothing = True
        inside = not want.met(nothing)
        proves = want if inside else want.complement
        rows = Rows((model, kind), model, pick, lambda row: proof(row).of(proves))
        return self.of_rows(rows), inside

    def befriended(self, rule: Befriended) -> Set:
        """Return who is, or was, a friend in this way; of `never`, who ever was."""
        channel_id = rule.channel_id or self.frame.only_channel

        def proof(row: Any) -> Any:
            asked = list(within(rule.followed, row.followed_at, self.frame))
            if rule.status in ("following", "blocked"):
                asked.append(row.status == rule.status)
            if rule.sources:
                asked.append(row.source.in_(rule.sources))
            return every(asked)

        if channel_id is not None:
            kind = Friendship, channel_id
            return self.of_rows(
                Rows(kind, Friendship, lambda row: [row.channel_id == channel_id], proof)
            )
        row = columns_of(Friendship)
        found = self.mine(row, proof(row))
        if not rule.on_every:
            return found
        account = columns_of(Channel)
        accounts = select(func.count()).where(account.workspace_id == self.frame.workspace_id)
        all_of_them = func.count() == accounts.scalar_subquery()
        query = found.query.group_by(row.contact_id).having(all_of_them)
        return Set(query, row.contact_id, is_unique=True, is_closed=True)

    def on_list(self, rule: OnList) -> Set:
        """Return who is on the list."""
        row = columns_of(ListMember)
        return self.mine(row, row.list_id == rule.list_id, unique=True)


def _value_in(row: Any, test: Test) -> tuple[Any, Any]:
    """Return that an attribute has a value of the kind that is tested, and its column."""
    match test:
        case KnownTest():
            known = or_(
                is_known(row.text),
                row.number.is_not(None),
                row.day.is_not(None),
                is_known(row.choice),
                func.cardinality(row.choices) > 0,
            )
            return known, None
        case TextTest():
            return is_known(row.text), row.text
        case ChoiceTest():
            return is_known(row.choice), row.choice
        case ChoicesTest():
            return func.cardinality(row.choices) > 0, row.choices
        case _:
            column = row.day if isinstance(test, AnyDayTest) else row.number
            return column.is_not(None), column


def field_named(name: str) -> Field:
    """Return the field; raises `Invalid` when no room brings it (any more)."""
    found = road().fields.get(name)
    if found is None:
        raise Invalid(_("This segment refers to a field that no longer exists."))
    return found
