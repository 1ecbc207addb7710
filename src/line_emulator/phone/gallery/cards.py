"""Designs that lean on layout: a boarding pass, a route, a poster, tasks, a post."""

from .parts import Json, box, button, flex, picture, text


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


def _stop(time: str, name: str, colour: str) -> Json:
    dot = box(
        "vertical",
        cornerRadius="30px",
        width="12px",
        height="12px",
        borderColor=colour,
        borderWidth="2px",
    )
    return box(
        "horizontal",
        text(time, gravity="center", size="sm"),
        box("vertical", {"type": "filler"}, dot, {"type": "filler"}, flex=0),
        text(name, gravity="center", size="sm", flex=4),
        spacing="lg",
        cornerRadius="30px",
    )


def _ride(words: str, colour: str) -> Json:
    line = box(
        "horizontal",
        {"type": "filler"},
        box("vertical", width="2px", backgroundColor=colour),
        {"type": "filler"},
        flex=1,
    )
    return box(
        "horizontal",
        box("baseline", {"type": "filler"}, flex=1),
        box("vertical", line, width="12px"),
        text(words, gravity="center", size="xs", color="#8c8c8c", flex=4),
        spacing="lg",
        height="64px",
    )


ROUTE = flex(
    {
        "type": "bubble",
        "size": "mega",
        "header": box(
            "vertical",
            box(
                "vertical",
                text("出発", color="#ffffff99", size="sm"),
                text("谷中銀座", color="#ffffff", size="xl", flex=4, weight="bold"),
            ),
            box(
                "vertical",
                text("目的地", color="#ffffff99", size="sm"),
                text("カレー食堂 ひだまり", color="#ffffff", size="xl", flex=4, weight="bold"),
            ),
            paddingAll="20px",
            backgroundColor="#0367d3",
            spacing="md",
            height="154px",
            paddingTop="22px",
        ),
        "body": box(
            "vertical",
            text("所要 1時間", color="#b7b7b7", size="xs"),
            _stop("20:30", "谷中銀座", "#ef454d"),
            _ride("徒歩 4分", "#b7b7b7"),
            _stop("20:34", "日暮里", "#6486e3"),
            _ride("山手線 1時間", "#6486e3"),
            _stop("20:40", "品川", "#6486e3"),
        ),
    },
    "道順",
)

POSTER = flex(
    {
        "type": "bubble",
        "body": box(
            "vertical",
            {
                "type": "image",
                "url": picture("sea"),
                "size": "full",
                "aspectMode": "cover",
                "aspectRatio": "2:3",
                "gravity": "top",
            },
            box(
                "vertical",
                text("海辺のテラス", size="xl", color="#ffffff", weight="bold"),
                box(
                    "baseline",
                    text("¥3,580", color="#ebebeb", size="sm", flex=0),
                    text(
                        "¥7,500",
                        color="#ffffffcc",
                        decoration="line-through",
                        gravity="bottom",
                        flex=0,
                        size="sm",
                    ),
                    spacing="lg",
                ),
                box(
                    "vertical",
                    {"type": "filler"},
                    box(
                        "baseline",
                        {"type": "filler"},
                        {"type": "icon", "url": picture("star")},
                        text("かごに入れる", color="#ffffff", flex=0, offsetTop="-2px"),
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
                ),
                position="absolute",
                offsetBottom="0px",
                offsetStart="0px",
                offsetEnd="0px",
                backgroundColor="#03303acc",
                paddingAll="20px",
                paddingTop="18px",
            ),
            box(
                "vertical",
                text("SALE", color="#ffffff", align="center", size="xs", offsetTop="3px"),
                position="absolute",
                cornerRadius="20px",
                offsetTop="18px",
                backgroundColor="#ff334b",
                offsetStart="18px",
                height="25px",
                width="53px",
            ),
            paddingAll="0px",
        ),
    },
    "海辺のテラス",
)


def _task(name: str, percent: str, colour: str, bar: str, note: str) -> Json:
    return {
        "type": "bubble",
        "size": "nano",
        "header": box(
            "vertical",
            text(name, color="#ffffff", size="md", gravity="center"),
            text(percent, color="#ffffff", size="xs", gravity="center", margin="lg"),
            box(
                "vertical",
                box(
                    "vertical", {"type": "filler"}, width=percent, backgroundColor=bar, height="6px"
                ),
                backgroundColor="#9fd8e36e",
                height="6px",
                margin="sm",
            ),
            backgroundColor=colour,
            paddingTop="19px",
            paddingAll="12px",
            paddingBottom="16px",
        ),
        "body": box(
            "vertical",
            box("horizontal", text(note, color="#8c8c8c", size="sm", wrap=True), flex=1),
            spacing="md",
            paddingAll="12px",
        ),
        "styles": {"footer": {"separator": False}},
    }


TASKS = flex(
    {
        "type": "carousel",
        "contents": [
            _task("途中", "70%", "#27acb2", "#0d8186", "香辛料の本を買って読む"),
            _task("これから", "30%", "#ff6b6e", "#de5658", "水曜日に予約"),
            _task("未着手", "100%", "#a17df5", "#7d51e4", "写真"),
        ],
    },
    "やること",
)


def _member(words: str) -> Json:
    image = {
        "type": "image",
        "url": picture("curry"),
        "aspectMode": "cover",
        "size": "full",
    }
    return box(
        "horizontal",
        box("vertical", image, cornerRadius="100px", width="48px", height="48px"),
        box(
            "vertical",
            {
                "type": "text",
                "size": "sm",
                "wrap": True,
                "contents": [
                    {"type": "span", "text": "hidamari ", "weight": "bold", "color": "#000000"},
                    {"type": "span", "text": words},
                ],
            },
            box(
                "baseline",
                text("いいね 1,140,753件", size="xs", color="#bcbcbc", margin="md"),
                spacing="sm",
                margin="md",
            ),
        ),
        spacing="xl",
        paddingAll="20px",
    )


SOCIAL = flex(
    {
        "type": "bubble",
        "body": box(
            "vertical",
            box(
                "horizontal",
                {
                    "type": "image",
                    "url": picture("curry"),
                    "size": "5xl",
                    "aspectMode": "cover",
                    "aspectRatio": "150:196",
                    "gravity": "center",
                    "flex": 1,
                },
                box(
                    "vertical",
                    {
                        "type": "image",
                        "url": picture("sea"),
                        "size": "full",
                        "aspectMode": "cover",
                        "aspectRatio": "150:98",
                        "gravity": "center",
                    },
                    {
                        "type": "image",
                        "url": picture("curry"),
                        "size": "full",
                        "aspectMode": "cover",
                        "aspectRatio": "150:98",
                        "gravity": "center",
                    },
                    flex=1,
                ),
                box(
                    "horizontal",
                    text("NEW", size="xs", color="#ffffff", align="center", gravity="center"),
                    backgroundColor="#ec3d44",
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
            _member("新しいスパイスが届きました。週末に試しに来てください。"),
            paddingAll="0px",
        ),
    },
    "新着",
)
