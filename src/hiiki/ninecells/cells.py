"""The nine cells, and which answers lead to which.

The 9-segment map is Kazuki Nishiguchi's (西口一希『実践 顧客起点マーケティング』, 翔泳社, 2019;
https://markezine.jp/article/detail/30846). It asks three things of a person:

* **aware**: does she know the brand;
* **bought**: never, formerly (lapsed), now and then (general), or often (loyal);
* **next**: does she mean to choose it the next time (NPI, next purchase intention).

Who does not know the brand is one cell. Each of the four kinds of people who do is split by
what they mean to do next: *active* (積極) do, *passive* (消極) do not, whatever they bought.
To the right is what promotion brings about, upwards what the brand does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hiiki.kit.i18n import Text, _


@dataclass(frozen=True, slots=True)
class Cell:
    """One of the nine."""

    name: str
    """As it is stored."""
    number: int
    """Its number in the book, 1 the best."""
    label: Text
    who: Text
    advice: Text
    """What is usually worth doing for these people."""


CELLS: Sequence[Cell] = (
    Cell(
        "loyal_active",
        1,
        _("Active loyal customers"),
        _("Buy often, and mean to choose you again."),
        _("Ask them what they love, and tell the others. Thank them first."),
    ),
    Cell(
        "loyal_passive",
        2,
        _("Passive loyal customers"),
        _("Buy often, but would as soon choose another."),
        _("They stay out of habit or for want of another. Give them a reason to prefer you."),
    ),
    Cell(
        "general_active",
        3,
        _("Active general customers"),
        _("Buy now and then, and mean to choose you again."),
        _("They like you: give them more occasions to buy."),
    ),
    Cell(
        "general_passive",
        4,
        _("Passive general customers"),
        _("Buy now and then, but would as soon choose another."),
        _("Show what only you have before you lower a price."),
    ),
    Cell(
        "lapsed_active",
        5,
        _("Active lapsed customers"),
        _("Have stopped buying, but mean to choose you again."),
        _("They want to come back: an occasion and a reminder are enough."),
    ),
    Cell(
        "lapsed_passive",
        6,
        _("Passive lapsed customers"),
        _("Have stopped buying, and do not mean to come back."),
        _("Ask why they left, and tell them what has changed."),
    ),
    Cell(
        "aware_active",
        7,
        _("Active prospects"),
        _("Know you, have never bought, and mean to."),
        _("Take away what keeps them from the first purchase."),
    ),
    Cell(
        "aware_passive",
        8,
        _("Passive prospects"),
        _("Know you, have never bought, and do not mean to."),
        _("They know your name, but not what it is good for: tell them."),
    ),
    Cell(
        "unaware",
        9,
        _("Unaware"),
        _("Do not know you yet."),
        _("Introduce yourself in one sentence."),
    ),
)
BY_NAME = {cell.name: cell for cell in CELLS}

AWARE = ("no", "yes")
BOUGHT = ("never", "lapsed", "general", "loyal")
NEXT = ("no", "yes")
"""What each question can tell; the place in the list is what stands for it in SQL."""


def cell_of(aware: str | None, bought: str | None, again: str | None) -> str:
    """Return the cell of these answers, "" while they do not say; None is not known.

    Whoever has bought knows the brand, whatever else she says; and of whom it does not know
    a brand nobody needs to ask what she means to do.
    """
    if bought in ("lapsed", "general", "loyal"):
        kind = bought
    elif aware == "no":
        return "unaware"
    elif aware == "yes" and bought == "never":
        kind = "aware"
    else:
        return ""
    return f"{kind}_{'active' if again == 'yes' else 'passive'}" if again else ""


CELL_SQL = """case
    when bought >= 1 then (array['lapsed', 'general', 'loyal'])[bought]
        || case again when 1 then '_active' when 0 then '_passive' end
    when aware = 0 then 'unaware'
    when aware = 1 and bought = 0
        then 'aware' || case again when 1 then '_active' when 0 then '_passive' end
end"""
"""The same over the columns `aware`, `bought` and `again` (places in the lists above); NULL
for none. A test asks both about every combination."""
