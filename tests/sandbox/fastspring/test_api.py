"""The emulated API: who may call, what comes back, and how a session goes on."""

from typing import Any

import pytest
from yarl import URL

from service.sandbox.fastspring.catalogue import STORE_ID, TEST_CHECKOUT_ID, USERNAME
from tests.sandbox.fastspring.bench import (
    SESSIONS,
    FastspringBench,
    authorization,
    body_with,
    cart,
    item,
    running,
)
from tests.sandbox.harness import TOKEN


async def test_a_session_is_made_and_read(fastspring: FastspringBench) -> None:
    """It lives for a day, has a page, and is the same when it is read."""
    made = await fastspring.create(orderTags={"order": "42"})
    assert made["status"] == "OPEN"
    assert made["checkoutStatus"] == ["READY_FOR_CHECKOUT"]
    assert (made["created"], made["expires"]) == (
        "2026-03-01T12:00:00.000Z",
        "2026-03-02T12:00:00.000Z",
    )
    assert made["checkoutUrls"]["webcheckoutUrl"] == f"{fastspring.url}/session/{made['id']}"
    assert made["orderTags"] == {"order": "42"}
    read = await fastspring.good("GET", f"{SESSIONS}/{made['id']}")
    assert {name: read[name] for name in made} == made
    assert fastspring.fastspring.requests.creates == 1
    assert (
        fastspring.fastspring.requests.count(
            method="GET", route="/v2/checkouts/{store}/{checkout}/sessions/{id}"
        )
        == 1
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ""},
        {"authorization": f"Bearer {TOKEN}"},
        authorization(USERNAME, "wrong"),
        authorization("else", TOKEN),
    ],
)
async def test_only_the_stores_credentials_are_taken(
    headers: dict[str, str], fastspring: FastspringBench
) -> None:
    """User name and password both count, for reads as for creates."""
    for method, path in (("POST", SESSIONS), ("GET", "/events/unprocessed?days=1")):
        status, answer = await fastspring.call(method, path, body_with(), headers=headers)
        assert (status, answer["status"]) == (401, "401 UNAUTHORIZED")
    assert fastspring.fastspring.requests.creates == 0


async def test_a_request_without_user_agent_is_rejected(fastspring: FastspringBench) -> None:
    """FastSpring insists on the header."""
    status, _ = await fastspring.call("POST", SESSIONS, body_with(), headers={"user-agent": ""})
    assert status == 403


@pytest.mark.parametrize(
    "path",
    [
        f"/v2/checkouts/{STORE_ID}/web-other/sessions",
        f"/v2/checkouts/other/{TEST_CHECKOUT_ID}/sessions",
        f"/v2/checkouts/{STORE_ID}%2F{TEST_CHECKOUT_ID}/sessions",
    ],
)
async def test_the_path_leads_to_one_checkout(path: str, fastspring: FastspringBench) -> None:
    """An unknown half, and an encoded slash, lead nowhere."""
    address = URL(f"{fastspring.url}{path}", encoded=True)
    async with fastspring.http.post(address, json=body_with(), headers=authorization()) as response:
        assert response.status == 404


async def test_a_session_belongs_to_its_checkout(fastspring: FastspringBench) -> None:
    """The other checkout of the store does not know it."""
    made = await fastspring.create()
    other = f"/v2/checkouts/{STORE_ID}/{TEST_CHECKOUT_ID}/sessions/{made['id']}"
    assert (await fastspring.call("GET", other))[0] == 404
    assert (await fastspring.call("GET", f"{SESSIONS}/nothing"))[0] == 404


async def test_sessions_are_live_unless_said_otherwise(fastspring: FastspringBench) -> None:
    """The documented default, which a checkout in test mode overrules with a warning."""
    body = {"cart": cart()}
    assert (await fastspring.good("POST", SESSIONS, body))["live"] is True
    path = f"/v2/checkouts/{STORE_ID}/{TEST_CHECKOUT_ID}/sessions"
    status, made = await fastspring.call("POST", path, body)
    assert (status, made["live"]) == (201, False)
    assert [warning["code"] for warning in made["warnings"]] == ["CHECKOUT_NOT_LIVE"]


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"cart": cart(couponCode="NOPE")}, "INVALID_PROMO_CODE", "cart.couponCode"),
        ({"country": "Mars"}, "INVALID_COUNTRY", "country"),
        ({"buyerIp": "nowhere"}, "INVALID_BUYER_IP", "buyerIp"),
        ({"locale": "xx"}, "INVALID_LOCALE", "locale"),
        ({"customer": {"taxId": "?"}}, "INVALID_TAX_ID", "customer.taxId"),
        (
            {"customer": {"billToAddress": {"postalCode": "?"}}},
            "INVALID_POSTAL_CODE",
            "customer.billToAddress.postalCode",
        ),
    ],
)
async def test_what_is_ignored_is_warned_of(
    fields: dict[str, object], code: str, field: str, fastspring: FastspringBench
) -> None:
    """The session is made all the same."""
    made = await fastspring.create(**fields)
    assert [(warning["code"], warning["field"]) for warning in made["warnings"]] == [(code, field)]


async def test_ways_to_pay_are_ordered_and_hidden(fastspring: FastspringBench) -> None:
    """What the store has not is dropped without a word."""
    made = await fastspring.create(
        paymentMethodsOrder=["PAYPAL", "QUOTE", "WIRE"], hidePaymentMethods=["WIRE"]
    )
    answer = await fastspring.good("GET", f"{SESSIONS}/{made['id']}/payment-methods")
    names = [method["id"] for method in answer["paymentMethods"]]
    assert names[0] == "PAYPAL"
    assert {"QUOTE", "WIRE"}.isdisjoint(names)


async def test_a_bought_session_tells_its_order_by_events(fastspring: FastspringBench) -> None:
    """The session names no order; its tags are on it."""
    made = await fastspring.create(orderTags={"order": "42"})
    fastspring.fastspring.pay(made["id"])
    read = await fastspring.good("GET", f"{SESSIONS}/{made['id']}")
    assert (read["status"], read["checkoutStatus"]) == ("COMPLETED", ["CONCLUDED"])
    assert "order" not in read
    await fastspring.receiver.wait_for(1)
    found: list[dict[str, Any]] = []
    for name in ("unprocessed", "processed"):
        found += (await fastspring.good("GET", f"/events/{name}?days=1"))["events"]
    (event,) = found
    assert event["data"]["tags"] == {"order": "42"}
    order = await fastspring.good("GET", f"/orders/{event['data']['id']}")
    assert order == event["data"]
    assert (await fastspring.call("GET", "/orders/nothing"))[0] == 404


async def test_a_session_ends_after_a_day(fastspring: FastspringBench) -> None:
    """It is still read, and its page takes no payment."""
    made = await fastspring.create()
    fastspring.clock.forward(hours=24)
    read = await fastspring.good("GET", f"{SESSIONS}/{made['id']}")
    assert read["status"] == "EXPIRED"
    assert (await fastspring.page(f"/session/{made['id']}"))[0] == 410


async def test_a_delayed_payment_is_pending(fastspring: FastspringBench) -> None:
    """The order is there and not completed."""
    made = await fastspring.create()
    fastspring.fastspring.submit(made["id"])
    read = await fastspring.good("GET", f"{SESSIONS}/{made['id']}")
    assert read["status"] == "PENDING_ORDER"
    fastspring.fastspring.complete(made["id"])
    read = await fastspring.good("GET", f"{SESSIONS}/{made['id']}")
    assert read["status"] == "COMPLETED"


async def test_events_come_25_at_a_time() -> None:
    """The rest is listed from the last one's time on, for 30 days."""
    async with running(has_endpoint=False) as fastspring:
        for _ in range(27):
            made = await fastspring.create()
            fastspring.clock.forward(seconds=1)
            fastspring.fastspring.pay(made["id"])
        first = await fastspring.good("GET", "/events/unprocessed?days=1")
        assert (len(first["events"]), first["more"]) == (25, True)
        begin = first["events"][-1]["created"]
        rest = await fastspring.good("GET", f"/events/unprocessed?begin={begin}")
        assert (len(rest["events"]), rest["more"]) == (3, False)
        event_id = rest["events"][-1]["id"]
        await fastspring.good("POST", f"/events/{event_id}", {"processed": True})
        (processed,) = (await fastspring.good("GET", "/events/processed?days=1"))["events"]
        assert (processed["id"], processed["processed"]) == (event_id, True)
        for query in ("", "?begin=x", "?days=31", "?begin=1"):
            assert (await fastspring.call("GET", f"/events/processed{query}"))[0] == 400
        assert (await fastspring.call("POST", "/events/nothing", {}))[0] == 404


async def test_old_sessions_are_forgotten() -> None:
    """Only the newest are kept, with their orders."""
    async with running(retention=1) as fastspring:
        first = await fastspring.create()
        await fastspring.create(cart=cart(item("demo-book")))
        assert (await fastspring.call("GET", f"{SESSIONS}/{first['id']}"))[0] == 404
        assert len([*fastspring.fastspring.sessions()]) == 1
