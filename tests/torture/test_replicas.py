"""Three replicas on one database, of which one after the other is killed under load: nothing twice, lost or stuck."""

import secrets
from pathlib import Path

import pytest

from tests.torture.campaign import kill_at_random
from tests.torture.emulated import emulated_seller
from tests.torture.nursery import Nursery
from tests.torture.seller import CountingProvider
from tests.torture.stores import replicas

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def test_random_kills(
    nursery: Nursery, provider: CountingProvider, database: str, tmp_path: Path
) -> None:
    """After 9 kills every caller was answered by one session, by whichever replica, and all tell the same."""
    seed = secrets.randbelow(10**9)
    places = replicas(nursery, tmp_path, provider.settings, database)
    killed = await kill_at_random(places, provider, kills=9, seed=seed)
    assert killed.audit.faults == [], f"seed {seed}"
    assert killed.audit.webhooks == killed.audit.applied > 0


async def test_random_kills_at_square(nursery: Nursery, database: str, tmp_path: Path) -> None:
    """With a key there is never a second page, whichever replicas went on with a session."""
    seed = secrets.randbelow(10**9)
    async with emulated_seller("square_links") as seller:
        places = replicas(nursery, tmp_path, seller.settings, database)
        killed = await kill_at_random(places, seller, kills=6, seed=seed)
    assert killed.audit.faults == [], f"seed {seed}"
    assert killed.audit.asked >= killed.audit.pages > 0
