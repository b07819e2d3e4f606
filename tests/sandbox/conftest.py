"""Fixtures of the sandbox's tests."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from tests.sandbox.harness import Bench, running

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Leave the emulators' own tests to `make test`: the adapters' tests go through them too."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Run a sandbox of its own for one test."""
    async with running() as started:
        yield started
