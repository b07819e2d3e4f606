"""Kills at random moments and a provider that goes dark, under load: nothing twice, nothing lost, nothing stuck."""

import secrets
from pathlib import Path

import pytest

from tests.torture.campaign import black_out, kill_at_random
from tests.torture.lives import Nursery
from tests.torture.seller import CountingProvider

pytestmark = pytest.mark.slow


async def test_random_kills(nursery: Nursery, provider: CountingProvider, tmp_path: Path) -> None:
    """After 30 kills every caller was answered by one session, and what was acknowledged is there."""
    seed = secrets.randbelow(10**9)
    killed = await kill_at_random(nursery, provider, tmp_path, kills=30, seed=seed)
    assert killed.audit.faults == [], f"seed {seed}"
    assert killed.total == 30
    assert killed.audit.webhooks == killed.audit.applied > 0


async def test_black_out(nursery: Nursery, provider: CountingProvider, tmp_path: Path) -> None:
    """A provider that is dark for 5 s makes callers wait; all are served when it is back, each by one page."""
    seed = secrets.randbelow(10**9)
    dark = await black_out(nursery, provider, tmp_path, seconds=5, seed=seed)
    assert dark.audit.faults == [], f"seed {seed}"
    assert dark.waiting > 0
    assert max(map(len, provider.made.values())) == 1
