"""Sheets that show one thing in all its forms: letters, alignments, sizes, video."""

from .parts import box, button, flex, picture, text, uri

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

VIDEO = flex(
    {
        "type": "bubble",
        "hero": {
            "type": "video",
            "url": "/phone-pictures/video.mp4",
            "previewUrl": picture("sea"),
            "altContent": {"type": "image", "url": picture("sea")},
            "aspectRatio": "16:9",
            "action": uri("詳しく"),
        },
        "body": box("vertical", text("動画つきのご案内", weight="bold")),
    }
)


ALIGNMENT = flex(
    {
        "type": "bubble",
        "body": box(
            "vertical",
            *[
                box(
                    "horizontal",
                    *[
                        box(
                            "vertical",
                            text(word, size="xs", align="center"),
                            width="46px",
                            backgroundColor="#c7d7ee",
                            flex=0,
                        )
                        for word in ("甲", "乙", "丙")
                    ],
                    justifyContent=justify,
                    backgroundColor="#f1f3f6",
                )
                for justify in (
                    "flex-start",
                    "center",
                    "flex-end",
                    "space-between",
                    "space-around",
                    "space-evenly",
                )
            ],
            box(
                "vertical",
                text("左", size="xs"),
                text("中央の文", size="xs"),
                alignItems="center",
                backgroundColor="#e8f4ea",
            ),
            box(
                "horizontal",
                text("上", gravity="top"),
                text("中", gravity="center", align="center"),
                text("下", gravity="bottom", align="end"),
                height="70px",
                backgroundColor="#fbeee0",
            ),
            box(
                "horizontal",
                {
                    "type": "image",
                    "url": picture("curry"),
                    "size": "xxs",
                    "align": "start",
                },
                {"type": "image", "url": picture("curry"), "size": "xxs"},
                {
                    "type": "image",
                    "url": picture("curry"),
                    "size": "xxs",
                    "align": "end",
                },
            ),
            box(
                "horizontal",
                button("主", style="primary"),
                button("副", style="secondary"),
                button("文字"),
                spacing="sm",
            ),
            spacing="md",
        ),
    }
)
