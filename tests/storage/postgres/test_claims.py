"""Replicas share what is due: each part is done once, and what a dead one has begun is done by the others."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from msgspec import structs

from service.core.closing import AGAIN_AFTER
from service.core.due import Claimed
from service.core.model import PaymentState, State
from service.core.ports import Closing
from tests.core.builders import request
from tests.core.conftest import Service
from tests.core.seller import ListingSeller
from tests.storage.postgres.replicas import MINUTE, SURELY, Replicas, replicas_on

TTL = 15 * MINUTE
THREE = (timedelta(0), 10 * MINUTE, -10 * MINUTE)
DUE = 30
SHARE = 10


@pytest.fixture
def provider() -> ListingSeller:
    """Provide what all replicas call: it lists payments, and can end its pages."""
    seller = ListingSeller()
    seller.capabilities = structs.replace(seller.capabilities, cancel=True)
    return seller


async def made_due(replicas: Replicas, number: int = DUE) -> list[str]:
    """Create sessions whose time has run out."""
    asked = request(ttl=TTL)
    made = [
        await replicas.services[0].create(asked, caller="anonymous", deadline=None)
        for _ in range(number)
    ]
    replicas.future.ahead += TTL + SURELY
    return [one.session.session_id for one in made]


async def until(service: Service, claimed: list[str]) -> None:
    """Claim a share in the name of a replica, and do nothing about it."""
    now = service.clock.now()
    claimed += ids(await service.store.claim_due(now, now + MINUTE, SHARE))


async def test_each_session_is_handled_once(
    url: str, provider: ListingSeller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three replicas that sweep at once, each handles others' share of nothing."""
    monkeypatch.setattr("service.core.expiry._BATCH", SHARE)
    async with replicas_on(url, provider, THREE) as replicas:
        session_ids = await made_due(replicas)
        claims: list[str] = []
        for one in replicas.services:
            one.sweep._store = Noting(one.store, claims)  # type: ignore[assignment]
        await replicas.sweep()
        assert Counter(claims) == Counter(session_ids)
        assert Counter(replicas.events())["session.expired"] == DUE
        replicas.future.ahead += SURELY
        await replicas.sweep()
        assert len(provider.cancelled) == len(set(provider.cancelled)) == DUE
        records = [await replicas.services[0].store.find(one) for one in session_ids]
        assert all(record.session.link_closed for record in records)


async def test_a_page_that_does_not_close_is_asked_to_once_each_time(
    url: str, provider: ListingSeller
) -> None:
    """Closing is repeated at its own pace, however many replicas there are."""
    provider.closings = [Closing(closed=False)] * 2
    async with replicas_on(url, provider, THREE) as replicas:
        await made_due(replicas, 1)
        # Whoever sweeps last may already close what the first one has expired.
        await replicas.sweep()
        for _ in range(2):
            replicas.future.ahead += SURELY
            await replicas.sweep()
            assert len(provider.cancelled) == 1
        for asked in (2, 3, 3):
            replicas.future.ahead += AGAIN_AFTER + SURELY
            await replicas.sweep()
            await replicas.sweep()
            assert len(provider.cancelled) == asked


async def test_what_a_dead_replica_has_claimed_is_done_by_others(
    url: str, provider: ListingSeller
) -> None:
    """A claim keeps others away for some time, and no longer."""
    async with replicas_on(url, provider, THREE) as replicas:
        session_ids = await made_due(replicas)
        dead, *alive = replicas.services
        claimed: list[str] = []
        await asyncio.gather(*(until(dead, claimed) for _ in range(2)))
        assert len(set(claimed)) == 2 * SHARE
        await replicas.sweep(*alive)
        assert replicas.events().count("session.expired") == DUE - 2 * SHARE
        replicas.future.ahead += MINUTE + SURELY
        await replicas.sweep(*alive)
        assert replicas.events().count("session.expired") == DUE
        states = {(await dead.store.find(one)).session.state for one in session_ids}
        assert states == {State.EXPIRED}


async def test_a_claim_ends_with_the_work(url: str, provider: ListingSeller) -> None:
    """What was claimed and saved can be claimed again as soon as it is due again."""
    async with replicas_on(url, provider, THREE) as replicas:
        (session_id,) = await made_due(replicas, 1)
        one, other, _ = replicas.services
        now = one.clock.now()
        assert ids(await one.store.claim_due(now, now + 60 * MINUTE, 10)) == [session_id]
        assert ids(await other.store.claim_due(now, now + 60 * MINUTE, 10)) == []
        await other.expire(session_id)
        provider.closings = [Closing(closed=False)]
        assert (await one.store.find(session_id)).session.link_closed
        assert ids(await other.store.claim_due(now, now + 60 * MINUTE, 10)) == []


async def test_an_account_is_looked_through_by_one(url: str, provider: ListingSeller) -> None:
    """One replica looks through an account; after its death another one goes on where it was."""
    async with replicas_on(url, provider, THREE) as replicas:
        holder, *others = replicas.services
        await replicas.look(holder)
        made = await holder.create(request(), caller="anonymous", deadline=None)
        for number in range(1, 4):
            replicas.future.ahead += MINUTE
            await replicas.look()
            assert len(provider.listings) == number
        end = provider.listings[-1].until
        provider.sell("p1", made.session.session_id, end, PaymentState.PAID)
        # The holder is dead: nobody looks until its lease is over.
        replicas.future.ahead += MINUTE
        await replicas.look(*others)
        assert len(provider.listings) == 3
        for _ in range(4):
            replicas.future.ahead += MINUTE
            await replicas.look(*others)
        assert len(provider.listings) > 3
        assert provider.listings[3].since < end
        assert State.COMPLETED is (await holder.get(made.session.session_id)).session.state


async def test_who_leaves_leaves_its_accounts(url: str, provider: ListingSeller) -> None:
    """A replica that is stopped gives up its accounts at once."""
    async with replicas_on(url, provider, THREE) as replicas:
        holder, other, _ = replicas.services
        await replicas.look(holder)
        await holder.store.close()
        await replicas.look(other)
        replicas.future.ahead += MINUTE
        await replicas.look(other)
        assert len(provider.listings) == 1


class Noting:
    """A store that remembers what was claimed."""

    def __init__(self, store: object, claims: list[str]) -> None:
        self._store = store
        self._claims = claims

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def claim_due(self, *arguments: object) -> Claimed:
        claimed: Claimed = await self._store.claim_due(*arguments)  # type: ignore[attr-defined]
        self._claims += ids(claimed)
        return claimed


def ids(due: Claimed) -> list[str]:
    """Return the ids of sessions."""
    return [record.session.session_id for record in due.records]
