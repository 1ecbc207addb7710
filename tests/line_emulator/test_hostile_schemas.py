"""Requests made up from schemas, good ones and bad ones: never an error of the emulator's own.

Schemathesis reads the emulator's OpenAPI document and LINE's own files and invents requests; real
ids are put in where they matter, so that they get past the first check.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode

from line_spec import FILES, FOLDER, needs_spec

FEW = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def url(line_emulator_url: str) -> Iterator[str]:
    requests.post(f"{line_emulator_url}/_emulator/reset", timeout=20)
    yield line_emulator_url
    state = requests.get(f"{line_emulator_url}/_emulator/state", timeout=20).json()
    requests.post(f"{line_emulator_url}/_emulator/reset", timeout=20)
    assert state["own_errors"] == 0


@pytest.fixture
def known(url: str) -> dict[str, str]:
    """Ids of what is there, by the names of path parameters."""
    channel = requests.get(f"{url}/_emulator/channels", timeout=20).json()["channels"][0]
    number = channel["channel_id"]
    change = {"unlimited": True, "use_webhook": False}
    requests.patch(f"{url}/_emulator/channels/{number}", json=change, timeout=20)
    made = requests.post(
        f"{url}/_emulator/users", json={"count": 3, "state": "friend"}, timeout=20
    ).json()
    user = made["users"][0]["id"]
    login = requests.get(f"{url}/_emulator/login/channels", timeout=20).json()["channels"][0]
    return {
        "token": channel["access_token"],
        "channel": number,
        "login": login["channel_id"],
        "user": user,
        "userId": user,
        "chatId": user,
    }


def can_be_wrong(operation: Any) -> bool:
    """Whether anything can be wrong with a call: in a path, any string is a right one.

    To look for what does not exist takes far longer than to find what does.
    """
    limits = ("type", "pattern", "format", "enum", "minLength", "maxLength")
    return bool(operation.query or operation.headers or operation.body) or any(
        {name: value for name, value in one.definition["schema"].items() if name in limits}
        != {"type": "string"}
        for one in operation.path_parameters
    )


def throw(url: str, known: dict[str, str], operation: Any, right: Callable[[int], bool]) -> None:
    """A few requests for one operation; `right` judges the status."""
    for mode in MODES if can_be_wrong(operation) else MODES[:1]:

        @given(case=operation.as_strategy(generation_mode=mode))
        @FEW
        def attempt(case: Case) -> None:
            send(url, known, case, right)

        with contextlib.suppress(Unsatisfiable):  # what can be left out cannot be missing
            attempt()


def send(url: str, known: dict[str, str], case: Case, right: Callable[[int], bool]) -> None:
    parameters = dict(case.path_parameters or {})
    parameters |= {name: known[name] for name in parameters if name in known}
    path = case.path
    for name, value in parameters.items():
        path = path.replace("{" + name + "}", requests.utils.quote(str(value), safe=""))
    query = dict(case.query or {})
    query.pop("wait", None)  # it would only take time
    headers = {str(key): str(value) for key, value in dict(case.headers or {}).items()}
    headers = {
        key: value
        for key, value in headers.items()
        if key.lower() not in ("content-length", "transfer-encoding", "host", "content-type")
    }
    headers["Authorization"] = f"Bearer {known['token']}"
    arguments: dict[str, Any] = {}
    if isinstance(case.body, bytes | str):
        arguments["data"] = case.body if isinstance(case.body, bytes) else case.body.encode()
    elif case.media_type == FORM and isinstance(case.body, dict):
        arguments["data"] = urlencode(case.body, doseq=True, errors="replace").encode()
        headers["Content-Type"] = FORM
    elif type(case.body).__name__ != "NotSet":
        arguments["json"] = case.body
    text = "&".join(f"{key}={requests.utils.quote(str(value))}" for key, value in query.items())
    prepared = requests.Request(
        case.method, f"{url}{path}" + (f"?{text}" if text else ""), headers=headers, **arguments
    )
    try:
        ready = prepared.prepare()
    except (ValueError, requests.RequestException, UnicodeError):
        return  # this cannot be sent at all
    with requests.Session() as session:
        response = session.send(ready, timeout=20, allow_redirects=False)
    shown = (case.method, path, query, case.body, response.status_code, response.text[:200])
    assert right(response.status_code), shown
    if response.status_code >= 400 and ready.method != "HEAD":
        assert isinstance(response.json(), dict), shown


def below_500(status: int) -> bool:
    return status < 500


CONTROL_STATUSES = (200, 400, 404, 405)


def test_the_control_api(url: str, known: dict[str, str]):
    schema = schemathesis.openapi.from_url(f"{url}/_emulator/openapi.json")
    seen = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path == "/_emulator/reset":
            continue  # it would take the known ids away
        seen += 1
        throw(url, known, operation, lambda status: status in CONTROL_STATUSES)
    assert seen > 40


@needs_spec
@pytest.mark.parametrize("file", FILES)
def test_lines_api(url: str, known: dict[str, str], file: str):
    schema = schemathesis.openapi.from_path(Path(FOLDER) / f"{file}.yml")
    for found in schema.get_all_operations():
        throw(url, known, found.ok(), below_500)
