"""Which person some keys mean, and what they say that is new; knows no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from hiiki.contacts.keys import Key
from hiiki.kit.ids import contact_id as derive_contact_id
from hiiki.kit.ids import uuid7

CERTAIN = frozenset({"line"})
"""A LINE account is one person's; a machine may merge whom the shop's own systems join by it."""


@dataclass(slots=True)
class Book:
    """What is known of the keys of some rows, and what these rows say that is new."""

    workspace_id: UUID
    providers: list[str]
    known: dict[Key, UUID] = field(default_factory=dict[Key, UUID])
    kinds: dict[UUID, set[str]] = field(default_factory=dict[UUID, set[str]])
    """Of people whom only a weaker key may mean: of which kinds they have keys already."""
    parted: set[tuple[UUID, Key]] = field(default_factory=set[tuple[UUID, Key]])
    """Who had which key taken off."""
    erased: dict[Key, Sequence[str]] = field(default_factory=dict[Key, Sequence[str]])
    """Keys of people who were erased, and of what kinds they had keys."""
    revives: bool = True
    """Whether those may come back."""
    gone: set[UUID] = field(default_factory=set[UUID])
    """Ids that nobody new may get."""
    firsts: dict[Key, UUID] = field(default_factory=dict[Key, UUID])
    """By the strongest key of a row, the id that whoever is made by it gets (`first_id`)."""
    made: dict[UUID, None] = field(default_factory=dict[UUID, None])
    accounts: set[UUID] = field(default_factory=set[UUID])
    """Those of `made` who have an id of LINE's: they may add the account at the same moment."""
    noted: dict[Key, UUID] = field(default_factory=dict[Key, UUID])
    doubles: dict[tuple[UUID, UUID], dict[str, bool]] = field(
        default_factory=dict[tuple[UUID, UUID], dict[str, bool]]
    )
    """What two people have in common, and whether that alone makes it certain that they are one."""

    @property
    def has_news(self) -> bool:
        """True when there is something to be written."""
        return bool(self.made or self.noted or self.doubles)

    def place(self, keys: Sequence[Key], *, create: bool) -> UUID | None:
        """Return whom these keys mean, and note what they say that is new."""
        if create and keys and not (self.parted or self.erased or self._knows(keys)):
            return self._made(keys)
        found: UUID | None = None
        others: list[tuple[UUID, str, bool]] = []
        for at, (kind, key) in enumerate(keys):
            who = self.known.get((kind, key))
            if who is None or who == found:
                continue
            if found is None and not self._is_another(who, keys[:at]):
                found = who
            elif not self._has_parted(who, keys):
                others.append((who, kind, found is not None and kind in CERTAIN))
        if not create:
            return found
        if found is None:
            if not keys or (not self.revives and self._is_erased(keys)):
                return None
            found = self._new_id(keys)
            self.made[found] = None
        # Of what kinds their keys are, the next rows are to know: a family shares a telephone.
        mine = {kind for kind, key in keys if self.known.get((kind, key)) == found}
        self.kinds.setdefault(found, set()).update(mine)
        for who, kind, is_certain in others:
            if who != found:
                pair = min(found, who), max(found, who)
                self.doubles.setdefault(pair, {})[kind] = is_certain
        for key in keys:
            is_forgotten = key in self.erased and not self.revives
            if key not in self.known and not is_forgotten and (found, key) not in self.parted:
                self.note(key, found)
        return found

    def _knows(self, keys: Sequence[Key]) -> bool:
        known = self.known
        return any(key in known for key in keys)

    def _made(self, keys: Sequence[Key]) -> UUID:
        """Return a new person of whom nothing was known before; most of a first file are such."""
        found = self._new_id(keys)
        self.made[found] = None
        self.kinds.setdefault(found, set()).update([kind for kind, _key in keys])
        for key in keys:
            self.known[key] = self.noted[key] = found
        return found

    def note(self, key: Key, who: UUID) -> None:
        """Note that a key means this person."""
        self.known[key] = self.noted[key] = who
        self.kinds.setdefault(who, set()).add(key[0])

    def _is_another(self, who: UUID, stronger: Sequence[Key]) -> bool:
        has = self.kinds.get(who, set())
        return any(kind in has for kind, _key in stronger) or self._has_parted(who, stronger)

    def _has_parted(self, who: UUID, keys: Sequence[Key]) -> bool:
        return bool(self.parted) and any((who, key) in self.parted for key in keys)

    def _is_erased(self, keys: Sequence[Key]) -> bool:
        """True when these are of somebody erased, by the rule by which the living are found."""
        return any(
            key in self.erased and not any(kind in self.erased[key] for kind, _key in keys[:at])
            for at, key in enumerate(keys)
        )

    def _new_id(self, keys: Sequence[Key]) -> UUID:
        # Who is named by their LINE account is met under the same id when they add the account.
        for kind, key in keys:
            if kind == "line" and (kind, key) not in self.known and self.providers:
                ident = derive_contact_id(self.workspace_id, self.providers[0], key)
                self.accounts.add(ident)
                return ident
        ident = self.first(keys)
        return uuid7() if ident in self.gone else ident

    def first(self, keys: Sequence[Key]) -> UUID:
        """Return the id of who is made by these keys, if nobody has had it before."""
        ident = self.firsts.get(keys[0])
        if ident is None:
            ident = self.firsts[keys[0]] = first_id(self.workspace_id, keys)
        return ident


def first_id(workspace_id: UUID, keys: Sequence[Key]) -> UUID:
    """Return the id of who is made by these keys, if nobody has had it before."""
    kind, key = keys[0]
    return uuid5(workspace_id, f"{kind}:{key}")
