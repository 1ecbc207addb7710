"""Cells as shops write them: what is meant is read, what could mean two things is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiiki.imports.cells import Manner, read_number, reader
from hiiki.imports.days import ERAS, read_day, read_moment
from hiiki.kit.importable import Column, Unfit

TOKYO = ZoneInfo("Asia/Tokyo")
FULL_WIDTH = str.maketrans("0123456789/-.,:", "０１２３４５６７８９／－．，：")
DAYS = st.dates(date(1927, 5, 18), date(2150, 12, 31))
SINCE_REIWA = st.dates(date(2019, 5, 1), date(2099, 12, 31))
THAI = ["ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค."]  # fmt: skip  # noqa: E501


@given(DAYS, st.sampled_from(["-", "/", "."]), st.booleans(), st.booleans())
def test_year_first_is_read_in_any_width(day: date, mark: str, padded: bool, wide: bool) -> None:
    """2024/5/1, 2024-05-01 and ２０２４．５．１ are the same day everywhere."""
    text = f"{day:%Y}{mark}{day.month:{'02' if padded else ''}}{mark}{day.day:{'02' if padded else ''}}"  # noqa: E501
    text = text.translate(FULL_WIDTH) if wide else text
    assert {read_day(text, country) for country in ("JP", "TW", "TH", "")} == {day}
    assert read_day(f"{day.year}年{day.month}月{day.day}日") == day
    assert read_day(f"{day:%Y%m%d}") == day


@given(SINCE_REIWA)
def test_reiwa(day: date) -> None:
    """令和元年5月1日 is the first day of Reiwa, and R6.5.1 one of its sixth year."""
    year = day.year - ERAS["令和"]
    for written in (f"令和{year}年{day.month}月{day.day}日", f"R{year}.{day.month}.{day.day}"):
        assert read_day(written) == day
    if year == 1:
        assert read_day(f"㋿元年{day.month}月{day.day}日") == day


@pytest.mark.parametrize(
    ("written", "country", "day"),
    [
        ("S50/1/2", "JP", date(1975, 1, 2)),
        ("平成31年4月30日", "JP", date(2019, 4, 30)),
        ("H31.4.30", "", date(2019, 4, 30)),
        ("昭和70年1月1日", "JP", None),
        ("89/5/1", "TW", date(2000, 5, 1)),
        ("89/5/1", "JP", None),
        ("1130501", "TW", date(2024, 5, 1)),
        ("1130501", "JP", None),
        ("1/5/2024", "TH", date(2024, 5, 1)),
        ("1/5/2024", "JP", None),  # the fifth of January, or the first of May
        ("5/5/2024", "JP", date(2024, 5, 5)),
        ("25/12/2024", "JP", date(2024, 12, 25)),
        ("12/25/2024", "JP", date(2024, 12, 25)),
        ("๑ พฤษภาคม ๒๕๖๗", "", date(2024, 5, 1)),
        ("May 1, 2024", "", date(2024, 5, 1)),
        ("2024年5月1日(水)", "", date(2024, 5, 1)),
        ("2024/5/1 10:20", "", date(2024, 5, 1)),
        ("2024/2/30", "", None),
        ("2024年5/1", "", None),
        ("0024/5/1", "", None),
        ("tomorrow", "", None),
    ],
)
def test_days_that_need_care(written: str, country: str, day: date | None) -> None:
    """Years of two digits and days before months depend on where the shop is."""
    assert read_day(written, country) == day


@given(DAYS)
def test_other_calendars(day: date) -> None:
    """Buddhist and Minguo years, and the day numbers of spreadsheets, are unmistakable."""
    assert read_day(f"{day.day}/{day.month}/{day.year + 543}") == day
    assert read_day(f"{day.day} {THAI[day.month - 1]} {day.year + 543}") == day
    assert read_day(f"民國{day.year - 1911}年{day.month}月{day.day}日") == day
    if day.year - 1911 >= 100:
        assert read_day(f"{day.year - 1911}/{day.month}/{day.day}") == day
    assert read_day(str((day - date(1899, 12, 30)).days)) == day


@given(st.datetimes(datetime(1951, 1, 1), datetime(2150, 12, 31)))  # noqa: DTZ001
def test_moments(naive: datetime) -> None:
    """A moment without a zone is the shop's own time; with one, it is that of the zone."""
    second = naive.replace(microsecond=0)
    here = second.replace(tzinfo=TOKYO).astimezone(UTC)
    for written in (
        f"{second:%Y-%m-%d %H:%M:%S}",
        f"{second:%Y/%m/%d %H:%M:%S} +0900",
        f"{second:%Y-%m-%dT%H:%M:%S}+09:00",
        f"{second:%Y年%m月%d日 %H時%M分%S秒}",
        f"{second:%Y/%m/%d} {'下午' if second.hour >= 12 else '上午'} "
        f"{(second.hour - 1) % 12 + 1:02}:{second:%M:%S}",
        f"{second:%Y-%m-%d %H:%M:%S}".translate(FULL_WIDTH),
    ):
        assert read_moment(written, TOKYO, "JP") == here, written
    assert read_moment(f"{second:%Y-%m-%dT%H:%M:%S}Z", TOKYO) == second.replace(tzinfo=UTC)
    since = second - datetime(1899, 12, 30)  # noqa: DTZ001
    assert read_moment(f"{since / timedelta(days=1):.8f}", TOKYO) == here


@settings(max_examples=50)
@given(st.decimals(0, 10**12, places=2, allow_nan=False))
def test_numbers(number: Decimal) -> None:
    """Yen signs, thousands separators, full width and the accountants' minus are read."""
    plain = f"{number:,.2f}"
    for written in (plain, f"¥{plain}", f"￥{plain}-", f"{plain}円", f"NT${plain}", f"฿ {plain}",
                    plain.translate(FULL_WIDTH), f"税込 {plain}円", f"{number}"):  # fmt: skip
        assert read_number(written) == number, written
    for written in (f"-{plain}", f"△{plain}", f"▲{plain}", f"({plain})", f"−{plain}"):
        assert read_number(written) == -number, written


@pytest.mark.parametrize("written", ["1,2,3", "12,34", "1.980,00", "abc", "1e5", "１２a", "9" * 14])
def test_what_is_no_number_is_refused(written: str) -> None:
    """A comma in the wrong place may be a decimal comma: it is not guessed."""
    with pytest.raises(Unfit):
        read_number(written)


@settings(max_examples=300)
@given(st.text(min_size=1, max_size=40), st.sampled_from(
    ["text", "number", "whole", "money", "day", "moment", "email", "phone", "flag", "words"]
))  # fmt: skip
def test_nothing_but_a_reason_comes_of_nonsense(cell: str, kind: str) -> None:
    """Whatever stands in a cell, reading it ends in a value or in a sentence."""
    if text := cell.strip():
        # Anything else that is raised fails the test.
        with suppress(Unfit):
            reader(Column("x", "X", kind), Manner.of("Asia/Tokyo"))(text)


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("flag", "○", True), ("flag", "×", False), ("flag", "ＹＥＳ", True),
        ("flag", "なし", False),
        ("phone", "９０１２３４５６７８", "+819012345678"),
        ("phone", "'03-1234-5678 内線12", "+81312345678"),
        ("email", "Ｔａｒｏ@Example.com", "Taro@Example.com"), ("whole", "３", 3),
        ("words", "VIP、東京, VIP", ["VIP", "東京"]), ("text", "'+819012345678", "+819012345678"),
        ("text", "'tis", "'tis"),
    ],
)  # fmt: skip
def test_kinds(kind: str, cell: str, value: object) -> None:
    """Each kind of column gives values of its own type."""
    assert reader(Column("x", "X", kind), Manner.of("Asia/Tokyo"))(cell) == value


def test_choices_by_any_of_their_words() -> None:
    """A status is known by the words of several systems, without case and blanks."""
    column = Column(
        "s", "S", "choice", choices={"paid": ("入金済み", "Paid "), "open": ("新規受付",)}
    )
    read = reader(column, Manner.of("Asia/Tokyo"))
    assert [read(cell) for cell in ("paid", "PAID", "入金済み", "新規 受付")] == ["paid"] * 3 + [
        "open"
    ]
    with pytest.raises(Unfit) as refused:
        read("???")
    assert "入金済み" in str(refused.value.reason)
