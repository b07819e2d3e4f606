"""The emulated API answers as Dodo documents it."""

from datetime import timedelta
from io import BytesIO

import pytest

from tests.sandbox.dodo import shapes
from tests.sandbox.harness import START, TOKEN, Bench, body_with, item, running

ADDRESS = {
    "country": "US",
    "street": "1 Main St",
    "city": "Springfield",
    "state": "IL",
    "zipcode": "62701",
}
SAVED = {"customer": {"customer_id": "cus_demo"}, "billing_address": ADDRESS, "confirm": True}


async def test_create_answers_a_session_with_its_page(bench: Bench) -> None:
    """A plain create returns an id and the page to send the buyer to."""
    created = await bench.create()
    shapes.check(shapes.CREATED, created)
    assert created["checkout_url"] == f"{bench.url}/dodo/session/{created['session_id']}"
    assert created["payment_id"] is None


async def test_short_link_leads_to_the_page(bench: Bench) -> None:
    """A short link redirects a buyer, who has no API key."""
    created = await bench.create(short_link=True)
    assert "/buy/" in created["checkout_url"]
    async with bench.http.get(created["checkout_url"]) as page:
        assert page.status == 200
        assert str(page.url) == f"{bench.url}/dodo/session/{created['session_id']}"


async def test_status_is_empty_until_the_buyer_tries(bench: Bench) -> None:
    """Before any attempt a session shows its customer and no payment."""
    created = await bench.create(customer={"email": "ann@example.com", "name": "Ann"})
    status, session = await bench.call("GET", f"/checkouts/{created['session_id']}")
    assert status == 200
    shapes.check(shapes.SESSION_STATUS, session)
    assert session == {
        "id": created["session_id"],
        "created_at": "2026-03-01T12:00:00.000000Z",
        "customer_email": "ann@example.com",
        "customer_name": "Ann",
        "payment_id": None,
        "payment_status": None,
    }


async def test_paid_session_leads_to_its_payment(bench: Bench) -> None:
    """A paid session names a payment that names the session, its metadata and its total."""
    metadata = {"checkout_session_id": "cs_1", "order": "A-1"}
    created = await bench.create(metadata=metadata, discount_codes=["DEMO10"])
    bench.sandbox.emulators["dodo"].pay("cs_1")
    _, session = await bench.call("GET", f"/checkouts/{created['session_id']}")
    assert session["payment_status"] == "succeeded"
    status, payment = await bench.call("GET", f"/payments/{session['payment_id']}")
    assert status == 200
    shapes.check(shapes.PAYMENT, payment)
    assert payment["checkout_session_id"] == created["session_id"]
    assert payment["metadata"] == metadata
    assert (payment["total_amount"], payment["currency"]) == (1799, "USD")
    assert payment["discount_id"] == "dsc_demo_10"


async def test_each_attempt_is_a_payment_of_its_own(bench: Bench) -> None:
    """A decline, a cancellation and a success leave three payments; the session shows the newest."""
    created = await bench.create()
    emulator = bench.sandbox.emulators["dodo"]
    emulator.decline(created["session_id"])
    _, session = await bench.call("GET", f"/checkouts/{created['session_id']}")
    _, failed = await bench.call("GET", f"/payments/{session['payment_id']}")
    assert (failed["status"], failed["error_code"]) == ("failed", "CARD_DECLINED")
    emulator.abandon(created["session_id"])
    emulator.pay(created["session_id"])
    _, listed = await bench.call("GET", "/payments")
    statuses = [payment["status"] for payment in listed["items"]]
    assert statuses == ["succeeded", "cancelled", "failed"]
    _, session = await bench.call("GET", f"/checkouts/{created['session_id']}")
    assert session["payment_id"] == listed["items"][0]["payment_id"]


async def test_confirm_creates_the_payment_at_once(bench: Bench) -> None:
    """A confirmed session has a waiting payment, which the buyer then completes."""
    created = await bench.create(customer={"email": "ann@example.com"}, **_confirmed())
    assert created["payment_id"] is not None
    assert created["client_secret"] is not None
    _, session = await bench.call("GET", f"/checkouts/{created['session_id']}")
    assert session["payment_status"] == "requires_payment_method"
    bench.sandbox.emulators["dodo"].pay(created["session_id"])
    _, session = await bench.call("GET", f"/checkouts/{created['session_id']}")
    assert (session["payment_id"], session["payment_status"]) == (
        created["payment_id"],
        "succeeded",
    )


async def test_saved_payment_method_is_charged_at_once(bench: Bench) -> None:
    """With a saved payment method there is no page, and the payment has already succeeded."""
    created = await bench.create(payment_method_id="pm_demo", **SAVED)
    shapes.check(shapes.CREATED, created)
    assert created["checkout_url"] is None
    _, payment = await bench.call("GET", f"/payments/{created['payment_id']}")
    assert payment["status"] == "succeeded"
    assert payment["customer"]["customer_id"] == "cus_demo"
    assert payment["payment_method_id"] == "pm_demo"
    assert len(await bench.receiver.wait_for(1)) == 1


@pytest.mark.parametrize(
    ("fields", "lifetime"),
    [({}, timedelta(hours=24)), ({**SAVED}, timedelta(minutes=15))],
)
async def test_a_session_lives_as_long_as_documented(
    bench: Bench, fields: dict[str, object], lifetime: timedelta
) -> None:
    """A session ends after 24 hours, a confirmed one after 15 minutes, and can still be read."""
    created = await bench.create(**fields)
    session = bench.sandbox.emulators["dodo"].session(created["session_id"])
    assert session.expire_time == START + lifetime
    bench.clock.forward(seconds=lifetime.total_seconds())
    status, _ = await bench.call("GET", f"/checkouts/{created['session_id']}")
    assert status == 200


async def test_preview_prices_without_creating(bench: Bench) -> None:
    """A preview returns totals and leaves no session behind."""
    cart = [item("pdt_demo_taxed", 2), item("pdt_demo_subscription")]
    body = body_with(product_cart=cart, discount_code="DEMO500")
    status, preview = await bench.call("POST", "/checkouts/preview", body)
    assert status == 200
    shapes.check(shapes.PREVIEW, preview)
    shapes.check(shapes.PREVIEW_LINE, preview["product_cart"][0])
    assert preview["current_breakup"] == {
        "subtotal": 2900,
        "discount": 500,
        "tax": 150,
        "total_amount": 2550,
    }
    assert preview["recurring_breakup"]["total_amount"] == 900
    assert list(bench.sandbox.emulators["dodo"].sessions()) == []


async def test_payments_are_filtered_and_paged(bench: Bench) -> None:
    """The list takes the documented filters and pages from the newest payment."""
    emulator = bench.sandbox.emulators["dodo"]
    for product in ("pdt_demo", "pdt_demo_eur", "pdt_demo_subscription"):
        created = await bench.create(product_cart=[item(product)])
        bench.clock.forward(minutes=1)
        emulator.pay(created["session_id"])
    _, page = await bench.call("GET", "/payments?page_size=2&page_number=0")
    newest, middle = page["items"]
    shapes.check(shapes.PAYMENT_SUMMARY, newest)
    _, rest = await bench.call("GET", "/payments?page_size=2&page_number=1")
    oldest = rest["items"][0]
    for query, expected in {
        "currency=EUR": [middle],
        "product_id=pdt_demo": [oldest],
        f"subscription_id={newest['subscription_id']}": [newest],
        f"customer_id={middle['customer']['customer_id']}": [newest, middle, oldest],
        "brand_id=bnd_other": [],
        "status=failed": [],
        "created_at_gte=2026-03-01T12:02:00Z": [newest, middle],
        "created_at_lte=2026-03-01T12:01:00Z": [oldest],
    }.items():
        _, found = await bench.call("GET", f"/payments?{query}")
        assert found["items"] == expected, query


@pytest.mark.parametrize(
    "query",
    [
        "page_size=101",
        "page_size=-1",
        "page_number=x",
        "status=paid",
        "currency=XXX",
        "created_at_gte=yesterday",
        "session_id=cks_1",
        "status=failed&status=succeeded",
    ],
)
async def test_bad_queries_are_refused(bench: Bench, query: str) -> None:
    """An unknown, repeated or malformed parameter is an error, not an empty filter."""
    status, error = await bench.call("GET", f"/payments?{query}")
    assert (status, error["code"]) == (422, "INVALID_QUERY_PARAMS")


@pytest.mark.parametrize("path", ["/checkouts/cks_none", "/payments/pay_none", "/nothing"])
async def test_missing_resources_answer_not_found(bench: Bench, path: str) -> None:
    """What does not exist is a 404 in Dodo's error shape."""
    status, error = await bench.call("GET", path)
    assert (status, error["code"]) == (404, "NOT_FOUND")
    shapes.check(shapes.ERROR, error)


async def test_our_own_id_is_not_an_id_of_dodos(bench: Bench) -> None:
    """The API finds a session by Dodo's id only, as the real one does."""
    await bench.create(metadata={"checkout_session_id": "cs_1"})
    assert (await bench.call("GET", "/checkouts/cs_1"))[0] == 404


@pytest.mark.parametrize("token", ["", "wrong", f"{TOKEN}x"])
async def test_any_other_key_is_refused(bench: Bench, token: str) -> None:
    """Without the one right key nothing is answered and nothing created."""
    status, error = await bench.call("POST", "/checkouts", body_with(), token=token)
    assert (status, error["code"]) == (401, "UNAUTHORIZED")
    assert bench.sandbox.emulators["dodo"].requests.creates == 0


async def test_a_missing_key_is_refused(bench: Bench) -> None:
    """A request without an Authorization header is a 401 too."""
    async with bench.http.post(f"{bench.url}/dodo/checkouts", json=body_with()) as response:
        assert response.status == 401


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'{"product_cart": []}', "text/plain", 400),
        (b"product_cart=1", "application/x-www-form-urlencoded", 400),
        (b'{"product_cart": ', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[]", "application/json", 422),
        (b" " * (2 * 1024 * 1024), "application/json", 413),
    ],
)
async def test_unreadable_bodies_are_refused(
    bench: Bench, body: bytes, content_type: str, status: int
) -> None:
    """A body that is not JSON, not declared as JSON or too large is refused in Dodo's shape."""
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": content_type}
    async with bench.http.post(
        f"{bench.url}/dodo/checkouts", data=BytesIO(body), headers=headers
    ) as response:
        assert response.status == status
        shapes.check(shapes.ERROR, await response.json())


async def test_requests_are_counted(bench: Bench) -> None:
    """The log holds method, route and status of each request, and how many sessions were created."""
    created = await bench.create(customer={"email": "ann@example.com"})
    await bench.call("GET", f"/checkouts/{created['session_id']}")
    await bench.call("POST", "/checkouts", {"product_cart": []})
    log = bench.sandbox.emulators["dodo"].requests
    assert [tuple(seen) for seen in log] == [
        ("POST", "/checkouts", 200),
        ("GET", "/checkouts/{id}", 200),
        ("POST", "/checkouts", 422),
    ]
    assert (log.creates, log.count(method="POST", route="/checkouts")) == (1, 2)


async def test_preflight_is_answered(bench: Bench) -> None:
    """Each path answers OPTIONS with 204, without a key."""
    async with bench.http.options(f"{bench.url}/dodo/checkouts") as response:
        assert response.status == 204


async def test_other_methods_are_refused(bench: Bench) -> None:
    """There is no way to delete a session, as in the real API."""
    assert (await bench.call("DELETE", "/checkouts"))[0] == 405


async def test_only_the_newest_sessions_are_kept() -> None:
    """A sandbox that runs for long forgets its oldest sessions and their payments."""
    async with running(retention=2) as bench:
        first = await bench.create(metadata={"checkout_session_id": "cs_1"})
        bench.sandbox.emulators["dodo"].pay("cs_1")
        _, listed = await bench.call("GET", "/payments")
        for _ in range(2):
            await bench.create()
        assert (await bench.call("GET", f"/checkouts/{first['session_id']}"))[0] == 404
        payment_id = listed["items"][0]["payment_id"]
        assert (await bench.call("GET", f"/payments/{payment_id}"))[0] == 404
        assert len(list(bench.sandbox.emulators["dodo"].sessions())) == 2


async def test_an_email_belongs_to_one_customer(bench: Bench) -> None:
    """Payments with one e-mail share a customer, unless the session asks for a new one."""
    emulator = bench.sandbox.emulators["dodo"]
    always = {"feature_flags": {"always_create_new_customer": True}}
    for fields in ({}, {}, always):
        created = await bench.create(customer={"email": "ann@example.com"}, **fields)
        emulator.pay(created["session_id"])
    _, listed = await bench.call("GET", "/payments")
    new, second, first = [payment["customer"]["customer_id"] for payment in listed["items"]]
    assert first == second != new


def _confirmed() -> dict[str, object]:
    return {"billing_address": ADDRESS, "confirm": True}
