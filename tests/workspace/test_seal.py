"""What is sealed opens only with the key, for its row and its purpose."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from hiiki.kit.errors import Unavailable
from hiiki.settings import settings
from hiiki.workspace.seal import seal, unseal

ROW = uuid.uuid4()


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HIIKI_KEY_FILE", str(tmp_path / "key"))
    settings.cache_clear()
    yield tmp_path / "key"
    monkeypatch.undo()
    settings.cache_clear()


def test_it_opens_again() -> None:
    assert unseal(seal("秘密 secret", ROW, "token"), ROW, "token") == "秘密 secret"


def test_the_same_words_never_look_the_same() -> None:
    assert seal("secret", ROW, "token") != seal("secret", ROW, "token")


@pytest.mark.parametrize("place", [0, 1, 12, 14, -1])
def test_a_changed_byte_is_noticed(place: int) -> None:
    sealed = bytearray(seal("secret", ROW, "token"))
    sealed[place] ^= 1
    with pytest.raises(Unavailable):
        unseal(bytes(sealed), ROW, "token")


def test_it_opens_for_no_other_row_or_purpose() -> None:
    sealed = seal("secret", ROW, "token")
    for ident, purpose in ((uuid.uuid4(), "token"), (ROW, "secret")):
        with pytest.raises(Unavailable):
            unseal(sealed, ident, purpose)
    for broken in (b"", b"\x01", sealed[:10]):
        with pytest.raises(Unavailable):
            unseal(broken, ROW, "token")


def test_another_key_says_what_to_do(key: Path) -> None:
    sealed = seal("secret", ROW, "token")
    assert key.stat().st_mode & 0o077 == 0
    key.write_text("00" * 32)
    with pytest.raises(Unavailable) as error:
        unseal(sealed, ROW, "token")
    assert "鍵" in error.value.message.to("ja")
