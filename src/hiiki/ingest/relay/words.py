"""What the states of a relayed body, and the reasons of failures, are called."""

from __future__ import annotations

from hiiki.kit.i18n import _

STATE_WORDS = {
    "waiting": (_("On its way"), "blue"),
    "delivered": (_("Delivered"), "green"),
    "given_up": (_("Given up"), "red"),
}
"""State → words and the badge's colour."""

PROBLEMS = {
    "timeout": _("No answer within 5 seconds"),
    "unreachable": _("No connection"),
    "certificate": _("The certificate is not valid"),
    "not_public": _("The name leads to an address inside a network"),
    "refused_url": _("This address may no longer be posted to"),
    "redirect": _("The address redirects; please enter where it leads"),
    "status": _("Answered with an error"),
    "sealed": _("The stored header cannot be opened; please enter it again"),
    "expired": _("Not delivered within 24 hours"),
    "erased": _("A person in it was erased"),
}
"""`RelayDelivery.problem` → words."""
