"""What people and programs send about ranks, and what they get."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hiiki.kit.forms import Wrong
from hiiki.rfm.areas import AREAS, BY_KEY, area_of, name_of
from hiiki.rfm.models import Scheme
from hiiki.rfm.ranking import Bounds, Window
from hiiki.rfm.service import Cell, Matrix, Move, Row

NAME_LIMIT = 20
DayCount = Annotated[int, Field(ge=0, le=3650)]
OrderCount = Annotated[int, Field(ge=1, le=100_000)]
Money = Annotated[Decimal, Field(ge=0, le=Decimal("1e12"), decimal_places=2, allow_inf_nan=False)]


class SchemeIn(BaseModel):
    """How ranks are formed. Lists are for the ranks 2, 3, 4 and 5."""

    model_config = ConfigDict(extra="ignore")

    method: Literal["fifths", "own"] = "fifths"
    days: Annotated[int | None, Field(ge=1, le=3650)] = None
    """Count the orders of so many last days; None: all."""
    counts: Literal["ever", "window"] = "ever"
    recency: Annotated[list[DayCount], Field(min_length=4, max_length=4)]
    """At most so many days since the last order."""
    frequency: Annotated[list[OrderCount], Field(min_length=4, max_length=4)]
    """At least so many orders."""
    monetary: Annotated[list[Money], Field(min_length=4, max_length=4)]
    """At least so much money."""
    names: dict[str, Annotated[str, Field(max_length=NAME_LIMIT)]] = Field(
        default_factory=dict[str, str]
    )
    """The shop's own names of areas; what is not named, or empty, keeps ours."""

    @field_validator("days", mode="before")
    @classmethod
    def _all_days(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("recency")
    @classmethod
    def _falls(cls, value: list[int]) -> list[int]:
        if any(later >= earlier for earlier, later in pairwise(value)):
            raise Wrong("Each rank needs fewer days than the one before it.")
        return value

    @field_validator("frequency", "monetary")
    @classmethod
    def _rises(cls, value: list[Any]) -> list[Any]:
        if any(later <= earlier for earlier, later in pairwise(value)):
            raise Wrong("Each rank needs more than the one before it.")
        return value

    @field_validator("names")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        if unknown := set(value) - set(BY_KEY):
            raise Wrong("There is no area %(name)s.", name=", ".join(sorted(unknown)))
        return {key: name.strip() for key, name in value.items() if name.strip()}

    @property
    def window(self) -> Window:
        """Which purchases count, and for whom."""
        return Window(self.days, self.counts)

    @property
    def bounds(self) -> Bounds:
        """The shop's own bounds."""
        return Bounds(tuple(self.recency), tuple(self.frequency), tuple(self.monetary))


class CellOut(BaseModel):
    """How many customers are in a cell or an area."""

    people: int
    share: float
    spent: Decimal
    share_of_spent: float
    mean_monetary: float

    @classmethod
    def of(cls, cell: Cell) -> dict[str, Any]:
        """Return a cell's figures."""
        return {
            "people": cell.people,
            "share": cell.share,
            "spent": cell.spent,
            "share_of_spent": cell.share_of_spent,
            "mean_monetary": cell.monetary,
        }


class MatrixCell(CellOut):
    """A cell of the matrix."""

    recency: int
    frequency: int
    area: str


class MatrixArea(CellOut):
    """An area of the matrix."""

    key: str
    name: str


class MatrixOut(BaseModel):
    """Where all customers stand, and how ranks are formed."""

    ranked_at: datetime | None
    is_under_way: bool
    method: str
    days: int | None
    counts: str
    bounds: dict[str, list[float | None]]
    """The bounds that hold for the ranks 2, 3, 4 and 5; null where nobody gets there."""
    customers: int
    never_bought: int
    spent: Decimal
    cells: list[MatrixCell]
    areas: list[MatrixArea]

    @classmethod
    def make(cls, scheme: Scheme, found: Matrix, is_under_way: bool) -> MatrixOut:
        """Return all of it."""
        return cls(
            ranked_at=scheme.ranked_at,
            is_under_way=is_under_way,
            method=scheme.method,
            days=scheme.days,
            counts=scheme.counts,
            bounds=scheme.bounds,
            customers=found.customers,
            never_bought=found.never,
            spent=found.spent,
            cells=[
                MatrixCell(recency=r, frequency=f, area=area_of(r, f), **CellOut.of(cell))
                for (r, f), cell in found.cells.items()
            ],
            areas=[
                MatrixArea(
                    key=area.key,
                    name=str(name_of(area.key, scheme.names)),
                    **CellOut.of(found.areas[area.key]),
                )
                for area in AREAS
            ],
        )


class PersonOut(BaseModel):
    """A customer with her ranks."""

    contact_id: UUID
    recency: int | None
    frequency: int | None
    monetary: int | None
    last_on: date | None
    orders: int
    spent: Decimal

    @classmethod
    def of(cls, row: Row) -> PersonOut:
        """Return one row."""
        one = row.standing
        return cls(
            contact_id=one.contact_id,
            recency=one.recency,
            frequency=one.frequency,
            monetary=one.monetary,
            last_on=one.last_on,
            orders=one.orders,
            spent=one.spent,
        )


class PeoplePage(BaseModel):
    """Customers, those who spent most first."""

    items: list[PersonOut]
    next: str | None


class MoveOut(BaseModel):
    """How many went from one area to another; "" is no customer."""

    came_from: str
    went_to: str
    people: int

    @classmethod
    def of(cls, move: Move) -> MoveOut:
        """Return one move."""
        return cls(came_from=move.came_from, went_to=move.went_to, people=move.people)


class MovementOut(BaseModel):
    """Who moved in a month."""

    months: list[date]
    month: date | None
    moves: list[MoveOut]


class AskedOut(BaseModel):
    """Whether the ranks are being formed now."""

    is_under_way: bool
