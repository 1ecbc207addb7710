"""The runner: what happens to one contact because of one event, in one transaction.

`Context.emit` records an event, lets rooms react to it and runs the rules that wait for
it. What is said along the way is gathered, and `Context.close` makes one parcel of it:
by the reply token while that is good (free), by push afterwards.

What happens when an action cannot run
    When an action refuses with a `HiikiError` (the coupon is out of stock, the survey was
    deleted), what it had begun is undone, the refusal goes on the timeline as
    `action_failed`, and the other actions run: somebody who adds the account is a friend
    whatever became of the coupon. Nearly all refuse before they have written anything, and
    a savepoint for each costs more than most of them do. So where the event can be handled
    anew, none is set, and an action that refuses late ends the transaction (`MustUndo`);
    then the event is handled by itself with a savepoint for each action. Any other error is
    a fault of the program or the database: it ends the whole transaction, and the event is
    tried again (`hiiki.ingest`), so nothing is half done and nothing is lost silently.

What "answered" means
    A reaction that has dealt with what the contact said or tapped (a survey that was
    waiting for it) sets `context.answered`. Later reactions to that event and the rules
    that wait for it then do not run: a person gets one answer. It is about this event
    alone: events caused on the way (`survey_finish`) have their own reactions and rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
import structlog
from pydantic import BaseModel

from hiiki.actions.rulebook import Standing, rules_for
from hiiki.db import WorkspaceSession
from hiiki.delivery.service import note_left_out, say
from hiiki.delivery.topics import declines
from hiiki.kit.errors import HiikiError, Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import _
from hiiki.kit.road import ActionKind, road
from hiiki.segments.asking import memberships
from hiiki.timeline import Event, record

log = structlog.get_logger()

MAX_DEPTH = 8
"""Events may cause events; a circle of rules ends here, and is logged."""


class MustUndo(Exception):
    """An action has refused after it had written something, and stood in no savepoint."""


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
        is_silent: bool = False,
        rulebook: str | None = None,
        is_careful: bool = True,
    ) -> None:
        """`is_silent` drops whatever is said; `rulebook` is the state of the workspace's rules
        (`hiiki.actions.rulebook`), by which a worker need not read them anew for each event.

        Without `is_careful` actions stand in no savepoint, and `MustUndo` is raised when that
        would have been needed: for who can begin anew, with care."""
        self.session = session
        self.contact_id = contact_id
        self.channel_id = channel_id
        self.reply_token = reply_token
        self.reply_until = reply_until
        self.is_silent = is_silent
        self.rulebook = rulebook
        self._is_careful = is_careful
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
        await self.react(event)
        return event

    async def react(self, event: Event) -> None:
        """Let everything that waits for an event run; it stands on the timeline already."""
        kind = event.kind
        if self._depth >= MAX_DEPTH:
            log.warning("rules.too_deep", kind=kind, contact_id=str(self.contact_id))
            return
        outer = self.cause, self.answered
        self.cause, self.answered = event, False
        self._depth += 1
        try:
            for reaction in road().reactions.get(kind, []):
                await reaction.run(self, event)
                if self.answered:
                    break
            else:
                await self._run_rules(event)
        finally:
            self._depth -= 1
            self.cause, self.answered = outer

    async def run(self, actions: Sequence[dict[str, Any]], origin: str = "") -> None:
        """Run actions, each `{"kind": …, …parameters}`, in order.

        `origin` says what they belong to, such as `rule:<id>`. One that refuses is undone
        and recorded, and the others run (see above).
        """
        for action in actions:
            said, subject = len(self._said), self._subject
            written = self.session.writes
            try:
                kind, params = read_action(action)
                if self._is_careful:
                    async with self.session.begin_nested():
                        await kind.run(self, params)
                else:
                    await kind.run(self, params)
            except HiikiError as error:
                if not self._is_careful and self.session.writes != written:
                    raise MustUndo from error
                del self._said[said:]
                self._subject = subject
                self._refused(action, origin, error)

    async def close(self) -> None:
        """Hand over what was said to delivery; nothing may be said afterwards."""
        said, self._said = self._said, []
        if said and self.channel_id is not None and not self.is_silent:
            await say(
                self.session,
                contact_id=self.contact_id,
                channel_id=self.channel_id,
                messages=said,
                subject=self._subject,
                reply_token=self.reply_token,
                reply_until=self.reply_until,
                # What was said or tapped just now is answered whatever the hour, even where
                # the token has run out; all else comes unasked.
                is_triggered=self.reply_token is None,
            )

    async def _run_rules(self, event: Event) -> None:
        waiting = [
            rule
            for rule in await rules_for(self.session, event.kind, self.rulebook)
            if rule.event_subject in ("", event.subject)
        ]
        inside, asked_at = set[UUID](), -1
        for rule in waiting:
            if rule.segment_id is not None:
                # All at once, and anew when a rule has done something: by the same statement.
                if asked_at != self.session.writes:
                    inside = await self._inside(waiting)
                    asked_at = self.session.writes
                if rule.segment_id not in inside:
                    continue
            said, subject = len(self._said), self._subject
            await self.run(rule.actions, origin=f"rule:{rule.id}")
            if len(self._said) > said and await self._is_declined(rule):
                del self._said[said:]
                self._subject = subject

    async def _is_declined(self, rule: Standing) -> bool:
        """True when the contact wants no such messages; that it was not said is then recorded."""
        # Who has just said or tapped something asks for an answer, whatever they decline.
        if rule.topic_id is None or self.reply_token is not None or self.channel_id is None:
            return False
        if not await declines(self.session, self.contact_id, rule.topic_id):
            return False
        origin = f"rule:{rule.id}"
        note_left_out(self.session, self.contact_id, self.channel_id, origin, "opted_out")
        return True

    async def _inside(self, rules: Sequence[Standing]) -> set[UUID]:
        """Return the segments of these rules that the contact is in now."""
        wanted = {rule.segment_id for rule in rules if rule.segment_id is not None}
        found = await memberships(self.session, wanted, [self.contact_id])
        return {ident for ident, people in found.items() if people}

    def _refused(self, action: dict[str, Any], origin: str, error: HiikiError) -> None:
        log.warning("action.refused", kind=action.get("kind"), origin=origin, error=str(error))
        record(
            self.session,
            self.contact_id,
            "action_failed",
            channel_id=self.channel_id,
            subject=origin,
            data={
                "action": action.get("kind"),
                "error": error.message.english % dict(error.message.values),
                "message": error.message.english,
            },
        )


def read_action(action: dict[str, Any]) -> tuple[ActionKind, Any]:
    """Return the kind and the checked parameters of a stored action; raises `Invalid`."""
    kind = road().actions.get(str(action.get("kind", "")))
    if kind is None:
        raise Invalid(
            fields={
                "kind": _("This kind of action is not known: %(kind)s.", kind=action.get("kind"))
            }
        )
    return kind, _parsed(kind.params, orjson.dumps(action))


@lru_cache(maxsize=1024)
def _parsed(params: type[BaseModel], action: bytes) -> BaseModel:
    """Return an action's parameters. They are shared by all who run it: nobody changes them."""
    return parse(params, {k: v for k, v in orjson.loads(action).items() if k != "kind"})
