"""What the tests of crashes share: a nursery of services, and a provider that counts."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.torture.lives import Lives, Nursery, running_nursery
from tests.torture.seller import CountingProvider, counting_provider


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """A process that starts services, for all tests of a module."""
    with running_nursery() as running:
        yield running


@pytest.fixture
async def provider() -> AsyncIterator[CountingProvider]:
    """A provider that has seen nothing."""
    async with counting_provider() as running:
        yield running


@pytest.fixture
def lives(nursery: Nursery, provider: CountingProvider, tmp_path: Path) -> Lives:
    """A service with an account there, and an empty store."""
    return Lives(nursery, tmp_path, provider.settings)
