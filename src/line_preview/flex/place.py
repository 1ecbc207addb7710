"""Where a component stands in its parent box: share of space, margin, offsets."""

from dataclasses import dataclass

from line_preview.fields import Fields, keyword, number, text
from line_preview.style import Look

POSITIONS = frozenset({"relative", "absolute"})
# The stylesheet has a class for shares up to this one; larger ones travel as flex-grow.
_LARGEST_SHARE_CLASS = 6


@dataclass(frozen=True, slots=True)
class Place:
    """A component's place: its parent's layout and spacing, its index, how deep it lies."""

    layout: str
    spacing: str
    index: int
    depth: int
    lang: str

    @property
    def horizontal(self) -> bool:
        """Whether the parent lays its children out sideways."""
        return self.layout != "vertical"


def put(look: Look, component: Fields, place: Place, *, share: int | None = None) -> None:
    """Give a component its share of the parent, its margin and its offsets.

    `share` overrides the default of the `flex` property (1 sideways, 0 downwards).
    """
    if keyword(component, "position", POSITIONS) == "absolute":
        look.add("lp-abs")
    else:
        _put_share(look, component, place, share)
        _put_margin(look, component, place)
    for key, name, prefix in (
        ("offsetTop", "top", "lp-ot"),
        ("offsetBottom", "bottom", "lp-ob"),
        ("offsetStart", "inset-inline-start", "lp-os"),
        ("offsetEnd", "inset-inline-end", "lp-oe"),
    ):
        look.size(name, component, key, prefix)


def _put_share(look: Look, component: Fields, place: Place, share: int | None) -> None:
    wanted = number(component, "flex")
    if wanted is None or wanted < 0:
        wanted = share if share is not None else int(place.horizontal)
    if wanted == 0:
        look.add("lp-f0")
    elif wanted <= _LARGEST_SHARE_CLASS and wanted == int(wanted):
        look.add("lp-fx", f"lp-f{int(wanted)}")
    else:
        look.add("lp-fx")
        look.declare("flex-grow", f"{wanted:.0f}")


def _put_margin(look: Look, component: Fields, place: Place) -> None:
    name, prefix = ("margin-inline-start", "lp-ms") if place.horizontal else ("margin-top", "lp-mt")
    if text(component, "margin") and look.size(name, component, "margin", prefix):
        return
    # A parent's spacing lies between components: not before the first, and fillers need none.
    if place.index > 0 and component.get("type") != "filler":
        look.size(name, {"spacing": place.spacing}, "spacing", prefix)
