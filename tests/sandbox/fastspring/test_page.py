"""The hosted page: what the buyer sees and chooses, pays once, and cannot pay twice."""

import re

from tests.sandbox.fastspring.bench import SESSIONS, FastspringBench, cart, item

FORM = {
    "attempt": "0",
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "payment_method": "CARD",
}
PAY = FORM | {"action": "pay", "country": "US"}


def total(text: str) -> str:
    """Return the total at the top of a page."""
    found = re.search(r"<h1>.*?</span> (.*?)</h1>", text, re.DOTALL)
    assert found is not None
    return found[1]


async def test_the_page_shows_the_cart_of_the_session(fastspring: FastspringBench) -> None:
    """Names, sums, the buyer's details, and until when it is open."""
    made = await fastspring.create(
        locale="de",
        country="DE",
        customer={"billToContact": {"email": "ada@example.com", "firstName": "Ada"}},
        cart=cart(item(quantity=2, descriptions={"display": {"de": "Blaues Hemd"}})),
    )
    status, text, headers = await fastspring.page(made["checkoutUrls"]["webcheckoutUrl"])
    assert (status, headers["content-language"]) == (200, "de")
    assert "Blaues Hemd" in text
    assert "ada@example.com" in text
    assert "37,98" in total(text)


async def test_a_buyer_pays_once(fastspring: FastspringBench) -> None:
    """Sent twice, the form acts once, and the page is used up."""
    made = await fastspring.create()
    path = f"/session/{made['id']}"
    status, _, headers = await fastspring.page(path, PAY)
    assert (status, headers["location"]) == (303, f"{made['id']}/result")
    status, _, headers = await fastspring.page(path, PAY)
    assert (status, headers["location"]) == (303, f"{made['id']}/result")
    assert (await fastspring.page(path))[0] == 410
    status, text, _ = await fastspring.page(f"{path}/result")
    assert (status, "$21.64" in text) == (200, True)
    (got,) = await fastspring.receiver.wait_for(1)
    order = got.event["events"][0]["data"]
    assert (order["customer"]["first"], order["customer"]["last"]) == ("Ada", "Lovelace")
    assert (order["total"], order["payment"]["type"]) == (21.64, "card")


async def test_a_declined_card_can_be_tried_again(fastspring: FastspringBench) -> None:
    """The page says so, and takes the next attempt."""
    made = await fastspring.create()
    path = f"/session/{made['id']}"
    await fastspring.page(path, PAY | {"action": "decline"})
    _, text, _ = await fastspring.page(path)
    assert "Payment declined" in text
    status, _, headers = await fastspring.page(path, PAY | {"attempt": "1"})
    assert (status, headers["location"]) == (303, f"{made['id']}/result")


async def test_the_buyers_country_decides_the_currency(fastspring: FastspringBench) -> None:
    """What is shown after the choice is what is paid."""
    made = await fastspring.create()
    path = f"/session/{made['id']}"
    _, text, _ = await fastspring.page(path, FORM | {"action": "apply", "country": "DE"})
    assert "18.99" in total(text)
    await fastspring.page(path, PAY | {"country": "DE"})
    (got,) = await fastspring.receiver.wait_for(1)
    order = got.event["events"][0]["data"]
    assert (order["total"], order["currency"], order["address"]["country"]) == (18.99, "EUR", "DE")
    read = await fastspring.good("GET", f"{SESSIONS}/{made['id']}")
    assert read["cart"]["netTotal"] == 18.99


async def test_a_code_changes_the_total_and_a_wrong_one_does_not(
    fastspring: FastspringBench,
) -> None:
    """A wrong code is told beside the form, and nothing is paid with it."""
    made = await fastspring.create(country="MX")
    path = f"/session/{made['id']}"
    form = FORM | {"country": "MX"}
    _, text, _ = await fastspring.page(path, form | {"action": "apply", "discount_code": "SAVE10"})
    assert "17.99" in total(text)
    _, text, _ = await fastspring.page(path, form | {"action": "apply", "discount_code": "NOPE"})
    assert "19.99" in total(text)
    assert "This code is not valid for your order." in text
    status, _, _ = await fastspring.page(path, form | {"action": "pay", "discount_code": "NOPE"})
    assert status == 422
    status, _, _ = await fastspring.page(path, form | {"action": "pay", "discount_code": "SAVE10"})
    assert status == 303
    (got,) = await fastspring.receiver.wait_for(1)
    assert got.event["events"][0]["data"]["total"] == 17.99


async def test_hidden_ways_to_pay_are_not_offered(fastspring: FastspringBench) -> None:
    """And the first one asked for stands first."""
    made = await fastspring.create(
        paymentMethodsOrder=["PAYPAL"], hidePaymentMethods=["CARD", "WIRE"]
    )
    path = f"/session/{made['id']}"
    _, text, _ = await fastspring.page(path)
    assert 'value="CARD"' not in text
    assert text.index('value="PAYPAL"') < text.index('value="ALIPAY"')
    status, text, _ = await fastspring.page(path, PAY)
    assert status == 422
    assert "Choose one of the options." in text


async def test_unknown_and_incomplete_visits(fastspring: FastspringBench) -> None:
    """A link that leads nowhere, and a form that lacks what is needed."""
    assert (await fastspring.page("/session/nothing"))[0] == 404
    made = await fastspring.create()
    status, text, _ = await fastspring.page(f"/session/{made['id']}", PAY | {"email": ""})
    assert (status, "This is needed." in text) == (422, True)
