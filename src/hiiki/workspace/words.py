"""The audit record in people's words. An action without words here is shown by its name."""

from __future__ import annotations

from collections.abc import Mapping

from hiiki.kit.i18n import Text, _

ROOMS: Mapping[str, Text] = {
    "workspace": _("Workspace and staff"),
    "channels": _("Official accounts"),
    "contacts": _("Friends"),
    "tags": _("Tags"),
    "attributes": _("Friend fields"),
    "segments": _("Segments"),
    "surveys": _("Surveys"),
    "broadcasts": _("Broadcasts"),
    "coupons": _("Coupons"),
    "media": _("Images"),
    "rules": _("Rules"),
    "sends": _("Deliveries"),
    "guards": _("Sending limits"),
    "webhooks": _("Events from LINE"),
}

ACTIONS: Mapping[str, Text] = {
    "workspace.create": _("made the workspace"),
    "workspace.update": _("changed the workspace's settings"),
    "workspace.profile_update": _("changed their profile"),
    "workspace.password_change": _("changed their password"),
    "workspace.staff_add": _("added a member of staff"),
    "workspace.staff_role": _("changed a member's role"),
    "workspace.staff_password": _("set a member's password"),
    "workspace.staff_remove": _("removed a member of staff"),
    "workspace.token_create": _("made an API token"),
    "workspace.token_revoke": _("revoked an API token"),
    "channels.create": _("connected an official account"),
    "channels.check": _("checked an official account"),
    "channels.update": _("changed an official account"),
    "channels.credentials": _("replaced an account's credentials"),
    "channels.delete": _("deleted an official account"),
    "contacts.update": _("changed a friend"),
    "contacts.attribute_set": _("set a friend's field"),
    "contacts.tag_add": _("put a tag on a friend"),
    "contacts.tag_remove": _("took a tag off a friend"),
    "contacts.note_add": _("wrote a note"),
    "contacts.note_update": _("changed a note"),
    "contacts.note_delete": _("deleted a note"),
    "contacts.export": _("exported a friend's data"),
    "contacts.export_list": _("exported the list of friends"),
    "contacts.erase": _("erased a friend"),
    "tags.create": _("made a tag"),
    "tags.update": _("changed a tag"),
    "tags.delete": _("deleted a tag"),
    "attributes.create": _("made a friend field"),
    "attributes.update": _("changed a friend field"),
    "attributes.reorder": _("changed the order of the friend fields"),
    "attributes.delete": _("deleted a friend field"),
    "media.create": _("uploaded an image"),
    "media.delete": _("deleted an image"),
    "broadcasts.create": _("made a broadcast"),
    "broadcasts.update": _("changed a broadcast"),
    "broadcasts.test": _("sent a test message"),
    "broadcasts.schedule": _("scheduled a broadcast"),
    "broadcasts.send": _("sent a broadcast"),
    "broadcasts.pause": _("paused a broadcast"),
    "broadcasts.resume": _("resumed a broadcast"),
    "broadcasts.cancel": _("cancelled a broadcast"),
    "broadcasts.delete": _("deleted a broadcast"),
    "contacts.tag_create": _("made a tag"),
    "contacts.tag_add_many": _("put a tag on many friends"),
    "contacts.tag_remove_many": _("took a tag off many friends"),
    "segments.create": _("made a segment"),
    "segments.update": _("changed a segment"),
    "segments.delete": _("deleted a segment"),
    "segments.export": _("exported a segment's members"),
    "surveys.create": _("made a survey"),
    "surveys.update": _("changed a survey"),
    "surveys.publish": _("published a survey"),
    "surveys.close": _("closed a survey"),
    "surveys.duplicate": _("copied a survey"),
    "surveys.delete": _("deleted a survey"),
    "coupons.create": _("made a coupon"),
    "coupons.update": _("changed a coupon"),
    "coupons.issue": _("issued a coupon"),
    "coupons.use": _("marked a coupon as used"),
    "coupons.delete": _("deleted a coupon"),
    "rules.create": _("made a rule"),
    "rules.update": _("changed a rule"),
    "rules.duplicate": _("copied a rule"),
    "rules.switch_on": _("switched a rule on"),
    "rules.switch_off": _("switched a rule off"),
    "rules.delete": _("deleted a rule"),
    "sends.pause": _("paused a delivery"),
    "sends.resume": _("resumed a delivery"),
    "sends.cancel": _("cancelled a delivery"),
    "guards.update": _("changed an account's sending limits"),
    "guards.topic_create": _("made a kind of message"),
    "guards.topic_update": _("renamed a kind of message"),
    "guards.topic_delete": _("deleted a kind of message"),
    "guards.opt_out": _("noted that a friend declines a kind of message"),
    "guards.opt_in": _("noted that a friend takes a kind of message again"),
    "webhooks.run_again": _("ran an event again"),
    "webhooks.dismiss": _("dismissed an event"),
}


def action_label(action: str) -> Text | str:
    """Return what `action` (`tags.delete`) means."""
    return ACTIONS.get(action, action)


def room_label(room: str) -> Text | str:
    """Return what the part of an action before its dot is called."""
    return ROOMS.get(room, room)
