"""The PostgreSQL store against a model of it, over any sequence of calls."""

from tests.storage.postgres.conftest import emptied
from tests.storage.test_stateful import check_any_sequence_of_calls


def test_any_sequence_of_calls(migrated_url: str) -> None:
    """Whatever is called in whatever order, the store holds what a dictionary would."""
    check_any_sequence_of_calls(lambda: emptied(migrated_url))
