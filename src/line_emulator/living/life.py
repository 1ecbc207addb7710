"""Noticing what arrives, and doing things when their time has come."""

from __future__ import annotations

import heapq
import logging
import time

from ..acts import ActError
from ..agenda import duty
from ..audience.people import demographics
from ..model import Channel, Friendship, Json, Sending, User
from ..platform import Platform
from ..sending import arrival
from . import doing
from .dice import Dice
from .store import Behaviour, Living, Wave, Who, plan, read_plan

log = logging.getLogger("line_emulator.living")

DAY = 86_400.0
_LONGEST_MS = 30 * 86_400_000
_THOUGHTS = 500
"""So many people are thought of at one turn of the agenda …"""
_TURN_SECONDS = 0.005
"""… and for so long (of the machine's time) people act before others get their turn."""


def living(platform: Platform) -> Living:
    """The platform's living people."""
    return platform.store.of(Living)


def behave(platform: Platform, behaviours: list[Behaviour]) -> None:
    """Let people behave like this from now on; what they had in mind is forgotten."""
    here = living(platform)
    here.behaviours = behaviours
    here.waves.clear()
    here.life += 1
    if any(one.follow or one.unblock or one.drop_in for one in behaviours):
        now = platform.clock.now()
        platform.agenda.at(now, "living.day", {"life": here.life, "day": 1, "at": now})


def resume(platform: Platform) -> None:
    """Go on after a pause: what is overdue happens now."""
    here = living(platform)
    here.paused = False
    for number, wave in here.waves.items():
        _again(platform, number, wave)


def behaviour_of(platform: Platform, channel: Channel, user: User) -> Behaviour | None:
    """How this person behaves: the first behaviour that takes them."""
    here = living(platform)
    for place, one in enumerate(here.behaviours):
        if one.channel in (None, channel.id) and _takes(platform, here, one.who, place, user):
            return one
    return None


def _takes(platform: Platform, here: Living, who: Who, place: int, user: User) -> bool:
    if who.users is not None and user.id not in who.users:
        return False
    if (
        who.gender is not None
        or who.age_from is not None
        or who.age_to is not None
        or who.app_type is not None
        or who.areas is not None
    ):
        known = demographics(platform, user)
        if who.gender is not None and (known.gender or "unknown") != who.gender:
            return False
        if who.age_from is not None and (known.age is None or known.age < who.age_from):
            return False
        if who.age_to is not None and (known.age is None or known.age > who.age_to):
            return False
        if who.app_type is not None and known.app_type != who.app_type:
            return False
        if who.areas is not None and (known.area or "unknown") not in who.areas:
            return False
    return who.share >= 1 or Dice(here.seed, user.index, f"who{place}").happens(who.share)


# Noticing


@arrival
def notice(platform: Platform, channel: Channel, sending: Sending, people: list[str]) -> None:
    """A sending has reached these people: they will think about it."""
    here = living(platform)
    if not here.behaviours or not people:
        return
    wave = Wave(
        channel=channel.id,
        name=sending.message_ids[0],
        began=platform.clock.now(),
        message=sending.message_ids[0],
        request_id=sending.request_id,
        waiting=people,
    )
    _begin(platform, here, wave)


def _begin(platform: Platform, here: Living, wave: Wave) -> None:
    number = here.next_wave
    here.next_wave += 1
    here.waves[number] = wave
    _again(platform, number, wave)


@duty("living.day")
def _day(platform: Platform, data: Json) -> None:
    """A day of what people do of their own accord begins."""
    here = living(platform)
    if data["life"] != here.life:
        return  # others behave now
    for channel in list(platform.channels.values()):
        if any(one.channel in (None, channel.id) for one in here.behaviours):
            people = [user.id for user in platform.user_order]
            name = f"{channel.id}/day{data['day']}"
            _begin(platform, here, Wave(channel.id, name, data["at"], waiting=people))
    following = data["at"] + DAY / here.pace
    data = {"life": here.life, "day": data["day"] + 1, "at": following}
    platform.agenda.at(following, "living.day", data)


# Waves


@duty("living.wave")
def _wave(platform: Platform, data: Json) -> None:
    here = living(platform)
    number = data["wave"]
    wave = here.waves.get(number)
    channel = platform.channels.get(wave.channel) if wave is not None else None
    if wave is None or channel is None or here.paused:
        return
    if wave.thought < len(wave.waiting):
        _think(platform, here, channel, wave)
    else:
        _act(platform, here, channel, wave)
    if wave.thought >= len(wave.waiting) and not wave.plans:
        # Somebody's act may have made others behave differently, and dropped all waves.
        here.waves.pop(number, None)
    else:
        _again(platform, number, wave)


def _again(platform: Platform, number: int, wave: Wave) -> None:
    if wave.thought < len(wave.waiting):
        when = platform.clock.now()
    else:
        when = wave.began + read_plan(wave.plans[0])[0] / 1000
    platform.agenda.at(when, "living.wave", {"wave": number})


def _think(platform: Platform, here: Living, channel: Channel, wave: Wave) -> None:
    until = min(len(wave.waiting), wave.thought + _THOUGHTS)
    for place in range(wave.thought, until):
        user = platform.users.get(wave.waiting[place])
        behaviour = None if user is None else behaviour_of(platform, channel, user)
        if user is None or behaviour is None:
            continue
        if wave.message is None:
            seconds = _of_own_accord(here, channel, wave.name, behaviour, user)
        else:
            here.count("arrived")
            seconds = _when_opened(platform, here, channel, wave, behaviour, user)
        if seconds is not None:
            delay = min(_LONGEST_MS, int(seconds * 1000 / here.pace))
            wave.plans.append(plan(delay, user.index, acting=False))
    wave.thought = until
    if until == len(wave.waiting):
        wave.waiting, wave.thought = [], 0
        heapq.heapify(wave.plans)


def _when_opened(
    platform: Platform,
    here: Living,
    channel: Channel,
    wave: Wave,
    behaviour: Behaviour,
    user: User,
) -> float | None:
    dice = Dice(here.seed, user.index, f"open/{wave.name}")
    opens = dice.happens(behaviour.open)
    said = channel.phone(user.id).last_said_at
    if said is not None and wave.began - said <= doing.IN_CHAT_SECONDS / here.pace:
        # Who has just written has the chat before their eyes.
        return dice.pause(behaviour.before_acting)
    return dice.pause(behaviour.before_opening) if opens else None


def _of_own_accord(
    here: Living, channel: Channel, name: str, behaviour: Behaviour, user: User
) -> float | None:
    chance = {
        Friendship.NOT_FRIEND: behaviour.follow,
        Friendship.BLOCKED: behaviour.unblock,
        Friendship.FRIEND: behaviour.drop_in,
    }[channel.friendship(user.id)]
    dice = Dice(here.seed, user.index, f"own/{name}")
    return dice.throw() * DAY if dice.happens(chance) else None


def _act(platform: Platform, here: Living, channel: Channel, wave: Wave) -> None:
    due = int((platform.clock.now() - wave.began) * 1000)
    until = time.perf_counter() + _TURN_SECONDS
    while wave.plans and read_plan(wave.plans[0])[0] <= due:
        moment, index, acting = read_plan(heapq.heappop(wave.plans))
        user = platform.user_order[index]
        behaviour = behaviour_of(platform, channel, user)
        if behaviour is not None and _may(platform, here, behaviour, user):
            person = doing.Person(platform, here, channel, user, behaviour, wave)
            try:
                seconds = person.act() if acting else person.begin()
            except ActError as error:
                log.debug("%s: %s", user.id, error)
                here.count("impossible")
                seconds = None
            except Exception:
                # One person's mishap must not end the lives of all the others.
                log.exception("%s", user.id)
                platform.own_errors += 1
                seconds = None
            if seconds is not None:
                later = moment + int(seconds * 1000 / here.pace)
                heapq.heappush(wave.plans, plan(min(later, _LONGEST_MS), index, acting=True))
        if time.perf_counter() > until:
            return


def _may(platform: Platform, here: Living, behaviour: Behaviour, user: User) -> bool:
    today = platform.clock.day()
    if here.today != today:
        here.today = today
        here.done_today.clear()
    if here.done_today.get(user.index, 0) < behaviour.most_a_day:
        return True
    here.count("too_much")
    return False
