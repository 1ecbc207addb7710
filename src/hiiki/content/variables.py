"""Variables in messages: `{{ name }}`, `{{ attributes.taste | default: "中辛" }}`, in Liquid.

What staff write is a template; what customers are called is only ever a value. A value is
put into the rendered text once and never read as a template, so nobody's display name can
do anything. Of Liquid there is what a message needs: output, conditions and the filters
below. Loops and other tags that could run away with the worker are not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate, Environment, Mode
from liquid.exceptions import LiquidError

from hiiki.kit.i18n import Text, _

MAX_SOURCE = 20_000
"""Characters a template may have before its variables are filled in."""

FIELDS: Mapping[str, Text] = {
    "name": _("Name"),
    "display_name": _("LINE display name"),
    "prefecture": _("Prefecture"),
}
"""Variables that every contact has, and what staff call them. The shop's own fields are
`attributes.KEY`."""

_TAGS = frozenset(
    ("#", "assign", "case", "comment", "content", "doc", "echo", "if", "illegal", "output")
) | {"unless"}
_FILTERS = frozenset(
    (
        "abs",
        "append",
        "at_least",
        "at_most",
        "capitalize",
        "ceil",
        "date",
        "default",
        "divided_by",
        "downcase",
        "floor",
        "lstrip",
        "minus",
        "modulo",
        "plus",
        "prepend",
        "remove",
        "round",
        "rstrip",
        "size",
        "strip",
        "truncate",
        "upcase",
    )
)
_MARK = re.compile(r"\{\{|\{%")


def _bounded(inner: Callable[..., Any]) -> Callable[..., Any]:
    # Without loops, only a variable added to itself many times over could grow for ever.
    def bounded(left: Any, *others: Any) -> Any:
        return str(inner(left, *others))[:MAX_SOURCE]

    return bounded


def _environment(mode: Mode) -> Environment:
    made = Environment(tolerance=mode)
    for name in set(made.tags) - _TAGS:
        del made.tags[name]
    for name in set(made.filters) - _FILTERS:
        del made.filters[name]
    for name in ("append", "prepend"):
        made.add_filter(name, _bounded(made.filters[name]))
    return made


_STRICT = _environment(Mode.STRICT)
_LAX = _environment(Mode.LAX)


class BadTemplate(ValueError):
    """A template that cannot be read, or a variable that does not exist."""

    def __init__(self, said: Text) -> None:
        super().__init__(said.english)
        self.said = said


@dataclass(frozen=True, slots=True)
class Template:
    """One text that has been read."""

    source: str
    strict: BoundTemplate
    lax: BoundTemplate
    names: frozenset[str]
    """The contact's own fields that it uses."""
    attributes: frozenset[str]
    """The keys of the shop's fields that it uses."""
    links: frozenset[str]
    """The codes of tracked links that it uses; only `build` writes those."""

    @property
    def is_personal(self) -> bool:
        """True when it comes out differently for different people."""
        return bool(self.names or self.attributes or self.links)

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the text with `values` in it; what cannot be computed is left out."""
        try:
            return self.strict.render(values)
        except LiquidError:
            return self.lax.render(values)


def is_template(text: str) -> bool:
    """True when `text` has anything that Liquid would act on."""
    return "{{" in text or "{%" in text


def literal(text: str) -> str:
    """Return a template that renders to `text` exactly, whatever is in it."""
    return _MARK.sub(lambda found: "{{ '" + found[0] + "' }}", text)


@lru_cache(maxsize=4096)
def read(source: str) -> Template:
    """Return `source` as a template; raises `BadTemplate` when its syntax is wrong."""
    if len(source) > MAX_SOURCE:
        raise BadTemplate(_("Please shorten this to %(limit)s characters.", limit=MAX_SOURCE))
    try:
        strict = _STRICT.from_string(source)
        names: set[str] = set()
        attributes: set[str] = set()
        links: set[str] = set()
        analysis = strict.analyze()
        if foreign := sorted(analysis.filters.keys() - _FILTERS):
            raise BadTemplate(
                _(
                    "There is no filter “%(name)s”. There are: %(known)s.",
                    name=foreign[0],
                    known=", ".join(sorted(_FILTERS)),
                )
            )
        for name, used in analysis.globals.items():
            for variable in used:
                below = [str(part) for part in variable.segments[1:]]
                if name == "attributes" and len(below) == 1:
                    attributes.add(below[0])
                elif name == "link" and len(below) == 1:
                    links.add(below[0])
                else:
                    names.add(".".join([name, *below]))
        return Template(
            source,
            strict,
            _LAX.from_string(source),
            frozenset(names),
            frozenset(attributes),
            frozenset(links),
        )
    except (LiquidError, RecursionError) as error:
        raise BadTemplate(
            _(
                "The variables here cannot be read (%(reason)s). Write them as "
                "%(example)s, and close every bracket.",
                reason=str(error).splitlines()[0] if str(error) else "",
                example="{{ name }}",
            )
        ) from error


def check_names(template: Template) -> None:
    """Raise `BadTemplate` for a variable that no contact has; attributes are checked elsewhere."""
    unknown = sorted(template.names - FIELDS.keys()) + [
        f"link.{code}" for code in sorted(template.links)
    ]
    if unknown:
        raise unknown_variable(unknown[0], list(FIELDS))


def unknown_variable(name: str, known: list[str]) -> BadTemplate:
    """Return the error for a variable that does not exist, with a suggestion where one is near."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return BadTemplate(
            _(
                "There is no variable “%(name)s”. Did you mean “%(near)s”?",
                name=name,
                near=near[0],
            )
        )
    return BadTemplate(
        _(
            "There is no variable “%(name)s”. There are: %(known)s.",
            name=name,
            known=", ".join(known[:12]),
        )
    )


def least(template: Template) -> str:
    """Return the text as it comes out for somebody of whom nothing is known."""
    empty: dict[str, Any] = {
        "attributes": {},
        "link": dict.fromkeys(template.links, "https://x"),
    }
    return template.render(empty)
