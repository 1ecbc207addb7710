"""Copy what browsers need of the npm packages into the package: no more than is used.

`npm ci` has put the packages, pinned by package-lock.json, into node_modules. The
copies are not committed; the wheel carries them.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "src" / "hiiki" / "web" / "assets" / "vendor"

FILES = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.css",
    "@tabler/icons-webfont/dist/tabler-icons.min.css": "tabler-icons.css",
    "@tabler/icons-webfont/dist/fonts/tabler-icons.woff2": "fonts/tabler-icons.woff2",
    "@tabler/icons-webfont/LICENSE": "licences/tabler.txt",
    "htmx.org/dist/htmx.min.js": "htmx.js",
    "htmx.org/LICENSE": "licences/htmx.txt",
    "echarts/dist/echarts.esm.min.mjs": "echarts.js",
    "echarts/LICENSE": "licences/echarts.txt",
    "echarts/NOTICE": "licences/echarts-notice.txt",
    "sortablejs/modular/sortable.esm.js": "sortable.js",
    "sortablejs/LICENSE": "licences/sortable.txt",
}


def main() -> None:
    if VENDOR.exists():
        shutil.rmtree(VENDOR)
    for source, name in FILES.items():
        target = VENDOR / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix in {".css", ".js"}:
            text = (MODULES / source).read_text(encoding="utf-8")
            # Source maps are not copied; a browser would look for them in vain.
            text = re.sub(r"(?m)^(//|/\*)# sourceMappingURL=.*$", "", text)
            if name == "tabler-icons.css":
                # Every browser we serve reads woff2: the older formats are not copied.
                text = re.sub(
                    r',url\("\./fonts/tabler-icons\.(woff|ttf)\?[^)]*\) format\("[a-z]+"\)',
                    "",
                    text,
                )
            target.write_text(text, encoding="utf-8")
        else:
            shutil.copyfile(MODULES / source, target)


if __name__ == "__main__":
    main()
