"""Fixtures of the emulated SellApp's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.sandbox.sellapp.bench import SellappBench, running


@pytest.fixture
async def sellapp() -> AsyncIterator[SellappBench]:
    """Run a sandbox of its own for one test."""
    async with running() as started:
        yield started
