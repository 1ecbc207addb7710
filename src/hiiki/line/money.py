"""Amounts of money in words, the same wherever people read them."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_decimal, get_currency_symbol

from hiiki.kit.i18n import current_locale
from hiiki.line.prices import YEN, price_list


def written(value: float | Decimal) -> str:
    """1234 → 1,234円, ¥1,234; in the price list's currency (`HIIKI_LINE_PRICES`): NT$1,234"""
    locale = current_locale()
    used = price_list().currency
    # One message costs a fraction of most currencies' smallest coin.
    pattern = "#,##0.####" if abs(value) < 10 else "#,##0" if used == YEN else "#,##0.##"
    digits = format_decimal(value, format=pattern, locale=locale)
    if used == YEN and locale == "ja":
        return f"{digits}円"
    symbol = currency()
    return f"{symbol}\xa0{digits}" if symbol[-1].isalpha() else f"{symbol}{digits}"


def currency() -> str:
    """Return what stands beside a field that takes an amount: 円, ¥, NT$."""
    used, locale = price_list().currency, current_locale()
    return "円" if used == YEN and locale == "ja" else get_currency_symbol(used, locale)
