"""How things are written: numbers, money, moments, sentences; and nothing unescaped."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from babel.numbers import format_decimal, format_percent

from hiiki.kit.clock import now
from hiiki.kit.i18n import _, speaking
from hiiki.line import money, prices
from hiiki.rooms import registry
from hiiki.web import rendering
from hiiki.web.rendering import environment
from hiiki.web.static import Assets

ENV = environment(registry, Assets())


def draw(source: str, locale: str = "ja", **context: object) -> str:
    with speaking(locale):
        return ENV.from_string(source).render(**context)


@pytest.mark.parametrize(
    ("source", "value", "japanese", "english"),
    [
        ("number", 1234567, "1,234,567", "1,234,567"),
        ("number", 0, "0", "0"),
        ("number(2)", Decimal("2.50"), "2.5", "2.5"),
        ("money", 12345, "12,345円", "¥12,345"),
        ("money", Decimal("2.5"), "2.5円", "¥2.5"),
        ("percent", 0.1234, "12.3%", "12.3%"),
        ("percent(0)", 1, "100%", "100%"),
        ("date", date(2026, 11, 21), "2026/11/21", "Nov 21, 2026"),
        # Half past three in the night in Tokyo is the day before in Greenwich.
        ("date", datetime(2026, 11, 20, 18, 30, tzinfo=UTC), "2026/11/21", "Nov 21, 2026"),
        (
            "datetime",
            datetime(2026, 11, 20, 18, 30, tzinfo=UTC),
            "2026/11/21 03:30",
            "Nov 21, 2026, 03:30",
        ),
        (
            "local_input",
            datetime(2026, 11, 20, 18, 30, tzinfo=UTC),
            "2026-11-21T03:30",
            "2026-11-21T03:30",
        ),
    ],
)
def test_filters(source: str, value: object, japanese: str, english: str) -> None:
    assert draw("{{ v|" + source + " }}", "ja", v=value) == japanese
    assert draw("{{ v|" + source + " }}", "en", v=value) == english


@pytest.mark.parametrize("locale", ["ja", "en"])
@pytest.mark.parametrize("digits", [0, 1, 2])
def test_numbers_are_written_as_babel_does(locale: str, digits: int) -> None:
    chance = random.Random(7)
    values: list[Any] = [
        0,
        -0.04,
        0.5,
        float("inf"),
        1.5,
        2.5,
        -2.5,
        999.995,
        1e16,
        -1234567,
        Decimal("1E+3"),
    ]
    values += [round(chance.uniform(-1, 1) * 10 ** chance.randrange(9), 4) for _ in range(100)]
    pattern = "#,##0" + ("." + "#" * digits if digits else "")
    with speaking(locale):
        for value in values:
            plain = format_decimal(value, format=pattern, locale=locale)
            assert rendering.number(value, digits) == plain
            share = format_percent(value, format=f"{pattern}%", locale=locale)
            assert rendering.percent(value, digits) == share


@pytest.mark.parametrize(
    ("currency", "value", "japanese", "english"),
    [
        ("TWD", 12345, "NT$12,345", "NT$12,345"),
        ("TWD", Decimal("0.15"), "NT$0.15", "NT$0.15"),
        ("THB", Decimal("1234.5"), "THB\xa01,234.5", "THB\xa01,234.5"),
    ],
)
def test_money_is_in_the_price_lists_currency(
    monkeypatch: pytest.MonkeyPatch, currency: str, value: object, japanese: str, english: str
) -> None:
    own = prices.JAPAN.model_copy(update={"currency": currency})
    monkeypatch.setattr(money, "price_list", lambda: own)
    assert draw("{{ v|money }}", v=value) == japanese
    assert draw("{{ v|money }}", "en", v=value) == english


@pytest.mark.parametrize("name", ["number", "money", "percent", "date", "datetime", "ago"])
def test_nothing_is_written_as_a_dash(name: str) -> None:
    assert draw("{{ v|" + name + " }}", v=None) == "–"


def test_ago() -> None:
    assert draw("{{ v|ago }}", v=now() - timedelta(seconds=5)) == "たった今"
    assert draw("{{ v|ago }}", v=now() - timedelta(minutes=5)) == "5 分前"
    assert draw("{{ v|ago }}", "en", v=now() - timedelta(days=3)) == "3 days ago"


def test_values_in_sentences_are_escaped() -> None:
    source = '{{ _("%(name)s is connected.", name=v) }}'
    assert draw(source, v="<b>&") == "&lt;b&gt;&amp;を接続しました。"
    assert draw("{{ v }}", v=_("%(name)s is connected.", name="<b>")) == "&lt;b&gt;を接続しました。"
    assert draw("{{ _(v) }}", v=_("%(name)s is connected.", name="<b>")).startswith("&lt;b&gt;")


def test_percent_signs_survive() -> None:
    assert draw('{{ _("100% sure") }}') == "100% sure"
    assert draw('{{ _("100%% sure") }}') == "100% sure"
    assert draw('{{ _("%(n)s%% sure", n=5) }}') == "5% sure"


def test_a_chart_s_option_cannot_leave_its_attribute() -> None:
    source = '{% from "web/macros.html" import chart %}{{ chart(o, "x") }}'
    option = {"a": "'><script>alert(1)</script>", "n": Decimal("1.5"), "t": _("Save")}
    drawn = draw(source, o=option)
    assert "<script>" not in drawn
    assert "'>" not in drawn.split("data-chart='")[1].split("'></div>")[0]
    assert '"n": 1.5' in drawn
    assert '"t": "保存"' in drawn


def test_fields_carry_label_hint_and_error() -> None:
    source = (
        '{% from "web/macros.html" import text_field %}'
        '{{ text_field("q.0.t", "題", "<v>", errors, "hint", required=true, hx_get="/x") }}'
    )
    drawn = draw(source, errors={"q.0.t": _("Please fill this in.")})
    assert '<label class="form-label" for="f-q-0-t">題' in drawn
    assert 'value="&lt;v&gt;"' in drawn
    assert 'aria-invalid="true"' in drawn
    assert 'aria-describedby="f-q-0-t-error f-q-0-t-hint"' in drawn
    assert 'hx-get="/x"' in drawn
    assert "入力してください" in drawn


def test_options_of_both_kinds() -> None:
    from hiiki.kit.road import Option

    source = '{% from "web/macros.html" import select %}{{ select("s", "S", options, value) }}'
    drawn = draw(source, options=[("a", "A"), ("b", "B")], value="b")
    assert '<option value="b" selected>B</option>' in drawn
    drawn = draw(source, options=[Option("1", "x", "G"), Option("2", "y", "H")], value=2)
    assert '<optgroup label="G">' in drawn
    assert '<option value="2" selected>y</option>' in drawn
