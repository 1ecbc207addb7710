"""From a rule to one SQL statement: the only place where a rule gets its meaning.

Every condition is a **set** of contact ids (`sets`); belonging to it is a semi-join, not
belonging to it an anti-join. A rule becomes a tree of sets that are joined, and the statement
begins from one of them: whoever is in a set of this workspace is a contact of it, so the table
of contacts is joined only where something is asked of its columns, or of people outside.

* `all` begins from a set in which nobody is twice, and the others are semi-joins that
  PostgreSQL puts into the order it likes.
* Sets of rows of which a person has one at most (a friendship, a value, what a room worked out)
  are one set: their conditions are asked of the row together.
* `any` is the UNION of its sets. With one that people stand **outside** of, nearly everybody is
  in; then it is asked who is not: an anti-join with those for whom none of it is true.

`not` never reaches SQL as NOT around a comparison, where NULL would swallow it. What is
wanted of a rule (that it be true, false, not true, not false) is carried down to the
conditions, and each says which rows prove it (see `rules` for the logic). There, a thing is
true or not, and De Morgan's laws hold.

A segment inside a segment is a part of the tree like any other. When it is referred to more than
once, it stands in the statement once (as a CTE), so that segments of segments of segments do not
grow without end.

With `contact_ids`, every set is those people's: the same statement tells who of them is in it,
in index look-ups alone.

Time: "now" and "today" are the frame's, so that all conditions of a statement agree; days
are those of the workspace's time zone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    exists,
    false,
    not_,
    or_,
    select,
    true,
    union,
)

from hiiki.contacts.models import Contact
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.segments.conditions import Everyone, InSegment, ProfileIs, Randomly, Tagged
from hiiki.segments.people import ONE, Set, columns_of
from hiiki.segments.predicates import Frame
from hiiki.segments.proofs import Want, in_share, profile_proof
from hiiki.segments.rules import AllOf, AnyOf, AnyRule, Not, walk
from hiiki.segments.sets import Sets


@dataclass(frozen=True, slots=True)
class Member:
    """Stands inside of a set, or outside."""

    of: Set
    inside: bool


@dataclass(frozen=True, slots=True)
class Column:
    """Something is true of the contact's own columns."""

    rule: ProfileIs
    want: Want


@dataclass(frozen=True, slots=True)
class Share:
    """Is in a share that chance picked, or is not."""

    rule: Randomly
    inside: bool


@dataclass(frozen=True, slots=True)
class Every:
    """All of these; of none, everybody."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of these at least; of none, nobody."""

    parts: tuple[Tree, ...]


Tree: TypeAlias = "Member | Column | Share | Every | Either"


def compile_rule(rule: AnyRule, frame: Frame, name: str = "segment") -> Select[UUID]:
    """Return the statement that gives the ids of all contacts for whom `rule` is true.

    `name` begins the names of its CTEs, which are to differ where statements are put together.

    It walls itself in, so it is marked `scoped_by_hand`; a statement that it becomes a part
    of has to say so too. Raises `Invalid` when segments refer to each other in a circle or
    to one that is not in the frame.
    """
    found = _Compiler(rule, frame, name).ids()
    return found.execution_options(scoped_by_hand=True)


def asked_of(
    rule: AnyRule, frame: Frame, contact_id: ColumnElement[UUID]
) -> list[ColumnElement[bool]]:
    """Return what must be true of an id, for `rule` to be true of the contact whose it is.

    `contact_id` is a column of a statement about contacts of the frame's workspace: of its
    friends, say. Otherwise as `compile_rule`.
    """
    compiler = _Compiler(rule, frame, "asked")
    return compiler.ask(compiler.tree(rule, Want.TRUE), contact_id, None)


def is_of_nearly_everybody(rule: AnyRule, frame: Frame) -> bool:
    """Tell whether the rule only says who is not meant, of all people."""
    return _is_broad(_Compiler(rule, frame, "segment").tree(rule, Want.TRUE))


class _Compiler:
    def __init__(self, rule: AnyRule, frame: Frame, name: str) -> None:
        self.rule = rule
        self.name = name
        self.frame = frame
        self.sets = Sets(frame)
        self.often = _referred_to_often(rule, frame)
        self.ctes: dict[UUID, Set] = {}
        self.open: list[UUID] = []

    def ids(self) -> Select[UUID]:
        return self.select(self.tree(self.rule, Want.TRUE))

    # --- from the rule to the tree ---

    def tree(self, rule: AnyRule, want: Want) -> Tree:
        match rule:
            case AllOf() | AnyOf():
                parts = tuple(self.tree(part, want) for part in rule.rules)
                is_every = isinstance(rule, AllOf) == want.holds
                whole = _every(parts) if is_every else _either(parts)
                return self.joined(whole)
            case Not(or_unknown=True):
                return self.tree(rule.rule, Want.NOT_TRUE if want.holds else Want.TRUE)
            case Not():
                return self.tree(rule.rule, want.opposite)
            case Everyone():
                return Every(()) if want.holds else Either(())
            case ProfileIs():
                return Column(rule, want)
            case Randomly():
                return Share(rule, want.holds)
            case InSegment():
                return self.in_segment(rule.segment_id, want)
            case Tagged(op="has_all") if len(rule.tag_ids) > 1:
                each = [Tagged(kind="tag", tag_ids=[ident]) for ident in rule.tag_ids]
                return self.tree(AllOf(kind="all", rules=list(each)), want)
            case _:
                found, inside = self.sets.of(rule, want)
                return Member(found, inside)

    def joined(self, tree: Tree) -> Tree:
        """Ask of one row at once what several parts ask of it."""
        if not isinstance(tree, Every | Either):
            return tree
        kinds: dict[Hashable, list[Member]] = {}
        for part in tree.parts:
            if isinstance(part, Member) and part.of.rows is not None:
                kinds.setdefault(part.of.rows.kind, []).append(part)
        parts = list(tree.parts)
        for same in kinds.values():
            if len(same) > 1:
                found, inside = self.sets.together(
                    [(each.of, each.inside) for each in same], is_every=isinstance(tree, Every)
                )
                parts[parts.index(same[0])] = Member(found, inside)
                parts = [part for part in parts if part not in same]
        return parts[0] if len(parts) == 1 else type(tree)(tuple(parts))

    def in_segment(self, ident: UUID, want: Want) -> Tree:
        if ident in self.open:
            raise Invalid(_("Segments refer to each other in a circle."))
        inner = self.frame.segments.get(ident)
        if inner is None:
            raise Invalid(_("This segment refers to a segment that no longer exists or is broken."))
        found = self.ctes.get(ident)
        if found is None:
            self.open.append(ident)
            # Whether somebody is in another segment is never unknown.
            wanted = Want.TRUE if ident in self.often or want.holds else Want.NOT_TRUE
            tree = self.tree(inner, wanted)
            self.open.pop()
            if ident not in self.often:
                return tree
            cte: CTE = self.select(tree).cte(f"{self.name}_{len(self.ctes) + 1}")
            found = Set(select(cte.c.contact_id), cte.c.contact_id, is_unique=True)
            self.ctes[ident] = found
        return Member(_again(found), want.holds)

    # --- from the tree to the statement ---

    def select(self, tree: Tree) -> Select[UUID]:
        """Return everybody for whom the tree is true, once."""
        match tree:
            case Member(of=found, inside=True):
                return found.ids()
            case Either() if not _is_broad(tree) and not _is_flat(tree):
                return _from(union(*self.pieces(tree)))
            case Every():
                return self.together(tree.parts)
            case _:
                return self.together((tree,))

    def pieces(self, either: Either) -> list[Select[UUID]]:
        """Return who is in each part, some perhaps twice; the contacts are read once at most."""
        flat = tuple(part for part in either.parts if _is_flat(part))
        found = [self.loose(part) for part in either.parts if not _is_flat(part)]
        return [*found, self.select(_either(flat))] if flat else found

    def loose(self, tree: Tree) -> Select[UUID]:
        if isinstance(tree, Member) and tree.inside:
            return tree.of.query
        return self.select(tree)

    def together(self, parts: Sequence[Tree]) -> Select[UUID]:
        """Begin with one part, and ask the others of each who is in it."""
        first = self.beginning(parts)
        rest = [part for part in parts if part is not first]
        match first:
            case Member(of=found) if found.is_closed:
                inner = found.query.subquery()
                return select(inner.c.contact_id).where(*self.asks(rest, inner.c.contact_id, None))
            case Member(of=found):
                asked = found.query.where(*self.asks(rest, found.column, None))
                return asked if found.is_unique else asked.group_by(found.column)
            case Either():
                inner = self.select(first).subquery()
                return select(inner.c.contact_id).where(*self.asks(rest, inner.c.contact_id, None))
            case _:
                person = columns_of(Contact)
                query = select(person.id.label("contact_id")).where(
                    person.workspace_id == self.frame.workspace_id, *self.sets.people(person.id)
                )
                return query.where(*self.asks(parts, person.id, person))

    def beginning(self, parts: Sequence[Tree]) -> Tree | None:
        """Return the part to begin with, or None to begin with the contacts."""
        if any(_has_column(part) for part in parts):
            return None
        inside = [part for part in parts if isinstance(part, Member) and part.inside]
        inside.sort(key=lambda part: (not part.of.is_unique, part.of.is_closed))
        if inside:
            return inside[0]
        unions = [part for part in parts if isinstance(part, Either)]
        return next((part for part in unions if not _is_broad(part) and not _is_flat(part)), None)

    def asks(self, parts: Sequence[Tree], contact_id: Any, person: Any) -> list[Any]:
        return [asked for part in parts for asked in self.ask(part, contact_id, person)]

    def ask(self, tree: Tree, contact_id: Any, person: Any) -> list[Any]:
        """Return what must be true of one contact: of her id, or her row if it is there."""
        match tree:
            case Member():
                is_in = tree.of.has(contact_id)
                return [is_in if tree.inside else not_(is_in)]
            case Share():
                found = in_share(tree.rule, contact_id)
                return found if tree.inside else [not_(and_(true(), *found))]
            case Column() if person is not None:
                return [profile_proof(tree.rule, person, self.frame).of(tree.want)]
            case Every():
                return self.asks(tree.parts, contact_id, person)
            case Either() if _is_flat(tree) and (person is not None or not _has_column(tree)):
                either = [self.ask(part, contact_id, person) for part in tree.parts]
                return [or_(false(), *(and_(true(), *each) for each in either))]
            case Either() if _is_broad(tree):
                return [not_(_has(self.select(_flipped(tree)), contact_id))]
            case Either():
                # Each once: of a heap of pieces PostgreSQL cannot tell how many people are in it.
                return [_has(union(*self.pieces(tree)), contact_id)]
            case Column():
                return [_has(self.select(tree), contact_id)]


def _every(parts: Sequence[Tree]) -> Tree:
    flat = [one for part in parts for one in (part.parts if isinstance(part, Every) else (part,))]
    if any(part == Either(()) for part in flat):
        return Either(())
    return flat[0] if len(flat) == 1 else Every(tuple(flat))


def _either(parts: Sequence[Tree]) -> Tree:
    flat = [one for part in parts for one in (part.parts if isinstance(part, Either) else (part,))]
    if any(part == Every(()) for part in flat):
        return Every(())
    return flat[0] if len(flat) == 1 else Either(tuple(flat))


def _flipped(tree: Tree) -> Tree:
    """Return what is true of everybody else."""
    match tree:
        case Member():
            return Member(tree.of, not tree.inside)
        case Share():
            return Share(tree.rule, not tree.inside)
        case Column():
            return Column(tree.rule, tree.want.complement)
        case Every():
            return _either([_flipped(part) for part in tree.parts])
        case Either():
            return _every([_flipped(part) for part in tree.parts])


def _is_broad(tree: Tree) -> bool:
    """Tell whether nearly everybody may be in it: people who stand outside of a set."""
    match tree:
        case Member():
            return not tree.inside
        case Every():
            return all(_is_broad(part) for part in tree.parts)
        case Either():
            return any(_is_broad(part) for part in tree.parts)
        case _:
            return False


def _has_column(tree: Tree) -> bool:
    """Tell whether it asks something of the contact's own row, outside of any set."""
    match tree:
        case Column():
            return True
        case Every():
            return any(_has_column(part) for part in tree.parts)
        case Either():
            return _is_flat(tree) and any(_has_column(part) for part in tree.parts)
        case _:
            return False


def _is_flat(tree: Tree) -> bool:
    """Tell whether the contact's row and id are all that is to be looked at."""
    match tree:
        case Member():
            return False
        case Every() | Either():
            return all(_is_flat(part) for part in tree.parts)
        case _:
            return True


def _again(found: Set) -> Set:
    """Return the set under another name, for its next place in the statement."""
    inner = found.query.subquery()
    return Set(select(inner.c.contact_id), inner.c.contact_id, is_unique=True)


def _from(ids: CompoundSelect[Any]) -> Select[UUID]:
    inner = ids.subquery()
    return select(inner.c.contact_id)


def _has(ids: Any, contact_id: Any) -> Any:
    inner = ids.subquery()
    return exists(select(ONE).where(inner.c.contact_id == contact_id))


def _referred_to_often(rule: AnyRule, frame: Frame) -> set[UUID]:
    """Return the segments that stand more than once in the rule and in what it refers to."""
    found: Counter[UUID] = Counter()
    waiting = [rule]
    while waiting:
        for _path, part in walk(waiting.pop()):
            if isinstance(part, InSegment):
                found[part.segment_id] += 1
                inner = frame.segments.get(part.segment_id)
                if found[part.segment_id] == 1 and inner is not None:
                    waiting.append(inner)
    return {ident for ident, times in found.items() if times > 1}


__all__ = ["Frame", "asked_of", "compile_rule", "is_of_nearly_everybody"]
