"""What shops send: a card, a receipt, a coupon, products."""

from typing import Any

from .parts import Json, box, button, flex, picture, text, uri


def _stars(count: int) -> list[Json]:
    return [
        {
            "type": "icon",
            "size": "sm",
            "url": picture("star") if n < count else picture("star-off"),
        }
        for n in range(5)
    ]


def _fact(name: str, value: str) -> Json:
    return box(
        "baseline",
        text(name, color="#999999", size="sm", flex=1),
        text(value, color="#555555", size="sm", flex=5, wrap=True),
        spacing="sm",
    )


RESTAURANT = flex(
    {
        "type": "bubble",
        "hero": {
            "type": "image",
            "url": picture("curry"),
            "size": "full",
            "aspectRatio": "20:13",
            "aspectMode": "cover",
            "action": uri("店を見る"),
        },
        "body": box(
            "vertical",
            text("カレー食堂 ひだまり", weight="bold", size="xl"),
            box(
                "baseline",
                *_stars(4),
                text("4.0", size="sm", color="#999999", margin="md", flex=0),
                margin="md",
            ),
            box(
                "vertical",
                _fact("場所", "東京都台東区谷中3丁目12番地5号 谷中銀座商店街の入口すぐ"),
                _fact("時間", "11:00 - 21:30（水曜定休）"),
                margin="lg",
                spacing="sm",
            ),
        ),
        "footer": box(
            "vertical",
            button("電話する", style="link", height="sm"),
            button("席を予約する", style="primary", height="sm", color="#c8571b"),
            {"type": "filler", "flex": 0},
            spacing="sm",
            flex=0,
        ),
    },
    "カレー食堂 ひだまり",
)


def _row(name: str, price: str, **more: Any) -> Json:
    return box(
        "horizontal",
        text(name, size="sm", color="#555555", flex=0, **more),
        text(price, size="sm", color="#111111", align="end", **more),
    )


RECEIPT = flex(
    {
        "type": "bubble",
        "body": box(
            "vertical",
            text("領収書", weight="bold", color="#1a7f5a", size="sm"),
            text("ひだまり商店", weight="bold", size="xxl", margin="md"),
            text("東京都台東区谷中3-12-5", size="xs", color="#aaaaaa", wrap=True),
            {"type": "separator", "margin": "xxl"},
            box(
                "vertical",
                _row("キーマカレー 2点", "¥1,960"),
                _row("ほうれん草のカレー", "¥1,080"),
                _row("ラッシー", "¥420"),
                {"type": "separator", "margin": "xxl"},
                {**_row("点数", "4"), "margin": "xxl"},
                _row("合計", "¥3,460", weight="bold"),
                _row("お預かり", "¥4,000"),
                _row("お釣り", "¥540"),
                margin="xxl",
                spacing="sm",
            ),
            {"type": "separator", "margin": "xxl"},
            box(
                "horizontal",
                text("伝票番号", size="xs", color="#aaaaaa", flex=0),
                text("#743289384279", color="#aaaaaa", size="xs", align="end"),
                margin="md",
            ),
        ),
        "styles": {"footer": {"separator": True}},
    },
    "領収書",
)

COUPON = flex(
    {
        "type": "bubble",
        "size": "kilo",
        "body": box(
            "vertical",
            box(
                "horizontal",
                box(
                    "vertical",
                    text("友だち限定", size="xs", color="#ffffff", align="center", weight="bold"),
                    backgroundColor="#00000040",
                    cornerRadius="xxl",
                    width="92px",
                    paddingAll="xs",
                ),
            ),
            text(
                "10% OFF", size="4xl", weight="bold", color="#ffffff", align="center", margin="md"
            ),
            text("お会計から割引いたします", size="sm", color="#ffffffcc", align="center"),
            box(
                "vertical",
                text("COUPON CODE", size="xxs", color="#ffffffb3", align="center"),
                text("HIDAMARI-2026", size="lg", weight="bold", color="#ffffff", align="center"),
                borderColor="#ffffff80",
                borderWidth="normal",
                cornerRadius="md",
                paddingAll="md",
                margin="lg",
            ),
            box(
                "vertical",
                text("残り3日", size="xxs", color="#b23a48", weight="bold", align="center"),
                position="absolute",
                offsetTop="13px",
                offsetEnd="13px",
                backgroundColor="#ffe66d",
                cornerRadius="20px",
                paddingAll="3px",
                paddingStart="10px",
                paddingEnd="10px",
            ),
            background={
                "type": "linearGradient",
                "angle": "135deg",
                "startColor": "#ff6b6b",
                "centerColor": "#e0567f",
                "centerPosition": "45%",
                "endColor": "#6b4ba8",
            },
        ),
        "footer": box(
            "vertical",
            button("クーポンを使う", style="primary", color="#b23a48", height="sm"),
            text(
                "有効期限 2026年12月31日", size="xxs", color="#8c8c8c", align="center", margin="sm"
            ),
        ),
    },
    "10% OFFクーポン",
)


def _product(image: str, name: str, price: str, was: str | None, *, sold_out: bool = False) -> Json:
    whole, _, cents = price.partition(".")
    price_row = [text(f"¥{whole}", weight="bold", size="xl", wrap=True, flex=0)]
    if cents:
        price_row.append(text(f".{cents}", weight="bold", size="sm", flex=0))
    if was:
        price_row.append(
            text(
                f"¥{was}",
                size="sm",
                color="#999999",
                decoration="line-through",
                margin="md",
                flex=0,
            )
        )
    notes = [text("在庫がありません", size="xxs", color="#ff5551", wrap=True)] if sold_out else []
    return {
        "type": "bubble",
        "size": "kilo",
        "hero": {
            "type": "image",
            "size": "full",
            "aspectRatio": "20:13",
            "aspectMode": "cover",
            "url": image,
        },
        "body": box(
            "vertical",
            text(name, weight="bold", size="lg", wrap=True),
            box("baseline", *price_row, flex=1),
            *notes,
            spacing="sm",
        ),
        "footer": box(
            "vertical",
            button("かごに入れる", style="primary", color="#aaaaaa" if sold_out else "#1d5fa8"),
            button("気になる"),
            spacing="sm",
        ),
    }


PRODUCTS = flex(
    {
        "type": "carousel",
        "contents": [
            _product(picture("curry"), "レトルト キーマカレー 3食セット", "1,480", None),
            _product(picture("sea"), "スパイスの瓶", "980", "1,280", sold_out=True),
            {
                "type": "bubble",
                "size": "kilo",
                "body": box(
                    "vertical",
                    {"type": "button", "flex": 1, "gravity": "center", "action": uri("もっと見る")},
                    spacing="sm",
                ),
            },
        ],
    },
    "商品のご案内",
)
