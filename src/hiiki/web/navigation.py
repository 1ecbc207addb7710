"""The console's left-hand navigation: fixed sections, filled by the rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hiiki.kit.i18n import Text, _
from hiiki.kit.road import NavItem, Registry
from hiiki.workspace.access import Access


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the navigation. With one item it is that item's own line."""

    name: str
    label: Text
    icon: str
    items: tuple[NavItem, ...] = ()

    def holds(self, path: str) -> bool:
        """True when the page at `path` belongs to this section."""
        return any(is_current(item, path) for item in self.items)


SECTIONS = (
    Section("home", _("Home"), "home"),
    Section("friends", _("Friends"), "users"),
    Section("segments", _("Segments"), "filter"),
    Section("broadcasts", _("Sending"), "send"),
    Section("chat", _("Conversations"), "messages"),
    Section("surveys", _("Surveys"), "clipboard-text"),
    Section("promotion", _("Promotion"), "discount-2"),
    Section("acquisition", _("Acquisition"), "magnet"),
    Section("purchases", _("Sales"), "shopping-bag"),
    Section("analytics", _("Analytics"), "chart-bar"),
    Section("settings", _("Settings"), "settings"),
)
"""In the order in which they are shown; `NavItem.section` is one of these names."""


def is_current(item: NavItem, path: str) -> bool:
    """True when `path` is the item's page or one below it."""
    return path == item.url or (item.url != "/" and path.startswith(item.url.rstrip("/") + "/"))


def navigation(registry: Registry, access: Access) -> Sequence[Section]:
    """Return the sections in which `access` can see anything."""
    found: list[Section] = []
    for section in SECTIONS:
        items = [
            item
            for room in registry.rooms
            for item in room.nav
            if item.section == section.name and access.may(item.role)
        ]
        if items:
            items.sort(key=lambda item: item.order)
            found.append(Section(section.name, section.label, section.icon, tuple(items)))
    return found
