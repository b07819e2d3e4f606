"""The emulated invoices: made, checked out, read, listed and taken back as SellApp documents."""

import pytest

from tests.sandbox.sellapp.bench import INVOICES, SellappBench, invoice_body, variants

MONEY = {"base", "currency", "units", "vat", "total"}


async def test_an_invoice_has_the_documented_shape(sellapp: SellappBench) -> None:
    """Amounts are texts of minor units, times have microseconds, and the status is nested twice."""
    status, answer = await sellapp.call("POST", INVOICES, invoice_body())
    invoice = answer["data"]
    assert (status, set(answer)) == (201, {"data"})
    payment = invoice["payment"]
    assert set(payment) == {
        "fee",
        "gateway",
        "subtotal",
        "expires_at",
        "full_price",
        "original_amount",
    }
    assert payment["full_price"] == {
        "base": "1999",
        "currency": "USD",
        "units": 1,
        "vat": 0,
        "total": {"exclusive": "1999", "inclusive": "1999"},
    }
    assert payment["expires_at"] == "2026-03-01T21:00:00.000000Z"
    assert invoice["status"]["history"] == []
    assert invoice["status"]["status"] == {
        "setAt": "2026-03-01T12:00:00.000000Z",
        "status": "PENDING",
        "updatedAt": "2026-03-01T12:00:00.000000Z",
    }
    assert invoice["customer_information"]["email"] == "ada@example.com"
    assert "product_variants" not in invoice
    read = await sellapp.read(invoice)
    assert read["product_variants"] == [{"id": 4321, "product_id": 11, "title": "Demo Product"}]
    assert set(read["payment"]["fee"]) == MONEY


async def test_a_checkout_hands_the_same_page_out_again(sellapp: SellappBench) -> None:
    """The first call makes a payment session, the next returns it; neither answer is wrapped."""
    invoice = await sellapp.invoice()
    status, first = await sellapp.checkout(invoice)
    assert (status, set(first)) == (201, {"message", "payment_url", "invoice"})
    again, second = await sellapp.checkout(invoice)
    assert (again, second["payment_url"]) == (200, first["payment_url"])
    gateway = second["invoice"]["payment"]["gateway"]
    assert gateway["type"] == "STRIPE"
    assert gateway["data"]["checkout_url"] == first["payment_url"]
    assert gateway["data"]["total"]["base"] == "1999"


@pytest.mark.parametrize("word", ["COMPLETED", "PAID"])
async def test_nothing_due_ends_the_purchase(sellapp: SellappBench, word: str) -> None:
    """A free invoice has no page, and is settled at once under one of two names."""
    sellapp.habit(free_status=word)
    for fields in ({"product_variants": variants(v4323=1)}, {"coupon": "FREE"}):
        invoice = await sellapp.invoice(**fields)
        status, answer = await sellapp.checkout(invoice)
        assert (status, "payment_url" in answer) == (200, False)
        assert await sellapp.words(invoice) == ["PENDING", word]
        assert (await sellapp.checkout(invoice))[0] == 422


async def test_a_trial_begins_on_the_processors_page(sellapp: SellappBench) -> None:
    """Nothing is due and there is a page all the same, for three days; a second trial costs money."""
    plan = {"product_variants": variants(v4325=1)}
    invoice = await sellapp.invoice(**plan)
    status, answer = await sellapp.checkout(invoice)
    assert (status, answer["invoice"]["payment"]["full_price"]["base"]) == (201, "0")
    sellapp.habit(voids_at_expiry=False)
    sellapp.clock.forward(hours=73)
    status, answer = await sellapp.checkout(invoice)
    assert (status, list(answer["errors"])) == (422, ["invoice.checkout"])
    taken = await sellapp.opened(**plan, customer_ip="192.0.2.1")
    sellapp.sellapp.pay(str(taken["id"]))
    assert (await sellapp.read(taken))["subscription_id"] > 0
    again = await sellapp.invoice(
        **plan, customer_email="other@example.com", customer_ip="192.0.2.1"
    )
    assert again["payment"]["full_price"]["base"] == "990"


@pytest.mark.parametrize("method", ["CASHAPP", "COINBASE"])
async def test_other_methods_have_no_trials(sellapp: SellappBench, method: str) -> None:
    """Only some processors can authorise one."""
    plan = await sellapp.invoice(product_variants=variants(v4325=1), payment_method=method)
    assert plan["payment"]["full_price"]["base"] == "990"


async def test_an_invoice_is_voided_only_while_it_is_pending(sellapp: SellappBench) -> None:
    """The answer is the bare invoice; a guard that no longer holds refuses."""
    invoice = await sellapp.opened()
    path = f"{INVOICES}/{invoice['id']}/mark-voided"
    status, answer = await sellapp.call("PATCH", path, {"expected_status": "PARTIAL"})
    assert (status, list(answer["errors"])) == (422, ["expected_status"])
    status, answer = await sellapp.call("PATCH", path, {"expected_status": "PENDING"})
    assert (status, answer["status"]["status"]["status"]) == (200, "VOIDED")
    assert (await sellapp.call("PATCH", path))[0] == 422
    assert (await sellapp.call("PATCH", path, {"expected_status": "GONE"}))[0] == 422


@pytest.mark.parametrize("is_voided", [True, False])
async def test_an_invoice_ends(sellapp: SellappBench, *, is_voided: bool) -> None:
    """Whether the status tells so or not, the page takes nothing after `expires_at`."""
    sellapp.habit(voids_at_expiry=is_voided)
    invoice = await sellapp.opened()
    sellapp.clock.forward(hours=9)
    words = ["PENDING", "VOIDED"] if is_voided else ["PENDING"]
    assert await sellapp.words(invoice) == words
    assert (await sellapp.page(f"/session/{invoice['id']}"))[0] == 410


async def test_invoices_are_listed_by_the_page(sellapp: SellappBench) -> None:
    """Newest first, with links and counts; the search takes the same filters in its body."""
    for number in range(3):
        await sellapp.invoice(customer_email=f"buyer{number}@example.com")
        sellapp.clock.forward(minutes=1)
    status, answer = await sellapp.call("GET", f"{INVOICES}?limit=2&sort=-created_at")
    assert (status, set(answer)) == (200, {"data", "links", "meta"})
    emails = [one["customer_information"]["email"] for one in answer["data"]]
    assert emails == ["buyer2@example.com", "buyer1@example.com"]
    assert (answer["meta"]["total"], answer["meta"]["last_page"]) == (3, 2)
    assert answer["links"]["next"].endswith("?page=2")
    _, answer = await sellapp.call("GET", f"{INVOICES}?limit=2&page=2")
    assert len(answer["data"]) == 1
    wanted = {"email": "BUYER0@example.com", "status": ["PENDING"], "payment_methods": ["STRIPE"]}
    _, found = await sellapp.call("POST", f"{INVOICES}/search", wanted)
    assert found["meta"]["total"] == 1
    _, found = await sellapp.call("GET", f"{INVOICES}?status[]=PAID")
    assert found["meta"] | {"from": None, "to": None} == found["meta"]
    assert found["data"] == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "page=x", "sort=id", "colour=red", "status=PAID"]
)
async def test_filters_that_are_not_documented_are_refused(
    sellapp: SellappBench, query: str
) -> None:
    """A list never takes a filter for one that it ignores."""
    status, answer = await sellapp.call("GET", f"{INVOICES}?{query}")
    assert (status, list(answer["errors"])) == (422, [query.partition("=")[0]])


async def test_a_seller_sets_a_status(sellapp: SellappBench) -> None:
    """Only those that sellers may set, and a dispute is told of."""
    invoice = await sellapp.opened()
    sellapp.sellapp.pay(str(invoice["id"]))
    path = f"{INVOICES}/{invoice['id']}/status"
    assert (await sellapp.call("PATCH", path, {"status": "REFUNDED"}))[0] == 422
    status, answer = await sellapp.call("PATCH", path, {"status": "DISPUTING"})
    assert (status, answer["status"]["status"]["status"]) == (200, "DISPUTING")
    events = [got.event["event"] for got in await sellapp.events(4)]
    assert sorted(events) == ["order.completed", "order.created", "order.disputed", "order.paid"]


async def test_a_claim_waits_for_the_seller(sellapp: SellappBench) -> None:
    """What is paid by hand is in review until the seller marks it completed."""
    invoice = await sellapp.opened(payment_method="CUSTOM_PAYMENT_METHOD")
    sellapp.sellapp.pay(str(invoice["id"]))
    assert await sellapp.words(invoice) == ["PENDING", "REVIEW"]
    status, answer = await sellapp.call("PATCH", f"{INVOICES}/{invoice['id']}/mark-completed")
    assert (status, answer["status"]["status"]["status"]) == (200, "COMPLETED")
    events = {got.event["event"] for got in await sellapp.events(3)}
    assert "order.manual_payment_completed" in events


async def test_quantities_are_shown_where_that_is_the_habit(sellapp: SellappBench) -> None:
    """The documents show none."""
    invoice = await sellapp.invoice(product_variants=variants(v4321=3))
    assert "quantity" not in (await sellapp.read(invoice))["product_variants"][0]
    sellapp.habit(shows_quantities=True)
    assert (await sellapp.read(invoice))["product_variants"][0]["quantity"] == 3


async def test_prices_follow_coupon_extra_and_country(sellapp: SellappBench) -> None:
    """A coupon reduces, an extra amount adds, VAT is added, and a VAT id takes it off."""
    fields = {
        "product_variants": variants(v4321=2),
        "coupon": "DEMO10",
        "extra": {"amount": 100, "currency": "USD"},
    }
    invoice = await sellapp.invoice(**fields, country="DE")
    payment = invoice["payment"]
    amounts = {name: payment[name]["base"] for name in ("original_amount", "subtotal")}
    assert amounts == {"original_amount": "3998", "subtotal": "3599"}
    assert payment["full_price"]["total"] == {"exclusive": "3699", "inclusive": "4402"}
    assert payment["full_price"]["vat"] == 19
    assert invoice["customer_information"]["country"] == "Germany"
    business = await sellapp.invoice(**fields, country="DE", vat_id="DE999999999")
    assert business["payment"]["full_price"]["total"]["inclusive"] == "3699"
