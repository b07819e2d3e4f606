"""Fixtures of FastSpring's tests."""

from collections.abc import AsyncIterator

import pytest

from service.core.ports import Provider
from tests.providers.fastspring.shop import OWN
from tests.providers.sandbox import Place
from tests.providers.suite import build, settings_for


@pytest.fixture
async def fastspring(place: Place) -> AsyncIterator[Provider]:
    """The sandbox's account."""
    provider = build(settings_for(place, "fastspring", own=OWN))
    yield provider
    await provider.close()
