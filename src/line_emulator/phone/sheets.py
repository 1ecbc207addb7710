"""What comes up from the bottom of the phone: pickers, stand-ins for camera and map, menus.

Each is a `<template>` that the phone's module clones into its sheet when it is needed.
"""

from __future__ import annotations

from markupsafe import Markup

from ..photos import PHOTOS
from .draw import sticker
from .shell import icon, join
from .words import word

STICKERS = {
    "446": range(1988, 2004),
    "789": range(10855, 10867),
    "11537": range(52002734, 52002746),
    "6359": range(11069850, 11069858),
}
"""Some of LINE's sendable stickers, by package (docs, "List of available stickers")."""
PLACES = (
    (("東京駅", "Tokyo Station"), "東京都千代田区丸の内1丁目9-1", 35.681236, 139.767125),
    (("渋谷駅", "Shibuya Station"), "東京都渋谷区道玄坂2丁目1", 35.658034, 139.701636),
    (("大阪城", "Osaka Castle"), "大阪府大阪市中央区大阪城1-1", 34.687315, 135.526201),
    (("札幌市時計台", "Clock Tower"), "札幌市中央区北1条西2丁目", 43.062562, 141.353583),
    (("博多駅", "Hakata Station"), "福岡県福岡市博多区博多駅中央街1-1", 33.590002, 130.42062),
)  # fmt: skip


def sheets(lang: str) -> Markup:
    """All templates of the phone's sheets."""
    return join(
        [
            _sheet("moment", "datetime", lang, _moment(lang)),
            _sheet("stickers", "pick_sticker", lang, _stickers(lang)),
            _sheet("places", "pick_place", lang, _places(lang)),
            _sheet("photos", "choose_photo", lang, _photos(lang)),
            *(_media(kind, lang) for kind in ("video", "audio", "file")),
            _sheet("message", "actions_for", lang, _message(lang)),
            _sheet("link", "would_open", lang, _link(lang)),
            _sheet("page", "browser", lang, Markup('<iframe title="{}"></iframe>').format(
                word("browser", lang))),
            _sheet("coupon", "coupon", lang, Markup('<div class="holder"></div>')),
            _sheet("about", "person", lang, Markup('<div class="holder"></div>')),
        ]
    )  # fmt: skip


def _sheet(name: str, title: str, lang: str, inside: Markup) -> Markup:
    return Markup(
        '<template id="sheet-{name}"><header><h2>{title}</h2>'
        '<button type="button" class="round" data-close aria-label="{close}">{cross}</button>'
        '</header><div class="inside {name}">{inside}</div></template>'
    ).format(
        name=name,
        title=word(title, lang),
        close=word("close", lang),
        cross=icon("close"),
        inside=inside,
    )


def _moment(lang: str) -> Markup:
    return Markup(
        '<form><label class="field"><span class="sr">{label}</span><input id="picked" required>'
        '</label><p class="range" hidden>{range}: <b></b></p><p class="wrong" role="alert" hidden>'
        '{wrong}</p><div class="row"><button type="button" data-close>{cancel}</button>'
        '<button class="main">{ok}</button></div></form>'
    ).format(
        label=word("datetime", lang),
        range=word("range", lang),
        wrong=word("out_of_range", lang),
        cancel=word("cancel", lang),
        ok=word("ok", lang),
    )


def _stickers(lang: str) -> Markup:
    groups = [
        Markup('<h3>{}</h3><div class="grid">{}</div>').format(
            f"{word('sticker', lang)} {package}",
            join(
                Markup(
                    '<button type="button" data-package="{}" data-sticker="{}" aria-label="{}">{}'
                    "</button>"
                ).format(package, one, f"{word('sticker', lang)} {one}", sticker(package, str(one)))
                for one in numbers
            ),
        )
        for package, numbers in STICKERS.items()
    ]
    return join(groups)


def _places(lang: str) -> Markup:
    rows = [
        Markup(
            '<li><button type="button" data-title="{title}" data-address="{address}"'
            ' data-latitude="{lat}" data-longitude="{lng}">{pin}<span><b>{title}</b>'
            "<small>{address}</small></span></button></li>"
        ).format(
            title=names[0] if lang == "ja" else names[1],
            address=address,
            lat=latitude,
            lng=longitude,
            pin=icon("location"),
        )
        for names, address, latitude, longitude in PLACES
    ]
    fields = [
        Markup('<label class="field">{}<input name="{}" {}></label>').format(
            word(key, lang),
            name,
            Markup(rules),  # noqa: S704 - literals of this file
        )
        for key, name, rules in (
            ("place_title", "title", 'maxlength="100"'),
            ("address", "address", 'maxlength="100"'),
            ("latitude", "latitude", 'type="number" step="any" min="-90" max="90" required'),
            ("longitude", "longitude", 'type="number" step="any" min="-180" max="180" required'),
        )
    ]
    return Markup(
        '<ul class="choices">{}</ul><details><summary>{}</summary><form class="other">{}'
        '<button class="main">{}</button></form></details>'
    ).format(join(rows), word("other_place", lang), join(fields), word("send_place", lang))


def _photos(lang: str) -> Markup:
    pictures = [
        Markup(
            '<button type="button" data-photo="{name}" aria-label="{label}">'
            '<img src="/phone-pictures/{name}.jpg" alt="" width="160" height="120"></button>'
        ).format(name=name, label=f"{word('photo', lang)} {number}")
        for number, name in enumerate(PHOTOS, 1)
    ]
    return Markup('<p class="hint">{}</p><div class="grid photos">{}</div>{}').format(
        word("choose_photos_note", lang), join(pictures), _own("own_photo", "image/*", lang)
    )


def _media(kind: str, lang: str) -> Markup:
    accept = "" if kind == "file" else f"{kind}/*"
    inside = Markup('<button type="button" class="main wide" data-sample="{}">{}</button>{}')
    return _sheet(
        kind,
        kind,
        lang,
        inside.format(kind, word(f"sample_{kind}", lang), _own(f"own_{kind}", accept, lang)),
    )


def _own(key: str, accept: str, lang: str) -> Markup:
    return Markup('<label class="own">{}<input type="file" accept="{}" class="sr"></label>').format(
        word(key, lang), accept
    )


def _message(lang: str) -> Markup:
    rows = [
        Markup('<li><button type="button" data-do="{}">{}{}</button></li>').format(
            name, icon(picture), word(name, lang)
        )
        for name, picture in (
            ("quote", "reply"), ("copy", "copy"), ("edit", "pencil"), ("unsend", "undo"),
        )
    ]  # fmt: skip
    return Markup('<p class="hint words"></p><ul class="choices">{}</ul>').format(join(rows))


def _link(lang: str) -> Markup:
    return Markup(
        '<p>{}</p><p class="address"><code></code></p><div class="row">'
        '<button type="button" data-copy>{}</button>'
        '<button type="button" class="main" data-close>{}</button></div>'
    ).format(word("would_note", lang), word("copy", lang), word("close", lang))
