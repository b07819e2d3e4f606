"""The same key and body are answered once and for all; a key is never good for two bodies."""

from typing import Any

import pytest

from tests.sandbox.square.bench import (
    CHECKOUTS,
    LINKS,
    SquareBench,
    checkout_body,
    line,
    link_body,
    money,
    order_body,
)

EURO_LINE = line(base_price_money=money(1000, "EUR"))


@pytest.mark.parametrize(
    ("path", "body"),
    [(LINKS, link_body(idempotency_key="key-1")), (CHECKOUTS, checkout_body())],
)
async def test_a_repeat_gets_the_first_answer(
    square: SquareBench, path: str, body: dict[str, Any]
) -> None:
    """Whatever has happened since, the answer is the first one and nothing new is made."""
    first = await square.good("POST", path, body)
    (session,) = square.square.sessions()
    square.square.pay(session.provider_session_id)
    square.clock.forward(days=1)
    assert await square.good("POST", path, body) == first
    assert square.square.requests.creates == 1
    assert len(list(square.square.sessions())) == 1


@pytest.mark.parametrize(
    ("path", "body", "other"),
    [
        (LINKS, link_body(idempotency_key="k"), link_body(idempotency_key="k", description="2")),
        (CHECKOUTS, checkout_body(), checkout_body(note="2")),
    ],
)
async def test_a_key_is_bound_to_its_body(
    square: SquareBench, path: str, body: dict[str, Any], other: dict[str, Any]
) -> None:
    """Another body under the same key is refused, and the key still works for the first."""
    first = await square.good("POST", path, body)
    status, error = await square.refused("POST", path, other)
    assert (status, error["code"]) == (400, "IDEMPOTENCY_KEY_REUSED")
    assert error["field"] == "idempotency_key"
    assert await square.good("POST", path, body) == first


@pytest.mark.parametrize("key", [{}, {"idempotency_key": ""}])
async def test_without_a_key_every_call_makes_a_link(
    square: SquareBench, key: dict[str, str]
) -> None:
    """Two calls leave two links that can both be paid."""
    first, second = await square.link(link_body(**key)), await square.link(link_body(**key))
    assert first["order_id"] != second["order_id"]
    assert square.square.requests.creates == 2


async def test_a_refused_request_does_not_use_up_its_key(square: SquareBench) -> None:
    """After a mistake the same key may carry the corrected body."""
    await square.refused("POST", LINKS, {"idempotency_key": "key-1"})
    await square.link(idempotency_key="key-1")


async def test_keys_belong_to_an_endpoint_and_a_location(square: SquareBench) -> None:
    """A link and the checkouts of two locations may share a key."""
    euro = order_body(location_id="LDEMO_EUR", line_items=[EURO_LINE])
    await square.link(idempotency_key="key-1")
    await square.good("POST", CHECKOUTS, checkout_body())
    await square.good("POST", "/v2/locations/LDEMO_EUR/checkouts", checkout_body(euro))
    assert square.square.requests.creates == 3


async def test_a_deleted_link_is_still_replayed(square: SquareBench) -> None:
    """A key never makes a second link, even where the first is gone."""
    link = await square.link(idempotency_key="key-1")
    await square.good("DELETE", f"{LINKS}/{link['id']}")
    assert await square.link(idempotency_key="key-1") == link
    assert (await square.order_of(link))["state"] == "CANCELED"
