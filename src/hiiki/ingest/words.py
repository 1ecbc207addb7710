"""What LINE's event types, and the states of an event, are called."""

from __future__ import annotations

from hiiki.kit.i18n import _

KINDS = {
    "follow": _("Added the account"),
    "unfollow": _("Blocked the account"),
    "message": _("Sent a message"),
    "postback": _("Tapped a button"),
    "unsend": _("Took a message back"),
    "accountLink": _("Linked their account"),
    "videoPlayComplete": _("Watched a video to the end"),
    "beacon": _("Came near a beacon"),
    "membership": _("Joined, left or renewed a membership"),
    "join": _("The account was added to a group"),
    "leave": _("The account left a group"),
    "memberJoined": _("Somebody joined a group"),
    "memberLeft": _("Somebody left a group"),
}
"""LINE's type → words. Others are shown as LINE writes them."""

STATE_WORDS = {
    "waiting": (_("To be handled"), "blue"),
    "handled": (_("Handled"), "green"),
    "set_aside": (_("Set aside"), "red"),
    "dismissed": (_("Dismissed"), "grey"),
}
"""State → words and the badge's colour."""
