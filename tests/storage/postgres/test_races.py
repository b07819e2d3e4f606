"""Expiry racing payment in PostgreSQL: every order of every step comes to the one result of the table."""

from collections.abc import Sequence

import pytest

from service.core.model import State
from tests.core.builders import NOW
from tests.core.test_expiry_races import TTL, expected, results, seen


@pytest.mark.parametrize(
    "names",
    [("sweep", "in_time"), ("sweep", "late"), ("expire", "in_time"), ("sweep", "expire")],
    ids="-".join,
)
async def test_overdue_sessions_end_as_the_table_says(url: str, names: Sequence[str]) -> None:
    """Whoever comes first, and wherever the other stands by then."""
    found = await results(url, names)
    assert len(found) > 5
    for session, _ in found:
        assert seen(session) == expected(names)


async def test_pages_are_closed_meanwhile(url: str) -> None:
    """Closing takes three more steps, between any of which the payment may come."""
    names = ("expire", "late")
    for session, _ in await results(url, names, closes=True):
        assert seen(session) == expected(names)
        assert session.link_closed or session.closing_time


async def test_a_request_to_end_it_is_refused_or_holds(url: str) -> None:
    """Accepted, its moment is the end by which payments are judged; refused, the session was paid."""
    now, names = NOW + TTL / 2, ("expire", "in_time")
    found = await results(url, names, end=now, now=now)
    for session, one in found:
        assert session.state is State.COMPLETED
        assert one.is_refused or seen(session) == expected(names)
    assert {one.is_refused for _, one in found} == {True, False}
