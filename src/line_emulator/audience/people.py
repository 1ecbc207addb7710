"""What LINE believes to know of a person: gender, age, system, region, how long a friend.

LINE calls these deemed attributes (reference, "Get friend demographics"): narrowcast filters by
them and insight counts them. Those of simulated people follow from the seed and the person's
number, so that a hundred thousand friends cost no memory. A person's `attributes` overrule them:

    {"gender": "female", "age": 34, "appType": "ios", "area": "jp_13", "subscriptionPeriod": 40}

`age` is in years, `subscriptionPeriod` in days of friendship now, when it is said; the others but
for it may be "unknown". Attributes of other names are the caller's own and mean nothing here.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from ..model import Channel, Json, User
    from ..platform import Platform

DAY = 86_400
_JST = 9 * 3600
Gender = Literal["male", "female"]
AppType = Literal["ios", "android", "others"]


class Demographics(NamedTuple):
    """One person's attributes; None stands for LINE's "unknown". `age` is in years."""

    gender: Gender | None
    age: int | None
    app_type: AppType
    area: str | None


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_JAPAN = _words(
    "北海道 青森 岩手 宮城 秋田 山形 福島 茨城 栃木 群馬 埼玉 千葉 東京 神奈川 新潟 富山 石川 福井 "
    "山梨 長野 岐阜 静岡 愛知 三重 滋賀 京都 大阪 兵庫 奈良 和歌山 鳥取 島根 岡山 広島 山口 徳島 "
    "香川 愛媛 高知 福岡 佐賀 長崎 熊本 大分 宮崎 鹿児島 沖縄"
)
_TAIWAN = _words(
    "台北市 新北市 桃園市 台中市 台南市 高雄市 基隆市 新竹市 嘉義市 新竹縣 苗栗縣 彰化縣 南投縣 "
    "雲林縣 嘉義縣 屏東縣 宜蘭縣 花蓮縣 台東縣 澎湖縣 金門縣 連江縣"
)
_THAILAND = _words("Bangkok Pattaya Northern Central Southern Eastern NorthEastern Western")
_INDONESIA = _words(
    "Bali Bandung Banjarmasin Jabodetabek Lainnya Makassar Medan Palembang Samarinda Semarang "
    "Surabaya Yogyakarta"
)

AREAS: dict[str, str] = {
    f"{country}_{number:02}": name
    for country, names in (
        ("jp", _JAPAN),
        ("tw", _TAIWAN),
        ("th", _THAILAND),
        ("id", _INDONESIA),
    )
    for number, name in enumerate(names, 1)
}
"""Region codes of narrowcast filters, with the names that insight gives the same regions."""

_RESIDENTS = [
    *(522, 124, 121, 230, 96, 107, 183, 287, 193, 194, 734, 628, 1405, 924, 220, 103, 113, 77, 81),
    *(205, 198, 363, 754, 177, 141, 258, 884, 547, 132, 92, 55, 67, 189, 280, 134, 72, 95, 133, 69),
    *(514, 81, 131, 174, 112, 107, 159, 147),
]
"""Inhabitants of the prefectures in ten thousands (census of 2020), so that most live in Tokyo."""
_RESIDENTS_SUM = list(accumulate(_RESIDENTS))
_AGES = [
    *((age, 3) for age in range(13, 15)),
    *((age, 9) for age in range(15, 20)),
    *((age, 13) for age in range(20, 60)),
    *((age, 7) for age in range(60, 75)),
    *((age, 2) for age in range(75, 85)),
]
_AGES_SUM = list(accumulate(weight for _, weight in _AGES))
_LONGEST = 1500
"""Those who were friends before the story began have been so for up to this many days."""


def _draw(platform: Platform, user: User) -> int:
    """A number of 128 bits that always belongs to this person."""
    text = b"%d/deemed/%d" % (platform.setup.seed, user.index)
    return int.from_bytes(hashlib.md5(text, usedforsecurity=False).digest(), "big")


def demographics(platform: Platform, user: User) -> Demographics:
    """What LINE believes to know of this person; the same at every call."""
    dice = _draw(platform, user)
    if user.attributes:
        return _overruled(_drawn(dice, user.language), user.attributes)
    return _drawn(dice, user.language)


def _drawn(dice: int, language: str) -> Demographics:
    # One in eight is unknown to LINE altogether, as those who hardly use it are.
    known = dice & 7
    gender: Gender | None = None
    age: int | None = None
    area: str | None = None
    if known:
        gender = "female" if (dice >> 3) & 0x3F < 34 else "male"
        age = _AGES[bisect_right(_AGES_SUM, (dice >> 9) % _AGES_SUM[-1])][0]
        place = dice >> 41
        if language == "zh-Hant":
            area = f"tw_{place % len(_TAIWAN) + 1:02}"
        else:
            area = f"jp_{bisect_right(_RESIDENTS_SUM, place % _RESIDENTS_SUM[-1]) + 1:02}"
    system = (dice >> 100) & 0x7F
    app_type: AppType = "ios" if system < 78 else "android" if system < 124 else "others"
    return Demographics(gender, age, app_type, area)


def _overruled(drawn: Demographics, given: Json) -> Demographics:
    gender, age, app_type, area = drawn
    if "gender" in given:
        gender = given["gender"] if given["gender"] in ("male", "female") else None
    if "age" in given:
        years = given["age"]
        age = years if isinstance(years, int) and not isinstance(years, bool) else None
    if given.get("appType") in ("ios", "android", "others"):
        app_type = given["appType"]
    if "area" in given:
        place = given["area"]
        area = place if isinstance(place, str) and place in AREAS else None
    return Demographics(gender, age, app_type, area)


def age_group(age: int | None) -> str:
    """The name insight gives to the age: `from20to24`, `from70`, `unknown`."""
    if age is None:
        return "unknown"
    if age < 15:
        return "from0to14"
    if age >= 70:
        return "from70"
    low = age // 5 * 5
    return f"from{low}to{low + 4}"


def friend_days(platform: Platform, channel: Channel, user: User) -> int:
    """For how many days the person has known the account, counted from the day after adding it.

    Days change at midnight, UTC+9 (reference, "Get friend demographics", friendship duration).
    """
    phone = channel.phones.get(user.id)
    now = platform.clock.now()
    if phone is not None and phone.followed_at:
        return max(0, _day(now) - _day(phone.followed_at))
    return _day(now) - _day(platform.story.began_at) + _days_before(platform, user)


def _days_before(platform: Platform, user: User) -> int:
    """Days of friendship when the story began, more of them short than long."""
    share = ((_draw(platform, user) >> 108) & 0xFFFF) / 0x10000
    return int(share * share * _LONGEST)


def _day(seconds: float) -> int:
    return int(seconds + _JST) // DAY
