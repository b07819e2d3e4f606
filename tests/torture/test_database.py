"""The database killed under load: clear refusals as long as it is away, and nothing acknowledged is lost."""

import secrets
from datetime import timedelta
from pathlib import Path

import pytest

from tests.torture.darkness import black_out_database
from tests.torture.nursery import Nursery
from tests.torture.seller import CountingProvider
from tests.torture.stores import Databases, replicas

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def test_black_out(
    nursery: Nursery,
    provider: CountingProvider,
    databases: Databases,
    database: str,
    tmp_path: Path,
) -> None:
    """A crash of the database, and 5 s without one, cost nobody a session; replicas recover by themselves."""
    seed = secrets.randbelow(10**9)
    lease = timedelta(seconds=10)
    places = replicas(nursery, tmp_path, provider.settings, database, lease=lease)
    dark = await black_out_database(places, databases.server, provider, seed=seed)
    assert dark.audit.faults == [], f"seed {seed}"
    assert dark.audit.webhooks == dark.audit.applied > 0
