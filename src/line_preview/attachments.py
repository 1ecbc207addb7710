"""Messages that are one thing: sticker, image, video, audio, location, imagemap, coupon."""

from markupsafe import Markup

from line_preview.actions import action_attributes, label_of
from line_preview.fields import Fields, fields, items, number, text
from line_preview.html import attributes, block, element, inline, join
from line_preview.icons import FILE, PIN, PLAY, TICKET
from line_preview.media import frame, image, play_button, web_url
from line_preview.stickers import render_sticker_picture
from line_preview.style import Look
from line_preview.words import word

_IMAGEMAP_WIDTH = 1040


def render_sticker(message: Fields, lang: str) -> Markup:
    """Draw a stand-in for a sticker: LINE's pictures are not ours to ship."""
    package, sticker = text(message, "packageId"), text(message, "stickerId")
    title = f"{word('sticker', lang)} {package} / {sticker}"
    attrs = {"class": "lp-sticker", "role": "img", "aria-label": title, "title": title}
    return element("div", attributes(attrs), render_sticker_picture(package, sticker))


def render_image(message: Fields, lang: str) -> Markup:
    """Draw an `image` message by its preview image."""
    url = message.get("previewImageUrl") or message.get("originalContentUrl")
    return frame("lp-photo", image(url, "lp-photo-img", lang=lang, alt=word("image", lang)))


def render_video(message: Fields, lang: str) -> Markup:
    """Draw a `video` message: its preview image under a play sign."""
    return element(
        "div",
        attributes(
            {"class": "lp-frame lp-photo lp-video", **_playable(message, "video", lang)},
        ),
        image(message.get("previewImageUrl"), "lp-photo-img", lang=lang, alt=word("video", lang)),
        play_button("", PLAY, lang),
    )


def render_audio(message: Fields, lang: str) -> Markup:
    """Draw an `audio` message as a player with its length."""
    bars = join(inline(f"lp-wave lp-wave-{height}") for height in (1, 2, 3, 4, 2, 3, 1, 4, 3, 2, 1))
    return element(
        "div",
        attributes({"class": "lp-bubble lp-audio", **_playable(message, "audio", lang)}),
        play_button("lp-play-small", PLAY, lang),
        element("span", attributes({"class": "lp-waves", "aria-hidden": "true"}), bars),
        inline("lp-audio-time", _duration(number(message, "duration"))),
    )


def render_file(message: Fields, lang: str) -> Markup:
    """Draw a file that a person sent: its name and size."""
    size = number(message, "fileSize")
    link = web_url(message.get("originalContentUrl"))
    tap = {"data-lp-file": link, "role": "link", "tabindex": "0"} if link else {}
    return element(
        "div",
        attributes({"class": "lp-bubble lp-file", **tap}),
        FILE,
        block(
            "lp-file-text",
            block("lp-file-name", text(message, "fileName") or word("file", lang)),
            block("lp-file-size", _bytes(size)),
        ),
    )


def _bytes(size: float | None) -> str:
    if size is None or size < 0:
        return ""
    if size < 1024:
        return f"{size:.0f} B"
    return f"{size / 1024:.1f} KB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"


def render_location(message: Fields, lang: str) -> Markup:
    """Draw a `location` message: a drawn map, not a real one, with title and address."""
    latitude, longitude = number(message, "latitude"), number(message, "longitude")
    where = "" if latitude is None or longitude is None else f"{latitude:.5f}, {longitude:.5f}"
    return block(
        "lp-card lp-location",
        element(
            "div",
            attributes({"class": "lp-map", "title": where or None}),
            inline("lp-map-road lp-map-road-1"),
            inline("lp-map-road lp-map-road-2"),
            inline("lp-map-road lp-map-road-3"),
            inline("lp-map-park"),
            inline("lp-map-pin", PIN),
        ),
        block(
            "lp-location-text",
            block("lp-card-title", text(message, "title") or word("location", lang)),
            block("lp-card-text", text(message, "address")),
        ),
    )


def render_imagemap(message: Fields, lang: str) -> Markup:
    """Draw an `imagemap`: its widest image with the tappable areas over it."""
    size = fields(message.get("baseSize"))
    width = number(size, "width") or _IMAGEMAP_WIDTH
    height = number(size, "height") or _IMAGEMAP_WIDTH
    base = web_url(message.get("baseUrl"))
    parts = [
        image(
            f"{base}/{_IMAGEMAP_WIDTH}" if base else None,
            "lp-imagemap-img",
            lang=lang,
            alt=text(message, "altText"),
        )
    ]
    video = fields(message.get("video"))
    if video:
        parts.append(_imagemap_video(video, width, height, lang))
    for action in map(fields, items(message.get("actions"))):
        look = _area(fields(action.get("area")), width, height, "lp-imagemap-area")
        # The area says where, not what: whoever handles the tap needs only the latter.
        tap = {key: value for key, value in action.items() if key != "area"}
        attrs = look.attributes(**action_attributes(tap, label=label_of(action) or None))
        parts.append(element("span", attrs))
    look = Look("lp-frame", "lp-imagemap")
    look.declare("aspect-ratio", f"{width:.0f} / {height:.0f}")
    return element("div", look.attributes(), *parts)


def render_coupon(message: Fields, lang: str) -> Markup:
    """Draw a `coupon` message as a ticket.

    Only LINE knows what a coupon holds; who knows it too gives it as `coupon` beside the id. It
    carries an action that is not LINE's, `{"type": "coupon", "couponId": …}`, so that the
    emulator's phone can open the coupon.
    """
    coupon = text(message, "couponId")
    known = fields(message.get("coupon"))
    tap = action_attributes({"type": "coupon", "couponId": coupon})
    if known:
        body = [block("lp-card-title", text(known, "title"))]
        picture = web_url(known.get("imageUrl"))
        if picture:
            body.insert(0, image(picture, "lp-coupon-picture", lang=lang))
        if until := text(known, "until"):
            body.append(block("lp-coupon-until", f"{word('valid_until', lang)} {until}"))
    else:
        body = [block("lp-coupon-id", coupon or "-")]
    head = "lottery" if known.get("lottery") is True else "coupon"
    return block(
        "lp-card lp-coupon",
        block("lp-coupon-head", TICKET, inline("", word(head, lang))),
        block("lp-coupon-body", *body),
        block(
            "lp-acts",
            element("div", attributes({"class": "lp-act", **tap}), word("coupon_use", lang)),
        ),
    )


def _playable(message: Fields, kind: str, lang: str) -> dict[str, str | bool | None]:
    url = web_url(message.get("originalContentUrl"))
    if url is None:
        return {}
    label = f"{word(kind, lang)}: {word('play', lang)}"
    return {
        "data-lp-play": kind,
        "data-lp-src": url,
        "data-lp-tracking": text(message, "trackingId") or None,
        "role": "button",
        "tabindex": "0",
        "aria-label": label,
    }


def _imagemap_video(video: Fields, width: float, height: float, lang: str) -> Markup:
    look = _area(fields(video.get("area")), width, height, "lp-imagemap-video")
    link = fields(video.get("externalLink"))
    parts = [
        image(video.get("previewImageUrl"), "lp-imagemap-img", lang=lang, alt=word("video", lang)),
        play_button("", PLAY, lang),
    ]
    if link:
        tap = action_attributes({"type": "uri", "uri": link.get("linkUri")})
        attrs = attributes({"class": "lp-imagemap-link", **tap})
        parts.append(element("span", attrs, text(link, "label")))
    return element("div", look.attributes(**_playable(video, "video", lang)), *parts)


def _area(area: Fields, width: float, height: float, css_class: str) -> Look:
    look = Look(css_class)
    for name, key, whole in (
        ("left", "x", width),
        ("top", "y", height),
        ("width", "width", width),
        ("height", "height", height),
    ):
        look.declare(name, f"{(number(area, key) or 0) / whole * 100:.3f}%")
    return look


def _duration(milliseconds: float | None) -> str:
    if milliseconds is None or milliseconds < 0:
        return "-:--"
    seconds = round(milliseconds / 1000)
    return f"{seconds // 60}:{seconds % 60:02d}"
