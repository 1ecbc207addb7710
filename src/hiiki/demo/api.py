"""A small client of Hiiki's own API, which is all that the demo needs to set up a shop."""

from __future__ import annotations

from typing import Any

import aiohttp


class ApiError(RuntimeError):
    """The API refused; the text is its own sentence and the fields it names."""


class Api:
    """Speaks to `/api/v1` with one workspace's token."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, token: str) -> None:
        self._http = http
        self._base = base_url.rstrip("/") + "/api/v1"
        self._headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}

    async def call(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """Return the answer's JSON; raises `ApiError` for a status of 400 and more."""
        async with self._http.request(
            method, self._base + path, json=body, params=params, headers=self._headers
        ) as response:
            found = await response.json() if response.content_length != 0 else None
            if response.status >= 400:
                raise ApiError(f"{method} {path}: {response.status} {found}")
            return found

    async def get(self, path: str, **params: Any) -> Any:
        """GET."""
        return await self.call("GET", path, **params)

    async def post(self, path: str, body: Any = None) -> Any:
        """POST."""
        return await self.call("POST", path, body)
