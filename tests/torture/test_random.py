"""Kills at random moments and a provider that goes dark, under load: nothing twice, nothing lost, nothing stuck."""

import secrets
from pathlib import Path

import pytest

from tests.torture.calls import Session
from tests.torture.campaign import kill_at_random
from tests.torture.darkness import black_out
from tests.torture.emulated import emulated_seller
from tests.torture.lives import Lives
from tests.torture.nursery import Nursery
from tests.torture.seller import CountingProvider

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def test_random_kills(lives: Lives, provider: CountingProvider) -> None:
    """After 30 kills every caller was answered by one session, and what was acknowledged is there."""
    seed = secrets.randbelow(10**9)
    killed = await kill_at_random([lives], provider, kills=30, seed=seed)
    assert killed.audit.faults == [], f"seed {seed}"
    assert killed.total == 30
    assert killed.audit.webhooks == killed.audit.applied > 0


async def test_random_kills_at_square(nursery: Nursery, tmp_path: Path) -> None:
    """With a key there is never a second page, and no page outlives the session that was ended."""
    seed = secrets.randbelow(10**9)
    async with emulated_seller("square_links") as seller:
        lives = Lives(nursery, tmp_path, seller.settings)
        killed = await kill_at_random([lives], seller, kills=15, seed=seed)
    assert killed.audit.faults == [], f"seed {seed}"
    assert killed.audit.asked >= killed.audit.pages > 0
    ended = [s.session_id for s in killed.audit.listed if s.state == Session.STATE_EXPIRED]
    assert {seller.state(session_id) for session_id in ended} == {"expired"}


async def test_black_out(lives: Lives, provider: CountingProvider) -> None:
    """A provider that is dark for 5 s makes callers wait; all are served when it is back, each by one page."""
    seed = secrets.randbelow(10**9)
    dark = await black_out(lives, provider, seconds=5, seed=seed)
    assert dark.audit.faults == [], f"seed {seed}"
    assert dark.waiting > 0
    assert max(map(len, provider.made.values())) == 1
