"""Fixtures of the emulated Clover's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.sandbox.clover.bench import CloverBench, running


@pytest.fixture
async def clover() -> AsyncIterator[CloverBench]:
    """Run a sandbox of its own for one test."""
    async with running() as started:
        yield started
