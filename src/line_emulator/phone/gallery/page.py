"""The gallery's page: every design on a phone's ground, with its JSON to copy."""

from __future__ import annotations

import json

from markupsafe import Markup

import line_preview

from ...model import Json
from ..shell import icon, join, link, other, page
from ..words import word
from .designs import DESIGNS, Design
from .parts import picture, sendable


def gallery_page(base_url: str, lang: str, only: str | None) -> Markup:
    """All designs, or the one named `only`; in the JSON, pictures have addresses at `base_url`."""
    chosen = [one for one in DESIGNS if one.name == only] or list(DESIGNS)
    contents = join(
        Markup('<li><a href="#{}">{}</a></li>').format(one.name, one.title(lang)) for one in chosen
    )
    body = Markup(
        '<header class="top"><div class="head"><h1>{title}</h1><p>{intro}</p></div>'
        '<nav class="accounts"><span class="ways">{phones}{switch}</span></nav>'
        '<ul class="contents">{contents}</ul></header><main class="gallery">{designs}</main>'
        '<p id="toast" role="status" hidden></p>'
    ).format(
        title=word("gallery", lang),
        intro=word("gallery_intro", lang),
        phones=link("/phones", word("all_phones", lang), lang=lang),
        switch=link("/phone-gallery", word("other_language", lang), lang=other(lang)),
        contents=contents,
        designs=join(_figure(one, base_url, lang) for one in chosen),
    )
    return page(word("gallery", lang), lang, body, "gallery", "wall.css")


def _figure(design: Design, base_url: str, lang: str) -> Markup:
    title = design.title(lang)
    drawn = line_preview.render_messages(
        [design.message],
        lang=lang,
        sender_name=word("sample_account", lang),
        sender_icon=picture("account"),
        at="9:41",
    )
    return Markup(
        '<figure id="{name}" class="{size}"><figcaption><h2>{title}</h2><p>{about}</p></figcaption>'
        '<div class="stage">{drawn}</div><details><summary>JSON</summary>'
        '<button type="button" data-copied="{copied}">{icon}{copy}</button>'
        "<pre>{json}</pre></details></figure>"
    ).format(
        name=design.name,
        size=_width(design.message),
        title=title,
        about=design.about(lang),
        drawn=drawn,
        copied=word("copied_json", lang),
        icon=icon("copy"),
        copy=word("copy", lang),
        json=json.dumps(sendable(design.message, base_url), ensure_ascii=False, indent=2),
    )


def _width(message: Json) -> str:
    contents: Json = message["contents"]
    return "wide" if contents["type"] == "carousel" else "single"
