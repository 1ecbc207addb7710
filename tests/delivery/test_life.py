"""The life of parcels against a model: whatever happens, in whatever order, nobody gets it twice.

LINE is the emulator's own memory (keys it has accepted, tokens that are used); the machine plays
what lies between, two workers that may die at any step or come back late, staff who pause and
cancel, and the clock.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, text

from conftest import Shop, make_shop
from hiiki.contacts.models import Contact, Friendship
from hiiki.db import everywhere, scope
from hiiki.delivery import claim, service
from hiiki.delivery.models import Parcel, Send
from hiiki.delivery.record import Outcome, record
from hiiki.delivery.sweep import sweep
from hiiki.delivery.telling import tell
from hiiki.delivery.verdict import Claimed, after, before
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict
from hiiki.line.client import Answer
from hiiki.timeline.models import Event
from hiiki.workspace.models import Channel
from line_emulator.events import good_reply_token
from line_emulator.model import Friendship as Befriended
from line_emulator.model import ReplyToken, Sending
from line_emulator.platform import Platform
from line_emulator.platform import Setup as Emulated
from line_emulator.sending import accepted_before, deliver, remember_key

BY_HAND = {"scoped_by_hand": True}
FAULTS = (
    "",
    "500_before",
    "500_after",
    "timeout",
    "lost",
    "unreachable",
    "rate",
    "quota",
    "400",
    "401",
)
FATES = ("", "", "", "late", "dies before", "dies after")
DAY = 25 * 3600.0
EXAMPLES = int(os.environ.get("HIIKI_TEST_EXAMPLES", "25"))


Plan = tuple[int, list[str], list[str]]
PLANS = st.tuples(
    st.integers(1, 4),
    st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3),
    st.lists(st.sampled_from(FATES), min_size=1, max_size=3),
)
"""How many parcels a worker takes, what goes wrong with them at LINE, and what with the worker."""


class Line:
    """What LINE remembers: the emulator's own keys, tokens and phones, by its own clock."""

    def __init__(self) -> None:
        self.platform = Platform(Emulated())
        self.platform.clock.freeze()
        self.channel = self.platform.channel(None)

    def give_token(self, token: str, user: str) -> None:
        """Let this reply token answer to the person, from now on."""
        moment = self.platform.clock.now()
        self.channel.reply_tokens[token] = ReplyToken(user, moment, moment)

    @property
    def phones(self) -> Counter[str]:
        """How many messages each phone has got."""
        return Counter({user: len(one.entries) for user, one in self.channel.phones.items()})

    def handle(self, parcel: Claimed, fault: str) -> Answer:
        if fault == "unreachable":
            return Answer(0, None, None, {"message": "No answer from LINE"}, reached=False)
        if fault in ("500_before", "lost"):
            return Answer(500 if fault == "500_before" else 0, "r", None, {"message": "broken"})
        if fault == "401":
            return Answer(401, "r", None, {"message": "Authentication failed"})
        if fault == "rate":
            return Answer(429, "r", None, {"message": "The API rate limit has been exceeded."})
        answer = self._do(parcel, fault)
        if fault == "500_after":
            return Answer(500, "r", None, {"message": "broken"})
        if fault == "timeout":
            return Answer(0, None, None, {"message": "LINE did not answer in time"})
        return answer

    def _do(self, parcel: Claimed, fault: str) -> Answer:
        platform, channel = self.platform, self.channel
        if parcel.method == "reply":
            token = good_reply_token(platform, channel, parcel.reply_token or "")
            if token is None:
                return Answer(400, "r", None, {"message": "Invalid reply token"})
            token.used = True
        else:
            key = str(parcel.retry_key)
            before = accepted_before(platform, channel, key)
            if before is not None:
                body = {"message": "The retry key is already accepted"}
                return Answer(409, "r", before.request_id, body)
            if fault == "quota":
                return Answer(429, "r", None, {"message": "You have reached your monthly limit."})
            if fault == "400" and len(parcel.line_user_ids) > 1:
                return Answer(400, "r", None, {"message": "The property, 'to', is invalid"})
            remember_key(platform, channel, key, "first", None)
        for user in parcel.line_user_ids:
            channel.phone(user).friendship = Befriended.FRIEND
        sending = Sending(
            at_ms=platform.clock.now_ms(),
            channel_id=channel.id,
            via="reply" if parcel.method == "reply" else "push",
            request_id="r",
            messages_json=b"[]",
            message_ids=[],
            unit=None,
            retry_key=None,
            silent=False,
        )
        deliver(platform, channel, sending, list(parcel.line_user_ids))
        return Answer(200, "r", None, {})


class ParcelLife(RuleBasedStateMachine):
    loop: ClassVar[asyncio.AbstractEventLoop]

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    @initialize(people=st.integers(1, 6), personal=st.booleans(), replies=st.integers(0, 3))
    def begin(self, people: int, personal: bool, replies: int) -> None:
        self.line = Line()
        self.shift = 0.0
        """Seconds by which the world's clock is ahead of this machine's."""
        self.late: list[Outcome] = []
        """What LINE has answered, but nobody has written down."""
        self.wait(self._begin(people, personal, replies))

    async def _begin(self, people: int, personal: bool, replies: int) -> None:
        self.shop: Shop = await make_shop()
        self.channel = uuid4()
        users = [f"U{uuid4().hex}" for _ in range(people)]
        contacts = [uuid4() for _ in users]
        async with scope(self.shop.workspace_id) as session:
            session.add(
                Channel(
                    id=self.channel,
                    name="x",
                    line_channel_id=uuid4().hex,
                    provider="P",
                    sealed_secret=b"",
                    sealed_token=b"token",
                    webhook_key=uuid4().hex,
                )
            )
            session.add_all(Contact(id=contact) for contact in contacts)
            await session.flush()
            for contact, user in zip(contacts, users, strict=True):
                session.add(
                    Friendship(
                        contact_id=contact,
                        channel_id=self.channel,
                        line_user_id=user,
                        status="following",
                    )
                )
            await session.flush()
            send = await service.start_send(
                session,
                channel_id=self.channel,
                subject="x",
                messages=[{"type": "text", "text": "x"}],
                personal=personal,
                audience=select(Contact.id),
            )
            self.send = send.id
            for n in range(min(replies, people)):
                token = uuid4().hex
                # Said to somebody of their own, so that each phone counts one message only.
                user = f"U{uuid4().hex}"
                self.line.give_token(token, user)
                session.add(
                    Parcel(
                        channel_id=self.channel,
                        method="reply",
                        contact_ids=[contacts[n]],
                        line_user_ids=[user],
                        messages=[{"type": "text", "text": "y"}],
                        reply_token=token,
                        reply_until=now() + timedelta(seconds=60),
                    )
                )

    # ---- workers

    @rule(plan=PLANS)
    def bulk(self, plan: Plan) -> None:
        self.work(False, plan)

    @rule(plan=PLANS)
    def bulk_again_later(self, plan: Plan) -> None:
        self.time_passes(1.0)
        self.work(False, plan)

    @rule(plan=PLANS)
    def bulk_after_a_lease(self, plan: Plan) -> None:
        self.time_passes(40.0)
        self.work(False, plan)

    @rule(plan=PLANS)
    def urgent(self, plan: Plan) -> None:
        self.work(True, plan)

    @rule(plan=PLANS)
    def urgent_again_later(self, plan: Plan) -> None:
        self.time_passes(1.0)
        self.work(True, plan)

    @rule(urgent=st.booleans(), first=PLANS, second=PLANS)
    def one_worker_is_overtaken_by_another(self, urgent: bool, first: Plan, second: Plan) -> None:
        self.work(urgent, (first[0], first[1], ["late"]))
        self.time_passes(40.0)
        self.work(urgent, second)
        self.write_down_late()

    @rule(plan=PLANS)
    def staff_cancel_what_is_under_way(self, plan: Plan) -> None:
        self.work(False, plan)
        self.wait(self._staff("cancel"))
        self.wait(self._sweep())

    def work(self, urgent: bool, plan: Plan) -> None:
        """Claim, ask LINE, and write down what it said, unless the worker's fate is otherwise."""
        room, faults, fates = plan
        outcomes: list[Outcome] = []
        for n, parcel in enumerate(self.wait(self._take(room, urgent))):
            fate = fates[n % len(fates)]
            if fate == "dies before":
                continue
            outcome = self._ask(parcel, faults[n % len(faults)])
            if fate == "late":
                self.late.append(outcome)
            elif fate != "dies after":
                outcomes.append(outcome)
        self.wait(self._record(outcomes))

    def _ask(self, parcel: Claimed, fault: str) -> Outcome:
        parcel = replace(parcel, claimed_at=parcel.claimed_at + self.shift)
        moment = time.monotonic() + self.shift
        verdict = before(parcel, moment) or after(parcel, self.line.handle(parcel, fault), moment)
        return Outcome(parcel, verdict, b"token")

    async def _take(self, room: int, urgent: bool) -> list[Claimed]:
        async with everywhere() as session:
            if urgent:
                claimed, _more = await claim.claim_urgent(session, room)
                return claimed
            running = [s for s in await claim.running_sends(session) if s.id == self.send]
            return await claim.claim_bulk(session, running, room)

    @precondition(lambda self: self.late)
    @rule()
    def answers_are_written_down_late(self) -> None:
        self.write_down_late()

    def write_down_late(self) -> None:
        outcomes, self.late = self.late, []
        self.wait(self._record(outcomes))

    async def _record(self, outcomes: list[Outcome]) -> None:
        async with everywhere() as session:
            await record(session, outcomes)

    async def _sweep(self) -> None:
        async with everywhere() as session:
            await sweep(session)

    @rule()
    def the_timeline_is_told(self) -> None:
        self.wait(self._tell())

    async def _tell(self) -> None:
        async with everywhere() as session:
            await tell(session)

    # ---- the clock

    @rule(seconds=st.sampled_from([70.0, 1000.0, DAY]), is_swept=st.booleans())
    def much_time_passes(self, seconds: float, is_swept: bool) -> None:
        self.time_passes(seconds)
        if is_swept:
            self.wait(self._sweep())

    @rule(plan=PLANS)
    def bulk_a_day_later(self, plan: Plan) -> None:
        self.work(False, plan)
        self.time_passes(DAY)
        self.work(False, (4, [""], [""]))

    def time_passes(self, seconds: float) -> None:
        self.shift += seconds
        self.line.platform.clock.advance(seconds)
        self.wait(self._pass(seconds))

    async def _pass(self, seconds: float) -> None:
        async with everywhere() as session:
            await session.execute(
                text(
                    "update delivery.parcel set"
                    " first_attempt_at = first_attempt_at - make_interval(secs => :s),"
                    " next_attempt_at = next_attempt_at - make_interval(secs => :s),"
                    " reply_until = reply_until - make_interval(secs => :s)"
                ),
                {"s": seconds},
                execution_options=BY_HAND,
            )
            await session.execute(
                text(
                    "update delivery.budget set filled_at = filled_at - make_interval(secs => :s)"
                ),
                {"s": seconds},
                execution_options=BY_HAND,
            )

    # ---- staff

    @rule(verb=st.sampled_from(["pause", "resume", "resume", "cancel"]))
    def staff(self, verb: str) -> None:
        """Also with a new token from the owner, should LINE have refused the old one."""
        self.wait(self._staff(verb))
        self.wait(self._renew())
        self.wait(self._sweep())

    async def _staff(self, verb: str) -> None:
        try:
            async with scope(self.shop.workspace_id) as session:
                await getattr(service, verb)(session, self.send)
        except Conflict:
            pass

    async def _renew(self) -> None:
        async with everywhere() as session:
            await session.execute(
                text("update workspace.channel set paused_reason = null"), execution_options=BY_HAND
            )

    # ---- what must hold

    async def _world(self) -> tuple[Send, list[Parcel], Counter[UUID]]:
        async with scope(self.shop.workspace_id) as session:
            send = await session.one(Send, self.send)
            parcels = list(await session.scalars(select(Parcel)))
            events = Counter(await session.scalars(select(Event.contact_id)))
            return send, parcels, events

    @invariant()
    def nobody_twice_and_the_books_are_true(self) -> None:
        if not hasattr(self, "send"):
            return
        send, parcels, events = self.wait(self._world())
        assert all(count == 1 for count in self.line.phones.values())
        told: Counter[UUID] = Counter()
        counts: Counter[str] = Counter()
        for parcel in parcels:
            arrived = {self.line.phones[user] for user in parcel.line_user_ids}
            assert len(arrived) == 1, "one request reaches all or none"
            if parcel.state == "accepted":
                assert arrived == {1}
                told.update(parcel.contact_ids if parcel.is_told else [])
            elif parcel.state in ("refused", "cancelled"):
                assert arrived == {0}
            elif parcel.state == "ready" and parcel.first_attempt_at is None:
                assert arrived == {0}, "what may have arrived must be in doubt"
            if parcel.send_id is not None:
                counts[parcel.state] += len(parcel.contact_ids)
        assert events == told
        assert sum(counts.values()) == send.targeted
        assert (send.accepted, send.refused, send.in_doubt, send.cancelled) == tuple(
            counts[state] for state in ("accepted", "refused", "in_doubt", "cancelled")
        )
        if send.finished_at is not None:
            assert not counts["ready"] + counts["sending"]

    def teardown(self) -> None:
        """In calm weather everything comes to its end."""
        if not hasattr(self, "send"):
            return
        self.wait(self._renew())
        for _round in range(20):
            self.time_passes(700.0)
            self.wait(self._staff("resume"))
            self.wait(self._sweep())
            claimed = [*self.wait(self._take(10, True)), *self.wait(self._take(10, False))]
            self.wait(self._record([self._ask(parcel, "") for parcel in claimed]))
            if not claimed:
                break
        self.wait(self._tell())
        self.nobody_twice_and_the_books_are_true()
        send, parcels, _events = self.wait(self._world())
        assert all(p.is_told for p in parcels if p.state == "accepted")
        assert not [p for p in parcels if p.state in ("ready", "sending")]
        assert send.finished_at is not None
        assert send.state in ("done", "cancelled")


async def test_parcel_life(db: str) -> None:
    ParcelLife.loop = asyncio.get_running_loop()
    await asyncio.to_thread(
        run_state_machine_as_test,
        ParcelLife,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
