"""Fixtures of the emulated FastSpring's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.sandbox.fastspring.bench import FastspringBench, running


@pytest.fixture
async def fastspring() -> AsyncIterator[FastspringBench]:
    """Run a sandbox of its own for one test."""
    async with running() as started:
        yield started
