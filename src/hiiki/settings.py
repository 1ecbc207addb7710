"""The one reader of the environment and of secret files.

Every setting is an environment variable that begins with ``HIIKI_``. Nothing else in
Hiiki reads ``os.environ``: what can be configured is what stands here.
"""

from __future__ import annotations

import os
import secrets
from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator can set; the defaults make `hiiki up` work on a laptop."""

    model_config = SettingsConfigDict(env_prefix="HIIKI_", env_file=None, extra="ignore")

    data_dir: Path = Field(
        default=Path("var"), description="Where the embedded database and the sealing key live"
    )
    database_url: str | None = Field(
        default=None,
        description="A PostgreSQL server, as postgresql://user:password@host/name; "
        "without it Hiiki runs its own in the data directory",
    )
    database_pool: int = Field(default=10, ge=1, le=200, description="Connections a process keeps")
    line_api: str = Field(
        default="https://api.line.me", description="LINE's API, or the address of an emulator"
    )
    line_data_api: str | None = Field(
        default=None,
        description="LINE's api-data host; without it api-data.line.me, or the emulator's address",
    )
    line_timeout: float = Field(
        default=15, gt=0, le=60, description="Seconds to wait for LINE's answer to a request"
    )
    line_prices: Path | None = Field(
        default=None,
        description="A JSON file with LINE's plans, where prices have changed or are not in yen: "
        '{"currency": "TWD", "plans": {"high": {"monthly_fee": …, "included": …, '
        '"tiers": [{"up_to": …, "price": …}]}}}',
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="The address under which LINE and customers reach this server, with https",
    )
    relay_insecure: bool = Field(
        default=False,
        description="Relay webhooks to http and to internal addresses too: for tests, and for "
        "networks in which everybody who may add a target may reach everything",
    )
    host: str = Field(default="127.0.0.1", description="The address the web server listens on")
    port: int = Field(default=8000, description="The port the web server listens on")
    key_file: Path | None = Field(
        default=None,
        description="A file with the key that seals channel secrets; by default in the data "
        "directory, made on first start",
    )
    secure_cookies: bool | None = Field(
        default=None, description="Send cookies over https only; by default as public_url says"
    )
    log_json: bool = Field(default=False, description="Log lines as JSON")
    log_level: str = Field(default="info", description="debug, info, warning or error")

    @property
    def line_data_url(self) -> str:
        """Base address of the content endpoints, which LINE serves from a host of their own."""
        if self.line_data_api:
            return self.line_data_api.rstrip("/")
        if self.line_api.rstrip("/") == "https://api.line.me":
            return "https://api-data.line.me"
        return self.line_api.rstrip("/")

    @property
    def line_access_url(self) -> str:
        """Base address of LINE's pages for people (log-in, account link): a host of their own."""
        if self.line_api.rstrip("/") == "https://api.line.me":
            return "https://access.line.me"
        return self.line_api.rstrip("/")

    @property
    def cookies_are_secure(self) -> bool:
        """True when cookies must travel by https only."""
        if self.secure_cookies is not None:
            return self.secure_cookies
        return self.public_url.startswith("https://")

    def sealing_key(self) -> bytes:
        """Return the 32-byte key that seals credentials at rest, making it on first use.

        Raises `OSError` when the key file cannot be read or written.
        """
        path = self.key_file or self.data_dir / "sealing.key"
        try:
            return bytes.fromhex(path.read_text().strip())
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            key = secrets.token_bytes(32)
            # Two processes may start at once: whoever creates the file first wins, and
            # the other reads it. A half-written key is never visible under its name.
            draft = path.with_name(f"{path.name}.{os.getpid()}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(key.hex())
            try:
                os.link(draft, path)
            except FileExistsError:
                return bytes.fromhex(path.read_text().strip())
            finally:
                draft.unlink()
            return key


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return this process's settings, read once."""
    return Settings()
