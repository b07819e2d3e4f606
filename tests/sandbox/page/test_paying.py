"""What the buttons of the hosted page do, and what they never do."""

import asyncio
from urllib.parse import parse_qs, urlsplit

from tests.sandbox.harness import Bench, item
from tests.sandbox.page.markup import Page
from tests.sandbox.page.visit import BUYER, QUESTIONS, open_page, submit


async def test_flags_decide_what_is_asked_and_fixed(bench: Bench) -> None:
    """What the merchant forbids is not offered, and what it fixes cannot be changed."""
    flags = {
        "allow_discount_code": False,
        "allow_phone_number_collection": False,
        "allow_tax_id": False,
        "allow_customer_editing_email": False,
        "allow_customer_editing_country": False,
    }
    url, page = await open_page(
        bench,
        feature_flags=flags,
        minimal_address=True,
        customer={"email": "ann@example.com", "name": "Ann"},
        billing_address={"country": "DE"},
    )
    assert set(page.form()) == {"attempt", "email", "name", "country", "zipcode"}
    assert "readonly" in page.one("input", id="field-email").attributes
    await submit(bench, url, page, email="eve@example.com", country="FR", discount_code="DEMO10")
    _, listed = await bench.call("GET", "/payments")
    (payment,) = listed["items"]
    assert payment["customer"]["email"] == "ann@example.com"
    assert payment["total_amount"] == 1999


async def test_paying_leads_to_a_receipt_and_back_to_the_shop(bench: Bench) -> None:
    """After paying, the buyer sees a receipt whose link tells the shop what happened."""
    url, page = await open_page(bench, return_url="https://shop.example/done?order=1#top")
    status, _, location = await submit(bench, url, page, **BUYER)
    assert (status, location) == (303, f"{url.rpartition('/')[2]}/result")
    status, text, headers = await bench.page(f"{url}/result")
    assert status == 200
    assert "refresh" not in headers
    receipt = Page(text)
    assert "Payment successful" in receipt.text("div", role="status")
    target = urlsplit(receipt.one("a", class_="pay").attributes["href"])
    assert target._replace(query="").geturl() == "https://shop.example/done#top"
    _, listed = await bench.call("GET", "/payments")
    assert parse_qs(target.query) == {
        "order": ["1"],
        "payment_id": [listed["items"][0]["payment_id"]],
        "status": ["succeeded"],
        "email": ["ann@example.com"],
    }


async def test_a_plan_returns_its_subscription(bench: Bench) -> None:
    """The shop learns the subscription's id and that it is active."""
    url, page = await open_page(
        bench,
        product_cart=[item("pdt_demo_subscription")],
        return_url="https://shop.example/done",
    )
    await submit(bench, url, page, **BUYER)
    _, text, _ = await bench.page(f"{url}/result")
    query = parse_qs(urlsplit(Page(text).one("a", class_="pay").attributes["href"]).query)
    assert set(query) == {"subscription_id", "status", "email"}
    assert query["status"] == ["active"]


async def test_an_immediate_redirect_skips_the_receipt(bench: Bench) -> None:
    """With redirect_immediately the browser goes on by itself."""
    url, page = await open_page(
        bench,
        return_url="https://shop.example/done",
        feature_flags={"redirect_immediately": True},
    )
    await submit(bench, url, page, **BUYER)
    _, _, headers = await bench.page(f"{url}/result")
    assert headers["refresh"].startswith("0; url=https://shop.example/done?payment_id=")


async def test_mistakes_are_shown_together_and_nothing_is_lost(bench: Bench) -> None:
    """A form with mistakes comes back with all of them, linked to their fields, and the rest."""
    url, page = await open_page(bench, custom_fields=QUESTIONS)
    status, text, _ = await submit(bench, url, page, email="ann", name="Ann", country="DE")
    assert status == 422
    again = Page(text)
    problems = again.one("div", role="alert")
    assert "name@example.com" in "".join(problems.text)
    linked = {link.attributes["href"] for link in again.all("a") if "field-" in str(link)}
    assert linked == {"#field-email", "#field-custom.site"}
    email = again.one("input", id="field-email").attributes
    assert (email["value"], email["aria-invalid"]) == ("ann", "true")
    assert again.one("p", id=email["aria-describedby"])
    assert again.form()["name"] == "Ann"
    assert bench.sandbox.emulators["dodo"].session(url.rpartition("/")[2]).payments == ()


async def test_a_declined_card_can_be_tried_again(bench: Bench) -> None:
    """A decline says so, keeps what was typed, offers the way back, and the next try succeeds."""
    url, page = await open_page(bench, return_url="https://shop.example/done")
    status, _, location = await submit(bench, url, page, "decline", **BUYER)
    assert (status, location) == (303, url.rpartition("/")[2])
    _, text, _ = await bench.page(url)
    declined = Page(text)
    assert "Payment declined" in declined.text("div", role="alert")
    assert declined.form()["email"] == "ann@example.com"
    assert "status=failed" in text
    await submit(bench, url, declined)
    _, listed = await bench.call("GET", "/payments")
    assert [payment["status"] for payment in listed["items"]] == ["succeeded", "failed"]


async def test_a_decline_needs_no_filled_form(bench: Bench) -> None:
    """Whoever only wants to see a decline presses one button."""
    url, page = await open_page(bench)
    status, _, _ = await submit(bench, url, page, "decline")
    assert status == 303


async def test_a_form_sent_twice_pays_once(bench: Bench) -> None:
    """Two presses of the button, or a reload of the answer, make one payment."""
    url, page = await open_page(bench)
    answers = await asyncio.gather(*(submit(bench, url, page, **BUYER) for _ in range(3)))
    assert {(status, location) for status, _, location in answers} == {
        (303, f"{url.rpartition('/')[2]}/result")
    }
    _, listed = await bench.call("GET", "/payments")
    assert len(listed["items"]) == 1


async def test_a_stale_form_does_nothing(bench: Bench) -> None:
    """A form from before a decline leads to the page as it is now."""
    url, page = await open_page(bench)
    await submit(bench, url, page, "decline", **BUYER)
    status, _, location = await submit(bench, url, page, **BUYER)
    assert (status, location) == (303, url.rpartition("/")[2])
    _, listed = await bench.call("GET", "/payments")
    assert [payment["status"] for payment in listed["items"]] == ["failed"]


async def test_a_code_changes_the_total_before_paying(bench: Bench) -> None:
    """Applying a code reprices the page; paying charges what it showed."""
    url, page = await open_page(bench)
    status, text, _ = await submit(bench, url, page, "apply", discount_code="DEMO10", **BUYER)
    assert status == 200
    priced = Page(text)
    assert priced.text("button", class_="pay") == "Pay $17.99"
    assert priced.form()["email"] == "ann@example.com"
    await submit(bench, url, priced)
    _, listed = await bench.call("GET", "/payments")
    assert listed["items"][0]["total_amount"] == 1799


async def test_an_unknown_code_is_refused(bench: Bench) -> None:
    """A code that does not exist is named, and nothing is charged with it."""
    url, page = await open_page(bench)
    for action, expected in (("apply", 200), ("pay", 422)):
        status, text, _ = await submit(bench, url, page, action, discount_code="NOPE", **BUYER)
        assert status == expected
        assert "not valid for your order" in Page(text).text("div", role="alert")


async def test_the_buyer_chooses_the_amount(bench: Bench) -> None:
    """A pay-what-you-want product asks for an amount and keeps to its minimum."""
    url, page = await open_page(bench, product_cart=[item("pdt_demo_pwyw")])
    for amount, key in (("4.99", "less than"), ("abc", "like 12.50"), ("5.001", "like 12.50")):
        status, text, _ = await submit(bench, url, page, **BUYER, **{"amount.0": amount})
        assert status == 422
        assert key in text
    await submit(bench, url, page, **BUYER, **{"amount.0": "7,25"})
    _, listed = await bench.call("GET", "/payments")
    assert listed["items"][0]["total_amount"] == 725


async def test_the_buyer_chooses_from_a_collection(bench: Bench) -> None:
    """A session with an empty cart and a collection lets the buyer pick a product."""
    url, page = await open_page(bench, product_cart=[], product_collection_id="pdc_demo")
    await submit(bench, url, page, product="pdt_demo_inclusive", **BUYER)
    _, listed = await bench.call("GET", "/payments?product_id=pdt_demo_inclusive")
    assert listed["items"][0]["total_amount"] == 2400


async def test_answers_and_method_reach_the_payment(bench: Bench) -> None:
    """What the buyer answers and how the buyer pays stand on the payment."""
    url, page = await open_page(
        bench, custom_fields=QUESTIONS, allowed_payment_method_types=["credit", "ideal"]
    )
    answers = {"custom.size": "M", "custom.news": "true", "custom.site": "https://ann.example"}
    await submit(bench, url, page, payment_method="ideal", **BUYER, **answers)
    _, listed = await bench.call("GET", "/payments")
    _, payment = await bench.call("GET", f"/payments/{listed['items'][0]['payment_id']}")
    assert payment["custom_field_responses"] == [
        {"key": "size", "value": "M"},
        {"key": "news", "value": "true"},
        {"key": "site", "value": "https://ann.example"},
    ]
    assert (payment["payment_method"], payment["card_last_four"]) == ("ideal", None)
    assert payment["billing"]["country"] == "DE"


async def test_an_expired_form_pays_nothing(bench: Bench) -> None:
    """A form that was open when the session ended leads to the page that says so."""
    url, page = await open_page(bench)
    bench.clock.forward(hours=24)
    status, _, location = await submit(bench, url, page, **BUYER)
    assert (status, location) == (303, url.rpartition("/")[2])
    assert (await bench.call("GET", "/payments"))[1]["items"] == []


async def test_a_result_needs_a_payment(bench: Bench) -> None:
    """The receipt of an unpaid session leads back to its form; of an unknown one, nowhere."""
    created = await bench.create()
    status, _, headers = await bench.page(f"{created['checkout_url']}/result")
    assert (status, headers["location"]) == (303, f"../{created['session_id']}")
    assert (await bench.page("/session/cks_none/result"))[0] == 404
    assert (await bench.page("/session/cks_none", {"action": "pay"}))[0] == 404


async def test_a_form_too_large_is_refused(bench: Bench) -> None:
    """Nobody fills the sandbox's memory through a form."""
    created = await bench.create()
    status, _, _ = await bench.page(created["checkout_url"], {"name": "x" * 70_000})
    assert status == 413
