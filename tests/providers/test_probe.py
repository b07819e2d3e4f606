"""One harmless request, and what it tells."""

from datetime import UTC, datetime

import pytest

from service.providers.probe import Probe, ProbeLost, send
from tests.providers.servers import answer, hang_up, misbehaving, talk_for_ever

HEADERS = {"Authorization": "Bearer key-1"}


async def test_answer_is_told_without_its_words() -> None:
    """Status and clock come back, and whether the body is JSON."""
    date = "Date: Sun, 22 Nov 2026 10:00:00 GMT"
    async with misbehaving(answer(401, b"{}", date)) as server:
        found = await send(Probe(url=f"{server.url}/payments", headers=HEADERS))
    assert (found.status, found.is_json) == (401, True)
    assert found.date == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert b"Authorization: Bearer key-1" in server.requests[0]


@pytest.mark.parametrize("date", ["Date: yesterday", "X-Date: Sun, 22 Nov 2026 10:00:00 GMT"])
async def test_unreadable_clock_is_left_out(date: str) -> None:
    """A date that is none says nothing of the time."""
    async with misbehaving(answer(200, b"[", date)) as server:
        found = await send(Probe(url=server.url, headers=HEADERS))
    assert (found.date, found.is_json) == (None, False)


async def test_endless_answer_is_cut() -> None:
    """No more of a body is read than any answer to a probe has."""
    async with misbehaving(talk_for_ever) as server:
        found = await send(Probe(url=server.url, headers=HEADERS))
    assert not found.is_json


async def test_lost_answer_is_an_error_in_words() -> None:
    """A connection that ends without an answer is told so."""
    async with misbehaving(hang_up) as server:
        with pytest.raises(ProbeLost, match="closed the connection without a usable answer"):
            await send(Probe(url=server.url, headers=HEADERS))
