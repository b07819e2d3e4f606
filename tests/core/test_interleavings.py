"""Webhooks and windows tell of one payment, in whatever order, and it counts once."""

import asyncio
import random
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.core.model import PaymentState, State
from tests.core.builders import NOW
from tests.core.conftest import Service
from tests.core.looking import look, open_shop, opened, read
from tests.core.seller import ListingSeller

# What is said last of a payment; a decline in either word is as final.
RANK = {
    PaymentState.PROCESSING: 0,
    PaymentState.PARTIALLY_PAID: 1,
    PaymentState.CANCELLED: 2,
    PaymentState.FAILED: 2,
    PaymentState.PAID: 3,
}


@dataclass
class Story:
    """What a payment comes to, which of it webhooks tell, in which order, and how the provider lists it."""

    statuses: list[PaymentState]
    told: list[bool]
    order: random.Random
    lists_in_short: bool

    @property
    def end(self) -> PaymentState:
        """The last word."""
        return max(self.statuses, key=lambda status: RANK[status])

    @property
    def webhooks(self) -> list[tuple[int, PaymentState]]:
        """Every webhook that comes, each twice."""
        told = [step for step in enumerate(self.statuses) if self.told[step[0]]] * 2
        self.order.shuffle(told)
        return told


STORIES = st.builds(
    Story,
    statuses=st.lists(st.sampled_from(PaymentState), min_size=1, max_size=4),
    told=st.lists(st.booleans(), min_size=4, max_size=4),
    order=st.randoms(use_true_random=False),
    lists_in_short=st.booleans(),
)


async def deliver(service: Service, session_id: str, number: int, status: PaymentState) -> None:
    """Deliver a webhook."""
    event = {"id": f"e{number}", "session": session_id, "payment": "p", "status": status.value}
    body = msgspec.json.encode(event)
    await service.webhook("scripted", "default", {"signature": "good"}, body)


async def happens(story: Story, shop: Service, seller: ListingSeller) -> None:
    """Let a story happen, and check how it ends."""
    session_id = await opened(shop)
    seller.sell("p", session_id, NOW, story.end)
    hooks = [deliver(shop, session_id, number, status) for number, status in story.webhooks]
    half = len(hooks) // 2
    await asyncio.gather(*hooks[:half], look(shop))
    await asyncio.gather(*hooks[half:], look(shop))
    session = await read(shop, session_id)
    assert [RANK[payment.status] for payment in session.payments] == [RANK[story.end]]
    assert (session.state is State.COMPLETED) == (story.end is PaymentState.PAID)


@pytest.mark.slow
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(story=STORIES)
async def test_webhooks_and_windows_agree_in_any_order(
    empty_store: bytes, tmp_path_factory: pytest.TempPathFactory, story: Story
) -> None:
    """Whatever webhooks come, twice or never, before or after a look: the session ends the same."""
    seller = ListingSeller()
    seller.lists_in_short = story.lists_in_short
    folder = tmp_path_factory.mktemp("interleaved")
    async with open_shop(folder, empty_store, seller) as shop:
        await happens(story, shop, seller)
