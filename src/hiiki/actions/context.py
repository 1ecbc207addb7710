"""The runner: what happens to one contact because of one event, in one transaction.

`Context.emit` records an event, lets rooms react to it and runs the rules that wait for
it. What is said along the way is gathered, and `Context.close` makes one parcel of it:
by the reply token while that is good (free), by push afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select

from hiiki.actions.models import Rule
from hiiki.db import WorkspaceSession
from hiiki.delivery.service import say
from hiiki.kit.forms import parse
from hiiki.kit.road import ActionKind, road
from hiiki.segments.service import contains
from hiiki.timeline import Event, record

log = structlog.get_logger()

MAX_DEPTH = 8
"""Events may cause events; a circle of rules ends here, and is logged."""


class Context:
    """What an action may use: the session, the person, the account, a way to speak."""

    def __init__(
        self,
        session: WorkspaceSession,
        contact_id: UUID,
        channel_id: UUID | None,
        *,
        reply_token: str | None = None,
        reply_until: datetime | None = None,
    ) -> None:
        self.session = session
        self.contact_id = contact_id
        self.channel_id = channel_id
        self.reply_token = reply_token
        self.reply_until = reply_until
        self.cause: Event | None = None
        """The event that is being reacted to."""
        self.answered = False
        """Set by a reaction that has dealt with what was said, so that nothing else answers."""
        self._said: list[dict[str, Any]] = []
        self._subject = ""
        self._depth = 0

    def say(self, messages: Sequence[dict[str, Any]], subject: str = "") -> None:
        """Say these LINE messages to the contact once the transaction is through."""
        self._said.extend(messages)
        self._subject = self._subject or subject

    async def emit(
        self,
        kind: str,
        *,
        at: datetime | None = None,
        subject: object = "",
        value: Decimal | int | None = None,
        data: dict[str, Any] | None = None,
    ) -> Event:
        """Record an event and let everything that waits for it run."""
        event = record(
            self.session,
            self.contact_id,
            kind,
            at=at,
            channel_id=self.channel_id,
            subject=subject,
            value=value,
            data=data,
        )
        if self._depth >= MAX_DEPTH:
            log.warning("rules.too_deep", kind=kind, contact_id=str(self.contact_id))
            return event
        outer, self.cause = self.cause, event
        self._depth += 1
        try:
            for reaction in road().reactions.get(kind, []):
                await reaction.run(self, event)
            await self._run_rules(event)
        finally:
            self._depth -= 1
            self.cause = outer
        return event

    async def run(self, actions: Sequence[dict[str, Any]]) -> None:
        """Run actions, each `{"kind": …, …parameters}`, in order."""
        for action in actions:
            kind, params = read_action(action)
            await kind.run(self, params)

    async def close(self) -> None:
        """Hand over what was said to delivery; nothing may be said afterwards."""
        if self._said and self.channel_id is not None:
            await say(
                self.session,
                contact_id=self.contact_id,
                channel_id=self.channel_id,
                messages=self._said,
                subject=self._subject,
                reply_token=self.reply_token,
                reply_until=self.reply_until,
            )
        self._said = []

    async def _run_rules(self, event: Event) -> None:
        rules = await self.session.scalars(
            select(Rule)
            .where(
                Rule.event_kind == event.kind,
                Rule.is_on.is_(True),
                Rule.event_subject.in_(("", event.subject)),
            )
            .order_by(Rule.position, Rule.id)
        )
        for rule in rules:
            if rule.segment_id is None or await contains(
                self.session, rule.segment_id, self.contact_id
            ):
                await self.run(rule.actions)


def read_action(action: dict[str, Any]) -> tuple[ActionKind, Any]:
    """Return the kind and the checked parameters of a stored action; raises `Invalid`."""
    kind = road().actions[action["kind"]]
    return kind, parse(kind.params, {k: v for k, v in action.items() if k != "kind"})
