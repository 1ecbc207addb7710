"""LINE's published vector, and what must not pass."""

from __future__ import annotations

import pytest

from hiiki.line.signature import sign, verify

SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
BODY = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
SIGNATURE = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="


def test_published_vector() -> None:
    assert sign(SECRET, BODY) == SIGNATURE
    assert verify(SECRET, BODY, SIGNATURE)


@pytest.mark.parametrize("header", [None, "", "x", SIGNATURE[:-2], SIGNATURE.lower(), "署名", " "])
def test_anything_else_is_refused(header: str | None) -> None:
    assert not verify(SECRET, BODY, header)


def test_one_byte_more_is_another_body() -> None:
    assert not verify(SECRET, BODY + b" ", SIGNATURE)
    assert not verify(SECRET[:-1] + "9", BODY, SIGNATURE)
