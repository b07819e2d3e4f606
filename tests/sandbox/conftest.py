"""Fixtures of the sandbox's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.sandbox.harness import Bench, running


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Run a sandbox of its own for one test."""
    async with running() as started:
        yield started
