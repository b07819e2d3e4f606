"""One call with several attempts: what was sent of it is never told as not sent."""

import asyncio
from itertools import repeat

import pytest

from service.core.errors import ProviderOutcomeUnknown
from service.providers.breaker import THRESHOLD
from tests.providers.servers import answer, client, hang_up, misbehaving
from tests.providers.watching import Watching, fail, post, requests, until


async def test_lost_answer_is_never_told_as_not_sent() -> None:
    """A request that was sent stays unknown, whatever keeps it from being sent again."""
    async with misbehaving(hang_up) as server, client(server.url) as http:
        gone = asyncio.create_task(post(http, safe=True))
        await until(lambda: requests(server))
        server.listening.close()
        with pytest.raises(ProviderOutcomeUnknown) as caught:
            await gone
    assert caught.value.metadata["cause"] in {"disconnected", "reset"}


async def test_call_that_lost_its_answer_is_not_repeated_by_an_open_breaker() -> None:
    """A breaker that opens between two attempts ends the call as what it was: unknown."""
    watching = Watching()
    async with (
        misbehaving(*[hang_up] * (THRESHOLD + 1)) as server,
        client(server.url, observe=watching, chance=lambda: 1.0) as http,
    ):
        call = asyncio.create_task(post(http, safe=True))
        await until(lambda: watching.attempts)
        await asyncio.gather(*map(fail, repeat(http, THRESHOLD), repeat(1)))
        with pytest.raises(ProviderOutcomeUnknown):
            await call
    assert watching.attempts[-1] == "breaker_open"
    assert requests(server) == THRESHOLD + 1


@pytest.mark.parametrize("status", [401, 403, 429])
async def test_refusal_at_the_door_says_nothing_of_what_was_sent_before(status: int) -> None:
    """A repeated request that is turned away leaves open what the first one did."""
    turned_away = answer(status, b"{}", "Retry-After: 60")
    async with misbehaving(hang_up, turned_away) as server, client(server.url) as http:
        with pytest.raises(ProviderOutcomeUnknown):
            await post(http, safe=True)
    assert requests(server) == 2
