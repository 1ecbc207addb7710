"""Insight: seven operations (reference, "Insights")."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from ..api.operation import Answer, Call, LineError, answer, not_found, operation
from ..audience.people import AREAS, age_group, demographics, friend_days
from ..limits import PER_HOUR_60
from ..model import Friendship, Json
from ..narrowcast.store import narrowcasts
from ..richmenu import record as menu_record
from ..richmenu.store import menus_of
from ..validation.messages import UNIT_NAME
from . import acts as _acts  # the acts belong to the feature: loading one loads the other
from .dates import days_between, read_day, write_day, years_before
from .friends import everybody, standing, suffices
from .record import Record, Records
from .shown import PRIVACY, statistics
from .tally import Tally, together

__all__ = ["_acts"]

DELIVERIES_SINCE = date(2017, 3, 1)
FOLLOWERS_SINCE = date(2016, 11, 1)
"""LINE counts from these days on (reference, "Get number of message deliveries", "… followers")."""
DEMOGRAPHIC_DAYS = 3
"""Demographic figures are about so many days old (reference, "Get friend demographics")."""
MAX_UNIT_SPAN = 30
MENU_YEARS = 3
MENU_SUMMARY_SPAN = 396
MENU_DAILY_SPAN = 99
_VIA = {
    "broadcast": "apiBroadcast",
    "push": "apiPush",
    "multicast": "apiMulticast",
    "narrowcast": "apiNarrowcast",
    "reply": "apiReply",
    "pnp": "pnpNoticeMessage",
}
_PERIODS = (
    (7, "within7days"),
    (30, "within30days"),
    (90, "within90days"),
    (180, "within180days"),
    (365, "within365days"),
)


def _today(call: Call) -> date:
    today = read_day(call.platform.clock.day())
    assert today is not None
    return today


def _day(call: Call) -> date:
    given = call.query.get("date")
    if not given:
        raise LineError(400, "date is required")
    day = read_day(given)
    if day is None:
        raise LineError(400, "Bad Request")
    return day


# Days


@operation("GET", "/v2/bot/insight/message/delivery", limit=PER_HOUR_60)
async def deliveries(call: Call) -> Answer:
    """Get number of message deliveries. What was not sent at all is left out."""
    day = _day(call)
    if day < DELIVERIES_SINCE:
        return answer({"status": "out_of_service"})
    if day >= _today(call):
        return answer({"status": "unready"})
    body: Json = {"status": "ready"}
    wanted = write_day(day)
    for (via, sent_on), count in call.channel.sent_by_day.items():
        if sent_on == wanted and via in _VIA and count:
            body[_VIA[via]] = count
    return answer(body)


@operation("GET", "/v2/bot/insight/followers", limit=PER_HOUR_60)
async def followers(call: Call) -> Answer:
    """Get number of followers."""
    day = _day(call)
    if day < FOLLOWERS_SINCE or day >= _today(call):
        status = "out_of_service" if day < FOLLOWERS_SINCE else "unready"
        return answer(
            {"status": status, "followers": None, "targetedReaches": None, "blocks": None}
        )
    then = await standing(call.platform, call.channel, write_day(day))
    return answer(
        {
            "status": "ready",
            "followers": then.followers,
            "targetedReaches": then.reach,
            "blocks": then.blocks,
        }
    )


@operation("GET", "/v2/bot/insight/demographic", limit=PER_HOUR_60)
async def demographic(call: Call) -> Answer:
    """Get friend demographics: of those who have been friends for about three days or more."""
    platform, channel = call.platform, call.channel
    counts: dict[str, dict[str, int]] = {
        "gender": {}, "age": {}, "area": {}, "appType": {}, "subscriptionPeriod": {},
    }  # fmt: skip
    total = reach = 0
    since = platform.clock.now() - DEMOGRAPHIC_DAYS * 86_400
    async for user_id, phone in everybody(channel):
        user = platform.users.get(user_id)
        if user is None or phone.friendship is not Friendship.FRIEND or phone.followed_at > since:
            continue
        known = demographics(platform, user)
        total += 1
        reach += suffices(known)
        age = age_group(known.age)
        found = {
            "gender": known.gender or "unknown",
            "age": age,
            "area": AREAS.get(known.area or "", "unknown"),
            "appType": known.app_type,
            "subscriptionPeriod": _period(friend_days(platform, channel, user)),
        }
        for name, value in found.items():
            counts[name][value] = counts[name].get(value, 0) + 1
        if known.age is not None and known.age >= 50:
            # The older, coarser group goes on beside its parts.
            counts["age"]["from50"] = counts["age"].get("from50", 0) + 1
    if reach < PRIVACY:
        nothing: Json = {"available": False}
        return answer(nothing | {f"{name}s": [] for name in counts})
    body: Json = {"available": True}
    for name, tally in counts.items():
        rows = sorted(tally.items(), key=lambda row: -row[1])
        body[f"{name}s"] = [
            {name: value, "percentage": round(count * 100 / total, 1)} for value, count in rows
        ]
    return answer(body)


def _period(days: int) -> str:
    return next((name for below, name in _PERIODS if days < below), "over365days")


# Messages


@operation("GET", "/v2/bot/insight/message/event", limit=PER_HOUR_60)
async def message_event(call: Call) -> Answer:
    """Get user interaction statistics of one broadcast or narrowcast."""
    request_id = call.query.get("requestId")
    if not request_id:
        raise LineError(400, "requestId is required")
    record = call.channel.store.of(Records).requests.get(request_id)
    job = narrowcasts(call.platform, call.channel).get(request_id)
    if record is None:
        if job is None:
            not_found()
        record = Record(at=job.accepted_at)
    on_its_way = job is not None and job.completed_at is None
    body = statistics([record], unique_impression=False)
    head: Json = {
        "requestId": request_id,
        "timestamp": int(record.at),
        "delivered": None if on_its_way else record.delivered,
    }
    body["overview"] = head | body["overview"]
    return answer(body)


@operation("GET", "/v2/bot/insight/message/event/aggregation", limit=PER_HOUR_60)
async def unit_event(call: Call) -> Answer:
    """Get statistics per unit: of what was sent under its name from one day to another."""
    unit = call.query.get("customAggregationUnit")
    first, last = read_day(call.query.get("from")), read_day(call.query.get("to"))
    if (
        unit is None
        or not UNIT_NAME.fullmatch(unit)
        or first is None
        or last is None
        or not 0 <= (last - first).days <= MAX_UNIT_SPAN
    ):
        # An error body of its own kind (the reference's example for this operation).
        raise LineError(400, {"message": None, "key": None, "stacktrace": None, "code": None})
    days = call.channel.store.of(Records).units.get(unit, {})
    wanted = [days[day] for day in days_between(first, last) if day in days]
    return answer(statistics(wanted, unique_impression=True))


# Rich menus


def _menu_period(call: Call, span: int) -> tuple[date, date]:
    first, last = read_day(call.query.get("from")), read_day(call.query.get("to"))
    if first is None or last is None:
        raise LineError(400, "Bad Request")
    if last < first:
        raise LineError(400, "Parameter to must be the same date as, or after parameter from.")
    if (last - first).days > span:
        raise LineError(400, f"Date range exceeds. Max range is {span} days.")
    earliest = years_before(_today(call), MENU_YEARS)
    if first < earliest:
        raise LineError(400, f"Parameter from must be the same date as, or after {earliest}.")
    return first, last


def _menu_days(call: Call, span: int) -> tuple[Json, dict[str, menu_record.MenuDay]]:
    """The answer's beginning, and the days it can tell of: none if it must stay silent."""
    first, last = _menu_period(call, span)
    menu_id = call.params["richMenuId"]
    if menu_id not in menus_of(call.channel).by_id:
        not_found()
    record = menu_record.of_menu(call.channel, menu_id)
    # Counting is usually finished within the next day, so today is never in.
    before = write_day(last)
    today = call.platform.clock.day()
    found = {
        day: figures
        for day, figures in menu_record.days(record, write_day(first), before)
        if day < today
    }
    body: Json = {"richMenuId": menu_id}
    if _people(tally for day in found.values() for tally in day.clicks) < PRIVACY:
        return body, {}
    return body | {"metricsFrom": min(found), "metricsTo": max(found)}, found


def _people(tallies: Iterable[Tally]) -> int:
    return len(together(tallies).people)


def _bounds(call: Call) -> list[Json]:
    return menu_record.of_menu(call.channel, call.params["richMenuId"]).bounds


def _metrics(tally: Tally) -> Json:
    return {"count": tally.times, "uniqueUsers": len(tally.people)}


@operation("GET", "/v2/bot/insight/richmenu/{richMenuId}/summary", limit=PER_HOUR_60)
async def menu_summary(call: Call) -> Answer:
    """Get rich menu insight totals."""
    body, found = _menu_days(call, MENU_SUMMARY_SPAN)
    if not found:
        return answer(body)
    body["impression"] = {"metrics": _metrics(together(day.impression for day in found.values()))}
    body["clicks"] = [
        {
            "bounds": bounds,
            "metrics": _metrics(together(day.clicks[area] for day in found.values())),
        }
        for area, bounds in enumerate(_bounds(call))
    ]
    return answer(body)


@operation("GET", "/v2/bot/insight/richmenu/{richMenuId}/daily", limit=PER_HOUR_60)
async def menu_daily(call: Call) -> Answer:
    """Get rich menu insight by day: every day between the first and the last that has figures."""
    body, found = _menu_days(call, MENU_DAILY_SPAN)
    if not found:
        return answer(body)
    first, last = read_day(body["metricsFrom"]), read_day(body["metricsTo"])
    assert first is not None
    assert last is not None
    nothing = Tally()
    days = [(day, found.get(day)) for day in days_between(first, last)]
    body["impression"] = {
        "metrics": [
            {"date": day} | _metrics(figures.impression if figures else nothing)
            for day, figures in days
        ]
    }
    body["clicks"] = [
        {
            "bounds": bounds,
            "metrics": [
                {"date": day} | _metrics(figures.clicks[area] if figures else nothing)
                for day, figures in days
            ],
        }
        for area, bounds in enumerate(_bounds(call))
    ]
    return answer(body)
