"""Days and moments as shops' files write them, in Japan, Taiwan, Thailand and by programs.

Read are ISO 8601, 2024/5/1, 2024年5月1日, 20240501, Japanese eras (令和6年5月1日, R6.5.1), Minguo
years (113/5/1, 民國113年5月1日), Buddhist years (1/5/2567), month names in English and Thai, and
the day numbers of spreadsheets (45413). What could mean two days is refused, never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

BUDDHIST = 543
MINGUO = 1911
_BUDDHIST_FROM, _BUDDHIST_TO = 2400, 2700
"""No shop's file speaks of these years of the Common Era."""
_SERIAL_ZERO = date(1899, 12, 30)
"""Day 0 of spreadsheets, whose 1900 has a 29th of February."""
_SERIALS = (10_000, 99_999)
"""1927 to 2173: a plain number of five digits."""
_EARLIEST, _LATEST = 1868, 2200

ERAS = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}
"""Each era's year 0. NFKC writes ㋿ and ㍻ as two characters each."""
_LAST_YEAR = {"明治": 45, "大正": 15, "昭和": 64}
"""平成 is not among them: forms printed before 2019 go on counting it."""
_LETTERS = {"M": "明治", "T": "大正", "S": "昭和", "H": "平成", "R": "令和"}

_THAI_MONTHS = (
    ("มกราคม", "ม.ค."),
    ("กุมภาพันธ์", "ก.พ."),
    ("มีนาคม", "มี.ค."),
    ("เมษายน", "เม.ย."),
    ("พฤษภาคม", "พ.ค."),
    ("มิถุนายน", "มิ.ย."),
    ("กรกฎาคม", "ก.ค."),
    ("สิงหาคม", "ส.ค."),
    ("กันยายน", "ก.ย."),
    ("ตุลาคม", "ต.ค."),
    ("พฤศจิกายน", "พ.ย."),
    ("ธันวาคม", "ธ.ค."),
)
_ENGLISH_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTHS: dict[str, int] = {
    **{
        unicodedata.normalize("NFKC", name).rstrip("."): at
        for at, names in enumerate(_THAI_MONTHS, 1)
        for name in names
    },
    **{name: at for at, name in enumerate(_ENGLISH_MONTHS, 1)},
    **{name[:3]: at for at, name in enumerate(_ENGLISH_MONTHS, 1)},
}

_YEAR_FIRST = re.compile(r"(\d{2,4})([-/.年])(\d{1,2})([-/.月])(\d{1,2})日?")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")
_ERA = re.compile(
    r"(明治|大正|昭和|平成|令和|[MTSHR])(元|\d{1,2})(?:[-/.]|年)(\d{1,2})(?:[-/.]|月)(\d{1,2})日?",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(\d{1,2})[ -]([^\d\s,-]+)[ ,-]+(\d{4})|([A-Za-z]+)\.? (\d{1,2}),? (\d{4})")
_REPUBLIC = re.compile(r"^(?:中華)?民[國国]")
_WEEKDAY = re.compile(
    r" ?\((?:[月火水木金土日一二三四五六]|mon|tue|wed|thu|fri|sat|sun)\)", re.IGNORECASE
)
_TIME = re.compile(
    r"(?P<half1>午前|午後|上午|下午)?\s*(?P<h>\d{1,2})(?::|時|點|点)(?P<m>\d{1,2})"
    r"(?:(?::|分)(?P<s>\d{1,2})秒?(?:[.,](?P<f>\d{1,9}))?|分)?\s*(?P<half2>am|pm|น\.)?"
    r"\s*(?P<zone>z|utc|jst|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_SPLIT = re.compile(
    r"^(?P<day>.+?)(?:(?<=\d)T|\s+|(?<=日))(?P<time>(?:午前|午後|上午|下午)?\s*\d{1,2}[:時點点].*)$"
)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_THAI_DIGITS = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")


def tidy(typed: str) -> str:
    """Return what was typed with its full-width and Thai digits as plain ones."""
    if typed.isascii():
        return typed.strip()
    return unicodedata.normalize("NFKC", typed).translate(_THAI_DIGITS).strip()


@lru_cache(maxsize=50_000)
def read_day(typed: str, country: str = "") -> date | None:
    """Return the day that was written, None when it is none, or could be two.

    `country` (JP, TW, TH or "") says how years of two digits and days before months are meant.
    A time of day behind it is left out.
    """
    text = _WEEKDAY.sub("", tidy(typed))
    if found := _SPLIT.match(text):
        if _TIME.fullmatch(found["time"].strip()) is None:
            return None
        text = found["day"].strip()
    return _day(text, country)


@lru_cache(maxsize=50_000)
def read_moment(typed: str, zone: ZoneInfo, country: str = "") -> datetime | None:
    """Return the moment that was written, in UTC; a day alone is its beginning in `zone`."""
    text = _WEEKDAY.sub("", tidy(typed))
    if _SERIAL.fullmatch(text) and "." in text:
        return _serial_moment(text, zone)
    at = time()
    offset: timezone | ZoneInfo = zone
    if found := _SPLIT.match(text):
        clock = _TIME.fullmatch(found["time"].strip())
        read = None if clock is None else _time(clock, zone)
        if read is None:
            return None
        at, offset = read
        text = found["day"].strip()
    day = _day(text, country)
    if day is None:
        return None
    return datetime.combine(day, at, offset).astimezone(UTC)


def _day(text: str, country: str) -> date | None:
    text = text.strip()
    if text.isascii() and text.isdigit():
        return _digits(text, country)
    if found := _ERA.fullmatch(text.replace(" ", "")):
        return _of_era(*found.groups())
    republic = _REPUBLIC.sub("", text)
    plain = republic.replace(" ", "")
    if found := _YEAR_FIRST.fullmatch(plain):
        year, first, month, second, day = found.groups()
        if (first == "年") != (second == "月"):
            return None
        full = _full_year(year, country, republic != text)
        return None if full is None else _date(full, int(month), int(day))
    if found := _YEAR_LAST.fullmatch(plain):
        one, _dot, two, year = found.groups()
        return _year_last(int(one), int(two), int(year), country)
    if found := _NAMED.fullmatch(text):
        return _named(found)
    return None


def _digits(text: str, country: str) -> date | None:
    """Read 20240501, 1130501 (Minguo, in Taiwan) and 45413, a spreadsheet's number."""
    if len(text) == 8:
        return _date(_common(int(text[:4])), int(text[4:6]), int(text[6:]))
    if len(text) == 7 and country == "TW":
        return _date(int(text[:3]) + MINGUO, int(text[3:5]), int(text[5:]))
    if len(text) == 5 and _SERIALS[0] <= int(text) <= _SERIALS[1]:
        return _SERIAL_ZERO + timedelta(days=int(text))
    return None


def _of_era(era: str, year: str, month: str, day: str) -> date | None:
    name = _LETTERS.get(era.upper(), era)
    number = 1 if year == "元" else int(year)
    if not 1 <= number <= _LAST_YEAR.get(name, 99):
        return None
    return _date(ERAS[name] + number, int(month), int(day))


def _full_year(typed: str, country: str, republic: bool) -> int | None:
    year = int(typed)
    if republic or len(typed) == 3 or (len(typed) == 2 and country == "TW"):
        return year + MINGUO
    return _common(year) if len(typed) == 4 else None


def _year_last(one: int, two: int, year: int, country: str) -> date | None:
    """Read 1/5/2567 and 25/12/2024; 1/5/2024 only where the day is known to stand first."""
    if country == "TH" or year >= _BUDDHIST_FROM or one > 12 or one == two:
        return _date(_common(year), two, one)
    if two > 12:
        return _date(year, one, two)
    return None


def _named(found: re.Match[str]) -> date | None:
    day, month, year, first, second, third = found.groups()
    if month is None:
        day, month, year = second, first, third
    number = _MONTHS.get(month.lower().rstrip("."))
    return None if number is None else _date(_common(int(year)), number, int(day))


def _common(year: int) -> int:
    return year - BUDDHIST if _BUDDHIST_FROM <= year <= _BUDDHIST_TO else year


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if _EARLIEST <= year <= _LATEST else None
    except ValueError:
        return None


def _time(found: re.Match[str], zone: ZoneInfo) -> tuple[time, timezone | ZoneInfo] | None:
    hour = int(found["h"])
    half = (found["half1"] or found["half2"] or "").lower()
    if half in ("午後", "下午", "pm") and hour < 12:
        hour += 12
    elif half in ("午前", "上午", "am") and hour == 12:
        hour = 0
    try:
        at = time(
            hour, int(found["m"]), int(found["s"] or 0), int((found["f"] or "0")[:6].ljust(6, "0"))
        )
        return at, _zone(found["zone"], zone)
    except ValueError:
        return None


def _zone(typed: str | None, zone: ZoneInfo) -> timezone | ZoneInfo:
    if not typed:
        return zone
    name = typed.upper()
    if name in ("Z", "UTC"):
        return UTC
    if name == "JST":
        return timezone(timedelta(hours=9))
    digits = name[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if name[0] == "-" else offset)


def _serial_moment(text: str, zone: ZoneInfo) -> datetime | None:
    days = float(text)
    if not _SERIALS[0] <= days < _SERIALS[1] + 1:
        return None
    start = datetime.combine(_SERIAL_ZERO, time()) + timedelta(days=days)
    # A spreadsheet's fraction of a day is exact to the second, not below.
    whole = (start + timedelta(milliseconds=500)).replace(microsecond=0)
    return whole.replace(tzinfo=zone).astimezone(UTC)
