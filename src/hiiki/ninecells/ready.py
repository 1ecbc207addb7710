"""The three questions, ready to use, and what each of their answers means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hiiki.kit.i18n import _
from hiiki.kit.road import Ask, ReadySurvey

KEY = "nine_cells"

MEANINGS: Mapping[str, Sequence[str]] = {
    "aware": ("yes", "yes", "no"),
    "bought": ("never", "lapsed", "general", "loyal"),
    "again": ("yes", "yes", "no", "no"),
}
"""In the order of the choices below."""

SURVEYS = (
    ReadySurvey(
        KEY,
        _("The three questions of the 9-segment map"),
        _("Who is loyal, who only buys out of habit, and who wants to come back."),
        _("May we ask you three quick questions about us?"),
        _("Thank you! Your answers help us to serve you better."),
        (
            Ask(
                "choice",
                _("Do you know our products or our service?"),
                (_("I know them well"), _("I have heard of them"), _("No, not yet")),
                "buttons",
                ends=(2,),
            ),
            Ask(
                "choice",
                _("Have you bought from us or used us?"),
                (
                    _("Never so far"),
                    _("Over a year ago"),
                    _("1–2 times in a year"),
                    _("3 times + in a year"),
                ),
                "buttons",
            ),
            Ask(
                "choice",
                _("The next time, will you choose us?"),
                (_("Certainly"), _("Probably"), _("I do not know yet"), _("Probably not")),
                "buttons",
            ),
        ),
    ),
)
