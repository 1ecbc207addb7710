"""Traits, values and findings in people's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from babel.numbers import format_decimal, format_percent

from hiiki.contacts.prefectures import prefecture_name
from hiiki.kit.i18n import Text, _, current_locale
from hiiki.kit.road import road
from hiiki.line.money import written
from hiiki.personas.compare import Finding, Mean
from hiiki.personas.findings import Figures, Trait, Value

TRAITS: dict[str, Text] = {
    "tag": _("Tag"),
    "profile:prefecture": _("Prefecture"),
    "profile:language": _("Language"),
    "profile:age_band": _("Age"),
    "profile:age": _("Age"),
    "profile:purchaser": _("Has bought"),
    "friendship:source": _("Acquisition source"),
    "friendship:standing": _("Friendship"),
    "activity:hour": _("Active hours"),
    "activity:weekday": _("Active day"),
    "done:purchase_item": _("Bought product"),
    "done:purchase": _("Bought at store"),
    "done:coupon_use": _("Used coupon"),
    "done:link_open": _("Tapped link"),
}
HOURS = {
    "0": _("0–6 h"),
    "1": _("6–9 h"),
    "2": _("9–12 h"),
    "3": _("12–15 h"),
    "4": _("15–18 h"),
    "5": _("18–21 h"),
    "6": _("21–24 h"),
}
WEEKDAYS = {
    "1": _("Monday"),
    "2": _("Tuesday"),
    "3": _("Wednesday"),
    "4": _("Thursday"),
    "5": _("Friday"),
    "6": _("Saturday"),
    "7": _("Sunday"),
}
STANDINGS = {"following": _("Friend"), "blocked": _("Blocked")}
FLAGS = {"true": _("Yes"), "false": _("No")}
LANGUAGES = {
    "ja": _("Japanese"),
    "en": _("English"),
    "zh-Hant": _("Chinese (traditional)"),
    "zh-Hans": _("Chinese (simplified)"),
    "ko": _("Korean"),
    "th": _("Thai"),
    "id": _("Indonesian"),
    "vi": _("Vietnamese"),
}
CERTAINTIES = {
    "very": (_("Very clear"), "green"),
    "certain": (_("Clear"), "teal"),
    "unsure": (_("No clear difference"), "grey"),
    "few": (_("Too few to say"), "grey"),
}
"""Certainty → words and the badge's colour."""


def trait_label(trait: Trait) -> str:
    """Return what a trait is called."""
    if trait.key.startswith("field:"):
        field = road().fields.get(trait.key.removeprefix("field:"))
        return str(field.label) if field is not None else trait.key.removeprefix("field:")
    fixed = TRAITS.get(trait.key)
    return str(fixed) if fixed is not None else trait.label


def value_label(trait: Trait, value: Value) -> str:
    """Return what a value is called; what staff named is as it was at that moment."""
    if value.label:
        return value.label
    fixed = _FIXED.get(trait.key, {}).get(value.value)
    if fixed is not None:
        return str(fixed)
    if trait.key == "profile:prefecture":
        return prefecture_name(value.value)
    if trait.key == "profile:age_band":
        if value.value == "80":
            return str(_("80 and over"))
        return str(_("%(age)ss", age=value.value))
    if trait.key.startswith("field:"):
        return _field_value(trait, value.value)
    if trait.means is not None:
        return _band(value.value, trait.unit)
    return value.value or str(_("(no name)"))


_FIXED: dict[str, dict[str, Text]] = {
    "activity:hour": HOURS,
    "activity:weekday": WEEKDAYS,
    "friendship:standing": STANDINGS,
    "profile:purchaser": FLAGS,
    "profile:language": LANGUAGES,
}


def _field_value(trait: Trait, value: str) -> str:
    field = road().fields.get(trait.key.removeprefix("field:"))
    if field is None:
        return value
    if field.kind == "flag":
        return str(FLAGS.get(value, value))
    if field.kind in ("day", "moment"):
        return _band(value, "ago")
    if trait.means is not None:
        return _band(value, trait.unit)
    return str(dict(field.choices).get(value, value))


def _band(value: str, unit: str) -> str:
    low, dots, high = value.partition("..")
    if not dots:
        return amount(float(low), unit)
    if unit == "ago":
        if not high:
            return str(_("over %(n)s days ago", n=int(low) - 1))
        return str(_("%(low)s–%(high)s days ago", low=low, high=high))
    if not low:
        return str(_("below %(high)s", high=amount(float(high), unit)))
    if not high:
        return str(_("%(low)s and more", low=amount(float(low), unit)))
    ends = {"low": amount(float(low), unit), "high": amount(float(high), unit)}
    return str(_("%(low)s to below %(high)s", **ends))


def amount(number: float, unit: str) -> str:
    """Return a number with its unit: 12,300円, 34%, 41.5."""
    locale = current_locale()
    if unit == "share":
        return format_percent(number, format="#,##0.#%", locale=locale)
    if unit == "money":
        return written(round(number, 2))
    return format_decimal(number, format="#,##0.##", locale=locale)


def finding_label(one: Finding) -> str:
    """Return a finding as one short phrase: its trait and value."""
    value = value_label(one.trait, one.value)
    return str(_("%(trait)s: %(value)s", trait=trait_label(one.trait), value=value))


def sentence(
    more: Sequence[Finding], less: Sequence[Finding], means: Sequence[Mean], figures: Figures
) -> str:
    """Return what sets these people apart, in one or a few sentences."""
    if figures.people[1] == 0:
        return str(_("Nobody is in this group at present."))
    parts: list[str] = []
    if more:
        parts.append(str(_("Of these people, more than elsewhere: %(list)s.", list=_list(more))))
    if less:
        parts.append(str(_("Fewer than elsewhere: %(list)s.", list=_list(less))))
    if means:
        listed = _join(
            str(
                _(
                    "%(trait)s %(mean)s (otherwise %(other)s)",
                    trait=trait_label(one.trait),
                    mean=amount(one.mean, one.trait.unit),
                    other=amount(one.other, one.trait.unit),
                )
            )
            for one in means
        )
        parts.append(str(_("On average: %(list)s.", list=listed)))
    if parts:
        return (" " if current_locale() == "en" else "").join(parts)
    return str(
        _("Nothing sets these people apart with certainty. With more people or answers it may.")
    )


def _list(some: Sequence[Finding]) -> str:
    return _join(
        str(
            _(
                "%(what)s (%(share)s, otherwise %(other)s)",
                what=finding_label(one),
                share=amount(one.share, "share"),
                other=amount(one.other, "share"),
            )
        )
        for one in some
    )


def _join(parts: Iterable[str]) -> str:
    return ("; " if current_locale() == "en" else "、").join(parts)
