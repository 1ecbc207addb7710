"""Sheets that show one rule of Flex Messages each, to be held against LINE's own drawing."""

from typing import Any

from .parts import Json, box, button, flex, picture, text

_SPACES = ("none", "xs", "sm", "md", "lg", "xl", "xxl")
_BORDERS = ("none", "light", "normal", "medium", "semi-bold", "bold")


def _name(words: str) -> Json:
    return text(words, size="xs", weight="bold", color="#5d6570", margin="lg")


def _chip(words: str, **more: Any) -> Json:
    settings = {"backgroundColor": "#dbe7f6", "paddingAll": "6px", **more}
    return box("vertical", text(words, size="xxs", align="center"), **settings)


def _gradient(angle: str, **more: str) -> Json:
    colours = {"startColor": "#ff7e5f", "endColor": "#3a6fd8", **more}
    background = {"type": "linearGradient", "angle": angle, **colours}
    return box("vertical", background=background, height="44px", flex=1)


SURFACES = flex(
    {
        "type": "bubble",
        "body": box(
            "vertical",
            _name("cornerRadius"),
            box(
                "horizontal",
                *(_chip(one.replace("none", "0"), cornerRadius=one) for one in _SPACES),
                spacing="xs",
            ),
            _name("borderWidth"),
            *(
                box(
                    "horizontal",
                    *(
                        _chip(one, borderWidth=one, borderColor="#1a5fd0", paddingAll="4px")
                        for one in three
                    ),
                    spacing="sm",
                    margin="xs",
                )
                for three in (_BORDERS[:3], _BORDERS[3:])
            ),
            _name("linearGradient 0 / 45 / 90 / 180deg"),
            box("horizontal", *map(_gradient, ("0deg", "45deg", "90deg", "180deg")), spacing="sm"),
            _name("centerColor 10% / 50% / 90%"),
            box(
                "horizontal",
                *(
                    _gradient("90deg", centerColor="#fff1a8", centerPosition=one)
                    for one in ("10%", "50%", "90%")
                ),
                spacing="sm",
            ),
            _name("#RRGGBBAA"),
            box(
                "horizontal",
                *(
                    box("vertical", backgroundColor=f"#c8323c{one}", height="24px", flex=1)
                    for one in ("20", "60", "a0", "ff")
                ),
                spacing="sm",
            ),
        ),
    },
    "面と線",
)

SPACING = flex(
    {
        "type": "bubble",
        "body": box(
            "vertical",
            *(
                box(
                    "horizontal",
                    text(space, size="xxs", color="#5d6570", flex=0, gravity="center"),
                    box("horizontal", *(_chip(one) for one in "甲乙丙丁"), spacing=space),
                    spacing="md",
                    margin="sm",
                )
                for space in _SPACES
            ),
            {"type": "separator", "margin": "lg"},
            box(
                "horizontal",
                _chip("1"),
                _chip("margin xxl", margin="xxl", flex=2),
                _chip("none", margin="none"),
                spacing="md",
                margin="lg",
            ),
            box(
                "horizontal",
                text("flex 0", flex=0, size="sm"),
                text("flex 2", flex=2, size="sm", align="center"),
                text("flex 3", flex=3, size="sm", align="end"),
                margin="lg",
                backgroundColor="#f3f5f7",
            ),
            box(
                "vertical",
                _chip("width 60%", width="60%"),
                _chip("maxWidth 100px", maxWidth="100px", margin="sm"),
                _chip("80px × 40px", width="80px", height="40px", margin="sm"),
                margin="lg",
                paddingStart="xl",
                backgroundColor="#f3f5f7",
            ),
        ),
    },
    "間隔と大きさ",
)

_IMAGES = ("xxs", "xs", "sm", "md", "lg", "xl", "xxl", "3xl", "4xl", "5xl", "full")
IMAGES = flex(
    {
        "type": "bubble",
        "body": box(
            "vertical",
            *(
                {
                    "type": "image",
                    "url": picture("sea"),
                    "size": size,
                    "aspectRatio": "20:3",
                    "aspectMode": "cover",
                    "align": "start",
                    "margin": "xs",
                }
                for size in _IMAGES
            ),
            box(
                "horizontal",
                *(
                    {
                        "type": "image",
                        "url": picture("curry"),
                        "aspectMode": mode,
                        "size": "full",
                        "aspectRatio": ratio,
                        "backgroundColor": "#2b3850",
                    }
                    for mode, ratio in (("fit", "1:1"), ("cover", "1:1"), ("fit", "3:2"))
                ),
                spacing="sm",
                margin="lg",
            ),
            box(
                "baseline",
                *(
                    {"type": "icon", "url": picture("star"), "size": size}
                    for size in ("xxs", "sm", "md", "xl", "3xl")
                ),
                text("3xl", size="3xl", flex=0),
                spacing="sm",
                margin="lg",
            ),
        ),
    },
    "画像とアイコン",
)

ADJUST = flex(
    {
        "type": "bubble",
        "direction": "rtl",
        "header": box(
            "horizontal",
            text("rtl", weight="bold"),
            text("②", align="center"),
            text("③", align="end"),
            paddingBottom="8px",
        ),
        "body": box(
            "vertical",
            text("adjustModeで収まるまで小さくなる長い長い一行", adjustMode="shrink-to-fit"),
            text("scalingで設定に合わせて変わる文字", scaling=True, size="sm", margin="md"),
            box(
                "horizontal",
                _chip("開始側の余白", paddingStart="30px"),
                _chip("甲", position="relative", offsetStart="8px", offsetTop="4px"),
                spacing="sm",
                margin="md",
            ),
            paddingTop="8px",
        ),
        "footer": box(
            "vertical",
            button(
                "このボタンの文字は幅に合わせて小さくなりますので読めます",
                style="primary",
                adjustMode="shrink-to-fit",
            ),
            button("色を変えたリンク", color="#a3541c", height="sm"),
            spacing="sm",
        ),
        "styles": {
            "header": {"backgroundColor": "#f3f5f7", "separator": True},
            "footer": {"separator": True},
        },
    },
    "向きと文字の調整",
)


def _sized(size: str) -> Json:
    return {
        "type": "bubble",
        "size": size,
        "header": box("vertical", text("header", size="xs")),
        "body": box("vertical", text(size, weight="bold"), text("本文", size="sm", wrap=True)),
        "footer": box("vertical", button("押す", style="secondary", height="sm")),
        "styles": {
            "header": {"backgroundColor": "#dbe7f6"},
            "footer": {"backgroundColor": "#f3f5f7"},
        },
    }


SIZED = {
    size: flex(_sized(size), size)
    for size in ("nano", "micro", "deca", "hecto", "kilo", "mega", "giga")
}
"""A bubble of each size."""
