"""Create, discontinue, list and read coupons (reference, "Coupon")."""

from __future__ import annotations

from typing import Any, NoReturn

from ..api import paging
from ..api.operation import EMPTY, Answer, Call, LineError, answer, operation
from ..ids import ulid
from ..limits import PER_SECOND_200
from ..model import Json
from ..validation.report import Report
from . import schema
from .store import Coupon, Coupons

DEFAULT_PAGE = 20
MAX_PAGE = 100
_STATUSES = ("DRAFT", "RUNNING", "CLOSED")
_MADE_OF = (
    "title", "description", "acquisitionCondition", "startTimestamp", "endTimestamp", "timezone",
    "couponCode", "maxUseCountPerTicket", "visibility", "reward", "imageUrl", "barcodeImageUrl",
    "usageCondition",
)  # fmt: skip
_CONDITION = ("type", "lotteryProbability", "maxAcquireCount")
_PRICE = ("type", "fixedAmount", "percentage", "originalPrice", "priceAfterDiscount")


def _kept(given: Json, names: tuple[str, ...]) -> Json:
    """Only what was checked is kept: the rest may be anything, however deep."""
    return {name: given[name] for name in names if given.get(name) is not None}


def _refuse(status: int, message: str, property: str = "") -> NoReturn:
    report = Report()
    report.invalid((None, property), message)
    raise LineError(status, report.answer())


def _coupon(call: Call) -> Coupon:
    found = call.channel.store.of(Coupons).by_id.get(call.params["coupon_id"])
    if found is None:
        _refuse(404, "coupon not found")
    return found


@operation("POST", "/v2/bot/coupon", body="json", limit=PER_SECOND_200)
async def create(call: Call) -> Answer:
    """Create a coupon. Its images are not fetched."""
    now = call.platform.clock.now()
    body = call.json(schema.create(now))
    coupons = call.channel.store.of(Coupons)
    if coupons.full(now):
        _refuse(400, "You have too many coupons created.")
    made = _kept(body, _MADE_OF)
    made["acquisitionCondition"] = _kept(body["acquisitionCondition"], _CONDITION)
    made["reward"] = _kept(body["reward"], ("type", "priceInfo"))
    if "priceInfo" in made["reward"]:
        made["reward"]["priceInfo"] = _kept(body["reward"]["priceInfo"], _PRICE)
    coupon = Coupon(ulid(call.platform.clock.now_ms()), made, now)
    coupons.by_id[coupon.id] = coupon
    return answer({"couponId": coupon.id})


@operation("PUT", "/v2/bot/coupon/{coupon_id}/close", limit=PER_SECOND_200)
async def close(call: Call) -> Answer:
    """Discontinue a coupon."""
    coupon = _coupon(call)
    now = call.platform.clock.now()
    if coupon.status(now) == "CLOSED":
        _refuse(410, "The coupon has already been closed.")
    coupon.closed_at = now
    return EMPTY


@operation("GET", "/v2/bot/coupon/{coupon_id}", limit=PER_SECOND_200)
async def detail(call: Call) -> Answer:
    """Get details of a coupon."""
    coupon = _coupon(call)
    return answer(described(coupon, call.platform.clock.now()))


def described(coupon: Coupon, now: float) -> Json:
    """The coupon as "Get details of a coupon" shows it."""
    body: Json = coupon.body | {
        "couponId": coupon.id,
        "maxTicketPerUser": 1,
        "status": coupon.status(now),
        "createdTimestamp": int(coupon.created_at),
    }
    price: Any = body["reward"].get("priceInfo")
    if price is not None:
        if price["type"] != "percentage":
            price = price | {"currency": "JPY"}
        body["reward"] = {"type": body["reward"]["type"], "priceInfo": price}
    return body


@operation("GET", "/v2/bot/coupon", limit=PER_SECOND_200)
async def listing(call: Call) -> Answer:
    """Get a list of coupons, the newest first."""
    now = call.platform.clock.now()
    wanted = _statuses(call)
    limit = _limit(call)
    place = paging.start(call, "coupon")
    all_of_them = list(call.channel.store.of(Coupons).by_id.values())
    # Places are counted from the oldest, so that a coupon made meanwhile moves nothing.
    if place is None or place > len(all_of_them):
        place = len(all_of_them)
    items: list[Json] = []
    while place > 0 and len(items) < limit:
        coupon = all_of_them[place - 1]
        place -= 1
        if coupon.status(now) in wanted:
            items.append({"couponId": coupon.id, "title": coupon.body["title"]})
    body: Json = {"items": items}
    if any(one.status(now) in wanted for one in all_of_them[:place]):
        body["next"] = paging.token(call, place, "coupon")
    return answer(body)


def _statuses(call: Call) -> set[str]:
    given = [one for text in call.query_all("status") for one in text.split(",")]
    for one in given:
        if one not in _STATUSES:
            _refuse(400, f"Must be one of the following values: [{','.join(_STATUSES)}]", "status")
    return set(given or _STATUSES)


def _limit(call: Call) -> int:
    text = call.query.get("limit")
    if text is None:
        return DEFAULT_PAGE
    if not text.isascii() or not text.isdigit():
        _refuse(400, "Must be a number", "limit")
    value = int(text[:9])
    if value > MAX_PAGE:
        _refuse(400, f"Must be less than or equal to {MAX_PAGE}", "limit")
    if value < 1:
        _refuse(400, "Must be greater than or equal to 1", "limit")
    return value
