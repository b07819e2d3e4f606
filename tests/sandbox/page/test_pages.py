"""The hosted page: usable without JavaScript, by keyboard and screen reader, in any language."""

import re

import pytest

from tests.sandbox.harness import Bench, item
from tests.sandbox.page.markup import Page
from tests.sandbox.page.visit import QUESTIONS, open_page, submit


async def test_the_page_shows_the_order(bench: Bench) -> None:
    """A buyer reads what is bought, what it costs and that it is a test."""
    cart = [item("pdt_demo", 2), item("pdt_demo_taxed")]
    _, page = await open_page(bench, product_cart=cart, discount_code="DEMO10")
    text = page.text("body")
    for phrase in (
        "Test mode",
        "Demo Store",
        "Demo T-shirt \N{MULTIPLICATION SIGN} 2",
        "$39.98",
        "Subtotal$49.98",
        "Discount-$5.00",
        "Tax$0.90",
    ):
        assert phrase in text
    assert page.text("dd", data_testid="total") == "$45.88"
    assert page.text("button", class_="pay") == "Pay $45.88"


async def test_every_input_has_a_label(bench: Bench) -> None:
    """Each visible control is named for a screen reader, and no id appears twice."""
    _, page = await open_page(
        bench,
        custom_fields=QUESTIONS,
        product_cart=[item("pdt_demo_pwyw")],
        allowed_payment_method_types=["credit", "ideal"],
    )
    controls = [
        element
        for element in (*page.all("input"), *page.all("select"))
        if element.attributes.get("type") != "hidden"
    ]
    labels = {label.attributes["for"] for label in page.all("label")}
    assert {control.attributes["id"] for control in controls} == labels
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    assert len(page.all("main")) == len(page.all("h1")) == 1


async def test_the_page_needs_no_script_and_no_other_host(bench: Bench) -> None:
    """Nothing is loaded but one style sheet, and the policy forbids the rest."""
    created = await bench.create()
    _, text, headers = await bench.page(created["checkout_url"])
    page = Page(text)
    assert page.all("script") == page.all("style") == page.all("img") == []
    assert not any("style" in element.attributes for element in page.elements)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    sheet = page.one("link", rel="stylesheet").attributes["href"]
    status, css, _ = await bench.page(f"{created['checkout_url'].rpartition('/')[0]}/{sheet}")
    assert status == 200
    assert "url(" not in css


async def test_style_sheet_is_found_from_every_page(bench: Bench) -> None:
    """The result page is one level deeper and still finds the style sheet."""
    created = await bench.create()
    bench.sandbox.emulators["dodo"].pay(created["session_id"])
    address = f"{created['checkout_url']}/result"
    _, text, _ = await bench.page(address)
    sheet = Page(text).one("link", rel="stylesheet").attributes["href"]
    status, _, headers = await bench.page(f"{address.rpartition('/')[0]}/{sheet}")
    assert (status, headers["content-type"]) == (200, "text/css; charset=utf-8")


@pytest.mark.parametrize("theme", ["dark", "light", "system"])
async def test_the_theme_is_the_merchants(bench: Bench, theme: str) -> None:
    """The page wears the theme that the session asks for."""
    _, page = await open_page(bench, customization={"theme": theme})
    assert page.one("html").attributes["data-theme"] == theme


@pytest.mark.parametrize(
    ("forced", "accepted", "language", "direction"),
    [
        ("de", "fr", "de", "ltr"),
        ("ar", "", "ar", "rtl"),
        ("he", "", "he", "rtl"),
        ("ko", "fr", "en", "ltr"),
        (None, "xx, pl;q=0.8, en", "pl", "ltr"),
        (None, "pt-BR,pt;q=0.9", "pt", "ltr"),
        (None, "", "en", "ltr"),
    ],
)
async def test_the_language_is_marked(
    bench: Bench, forced: str | None, accepted: str, language: str, direction: str
) -> None:
    """The session's language wins, then the browser's; what is not translated is English."""
    _, page = await open_page(bench, accepted, customization={"force_language": forced})
    html = page.one("html").attributes
    assert (html["lang"], html["dir"]) == (language, direction)


async def test_german_is_german(bench: Bench) -> None:
    """Words, amounts and countries follow the language."""
    _, page = await open_page(bench, "de")
    assert page.text("button", class_="pay") == "19,99 $ zahlen"
    assert page.text("option", value="AT") == "Österreich"


async def test_the_form_is_prefilled_from_the_request(bench: Bench) -> None:
    """The buyer need not type again what the merchant already knows."""
    _, page = await open_page(
        bench,
        customer={"email": "ann@example.com", "name": "Ann", "phone_number": "+4930123456"},
        billing_address={"country": "DE", "city": "Berlin", "zipcode": "10117"},
        tax_id="DE123456789",
    )
    form = page.form()
    assert form["email"] == "ann@example.com"
    assert (form["name"], form["phone_number"]) == ("Ann", "+4930123456")
    assert (form["country"], form["city"], form["zipcode"]) == ("DE", "Berlin", "10117")
    assert form["tax_id"] == "DE123456789"


async def test_back_is_offered_only_with_a_cancel_url(bench: Bench) -> None:
    """Without a cancel URL there is no back button, as documented."""
    _, page = await open_page(bench, cancel_url="https://shop.example/cart")
    assert page.one("a", class_="back").attributes["href"] == "https://shop.example/cart"
    _, page = await open_page(bench)
    assert page.all("a", class_="back") == []


async def test_unusable_links_say_why(bench: Bench) -> None:
    """Unknown, expired and used links answer a clear page with a status of their own."""
    used, expired = await bench.create(), await bench.create()
    bench.sandbox.emulators["dodo"].pay(used["session_id"])
    bench.clock.forward(hours=24)
    for path, status, heading in (
        ("/session/cks_none", 404, "Checkout not found"),
        (f"/session/{expired['session_id']}", 410, "This checkout has expired"),
        (f"/session/{used['session_id']}", 410, "This order is already paid"),
    ):
        answered, text, _ = await bench.page(path)
        assert answered == status
        assert Page(text).text("h1") == heading


async def test_merchant_and_buyer_text_is_only_text(bench: Bench) -> None:
    """Markup in labels, options, button texts or typed values stays text."""
    evil = "<script>alert('x')</script>\"><b>"
    url, page = await open_page(
        bench,
        custom_fields=[
            {"key": "a", "label": evil, "field_type": "text", "placeholder": evil},
            {"key": "b", "label": "b", "field_type": "dropdown", "options": [evil]},
        ],
        customization={"theme_config": {"pay_button_text": evil}},
    )
    assert page.all("script") == page.all("b") == []
    assert page.text("button", class_="pay") == evil
    _, text, _ = await submit(bench, url, page, "apply", discount_code=evil, email=evil)
    assert Page(text).all("script") == []


async def test_a_trial_is_confirmed_not_paid(bench: Bench) -> None:
    """Where nothing is due, the button says so."""
    _, page = await open_page(
        bench,
        product_cart=[item("pdt_demo_subscription")],
        subscription_data={"trial_period_days": 7},
    )
    assert page.text("button", class_="pay") == "Confirm"
    assert re.search(r"\$9\.00\s+per month", page.text("body"))
