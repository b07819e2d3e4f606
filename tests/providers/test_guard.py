"""What stands before the calls of an account, against real sockets: its breaker, its budget, its order."""

import asyncio
import socket
from datetime import timedelta
from functools import partial
from itertools import repeat

import pytest
from structlog.testing import capture_logs

from service.core.errors import (
    ProviderOutcomeUnknown,
    ProviderRateLimited,
    ProviderUnavailable,
)
from service.core.purpose import Purpose, working_for
from service.providers import breaker as breaking
from service.providers import budget as budgeting
from service.providers import guard as guarding
from service.providers.answers import Answer, Lost
from service.providers.breaker import THRESHOLD, BreakerState
from service.providers.budget import Rate
from service.providers.guard import Guard, Passage
from service.providers.http import ProviderHttp
from tests.providers.clockwork import Ahead, run
from tests.providers.servers import (
    Behaviour,
    answer,
    client,
    hang_up,
    misbehaving,
    once,
    reset,
    stay_silent,
)
from tests.providers.watching import Watching, fail, get, post, requests, until

MOMENT = timedelta(milliseconds=60)
PAUSE = 30.0
PATIENCE = timedelta(seconds=120)

CLOSED, HALF_OPEN, OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN


@pytest.fixture(autouse=True)
def long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no pause end and no patience run out before a test puts the time forward."""
    for name in ("SHORTEST_PAUSE", "LONGEST_PAUSE", "TRIAL_PATIENCE"):
        monkeypatch.setattr(breaking, name, 2 * PAUSE)
    for name in ("FIRST_PAUSE", "LONGEST_PAUSE"):
        monkeypatch.setattr(budgeting, name, 2 * PAUSE)
    monkeypatch.setattr(guarding, "FAIR_WAIT", PAUSE)


async def refused(http: ProviderHttp) -> ProviderUnavailable:
    """Return the refusal of an open breaker."""
    with pytest.raises(ProviderUnavailable) as caught:
        await post(http)
    assert caught.value.metadata["cause"] == "breaker_open"
    return caught.value


FAILURES = {
    "500": answer(500),
    "503": answer(503, b"<html>"),
    "hung up": hang_up,
    "reset": reset,
    "truncated": answer(200, b"{", length=9),
    "silent": stay_silent,
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_breaker_opens_and_closes_again(failure: Behaviour, ahead: Ahead) -> None:
    """Five failures in a row open it: nothing is sent for a moment, then one call finds that all is well."""
    watching = Watching()
    async with (
        misbehaving(*[failure] * THRESHOLD, answer(), answer()) as server,
        client(server.url, observe=watching, request_timeout=PATIENCE) as http,
    ):
        with capture_logs() as logs:
            for before in range(THRESHOLD):
                failing = asyncio.create_task(fail(http, 1))
                if failure is stay_silent:
                    await until(partial(lambda seen: requests(server) > seen, before))
                    ahead(PATIENCE.total_seconds())
                await failing
            assert watching.states == [OPEN]
            refusal = await refused(http)
            assert refusal.retry_after
            assert 0 < refusal.retry_after.total_seconds() <= PAUSE
            assert requests(server) == THRESHOLD
            ahead(PAUSE)
            assert (await post(http)).status == 200
        assert watching.states == [OPEN, HALF_OPEN, CLOSED]
        assert watching.attempts[-2:] == ["breaker_open", "2xx"]
        assert (await post(http)).status == 200
    events = [log for log in logs if log["event"].startswith("provider.breaker")]
    assert [log["event"] for log in events] == [
        "provider.breaker_opened",
        "provider.breaker_closed",
    ]
    assert all((log["provider"], log["account"]) == ("dodo", "default") for log in events)
    assert events[0]["cause"]
    assert events[1]["seconds"] >= PAUSE


async def test_breaker_opens_where_nobody_listens() -> None:
    """Connections that are refused open it, and it says so instead of trying."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    watching = Watching()
    async with client(url, observe=watching) as http:
        # A call may try several times, and counts once.
        await asyncio.gather(*map(fail, repeat(http, THRESHOLD), repeat(1)))
        assert watching.attempts == ["connect_failed"] * 3 * THRESHOLD
        await refused(http)
    assert watching.attempts == ["connect_failed"] * 3 * THRESHOLD + ["breaker_open"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_refusals_do_not_open_it(status: int) -> None:
    """Whoever refuses is there."""
    times = 2 * THRESHOLD
    async with misbehaving(*[answer(status)] * times) as server, client(server.url) as http:
        for _ in range(times):
            assert (await post(http)).status == status
        assert requests(server) == times


async def test_answers_that_lead_elsewhere_do_not_open_it() -> None:
    """Whoever redirects is there, though what it did is not known."""
    times = 2 * THRESHOLD
    async with misbehaving(*[answer(302)] * times) as server, client(server.url) as http:
        for _ in range(times):
            with pytest.raises(ProviderOutcomeUnknown):
                await post(http)
        assert requests(server) == times


async def test_callers_in_a_hurry_do_not_open_it() -> None:
    """Time-outs that come of the callers' own deadlines say nothing of the provider."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        for _ in range(4):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(full.getsockname())
            waiting.append(connection)
        watching = Watching()
        async with client(f"http://127.0.0.1:{full.getsockname()[1]}", observe=watching) as http:
            for _ in range(2 * THRESHOLD):
                with pytest.raises(ProviderUnavailable) as caught:
                    await post(http, within=timedelta(milliseconds=5))
                assert caught.value.metadata["cause"] == "connect_timeout"
        assert watching.states == []
        for connection in waiting:
            connection.close()


async def test_trial_that_is_given_up_leaves_its_place(ahead: Ahead) -> None:
    """A caller who goes away during the trial does not keep the next one from trying."""
    watching, done = Watching(), asyncio.Event()
    async with (
        misbehaving(*[hang_up] * THRESHOLD, once(done, answer()), answer()) as server,
        client(server.url, observe=watching) as http,
    ):
        await fail(http)
        ahead(PAUSE)
        trial = asyncio.create_task(post(http))
        await until(lambda: requests(server) == THRESHOLD + 1)
        await refused(http)
        trial.cancel()
        await asyncio.wait([trial])
        assert (await post(http)).status == 200
        done.set()
    assert watching.states == [OPEN, HALF_OPEN, CLOSED]


async def test_provider_is_left_alone_as_long_as_it_asks(ahead: Ahead) -> None:
    """After a 429 with a delay nothing is sent: whoever has time waits, whoever has none is told when."""
    watching = Watching()
    async with (
        misbehaving(answer(429, b"{}", "Retry-After: 50"), answer()) as server,
        client(server.url, observe=watching, connect_timeout=PATIENCE) as http,
    ):
        with capture_logs() as logs:
            assert (await post(http)).status == 429
        with pytest.raises(ProviderRateLimited) as caught:
            await post(http, within=MOMENT)
        assert caught.value.retry_after
        assert 20 < caught.value.retry_after.total_seconds() <= 50
        waiting = asyncio.create_task(post(http))
        await asyncio.sleep(0.001)
        assert requests(server) == 1
        ahead(50)
        assert (await waiting).status == 200
    assert watching.waits == [Purpose.CREATE] * 2
    assert watching.states == []
    assert [log["seconds"] for log in logs if log["event"] == "provider.paused"] == [50.0]


async def test_refusal_without_a_delay_is_obeyed_too(ahead: Ahead) -> None:
    """A 429 that names no delay makes a pause of our own, of which callers are told."""
    async with (
        misbehaving(answer(429), answer()) as server,
        client(server.url, connect_timeout=PATIENCE) as http,
    ):
        assert (await post(http)).status == 429
        with pytest.raises(ProviderRateLimited):
            await post(http, within=MOMENT)
        waiting = asyncio.create_task(post(http))
        await asyncio.sleep(0.001)
        assert requests(server) == 1
        ahead(PAUSE)
        assert (await waiting).status == 200
    assert requests(server) == 2


async def test_rate_is_kept() -> None:
    """What the account may send a second is not exceeded."""
    async with (
        misbehaving(*[answer()] * 4) as server,
        client(server.url, rate=Rate(per_second=50, burst=2)) as http,
    ):
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(*(post(http) for _ in range(4)))
        assert loop.time() - began >= 0.038
    assert requests(server) == 4


async def test_nobody_waits_in_vain_for_the_rate() -> None:
    """Whoever would wait too long is refused unsent."""
    async with (
        misbehaving(answer()) as server,
        client(server.url, rate=Rate(per_second=0.01, burst=1)) as http,
    ):
        await post(http)
        with pytest.raises(ProviderRateLimited) as caught:
            await post(http, within=timedelta(seconds=60))
    assert caught.value.metadata == {"provider": "dodo", "account": "default"}
    assert requests(server) == 1


async def test_create_goes_before_reconciliation() -> None:
    """For the one connection there is, a create goes before what reconciliation asked for earlier."""
    done = asyncio.Event()
    async with (
        misbehaving(once(done, answer()), answer(), answer()) as server,
        client(server.url, connections=1) as http,
    ):
        first = asyncio.create_task(get(http))
        await until(lambda: requests(server))
        with working_for(Purpose.RECONCILE):
            later = asyncio.create_task(get(http))
        await asyncio.sleep(0)
        create = asyncio.create_task(post(http))
        await asyncio.sleep(0)
        done.set()
        await asyncio.gather(first, later, create)
    assert [request.split(b" ")[0] for request in server.requests] == [b"GET", b"POST", b"GET"]


async def test_purpose_may_be_named() -> None:
    """A call that is not what its method looks like says so."""
    watching, done = Watching(), asyncio.Event()
    async with (
        misbehaving(once(done, answer()), answer()) as server,
        client(server.url, connections=1, observe=watching) as http,
    ):
        first = asyncio.create_task(get(http))
        await until(lambda: requests(server))
        second = asyncio.create_task(get(http, Purpose.CHANGE))
        await asyncio.sleep(0)
        done.set()
        await asyncio.gather(first, second)
    assert watching.waits == [Purpose.CHANGE]


def test_breaker_that_opens_while_a_call_waits_refuses_it() -> None:
    """A call that gets its turn of an account that was shut meanwhile is not sent, and leaves its turn to others."""

    async def wait() -> tuple[Lost | None, list[Lost | None]]:
        loop = asyncio.get_running_loop()
        guard = Guard(
            provider="dodo",
            account="default",
            connections=THRESHOLD,
            rate=None,
            connect_timeout=5.0,
            chance=lambda: 0.0,
            watch=None,
        )
        failing = [Passage(Purpose.CREATE, loop.time()) for _ in range(THRESHOLD)]
        for passage in failing:
            assert await guard.enter(passage, loop.time()) is None
        late = asyncio.ensure_future(
            guard.enter(Passage(Purpose.CREATE, loop.time()), loop.time() + 5)
        )
        await asyncio.sleep(0)
        for passage in failing:
            guard.leave(passage, Answer(status=500))
            guard.settle(passage, Answer(status=500))
        refusal = await late
        await asyncio.sleep(PAUSE)
        trial = Passage(Purpose.CREATE, loop.time())
        assert await guard.enter(trial, loop.time()) is None
        guard.leave(trial, Answer(status=200))
        guard.settle(trial, Answer(status=200))
        after = [Passage(Purpose.CREATE, loop.time()) for _ in range(THRESHOLD)]
        return refusal, [await guard.enter(passage, loop.time()) for passage in after]

    refusal, after = run(wait())
    assert refusal is not None
    assert (refusal.cause, refusal.sent) == ("breaker_open", False)
    assert after == [None] * THRESHOLD


async def test_closing_sends_away_who_waits() -> None:
    """Who waits for a turn when the client is closed was not sent."""
    async with misbehaving(stay_silent) as server, client(server.url, connections=1) as http:
        first = asyncio.create_task(post(http))
        await until(lambda: requests(server))
        second = asyncio.create_task(post(http))
        await asyncio.sleep(0)
        await http.close()
        with pytest.raises(ProviderUnavailable) as caught:
            await second
        with pytest.raises(ProviderOutcomeUnknown):
            await first
    assert caught.value.metadata["cause"] == "closed"
