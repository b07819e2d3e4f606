"""Two actors at one session in a SQLite file: they share its one connection that writes."""

import shutil
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest

from service.core.ports import Store
from service.storage.registry import open_store
from tests.storage.isolation import check_isolation


@pytest.mark.slow
def test_two_actors_at_one_session(migrated: Path, tmp_path: Path) -> None:
    """Whatever two do to one session, step by step, comes to what one after the other could have done."""
    numbers = count()

    async def open_both() -> Sequence[Store]:
        store = await open_store(
            f"sqlite:///{shutil.copy(migrated, tmp_path / f'{next(numbers)}.db')}"
        )
        return store, store

    check_isolation(open_both, examples=40)
