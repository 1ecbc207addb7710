"""Designs of further trades: clothes, a menu, shops nearby, a house, a ticket."""

from .parts import Json, box, button, flex, picture, text, uri


def _garment(name: str, price: str, drawing: str, colour: str, tag: str | None = None) -> Json:
    parts = [
        {
            "type": "image",
            "url": picture(drawing),
            "size": "full",
            "aspectMode": "cover",
            "aspectRatio": "2:3",
            "gravity": "top",
        },
        box(
            "vertical",
            box("vertical", text(name, size="xl", color="#ffffff", weight="bold")),
            box(
                "baseline",
                text(price, color="#ffffffcc", size="sm", flex=0),
                text("税込", color="#ffffffcc", size="xxs", margin="sm", gravity="bottom"),
            ),
            box(
                "vertical",
                {"type": "filler"},
                box(
                    "baseline",
                    {"type": "filler"},
                    {"type": "icon", "url": picture("star")},
                    text("お気に入りに追加", color="#ffffff", flex=0, offsetTop="-2px"),
                    {"type": "filler"},
                    spacing="sm",
                ),
                {"type": "filler"},
                borderWidth="1px",
                cornerRadius="4px",
                spacing="sm",
                borderColor="#ffffff",
                margin="xxl",
                height="40px",
                action=uri("お気に入りに追加"),
            ),
            position="absolute",
            offsetBottom="0px",
            offsetStart="0px",
            offsetEnd="0px",
            backgroundColor=colour,
            paddingAll="20px",
            paddingTop="18px",
        ),
    ]
    if tag:
        parts.append(
            box(
                "vertical",
                text(tag, color="#ffffff", align="center", size="xs", offsetTop="3px"),
                position="absolute",
                cornerRadius="20px",
                offsetTop="18px",
                offsetStart="18px",
                backgroundColor="#c8323c",
                height="25px",
                width="56px",
            )
        )
    return {"type": "bubble", "body": box("vertical", *parts, paddingAll="0px")}


APPAREL = flex(
    {
        "type": "carousel",
        "contents": [
            _garment("藍染めシャツ", "¥8,900", "shirt", "#1f4a66cc", "SALE"),
            _garment("キャメルのコート", "¥32,000", "coat", "#5d3b16cc"),
            _garment("赤い手提げ", "¥12,500", "bag", "#6d2d27cc"),
        ],
    },
    "新作のご案内",
)


def _dish(name: str, price: str, drawing: str, note: str) -> Json:
    return {
        "type": "bubble",
        "size": "micro",
        "hero": {
            "type": "image",
            "url": picture(drawing),
            "size": "full",
            "aspectRatio": "4:3",
            "aspectMode": "cover",
        },
        "body": box(
            "vertical",
            text(name, weight="bold", size="sm", wrap=True),
            text(note, size="xxs", color="#7a828c", wrap=True, maxLines=2),
            box(
                "horizontal",
                text(price, weight="bold", size="md", gravity="center"),
                {
                    "type": "button",
                    "style": "primary",
                    "height": "sm",
                    "color": "#2f6d5a",
                    "flex": 0,
                    "adjustMode": "shrink-to-fit",
                    "action": {"type": "postback", "label": "頼む", "data": f"order={name}"},
                },
                margin="md",
            ),
            spacing="xs",
            paddingAll="13px",
        ),
    }


MENU = flex(
    {
        "type": "carousel",
        "contents": [
            _dish("深煎りカフェラテ", "¥580", "drink", "豆はグアテマラ。氷は別の器で。"),
            _dish("苺のショートケーキ", "¥720", "cake", "毎朝焼いています"),
            _dish("野菜カレー", "¥1,080", "curry", "辛さは五段階から選べます"),
        ],
    },
    "本日のメニュー",
)


def _place(name: str, far: str, stars: str, note: str, drawing: str) -> Json:
    return {
        "type": "bubble",
        "size": "kilo",
        "hero": {
            "type": "image",
            "url": picture(drawing),
            "size": "full",
            "aspectMode": "cover",
            "aspectRatio": "320:213",
        },
        "body": box(
            "vertical",
            text(name, weight="bold", size="md", wrap=True),
            box(
                "baseline",
                *({"type": "icon", "size": "xs", "url": picture("star")} for _ in range(4)),
                {"type": "icon", "size": "xs", "url": picture("star-off")},
                text(stars, size="xs", color="#8c8c8c", margin="md", flex=0),
            ),
            box(
                "vertical",
                box(
                    "baseline",
                    text(note, wrap=True, color="#8c8c8c", size="xs", flex=5),
                    text(far, color="#1a6f4a", size="xs", align="end", flex=2, weight="bold"),
                    spacing="sm",
                ),
            ),
            spacing="sm",
            paddingAll="13px",
        ),
    }


NEARBY = flex(
    {
        "type": "carousel",
        "contents": [
            _place("喫茶 ひだまり", "徒歩3分", "4.2", "日暮里駅前 純喫茶", "drink"),
            _place("谷中カレー工房", "徒歩6分", "4.5", "スパイスを店で挽く", "curry"),
            _place("海の見える宿", "電車20分", "4.1", "全室から海が見える", "sea"),
        ],
    },
    "近くのお店",
)


def _fact(name: str, value: str) -> Json:
    return box(
        "vertical",
        text(name, size="xxs", color="#8a8f98", align="center"),
        text(value, size="sm", weight="bold", align="center", margin="xs"),
        flex=1,
    )


HOUSE = flex(
    {
        "type": "bubble",
        "header": box(
            "vertical",
            box(
                "horizontal",
                {
                    "type": "image",
                    "url": picture("house"),
                    "size": "full",
                    "aspectMode": "cover",
                    "aspectRatio": "150:196",
                    "gravity": "center",
                    "flex": 1,
                },
                box(
                    "vertical",
                    *(
                        {
                            "type": "image",
                            "url": picture(one),
                            "size": "full",
                            "aspectMode": "cover",
                            "aspectRatio": "150:98",
                            "gravity": "center",
                        }
                        for one in ("room", "sea")
                    ),
                    flex=1,
                ),
                box(
                    "horizontal",
                    text("新着", size="xs", color="#ffffff", align="center", gravity="center"),
                    backgroundColor="#eb4d4b",
                    paddingAll="2px",
                    paddingStart="4px",
                    paddingEnd="4px",
                    flex=0,
                    position="absolute",
                    offsetStart="18px",
                    offsetTop="18px",
                    cornerRadius="100px",
                    width="48px",
                    height="25px",
                ),
            ),
            paddingAll="0px",
        ),
        "body": box(
            "vertical",
            text("海まで歩ける庭つきの家", size="xl", wrap=True, weight="bold"),
            text("神奈川県藤沢市 · 築12年 · 木造2階", color="#5d6570", size="xs", wrap=True),
            text("¥42,800,000", color="#a3541c", size="lg", weight="bold", margin="md"),
            box(
                "horizontal",
                _fact("間取り", "3LDK"),
                {"type": "separator"},
                _fact("専有面積", "96.4㎡"),
                {"type": "separator"},
                _fact("駅から", "徒歩9分"),
                margin="lg",
                paddingAll="12px",
                cornerRadius="8px",
                backgroundColor="#f3f5f7",
            ),
            spacing="xs",
        ),
        "footer": box(
            "horizontal",
            button("間取り図", style="secondary", height="sm"),
            button("内見を予約", style="primary", height="sm", color="#a3541c"),
            spacing="sm",
            paddingAll="16px",
        ),
    },
    "新着の物件",
)

TICKET = flex(
    {
        "type": "bubble",
        "hero": {
            "type": "image",
            "url": picture("film"),
            "size": "full",
            "aspectRatio": "20:13",
            "aspectMode": "cover",
        },
        "body": box(
            "vertical",
            text("山の上の月 <字幕版>", wrap=True, weight="bold", gravity="center", size="xl"),
            box(
                "baseline",
                *({"type": "icon", "size": "sm", "url": picture("star")} for _ in range(4)),
                {"type": "icon", "size": "sm", "url": picture("star-off")},
                text("4.0", size="sm", color="#999999", margin="md", flex=0),
                margin="md",
            ),
            box(
                "vertical",
                *(
                    box(
                        "baseline",
                        text(name, color="#8a8f98", size="sm", flex=1),
                        text(value, wrap=True, size="sm", color="#555555", flex=4),
                        spacing="sm",
                    )
                    for name, value in (
                        ("日時", "12月20日（日） 19:30"),
                        ("場所", "シネマ日暮里 7階 スクリーン3"),
                        ("座席", "C列 18番"),
                    )
                ),
                margin="lg",
                spacing="sm",
            ),
            box(
                "vertical",
                {
                    "type": "image",
                    "aspectMode": "cover",
                    "size": "xl",
                    "url": picture("code"),
                    "margin": "md",
                },
                text(
                    "入場のときにこのコードをお見せください。",
                    color="#8a8f98",
                    wrap=True,
                    margin="xxl",
                    size="xs",
                    align="center",
                ),
                margin="xxl",
            ),
        ),
    },
    "映画の入場券",
)
