"""Flex Messages as a shop might design them; the gallery and the tests draw these."""

from typing import Any

Json = dict[str, Any]


def text(words: str, **more: Any) -> Json:
    return {"type": "text", "text": words, **more}


def box(layout: str, *contents: Json, **more: Any) -> Json:
    return {"type": "box", "layout": layout, "contents": list(contents), **more}


def uri(label: str, address: str = "https://example.com/") -> Json:
    return {"type": "uri", "label": label, "uri": address}


def button(label: str, **more: Any) -> Json:
    return {"type": "button", "action": uri(label), **more}


def flex(contents: Json, alt: str = "Flex") -> Json:
    return {"type": "flex", "altText": alt, "contents": contents}


def _stars(count: int) -> list[Json]:
    return [
        {"type": "icon", "size": "sm", "url": "/img/star.svg" if n < count else "/img/star-off.svg"}
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
            "url": "/img/curry.svg",
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
            _product("/img/curry.svg", "レトルト キーマカレー 3食セット", "1,480", None),
            _product("/img/sea.svg", "スパイスの瓶", "980", "1,280", sold_out=True),
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


def _leg(code: str, place: str, time: str, align: str) -> Json:
    return box(
        "vertical",
        text(place, size="xs", color="#9fb4d6", align=align),
        text(code, size="3xl", weight="bold", color="#ffffff", align=align),
        text(time, size="sm", color="#ffffff", align=align),
        flex=3,
    )


def _seat(name: str, value: str) -> Json:
    return box(
        "vertical",
        text(name, size="xxs", color="#8c8c8c"),
        text(value, size="lg", weight="bold", color="#17305c"),
    )


BOARDING_PASS = flex(
    {
        "type": "bubble",
        "size": "giga",
        "header": box(
            "horizontal",
            text("搭乗券", color="#ffffff", weight="bold", size="sm"),
            text("HK 123", color="#9fb4d6", size="sm", align="end"),
            backgroundColor="#17305c",
            paddingAll="lg",
            paddingStart="xxl",
            paddingEnd="xxl",
        ),
        "body": box(
            "vertical",
            box(
                "horizontal",
                _leg("HND", "東京 羽田", "09:25", "start"),
                box(
                    "vertical",
                    box(
                        "horizontal",
                        {"type": "filler"},
                        box(
                            "vertical",
                            cornerRadius="30px",
                            width="12px",
                            height="12px",
                            borderColor="#ffd166",
                            borderWidth="2px",
                        ),
                        {"type": "filler"},
                    ),
                    text("1時間35分", size="xxs", color="#9fb4d6", align="center", margin="sm"),
                    flex=2,
                    justifyContent="center",
                ),
                _leg("CTS", "札幌 新千歳", "11:00", "end"),
                alignItems="center",
                background={
                    "type": "linearGradient",
                    "angle": "180deg",
                    "startColor": "#17305c",
                    "endColor": "#2a559c",
                },
                paddingAll="xxl",
            ),
            box(
                "horizontal",
                _seat("搭乗口", "62"),
                {"type": "separator"},
                _seat("座席", "14A"),
                {"type": "separator"},
                _seat("搭乗開始", "09:05"),
                spacing="lg",
                paddingAll="xxl",
            ),
            paddingAll="none",
        ),
        "footer": box(
            "horizontal",
            button("変更する", style="secondary", height="sm"),
            button("搭乗券を表示", style="primary", height="sm", color="#17305c", flex=2),
            spacing="md",
            paddingAll="xl",
        ),
        "styles": {"footer": {"separator": True, "separatorColor": "#c9d3e5"}},
    },
    "搭乗券 HK 123",
)

TYPOGRAPHY = flex(
    {
        "type": "bubble",
        "header": box("vertical", text("文字と装飾", weight="bold")),
        "body": box(
            "vertical",
            *[text(f"size {size} あア亜", size=size) for size in ("xxs", "sm", "md", "lg", "xxl")],
            text("折り返さない長い文は最後が三点リーダーになります、このように", margin="md"),
            text(
                "二行までの長い文です。三行目に入るところで切れて、三点リーダーになります。ここは見えません。"
                "ここも見えません。",
                wrap=True,
                maxLines=2,
                margin="md",
                color="#1d5fa8",
            ),
            text("行間を\n広げた\n文です", wrap=True, lineSpacing="12px", margin="md", size="sm"),
            {
                "type": "text",
                "wrap": True,
                "margin": "md",
                "contents": [
                    {"type": "span", "text": "通常 "},
                    {
                        "type": "span",
                        "text": "¥1,980",
                        "decoration": "line-through",
                        "color": "#999999",
                    },
                    {"type": "span", "text": " → "},
                    {
                        "type": "span",
                        "text": "¥980",
                        "size": "xl",
                        "weight": "bold",
                        "color": "#d62839",
                    },
                    {"type": "span", "text": "\n斜体 italic", "style": "italic"},
                    {"type": "span", "text": " と下線", "decoration": "underline"},
                ],
            },
            {"type": "separator", "margin": "lg"},
            box(
                "horizontal",
                text("start", size="xs"),
                {"type": "separator"},
                text("center", size="xs", align="center"),
                {"type": "separator"},
                text("end", size="xs", align="end"),
                margin="md",
                spacing="md",
            ),
        ),
        "styles": {
            "header": {"backgroundColor": "#eef3fb"},
            "body": {"separator": True, "separatorColor": "#9fb4d6"},
        },
    }
)

SIZES = [
    flex(
        {
            "type": "bubble",
            "size": size,
            "body": box(
                "vertical",
                text(size, weight="bold"),
                text("大きさの見本です", size="xs", wrap=True),
            ),
        }
    )
    for size in ("nano", "micro", "deca", "hecto", "kilo", "mega", "giga")
]

VIDEO = flex(
    {
        "type": "bubble",
        "hero": {
            "type": "video",
            "url": "/img/video.mp4",
            "previewUrl": "/img/sea.svg",
            "altContent": {"type": "image", "url": "/img/sea.svg"},
            "aspectRatio": "16:9",
            "action": uri("詳しく"),
        },
        "body": box("vertical", text("動画つきのご案内", weight="bold")),
    }
)

FLEX = {
    "restaurant": RESTAURANT,
    "receipt": RECEIPT,
    "coupon": COUPON,
    "products": PRODUCTS,
    "boarding-pass": BOARDING_PASS,
    "typography": TYPOGRAPHY,
    "video": VIDEO,
}
