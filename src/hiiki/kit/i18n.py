"""Two languages: what is said in code is English, and each room brings its Japanese.

`_("Friends")` marks a sentence and keeps its parameters; it becomes words only when it
is shown, in the reader's language. Every room has its own `locale/ja.po`, so a
capability's folder holds its translations too. A test fails for a sentence without one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po

LOCALES = ("ja", "en")
DEFAULT_LOCALE = "ja"

_current: ContextVar[str] = ContextVar("hiiki_locale", default=DEFAULT_LOCALE)
_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence that is not yet in any language: its English, and what fills its gaps.

    Gaps are written `%(name)s`. `str(text)` is the sentence in the current language.
    """

    english: str
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def to(self, locale: str) -> str:
        """Return the sentence in `locale` ("ja" or "en")."""
        template = translations(locale).get(self.english, self.english)
        if not self.values:
            return template
        return template % {
            name: value.to(locale) if isinstance(value, Text) else value
            for name, value in self.values.items()
        }

    def __str__(self) -> str:
        return self.to(current_locale())


def _(english: str, **values: Any) -> Text:
    """Mark `english` for translation, to be put into words when it is shown."""
    return Text(english, values)


def current_locale() -> str:
    """Return the language in which this request, or job, speaks."""
    return _current.get()


def set_locale(locale: str | None) -> None:
    """Speak `locale` from here on in this task; anything unknown means Japanese."""
    _current.set(locale if locale in LOCALES else DEFAULT_LOCALE)


@contextmanager
def speaking(locale: str) -> Generator[None]:
    """Speak `locale` inside the block."""
    token = _current.set(locale if locale in LOCALES else DEFAULT_LOCALE)
    try:
        yield
    finally:
        _current.reset(token)


def catalogs(locale: str) -> Iterable[Path]:
    """Return the files that hold `locale`, room by room."""
    return sorted(_PACKAGE.glob(f"*/locale/{locale}.po"))


@lru_cache(maxsize=8)
def translations(locale: str) -> Mapping[str, str]:
    """Return English sentence → sentence in `locale`, of all rooms together."""
    found: dict[str, str] = {}
    for path in catalogs(locale):
        with path.open("rb") as file:
            for message in read_po(file, locale=locale):
                if isinstance(message.id, str) and message.id and message.string:
                    found[message.id] = str(message.string)
    return found


def gettext(english: str, **values: Any) -> str:
    """Return the sentence in the current language; what Jinja's `_()` calls."""
    return Text(english, values).to(current_locale())


def ngettext(singular: str, plural: str, n: int, **values: Any) -> str:
    """Return the sentence for `n` things. Japanese has one form, kept under the plural."""
    english = singular if n == 1 and current_locale() == "en" else plural
    return Text(english, {"n": n, **values}).to(current_locale())
