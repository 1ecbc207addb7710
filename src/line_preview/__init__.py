"""LINE message JSON to HTML, as a phone would show it.

Used by the console's composer and by the LINE emulator's phone; it imports neither, only
markupsafe. `render_message` draws one message, `render_messages` a run of them with icon, name,
time and quick replies, `render_said` what the user said, `render_heard` what somebody else said in
a group, `render_phone` a whole phone. `render_sticker_picture` draws our stand-in of one sticker.

A page that shows a preview needs two more things, both to be served as static files: the
stylesheet (`css_path`, or its text from `css`) and the ES module (`js_path`):

    <link rel="stylesheet" href="…/line-preview.css">
    <script type="module" src="…/line-preview.js"></script>

How styles get past a strict Content-Security-Policy
    Flex Messages may ask for any colour and size, but a page that forbids inline styles drops
    `style` attributes, and we have no nonce for a `<style>` element. So LINE's keywords are classes
    of our stylesheet, and everything else is written as `data-lp-style="color:#ffffff;…"`, from a
    list of allowed properties with one allowed pattern each (`line_preview.style`). The module
    applies these with `element.style.setProperty`, which such a policy permits, on load and, by a
    MutationObserver, whenever a preview is put into the page later. Without the script a preview
    is readable but plain.

What a tap does
    Nothing here navigates. Elements with a LINE action carry it as JSON in `data-lp-action`, with
    `role="button"` and `tabindex="0"`. The module turns clicks and the keys Enter and Space into a
    bubbling event `lp-action` whose `detail.action` is that object. Two kinds are not LINE's own:
    addresses in texts are `uri` actions, and a coupon message is `{"type": "coupon", "couponId"}`.
    While a video or sound plays the module announces `lp-played` at each quarter, once: its
    `detail` has `percent` (0, 25, 50, 75, 100) and the message's `trackingId`, if it has one.

The size of letters
    LINE's people choose a size of letters. `--lp-scale` (1 by default) on any element around a
    preview scales texts, and those parts of Flex Messages that ask for it by `scaling`.

Strips of cards and quick replies reach to the edge of the chat around them if its `--lp-bleed` says
how wide its padding is; without, they end where the messages end.

Images load from http(s) or relative addresses only, without a referrer; a policy's `img-src` (and
`media-src`, to play video and audio) must allow the hosts a preview may show.
"""

from line_preview.chat import render_heard, render_messages, render_said
from line_preview.files import css, css_path, js_path
from line_preview.messages import render_message
from line_preview.phone import render_phone
from line_preview.stickers import render_sticker_picture

__all__ = [
    "css",
    "css_path",
    "js_path",
    "render_heard",
    "render_message",
    "render_messages",
    "render_phone",
    "render_said",
    "render_sticker_picture",
]
