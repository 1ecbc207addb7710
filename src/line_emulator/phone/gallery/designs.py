"""Which designs the gallery shows, with their names."""

from __future__ import annotations

from dataclasses import dataclass

from . import cards, sheets, shops
from .parts import Json


@dataclass(frozen=True, slots=True)
class Design:
    """One message of the gallery. Names and notes are Japanese and English."""

    name: str
    titles: tuple[str, str]
    notes: tuple[str, str]
    message: Json

    def title(self, lang: str) -> str:
        """What it is."""
        return self.titles[0 if lang == "ja" else 1]

    def about(self, lang: str) -> str:
        """What it shows of Flex Messages."""
        return self.notes[0 if lang == "ja" else 1]


DESIGNS = (
    Design("restaurant", ("レストラン", "Restaurant"),
           ("ヒーロー画像、アイコン、baselineボックス", "Hero image, icons, baseline boxes"),
           shops.RESTAURANT),
    Design("receipt", ("レシート", "Receipt"),
           ("区切り線、左右の揃え", "Separators, alignment"), shops.RECEIPT),
    Design("coupon", ("クーポン", "Coupon"),
           ("グラデーション、角丸、枠線", "Gradient, rounded corners, borders"), shops.COUPON),
    Design("products", ("商品カルーセル", "Products"),
           ("絶対配置、取り消し線", "Absolute position, line-through"), shops.PRODUCTS),
    Design("boarding-pass", ("搭乗券", "Boarding pass"),
           ("gigaサイズ、flexの比率", "Size giga, shares by flex"), cards.BOARDING_PASS),
    Design("route", ("乗換案内", "Transit"),
           ("幅と高さの固定、線を引くボックス", "Fixed widths and heights, lines made of boxes"),
           cards.ROUTE),
    Design("poster", ("ポスター", "Poster"),
           ("画像に重ねた文字", "Words over an image"), cards.POSTER),
    Design("tasks", ("やること", "To do"),
           ("進み具合の棒、パーセントの幅", "Progress bars, widths in percent"), cards.TASKS),
    Design("social", ("SNSの投稿", "Social"),
           ("画像を並べる、spanで書き分ける", "Images side by side, spans"), cards.SOCIAL),
    Design("typography", ("文字", "Typography"),
           ("大きさ、行間、最大行数", "Sizes, line spacing, maximum lines"), sheets.TYPOGRAPHY),
    Design("alignment", ("配置", "Alignment"),
           ("gravity、justifyContent、alignItems", "gravity, justifyContent, alignItems"),
           sheets.ALIGNMENT),
    Design("video", ("動画", "Video"),
           ("ヒーローの動画", "A video as hero"), sheets.VIDEO),
)  # fmt: skip
"""All designs in the order of the page."""
