"""The one road in for orders: from the API, a shop system's posts and files alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from hiiki.contacts.identities import Keys, meant, normal, resolve
from hiiki.contacts.keys import Key
from hiiki.db import WorkspaceSession
from hiiki.kit.clock import now
from hiiki.kit.i18n import _
from hiiki.purchases import carts, reactions, subscriptions
from hiiki.purchases.models import COUNTED
from hiiki.purchases.orders import OrderIn, Taken, currency, digest, fault, order_id
from hiiki.purchases.undoing import AT_MOST, remember
from hiiki.purchases.writing import (
    Version,
    follow,
    hold,
    hold_people,
    insert,
    remove,
    run,
    sum_up,
)


@dataclass(slots=True)
class Brought:
    """Whom orders have brought that nobody knew."""

    made: set[UUID] = field(default_factory=set[UUID])
    noted: dict[Key, UUID] = field(default_factory=dict[Key, UUID])
    """Keys that were not known before, and whose they are."""


_NOBODY = Keys()
_ZERO = Decimal(0)

_STANDING = text(
    """
    select id, contact_id, digest, updated_at, import_id, refunds, refunded, reference, cart,
        subscription
    from purchases.order where workspace_id = :workspace_id and id = any(cast(:orders as uuid[]))
    """
)
_BUMP = text(
    """
    update purchases.order o set updated_at = k.at
    from unnest(cast(:contacts as uuid[]), cast(:orders as uuid[]), cast(:moments as timestamptz[]))
        as k(contact_id, id, at)
    where o.workspace_id = :workspace_id and o.contact_id = k.contact_id and o.id = k.id
    """
)


@dataclass(slots=True)
class _Case:
    """One order that came in, and what stands of it."""

    ident: UUID
    order: OrderIn
    is_file: bool
    contact_id: UUID | None = None
    standing: Any = None
    digest: str = ""

    @property
    def is_older(self) -> bool:
        """Whether what stands is to be believed rather than this."""
        said, standing = self.order.updated_at, self.standing
        if self.is_file and standing.import_id is None:
            # The shop's system has told it itself; a file knows better only if it is later.
            return said is None or said <= standing.updated_at
        return said is not None and said < standing.updated_at


async def take(
    session: WorkspaceSession,
    orders: Sequence[OrderIn],
    *,
    import_id: UUID | None = None,
    dry: bool = False,
    brought: Brought | None = None,
) -> list[Taken]:
    """Take orders, at most `AT_MOST`, and say of each what became of it, in their order.

    An order comes in once, by its source and number, however often and by however many at once
    it is brought. A later version (by `updated_at`) changes it, an older one or a repeat changes
    nothing. It belongs to whom its keys name, also when that is somebody else than before.
    What comes by an import starts no rules, and replaces what a shop's system has told itself only
    where it says that it is later. With `dry` nothing is written. `brought` gets whom they bring.
    """
    if len(orders) > AT_MOST:
        raise ValueError(f"at most {AT_MOST} orders at once")
    ids = [order_id(session.workspace_id, each.source, each.number) for each in orders]
    taken: list[Taken | None] = [None] * len(orders)
    latest: dict[UUID, int] = {}
    present = now()
    for n, (ident, order) in enumerate(zip(ids, orders, strict=True)):
        if (found := fault(order, present)) is not None:
            taken[n] = Taken("refused", ident, reason=found[1], field=found[0])
        elif ident not in latest or _is_later(order, orders[latest[ident]]):
            latest[ident] = n
    is_file = import_id is not None
    cases = [_Case(ident, orders[n], is_file) for ident, n in latest.items()]
    new = Brought() if brought is None else brought
    outcomes = await _take(session, cases, import_id, new, dry=dry) if cases else {}
    for n, ident in enumerate(ids):
        if taken[n] is None:
            done = outcomes[ident]
            is_latest = latest[ident] == n or done.outcome == "refused"
            taken[n] = done if is_latest else Taken("same", ident, done.contact_id)
    return [each for each in taken if each is not None]


def _is_later(order: OrderIn, than: OrderIn) -> bool:
    if order.updated_at is None or than.updated_at is None:
        return than.updated_at is None or order.updated_at is None
    return order.updated_at >= than.updated_at


async def _take(
    session: WorkspaceSession,
    cases: list[_Case],
    import_id: UUID | None,
    brought: Brought,
    *,
    dry: bool,
) -> dict[UUID, Taken]:
    if not dry:
        await hold(session, [case.ident for case in cases])
    await _look_up(session, cases)
    keys = [case.order.keys for case in cases]
    if dry:
        people = await resolve(session, keys, create=False)
    else:
        begin = [_begins(case) for case in cases]
        # A file may be older than the wish of somebody in it to be erased.
        found = await meant(session, keys, revive=import_id is None, begin=begin)
        brought.made |= found.made.keys()
        brought.noted |= found.noted
        people = found.people
    for case, contact_id in zip(cases, people, strict=True):
        case.contact_id = contact_id or case.contact_id
    moment = now()
    outcomes = {case.ident: _judge(case, dry=dry) for case in cases}
    if dry:
        return outcomes
    changing = [case for case in cases if outcomes[case.ident].outcome in ("new", "changed")]
    await _bump(session, [case for case in cases if outcomes[case.ident].outcome == "same"])
    if changing:
        changing = await _hold_people(session, changing, outcomes)
        await _write(session, changing, import_id, moment, brought.made)
    return outcomes


def _begins(case: _Case) -> Mapping[str, Any]:
    """Return with what somebody begins whom this order makes (`contacts.noting.PROFILE`)."""
    order = case.order
    bought = case.standing is None and order.status in COUNTED
    return {"real_name": order.name or None, "is_purchaser": bought}


async def _look_up(session: WorkspaceSession, cases: Sequence[_Case]) -> None:
    """Note what stands of the orders, and whose those without a key are."""
    rows = await run(session, _STANDING, orders=[case.ident for case in cases])
    standing = {row.id: row for row in rows}
    for case in cases:
        case.standing = standing.get(case.ident)
        if case.standing is not None:
            case.contact_id = case.contact_id or case.standing.contact_id
            case.order = _completed(case.order, case.standing)


def _completed(order: OrderIn, standing: Any) -> OrderIn:
    """Return an order with what is known of it already and it does not say."""
    refunds = order.refunds
    if "" in refunds and order.refunded == standing.refunded:
        # The same in all: which refunds they were is known, and each is to come in once.
        refunds = {key: Decimal(value) for key, value in standing.refunds.items()}
    return replace(
        order,
        refunds=refunds,
        reference=standing.reference if order.reference is None else order.reference,
        cart=standing.cart if order.cart is None else order.cart,
        subscription=(standing.subscription if order.subscription is None else order.subscription),
    )


def _judge(case: _Case, *, dry: bool) -> Taken:
    order, standing = case.order, case.standing
    if case.contact_id is None and not (dry and order.keys != _NOBODY):
        if normal(order.keys):
            erased = _("This person has been erased, and does not come back by a file.")
            return Taken("refused", case.ident, reason=erased, field="keys")
        return Taken("refused", case.ident, reason=_(
            "It does not say whose order it is: a customer number, an e-mail address, a phone "
            "number or a LINE user id is needed."
        ), field="keys")  # fmt: skip
    case.digest = digest(order)
    if standing is None:
        return Taken("new", case.ident, case.contact_id)
    is_same = case.digest == standing.digest and case.contact_id == standing.contact_id
    if case.is_older or is_same:
        return Taken("same", case.ident, standing.contact_id)
    return Taken("changed", case.ident, case.contact_id)


async def _bump(session: WorkspaceSession, same: Sequence[_Case]) -> None:
    """Keep the latest moment at which an order was told as it stands, so that what is older
    than that, and comes late, changes nothing."""
    later = [
        (case.standing.contact_id, case.ident, case.order.updated_at)
        for case in same
        if case.order.updated_at is not None and case.order.updated_at > case.standing.updated_at
    ]
    if later:
        contacts, orders, moments = zip(*later, strict=True)
        await run(
            session, _BUMP, contacts=list(contacts), orders=list(orders), moments=list(moments)
        )


async def _hold_people(
    session: WorkspaceSession, cases: list[_Case], outcomes: dict[UUID, Taken]
) -> list[_Case]:
    """Lock the people concerned, so that sums of theirs are made one after the other.

    Returns the orders whose person is still there.
    """
    concerned = {case.contact_id for case in cases if case.contact_id is not None}
    concerned |= {case.standing.contact_id for case in cases if case.standing is not None}
    there = await hold_people(session, concerned)
    known = [case for case in cases if case.standing is not None]
    if known:
        # Whose they were may have been merged into somebody else just before.
        await _look_up(session, known)
    for case in cases:
        if case.contact_id not in there:
            reason = _("Its customer has just been erased or merged. Please send it again.")
            outcomes[case.ident] = Taken("refused", case.ident, reason=reason)
    return [case for case in cases if case.contact_id in there]


async def _write(
    session: WorkspaceSession,
    cases: list[_Case],
    import_id: UUID | None,
    moment: datetime,
    made: Collection[UUID],
) -> None:
    old = [(case.standing.contact_id, case.ident) for case in cases if case.standing is not None]
    removed = await remove(session, old)
    added: list[Version] = []
    names: dict[str, str] = {}
    for case in cases:
        before = removed.get(case.ident)
        version = _version(session.workspace_id, case, moment)
        version.order["import_id"] = import_id
        if before is not None:
            version.order["received_at"] = before.order["received_at"]
            if import_id is not None:
                remember(version, before, import_id)
        added.append(version)
        if case.order.store is not None:
            names[case.order.store.code] = case.order.store.name
    await insert(session, added)
    is_live = import_id is None
    await follow(session, removed.values(), added, names, renames=is_live, made=made)
    await subscriptions.follow_orders(session, removed.values(), added, is_live=is_live)
    await carts.end_by_orders(session, added)
    if is_live:
        await reactions.react(session, removed, added)


def _moment(case: _Case, moment: datetime) -> datetime:
    """Return when this version was made."""
    order = case.order
    if order.updated_at is not None:
        return order.updated_at
    if not case.is_file:
        return moment
    # A file that does not say it is older than anything the shop's system tells from now on.
    return order.at if case.standing is None else max(order.at, case.standing.updated_at)


def _version(workspace_id: UUID, case: _Case, moment: datetime) -> Version:
    order, contact_id = case.order, case.contact_id
    quantity = sum((line.quantity for line in order.lines), start=_ZERO)
    row = {
        "workspace_id": workspace_id,
        "contact_id": contact_id,
        "id": case.ident,
        "source": order.source,
        "number": order.number,
        "reference": order.reference or "",
        "at": order.at,
        "status": order.status,
        "currency": order.currency or currency(),
        "amount": order.total,
        "discount": order.discount,
        "shipping": order.shipping,
        "refunds": {key: str(value) for key, value in order.refunds.items()},
        "refunded": order.refunded if order.refunds else _ZERO,
        "items": quantity,
        "lines": len(order.lines),
        "store": order.store.code if order.store else "",
        "cart": order.cart or "",
        "subscription": order.subscription or "",
        "digest": case.digest,
        "updated_at": _moment(case, moment),
        "received_at": moment,
        "import_id": None,
        "previous": None,
        "owners": None,
    }
    lines = [
        {
            "workspace_id": workspace_id,
            "contact_id": contact_id,
            "order_id": case.ident,
            "position": position,
            "product": line.product,
            "name": line.name,
            "variant": line.variant,
            "quantity": line.quantity,
            "amount": line.amount,
        }
        for position, line in enumerate(order.lines)
    ]
    return Version(row, lines)


async def merged(session: WorkspaceSession, keep: UUID, _gone: UUID) -> None:
    """Work out anew what somebody has bought, into whom another was merged."""
    await sum_up(session, [keep])
    await subscriptions.count(session, [keep])
