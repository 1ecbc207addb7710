"""Jinja as the console uses it: where templates are, what they can call, how things are written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast
from urllib.parse import unquote
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from litestar.utils.scope.state import ScopeState
from markupsafe import Markup

from hiiki.kit import i18n
from hiiki.kit.clock import now
from hiiki.kit.i18n import Text, current_locale
from hiiki.kit.pages import FLASH_COOKIE
from hiiki.kit.road import Registry
from hiiki.line.money import currency
from hiiki.line.money import written as amount
from hiiki.settings import settings
from hiiki.web.current import AccessInTemplates, current_access, current_request
from hiiki.web.navigation import is_current, navigation
from hiiki.web.static import PACKAGE, Assets

NOTHING = "–"
"""What stands where there is no value."""
_PLACES = [Decimal(1).scaleb(-digits) for digits in range(7)]
_LARGE = 10**15


def environment(registry: Registry, assets: Assets) -> Environment:
    """Return the templates of all rooms: `contacts/list.html` is `contacts/templates/list.html`."""
    env: Any = Environment(
        loader=PrefixLoader(
            {folder.parent.name: FileSystemLoader(folder) for folder in PACKAGE.glob("*/templates")}
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
        auto_reload=False,
    )
    env.globals.update(
        {
            "_": _gettext,
            "gettext": _gettext,
            "ngettext": _ngettext,
            "access": AccessInTemplates(),
            "asset": assets.url,
            "csrf": csrf_field,
            "csrf_value": csrf_value,
            "currency": currency,
            "flashes": flashes,
            "is_current": is_current,
            "locale": current_locale,
            "nav": lambda: _navigation(registry),
            "now": now,
            "path": _path,
            "public_url": lambda: settings().public_url.rstrip("/"),
        }
    )
    # The i18n extension compiles `{% trans %}` for callables that fill the gaps themselves.
    env.newstyle_gettext = True
    env.filters.update(FILTERS)
    env.policies["json.dumps_kwargs"] = {"sort_keys": False, "ensure_ascii": False}
    env.policies["json.dumps_function"] = _dump
    return cast("Environment", env)


def _gettext(english: str | Text, **values: Any) -> Markup:
    """Return the sentence in the reader's language. It may hold markup; its values are escaped."""
    if isinstance(english, Text):
        return Markup("%s") % str(english)
    return _filled(i18n.gettext(english), values)


def _ngettext(singular: str, plural: str, n: int, **values: Any) -> Markup:
    english = singular if n == 1 and current_locale() == "en" else plural
    return _filled(i18n.gettext(english), {"n": number(n), **values})


def _filled(template: str, values: dict[str, Any]) -> Markup:
    if not values:
        return Markup(template.replace("%%", "%"))  # noqa: S704 — our own sentences
    return Markup(template) % values  # noqa: S704 — `%` escapes the values


def csrf_value() -> str:
    """Return this browser's token against forged requests."""
    request = current_request.get()
    if request is None:
        return ""
    token = ScopeState.from_scope(request.scope).csrf_token
    return token if isinstance(token, str) else ""


def csrf_field() -> Markup:
    """Return the hidden field that every posting form carries."""
    return Markup('<input type="hidden" name="_csrf_token" value="%s">') % csrf_value()


def flashes() -> list[str]:
    """Return the sentence that the page before has left, to be shown once."""
    request = current_request.get()
    said = None if request is None else request.cookies.get(FLASH_COOKIE)
    if request is None or not said:
        return []
    request.scope["state"]["flash_shown"] = True
    return [unquote(said)]


def _navigation(registry: Registry) -> Any:
    access = current_access()
    return [] if access is None else navigation(registry, access)


def _path() -> str:
    request = current_request.get()
    return "/" if request is None else request.url.path


def _dump(value: Any, **options: Any) -> str:
    import json

    return json.dumps(value, default=_plain, **options)


def _plain(value: Any) -> Any:
    if isinstance(value, Text | UUID | datetime | date):
        return value.isoformat() if isinstance(value, date) else str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _zone() -> ZoneInfo:
    access = current_access()
    return ZoneInfo(access.timezone if access is not None else "Asia/Tokyo")


def number(value: float | Decimal | None, digits: int = 0) -> str:
    """1234567 → 1,234,567"""
    if value is None:
        return NOTHING
    return _grouped(value, digits)


def _grouped(value: float | Decimal, digits: int) -> str:
    """Write a number as both languages do, in a twentieth of the time that Babel takes: a page of
    a few hundred numbers would else be slow by that alone."""
    if isinstance(value, int):
        return f"{value:,}"
    exact = Decimal(str(value))
    if not exact.is_finite() or abs(exact) >= _LARGE:
        pattern = "#,##0" + ("." + "#" * digits if digits else "")
        return format_decimal(value, format=pattern, locale=current_locale())
    written = f"{exact.quantize(_PLACES[digits]):,f}"
    return written.rstrip("0").rstrip(".") if digits else written


def money(value: float | Decimal | None) -> str:
    """1234 → 1,234円, ¥1,234; in the price list's currency (`HIIKI_LINE_PRICES`): NT$1,234"""
    return NOTHING if value is None else amount(value)


def percent(value: float | Decimal | None, digits: int = 1) -> str:
    """0.1234 → 12.3%"""
    if value is None:
        return NOTHING
    return f"{_grouped(Decimal(str(value)).scaleb(2), digits)}%"


def day(value: date | datetime | None) -> str:
    """2026-11-21 → 2026/11/21, Nov 21, 2026 (of a moment: the day in the shop's time zone)"""
    if value is None:
        return NOTHING
    if isinstance(value, datetime):
        value = _aware(value).astimezone(_zone()).date()
    pattern = "yyyy/MM/dd" if current_locale() == "ja" else "MMM d, yyyy"
    return format_date(value, format=pattern, locale=current_locale())


def moment(value: datetime | None) -> str:
    """→ 2026/11/21 18:05, Nov 21, 2026, 18:05, in the shop's time zone"""
    if value is None:
        return NOTHING
    pattern = "yyyy/MM/dd HH:mm" if current_locale() == "ja" else "MMM d, yyyy, HH:mm"
    return format_datetime(_aware(value), pattern, tzinfo=_zone(), locale=current_locale())


def ago(value: datetime | None) -> str:
    """→ 5分前, 5 minutes ago"""
    if value is None:
        return NOTHING
    passed = _aware(value) - now()
    if abs(passed.total_seconds()) < 60:
        return i18n.gettext("just now")
    return format_timedelta(passed, add_direction=True, locale=current_locale())


def local_input(value: datetime | None) -> str:
    """Return a moment as `<input type="datetime-local">` takes it, in the shop's time zone."""
    if value is None:
        return ""
    return _aware(value).astimezone(_zone()).strftime("%Y-%m-%dT%H:%M")


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


FILTERS: dict[str, Callable[..., Any]] = {
    "number": number,
    "money": money,
    "percent": percent,
    "date": day,
    "datetime": moment,
    "ago": ago,
    "local_input": local_input,
}
