"""Fixtures of the emulated Square's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.sandbox.square.bench import SquareBench, running


@pytest.fixture
async def square() -> AsyncIterator[SquareBench]:
    """Run a sandbox of its own for one test."""
    async with running() as started:
        yield started
