"""Fixtures of the adapters' tests."""

from collections.abc import AsyncIterator

import pytest

from tests.providers.sandbox import Place, running_sandbox


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """A running sandbox."""
    async with running_sandbox() as place:
        yield place
