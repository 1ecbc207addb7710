"""Flex Messages as a shop might design them; the gallery and the tests draw these."""

from tests.line_preview.designs.cards import BOARDING_PASS, POSTER, ROUTE, SOCIAL, TASKS
from tests.line_preview.designs.parts import Json, box, button, flex, text, uri
from tests.line_preview.designs.sheets import ALIGNMENT, SIZES, TYPOGRAPHY, VIDEO
from tests.line_preview.designs.shops import COUPON, PRODUCTS, RECEIPT, RESTAURANT

__all__ = ["FLEX", "SIZES", "Json", "box", "button", "flex", "text", "uri"]

FLEX = {
    "restaurant": RESTAURANT,
    "receipt": RECEIPT,
    "coupon": COUPON,
    "products": PRODUCTS,
    "boarding-pass": BOARDING_PASS,
    "typography": TYPOGRAPHY,
    "video": VIDEO,
    "route": ROUTE,
    "poster": POSTER,
    "tasks": TASKS,
    "social": SOCIAL,
    "alignment": ALIGNMENT,
}
