"""Which designs the gallery shows, with their names."""

from __future__ import annotations

from dataclasses import dataclass

from . import cards, rules, sheets, shops, trades
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
    Design("apparel", ("衣料品", "Apparel"),
           ("画像に重ねる半透明のボックス", "Half-transparent boxes over images"), trades.APPAREL),
    Design("menu", ("メニュー", "Menu"),
           ("microサイズのカルーセル", "Carousel of micro bubbles"), trades.MENU),
    Design("nearby", ("近くのお店", "Local search"),
           ("kiloサイズのカルーセル", "Carousel of kilo bubbles"), trades.NEARBY),
    Design("house", ("不動産", "Real estate"),
           ("ヘッダーに画像を並べる", "Images side by side in the header"), trades.HOUSE),
    Design("ticket", ("入場券", "Ticket"),
           ("中央の画像、flexの比率", "Image in the middle, shares by flex"), trades.TICKET),
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
    Design("surfaces", ("面と線", "Surfaces"),
           ("角丸、枠線、グラデーション、透明度", "Corners, borders, gradients, transparency"),
           rules.SURFACES),
    Design("spacing", ("間隔と大きさ", "Spacing"),
           ("spacing、margin、flex、width", "spacing, margin, flex, width"), rules.SPACING),
    Design("images", ("画像とアイコン", "Images"),
           ("size、aspectMode、aspectRatio", "size, aspectMode, aspectRatio"), rules.IMAGES),
    Design("adjust", ("向きと文字の調整", "Direction"),
           ("rtl、adjustMode、scaling、offset", "rtl, adjustMode, scaling, offsets"),
           rules.ADJUST),
    *(Design(f"size-{size}", (f"サイズ {size}", f"Size {size}"),
             ("吹き出しの幅と余白", "Width and padding of a bubble"), message)
      for size, message in rules.SIZED.items()),
)  # fmt: skip
"""All designs in the order of the page."""
