"""Rich-menu images, really decoded (reference, "Requirements for rich menu image")."""

from __future__ import annotations

import io

from PIL import Image

from .schema import well_shaped

MAX_BYTES = 1024 * 1024
"""1 MB."""
_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png"}


class ImageError(Exception):
    """The image cannot be a rich menu's; the text is what LINE answers."""


_SIZE = ImageError("The image size is not allowed for richmenu")
_FORMAT = ImageError("The image format is not allowed for richmenu")


def examine(data: bytes, width: int, height: int) -> str:
    """The content type of an image that fits a menu of this size. Raises ImageError.

    That the image is as large as the menu is the emulator's own rule: the reference gives limits
    for both, but taps land elsewhere than where the picture shows them if the two differ.
    """
    if len(data) > MAX_BYTES:
        raise _SIZE
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            content_type = _TYPES[str(image.format)]
            # The size is read from the header: no bomb is unpacked before it is known to fit.
            fits = well_shaped(*image.size) and image.size == (width, height)
            if fits:
                image.load()
    except Exception:
        # Whatever a decoder trips over in a stranger's bytes, it means that this is no image.
        raise _FORMAT from None
    if not fits:
        raise _SIZE
    return content_type
