"""Shows previews in a real browser under a strict Content-Security-Policy.

`PYTHONPATH=tests python -m tests.line_preview.gallery DIRECTORY` writes pictures of everything, to
be looked at.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from markupsafe import Markup
from playwright.async_api import Browser, Page
from tests.line_preview import samples
from tests.line_preview.designs import FLEX, SIZES

from line_emulator import phone
from line_preview import css, js_path, render_messages, render_phone, render_said
from stack import open_browser

POLICY = "; ".join(
    [
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
    ]
)

_DRAWINGS = Path(phone.__file__).parent / "assets" / "pictures"
_MAP = """
<rect width="520" height="585" fill="#dbe8d0"/>
<rect x="520" width="520" height="585" fill="#f3d9b1"/>
<text x="260" y="320" font-size="80" text-anchor="middle" fill="#334455">LEFT</text>
<text x="780" y="320" font-size="80" text-anchor="middle" fill="#554433">RIGHT</text>
"""


def _svg(width: int, height: int, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{body}</svg>'
    )


IMAGES = {
    **{f"/img/{path.name}": path.read_text("utf-8") for path in _DRAWINGS.glob("*.svg")},
    "/img/map/1040": _svg(1040, 585, _MAP),
}


class Site:
    """A small web site whose pages are set by the tests."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.pages: dict[str, str] = {}

    def put(self, name: str, content: Markup) -> str:
        """Publish previews as a page, and return its address."""
        self.pages[f"/{name}"] = (
            '<!doctype html><html lang="ja"><meta charset="utf-8"><title>x</title>'
            '<link rel="icon" href="/img/star.svg">'
            '<link rel="stylesheet" href="/line-preview.css">'
            '<link rel="stylesheet" href="/page.css">'
            f'<script type="module" src="/line-preview.js"></script><body>{content}'
        )
        return f"{self.address}/{name}"


@contextmanager
def site() -> Iterator[Site]:
    """Serve previews, stylesheet, script and images on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/line-preview.css":
                self.answer("text/css", css())
            elif path == "/page.css":
                self.answer("text/css", "body{margin:12px;background:#cfd8e6}")
            elif path == "/line-preview.js":
                self.answer("text/javascript", js_path().read_text(encoding="utf-8"))
            elif path in IMAGES:
                self.answer("image/svg+xml", IMAGES[path])
            elif path in served.pages:
                self.answer("text/html; charset=utf-8", served.pages[path])
            else:
                self.send_error(404)

        def answer(self, kind: str, body: str) -> None:
            data = body.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Site(f"http://127.0.0.1:{server.server_port}")
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


@asynccontextmanager
async def page_of(browser: Browser, scale: float = 1) -> AsyncIterator[Page]:
    """Open a page as wide as a phone."""
    page = await browser.new_page(viewport={"width": 420, "height": 800}, device_scale_factor=scale)
    yield page
    await page.close()


def pages() -> dict[str, Markup]:
    """Return the gallery: a phone or a run of messages by name."""
    kinds = list(samples.ALL.values())
    shown = {
        "phone": render_phone(
            [samples.TEXT, FLEX["coupon"], samples.QUICK], title="カレー食堂 ひだまり"
        ),
        "phone-empty": render_phone([], title="A shop", lang="en"),
        "types-1": render_messages(kinds[:6], sender_name="ひだまり", at="12:34"),
        "types-2": render_messages(kinds[6:10], sender_name="ひだまり", at="12:34"),
        "types-3": render_messages(kinds[10:], sender_name="ひだまり", at="12:34"),
        "sizes": render_messages(SIZES, sender_name="ひだまり", at="12:34"),
        "said": Markup("<br>").join(
            [render_said("予約したいです", at="12:40"), render_said(samples.STICKER, at="12:41")]
        ),
        "bad": render_messages(
            [
                {},
                {"type": "hologram"},
                {"type": "flex"},
                {"type": "text", "text": ""},
                {"type": "image", "previewImageUrl": "ftp://example.com/x.png"},
                {"type": "image", "previewImageUrl": "/img/no-such-picture.png"},
            ],
            lang="en",
        ),
    }
    for name, message in FLEX.items():
        shown[f"flex-{name}"] = render_messages([message], sender_name="ひだまり", at="12:34")
    return shown


async def main(directory: Path) -> None:
    """Write a picture of each page of the gallery."""
    with site() as served:
        async with open_browser() as browser, page_of(browser, scale=2) as page:
            page.on("console", lambda message: print(message.text))  # noqa: T201
            for name, content in pages().items():
                chat = Markup('<div class="lp-root gallery">{}</div>').format(content)
                await page.goto(served.put(name, chat))
                await page.wait_for_load_state("networkidle")
                await page.screenshot(path=directory / f"{name}.png", full_page=True)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(target))
