"""Links, checkouts, orders and payments answer as the published API description says."""

import pytest

from tests.sandbox.harness import TOKEN
from tests.sandbox.square.bench import (
    CHECKOUTS,
    LINKS,
    SquareBench,
    checkout_body,
    line,
    link_body,
    money,
    order_body,
    running,
)


async def test_a_link_answers_with_its_draft_order(square: SquareBench) -> None:
    """Creation returns the link, where to pay, and the priced order; reading it shows no state."""
    body = link_body(description="Tee", payment_note="From the shop")
    answer = await square.good("POST", LINKS, body)
    link, (order,) = answer["payment_link"], answer["related_resources"]["orders"]
    assert link["url"].startswith(f"{square.url}/u/")
    assert link["long_url"] == f"{square.url}/session/{link['id']}"
    assert (link["version"], link["created_at"]) == (1, "2026-03-01T12:00:00.000Z")
    assert "updated_at" not in link
    assert (link["description"], link["payment_note"]) == ("Tee", "From the shop")
    assert (order["id"], order["state"]) == (link["order_id"], "DRAFT")
    assert (order["total_money"], order["net_amount_due_money"]) == (money(1000), money(1000))
    assert [item["type"] for item in order["fulfillments"]] == ["DIGITAL"]
    assert "tenders" not in order
    assert await square.good("GET", f"{LINKS}/{link['id']}") == {"payment_link": link}
    assert await square.order_of(link) == order


async def test_quick_pay_makes_an_order_of_one_line(square: SquareBench) -> None:
    """A name and a price are enough."""
    quick_pay = {"name": "Auto Detailing", "price_money": money(12500), "location_id": "LDEMO"}
    link = await square.link({"quick_pay": quick_pay})
    order = await square.order_of(link)
    assert [item["name"] for item in order["line_items"]] == ["Auto Detailing"]
    assert order["total_money"] == money(12500)


async def test_catalogue_variations_bring_name_and_price(square: SquareBench) -> None:
    """A line may name a variation of the catalogue and the order shows what it is."""
    items = [{"catalog_object_id": "variation_demo", "quantity": "2"}]
    (item,) = (await square.priced(line_items=items))["line_items"]
    assert (item["name"], item["variation_name"]) == ("Demo Product", "Regular")
    assert (item["base_price_money"], item["total_money"]) == (money(1999), money(3998))


async def test_paying_takes_the_order_from_draft_to_open(square: SquareBench) -> None:
    """A paid order stays open for its fulfillment; its tender leads to the completed payment."""
    link = await square.link(payment_note="From the shop")
    square.square.pay(link["id"])
    order = await square.order_of(link)
    assert (order["state"], order["version"]) == ("OPEN", 3)
    (tender,) = order["tenders"]
    assert (tender["amount_money"], tender["type"]) == (money(1000), "CARD")
    assert order["net_amount_due_money"] == money(0)
    payment = (await square.good("GET", f"/v2/payments/{tender['payment_id']}"))["payment"]
    assert (payment["status"], payment["order_id"]) == ("COMPLETED", link["order_id"])
    assert payment["note"] == "From the shop"
    assert payment["total_money"] == payment["amount_money"] == money(1000)


async def test_an_approved_payment_is_not_taken_yet(square: SquareBench) -> None:
    """Between approval and capture the order is open and its payment only approved."""
    link = await square.link()
    square.square.authorize(link["id"])
    order = await square.order_of(link)
    payment_id = order["tenders"][0]["payment_id"]
    payment = (await square.good("GET", f"/v2/payments/{payment_id}"))["payment"]
    assert (order["state"], order["version"], payment["status"]) == ("OPEN", 2, "APPROVED")
    square.square.capture(link["id"])
    payment = (await square.good("GET", f"/v2/payments/{payment_id}"))["payment"]
    assert payment["status"] == "COMPLETED"


async def test_a_declined_payment_leaves_the_order_payable(square: SquareBench) -> None:
    """The failed payment can be read and says why; the order is what it was."""
    link = await square.link()
    before = await square.order_of(link)
    square.square.decline(link["id"])
    (payment,) = (await square.good("GET", "/v2/payments"))["payments"]
    assert (payment["status"], payment["order_id"]) == ("FAILED", link["order_id"])
    assert payment["card_details"]["errors"][0]["code"] == "GENERIC_DECLINE"
    assert await square.order_of(link) == before
    square.square.pay(link["id"])
    assert (await square.order_of(link))["state"] == "OPEN"


async def test_deleting_a_link_cancels_its_order(square: SquareBench) -> None:
    """The answer names the cancelled order, and the link is gone."""
    link = await square.link()
    answer = await square.good("DELETE", f"{LINKS}/{link['id']}")
    assert answer == {"id": link["id"], "cancelled_order_id": link["order_id"]}
    assert (await square.order_of(link))["state"] == "CANCELED"
    for method in ("GET", "DELETE"):
        status, error = await square.refused(method, f"{LINKS}/{link['id']}")
        assert (status, error["code"]) == (404, "NOT_FOUND")


async def test_a_delete_that_cancels_nothing_can_be_played(square: SquareBench) -> None:
    """As a seller has reported it: no cancelled order in the answer, and the page still takes money."""
    square.square.fails_to_cancel = True
    link = await square.link()
    assert await square.good("DELETE", f"{LINKS}/{link['id']}") == {"id": link["id"]}
    assert (await square.order_of(link))["state"] == "DRAFT"
    square.square.pay(link["id"])
    assert (await square.order_of(link))["state"] == "OPEN"


async def test_deleting_a_paid_link_cancels_no_order(square: SquareBench) -> None:
    """The payment stands."""
    link = await square.link()
    square.square.pay(link["id"])
    assert await square.good("DELETE", f"{LINKS}/{link['id']}") == {"id": link["id"]}
    assert (await square.order_of(link))["state"] == "OPEN"


async def test_an_update_replaces_options_and_merges_the_buyer(square: SquareBench) -> None:
    """What `checkout_options` leaves out is erased; what `pre_populated_data` leaves out stays."""
    link = await square.link(
        checkout_options={"allow_tipping": True, "redirect_url": "https://shop.example/a"},
        pre_populated_data={"buyer_email": "a@example.com", "buyer_phone_number": "+14155550100"},
    )
    changes = {
        "version": 1,
        "checkout_options": {"redirect_url": "https://shop.example/b"},
        "pre_populated_data": {"buyer_email": "b@example.com"},
    }
    square.clock.forward(minutes=1)
    path = f"{LINKS}/{link['id']}"
    changed = (await square.good("PUT", path, {"payment_link": changes}))["payment_link"]
    assert changed["checkout_options"] == {"redirect_url": "https://shop.example/b"}
    assert changed["pre_populated_data"] == {
        "buyer_email": "b@example.com",
        "buyer_phone_number": "+14155550100",
    }
    assert (changed["version"], changed["updated_at"]) == (2, "2026-03-01T12:01:00.000Z")
    status, error = await square.refused("PUT", path, {"payment_link": changes})
    assert (status, error["code"]) == (409, "VERSION_MISMATCH")


async def test_links_are_listed_in_pages(square: SquareBench) -> None:
    """The newest come first, deleted links and legacy checkouts not at all."""
    links = [await square.link() for _ in range(4)]
    await square.good("POST", CHECKOUTS, checkout_body())
    await square.good("DELETE", f"{LINKS}/{links[1]['id']}")
    first = await square.good("GET", f"{LINKS}?limit=2")
    second = await square.good("GET", f"{LINKS}?limit=2&cursor={first['cursor']}")
    found = [link["id"] for link in first["payment_links"] + second["payment_links"]]
    assert found == [links[3]["id"], links[2]["id"], links[0]["id"]]
    assert "cursor" not in second


async def test_a_legacy_checkout_echoes_its_request(square: SquareBench) -> None:
    """The priced order comes back without an id or a state, which it has once it is paid."""
    body = checkout_body(
        order_body(reference_id="ref-1", metadata={"checkout_session_id": "cs_1"}),
        redirect_url="https://shop.example/done",
        note="A note",
        pre_populate_buyer_email="a@example.com",
    )
    checkout = (await square.good("POST", CHECKOUTS, body))["checkout"]
    expected = f"{square.url}/v2/checkout?c={checkout['id']}&l=LDEMO"
    assert checkout["checkout_page_url"] == expected
    assert checkout["redirect_url"] == "https://shop.example/done"
    assert checkout["order"]["total_money"] == money(1000)
    assert checkout["order"]["reference_id"] == "ref-1"
    assert not {"id", "state", "version"} & set(checkout["order"])
    assert square.square.session("cs_1").provider_session_id == checkout["id"]
    square.square.pay("cs_1")
    (payment,) = (await square.good("GET", "/v2/payments"))["payments"]
    order = (await square.good("GET", f"/v2/orders/{payment['order_id']}"))["order"]
    assert (order["state"], payment["note"]) == ("COMPLETED", "A note")


async def test_a_legacy_order_that_ships_stays_open(square: SquareBench) -> None:
    """An address adds a fulfillment, which somebody has to complete."""
    body = checkout_body(ask_for_shipping_address=True)
    checkout = (await square.good("POST", CHECKOUTS, body))["checkout"]
    square.square.pay(checkout["id"])
    (payment,) = (await square.good("GET", "/v2/payments"))["payments"]
    order = (await square.good("GET", f"/v2/orders/{payment['order_id']}"))["order"]
    assert (order["state"], order["fulfillments"][0]["type"]) == ("OPEN", "SHIPMENT")
    assert payment["shipping_address"]["postal_code"] == "Sandbox"


async def test_a_legacy_checkout_ends_after_180_days(square: SquareBench) -> None:
    """Its address works until then; a link's works for ever."""
    checkout = (await square.good("POST", CHECKOUTS, checkout_body()))["checkout"]
    link = await square.link()
    square.clock.forward(days=180, microseconds=-1)
    assert square.square.session(checkout["id"]).state.value == "open"
    square.clock.forward(microseconds=1)
    assert square.square.session(checkout["id"]).state.value == "expired"
    assert square.square.session(link["id"]).state.value == "open"
    assert square.square.session(link["id"]).expire_time is None


async def test_orders_are_read_in_batches(square: SquareBench) -> None:
    """Unknown ids, and orders of other locations, are left out without a word."""
    first, second = await square.link(), await square.link()
    ids = [first["order_id"], "unknown", second["order_id"]]
    path = "/v2/orders/batch-retrieve"
    found = await square.good("POST", path, {"order_ids": ids, "location_id": "LDEMO"})
    assert [order["id"] for order in found["orders"]] == [first["order_id"], second["order_id"]]
    assert await square.good("POST", path, {"order_ids": ids, "location_id": "LDEMO_EUR"}) == {}


async def test_payments_are_listed_by_time_and_location(square: SquareBench) -> None:
    """The window's ends count, the newest come first, and pages follow their cursor."""
    for _ in range(3):
        square.square.pay((await square.link())["id"])
        square.clock.forward(hours=1)
    window = "begin_time=2026-03-01T13:00:00Z&end_time=2026-03-01T14:00:00Z"
    found = (await square.good("GET", f"/v2/payments?{window}"))["payments"]
    assert [payment["created_at"][11:13] for payment in found] == ["14", "13"]
    first = await square.good("GET", "/v2/payments?limit=2&sort_order=ASC&total=1000")
    rest = await square.good("GET", f"/v2/payments?sort_order=ASC&cursor={first['cursor']}")
    hours = [item["created_at"][11:13] for item in first["payments"] + rest["payments"]]
    assert hours == ["12", "13", "14"]
    assert await square.good("GET", "/v2/payments?location_id=LDEMO_EUR") == {}
    assert await square.good("GET", "/v2/payments?card_brand=MASTERCARD") == {}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("order_id=x", "UNKNOWN_QUERY_PARAMETER"),
        ("sort_order=UP", "INVALID_SORT_ORDER"),
        ("begin_time=yesterday", "INVALID_TIME"),
        ("begin_time=2026-03-02T00:00:00Z", "INVALID_TIME_RANGE"),
        ("cursor=bm9uZQ==", "INVALID_CURSOR"),
        ("cursor=%25", "INVALID_CURSOR"),
        ("total=ten", "EXPECTED_INTEGER"),
        ("sort_field=TOTAL", "INVALID_ENUM_VALUE"),
    ],
)
async def test_a_bad_query_is_refused(square: SquareBench, query: str, code: str) -> None:
    """Payments cannot be asked for by order, nor by what is no time."""
    status, error = await square.refused("GET", f"/v2/payments?{query}")
    assert (status, error["code"]) == (400, code)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"authorization": "Bearer other"}, 401, "UNAUTHORIZED"),
        ({"authorization": TOKEN}, 401, "UNAUTHORIZED"),
        ({"Square-Version": "2021-02-30"}, 400, "API_VERSION_INCOMPATIBLE"),
        ({"Square-Version": "v2"}, 400, "INVALID_SQUARE_VERSION_FORMAT"),
        ({"Content-Type": "text/plain"}, 400, "INVALID_CONTENT_TYPE"),
    ],
)
async def test_a_bad_header_is_refused(
    square: SquareBench, headers: dict[str, str], status: int, code: str
) -> None:
    """Who asks, in which version and in which format, is checked before anything else."""
    got, answer = await square.call("POST", LINKS, link_body(), headers=headers)
    assert (got, answer["errors"][0]["code"]) == (status, code)
    category = "AUTHENTICATION_ERROR" if status == 401 else "INVALID_REQUEST_ERROR"
    assert answer["errors"][0]["category"] == category
    assert square.square.requests.creates == 0


@pytest.mark.parametrize("version", ["", "2022-05-12", "2025-08-20", "2026-09-16"])
async def test_the_version_in_use_comes_back(square: SquareBench, version: str) -> None:
    """A request without a version gets the application's own."""
    headers = {"authorization": f"Bearer {TOKEN}", "Square-Version": version}
    async with square.http.get(f"{square.url}/v2/payments", headers=headers) as response:
        assert response.status == 200
        assert response.headers["Square-Version"] == version or "2025-08-20"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v2/orders/none", 404, "NOT_FOUND"),
        ("GET", "/v2/payments/none", 404, "NOT_FOUND"),
        ("GET", f"{LINKS}/none", 404, "NOT_FOUND"),
        ("DELETE", f"{LINKS}/none", 404, "NOT_FOUND"),
        ("GET", "/v2/nothing", 404, "NOT_FOUND"),
        ("GET", CHECKOUTS, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/u/none", 404, "NOT_FOUND"),
        ("GET", "/v2/checkout?c=none", 404, "NOT_FOUND"),
    ],
)
async def test_what_is_not_there_is_refused(
    square: SquareBench, method: str, path: str, status: int, code: str
) -> None:
    """Ids that nothing carries and paths that lead nowhere have Square's error shape."""
    got, error = await square.refused(method, path)
    assert (got, error["code"]) == (status, code)


async def test_requests_and_creations_are_counted(square: SquareBench) -> None:
    """Every request is seen; only what made something new counts as a creation."""
    body = link_body(idempotency_key="key-1")
    await square.link(body)
    await square.link(body)
    await square.refused("POST", LINKS, {})
    assert square.square.requests.creates == 1
    assert square.square.requests.count(method="POST", route=LINKS) == 3


async def test_only_the_newest_are_kept() -> None:
    """What falls out of the retention is gone with its order and payments."""
    async with running(retention=1, has_endpoint=False) as square:
        old = await square.link()
        assert square.square.pay(old["id"]) == ()
        new = await square.link(order=order_body(line_items=[line(5)]))
        assert [kept.provider_session_id for kept in square.square.sessions()] == [new["id"]]
        assert (await square.refused("GET", f"/v2/orders/{old['order_id']}"))[0] == 404
        assert await square.good("GET", "/v2/payments") == {}
