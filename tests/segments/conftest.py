"""What the tests of segments share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hiiki.rooms import registry

from .database import bring_fields


@pytest.fixture(scope="module")
def fields_of_tests() -> Iterator[None]:
    """The road has the fields of the tests, and has them no longer for the tests of others."""
    before = dict(registry.fields)
    bring_fields()
    yield
    registry.fields.clear()
    registry.fields.update(before)
