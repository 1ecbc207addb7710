"""Get what people sent (reference, "Getting content")."""

from __future__ import annotations

import io

from ..api.operation import Answer, Call, LineError, answer, not_found, operation
from ..pictures import stand_in
from .store import Prepared, Preparing

PREVIEW_PIXELS = 240
"""The longer side of a preview; LINE says only that it is smaller than the original."""


def _found(call: Call) -> tuple[Prepared | None, str, bytes]:
    """Preparation, content type and bytes. Raises LINE's 404 and 410."""
    message_id = call.params["message_id"]
    contents = call.channel.contents
    if message_id not in contents:
        not_found("not found")
    found = contents[message_id]
    if found is None:
        raise LineError(410, "The content is gone")
    return call.channel.store.of(Preparing).by_id.get(message_id), *found


@operation("GET", "/v2/bot/message/{message_id}/content")
async def content(call: Call) -> Answer:
    """Get content: the bytes; 202 while they are being prepared."""
    prepared, content_type, data = _found(call)
    status = prepared.status(call.platform.clock.now()) if prepared else "succeeded"
    if status == "processing":
        return Answer(b"", 202)
    if status == "failed":
        not_found("not found")
    return Answer(data, content_type=content_type)


@operation("GET", "/v2/bot/message/{message_id}/content/transcoding")
async def transcoding(call: Call) -> Answer:
    """Verify the preparation status of a video or audio for getting."""
    prepared, _, _ = _found(call)
    if prepared is None or prepared.kind not in ("video", "audio"):
        raise LineError(400, "Transcoding status doesn't support this type of content")
    return answer({"status": prepared.status(call.platform.clock.now())})


@operation("GET", "/v2/bot/message/{message_id}/content/preview")
async def preview(call: Call) -> Answer:
    """Get a preview image of the image or video, as JPEG."""
    prepared, _, data = _found(call)
    if prepared is None or prepared.kind not in ("image", "video"):
        raise LineError(400, "The content can not be previewed")
    small = smaller(data) if prepared.kind == "image" else None
    if small is None:
        # Videos are not decoded here, and a person may have "sent" bytes that are no picture.
        small = smaller(stand_in("image", call.params["message_id"])[1])
    return Answer(small or b"", content_type="image/jpeg")


def smaller(data: bytes) -> bytes | None:
    """The picture as a small JPEG, or None if it cannot be read."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.draft("RGB", (PREVIEW_PIXELS, PREVIEW_PIXELS))
            picture.thumbnail((PREVIEW_PIXELS, PREVIEW_PIXELS))
            out = io.BytesIO()
            picture.convert("RGB").save(out, "JPEG", quality=75)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return None
    return out.getvalue()
