"""The hosted page takes tips and addresses, pays once, and sends the buyer back as Square does."""

import re
from html import unescape

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

PAY = {"action": "pay", "attempt": "0", "email": "buyer@example.com", "phone_number": ""}


async def test_the_short_url_leads_to_the_page(square: SquareBench) -> None:
    """The buyer follows `url` to the cart, the adjustments and the total."""
    order = order_body(
        line_items=[line(1000, "2", name="Blue Tee", note="Size L")],
        discounts=[{"percentage": "10"}],
        taxes=[{"percentage": "10"}],
    )
    options = {"shipping_fee": {"name": "Post", "charge": money(500)}}
    link = await square.link(link_body(order=order, checkout_options=options))
    status, _, headers = await square.page(link["url"])
    assert (status, headers["location"]) == (302, f"../session/{link['id']}")
    status, text, _ = await square.page(f"/session/{link['id']}")
    assert status == 200
    for shown in ("Blue Tee", "Size L", "$20.00", "-$2.00", "$5.00", "$1.80", "$24.80", "Fees"):
        assert shown in text
    assert "Open until" not in text


async def test_a_paid_buyer_goes_back_with_the_order(square: SquareBench) -> None:
    """The redirect keeps the seller's own query and adds the order's id; the page works once."""
    options = {"redirect_url": "https://shop.example/done?cart=7"}
    link = await square.link(checkout_options=options)
    path = f"/session/{link['id']}"
    status, _, headers = await square.page(path, PAY)
    assert (status, headers["location"]) == (303, f"{link['id']}/result")
    _, text, _ = await square.page(f"{path}/result")
    order_id = link["order_id"]
    expected = f"https://shop.example/done?cart=7&transactionId={order_id}&orderId={order_id}"
    assert _continue(text) == expected
    status, _, headers = await square.page(path, PAY)
    assert (status, headers["location"]) == (303, f"{link['id']}/result")
    assert (await square.page(path))[0] == 410
    (payment,) = (await square.good("GET", "/v2/payments"))["payments"]
    assert payment["buyer_email_address"] == "buyer@example.com"


async def test_a_legacy_buyer_goes_back_with_three_ids(square: SquareBench) -> None:
    """The older call's redirect also names the checkout and the seller's reference."""
    body = checkout_body(order_body(reference_id="ref 1"), redirect_url="https://shop.example/done")
    checkout = (await square.good("POST", CHECKOUTS, body))["checkout"]
    status, _, headers = await square.page(checkout["checkout_page_url"])
    assert (status, headers["location"]) == (302, f"../session/{checkout['id']}")
    path = f"/session/{checkout['id']}"
    _, text, _ = await square.page(path)
    assert "Open until August 28, 2026" in text
    await square.page(path, PAY)
    _, text, _ = await square.page(f"{path}/result")
    (payment,) = (await square.good("GET", "/v2/payments"))["payments"]
    order_id = payment["order_id"]
    assert _continue(text) == (
        f"https://shop.example/done?checkoutId={checkout['id']}"
        f"&transactionId={order_id}&orderId={order_id}&referenceId=ref+1"
    )


async def test_without_a_redirect_url_the_buyer_stays(square: SquareBench) -> None:
    """Square then shows its own confirmation and nothing to go back to."""
    link = await square.link()
    square.square.pay(link["id"])
    status, text, _ = await square.page(f"/session/{link['id']}/result")
    assert status == 200
    assert 'class="pay"' not in text


async def test_a_tip_raises_the_total(square: SquareBench) -> None:
    """The page reprices with the chosen tip; the payment and its order carry it."""
    link = await square.link(
        link_body(
            order=order_body(line_items=[line(1010)]), checkout_options={"allow_tipping": True}
        )
    )
    path = f"/session/{link['id']}"
    _, text, _ = await square.page(path, PAY | {"action": "apply", "tip": "15"})
    assert "$11.62" in text
    await square.page(path, PAY | {"tip": "15"})
    order = await square.order_of(link)
    assert (order["total_tip_money"], order["total_money"]) == (money(152), money(1162))
    (tender,) = order["tenders"]
    assert (tender["amount_money"], tender["tip_money"]) == (money(1162), money(152))
    (payment,) = (await square.good("GET", "/v2/payments"))["payments"]
    amounts = [payment[name] for name in ("amount_money", "tip_money", "total_money")]
    assert amounts == [money(1010), money(152), money(1162)]


async def test_a_tip_out_of_the_list_is_not_taken(square: SquareBench) -> None:
    """The buyer is told, and nothing is paid."""
    link = await square.link(checkout_options={"allow_tipping": True})
    status, text, _ = await square.page(f"/session/{link['id']}", PAY | {"tip": "-50"})
    assert (status, "Choose one of the options." in text) == (422, True)
    assert await square.good("GET", "/v2/payments") == {}


async def test_no_tip_is_asked_for_unless_allowed(square: SquareBench) -> None:
    """A tip sent to a page without one changes nothing."""
    link = await square.link()
    await square.page(f"/session/{link['id']}", PAY | {"tip": "20"})
    assert (await square.order_of(link))["total_money"] == money(1000)


async def test_the_page_asks_where_to_ship(square: SquareBench) -> None:
    """What the seller knows is filled in; the payment carries what the buyer sends."""
    data = {
        "buyer_email": "jane@example.com",
        "buyer_address": {"first_name": "Jane", "last_name": "Doe", "postal_code": "94103"},
    }
    link = await square.link(
        checkout_options={"ask_for_shipping_address": True, "custom_fields": [{"title": "Color?"}]},
        pre_populated_data=data,
    )
    path = f"/session/{link['id']}"
    _, text, _ = await square.page(path)
    assert "Shipping address" in text
    for shown in ('value="jane@example.com"', 'value="Jane Doe"', 'value="94103"', "Color?"):
        assert shown in text
    address = {"name": "Jane Doe", "zipcode": "94103", "street": "1455 Market St.", "country": "US"}
    status, _, _ = await square.page(path, PAY | address | {"state": "CA"})
    assert status == 422
    await square.page(path, PAY | address | {"state": "CA", "city": "San Francisco"})
    (payment,) = (await square.good("GET", "/v2/payments"))["payments"]
    assert payment["shipping_address"] == {
        "postal_code": "94103",
        "address_line_1": "1455 Market St.",
        "locality": "San Francisco",
        "administrative_district_level_1": "CA",
        "country": "US",
        "first_name": "Jane",
        "last_name": "Doe",
    }


async def test_a_declined_card_can_be_tried_again(square: SquareBench) -> None:
    """The page says so, keeps what was typed, and still takes the payment."""
    link = await square.link()
    path = f"/session/{link['id']}"
    typed = PAY | {"email": "other@example.com"}
    await square.page(path, typed | {"action": "decline"})
    _, text, _ = await square.page(path)
    assert "Payment declined" in text
    assert 'value="other@example.com"' in text
    status, _, _ = await square.page(path, typed | {"attempt": "1"})
    assert (status, (await square.order_of(link))["state"]) == (303, "OPEN")


async def test_a_deleted_link_takes_no_payment(square: SquareBench) -> None:
    """An open page turns into a notice that leads nowhere, and its form pays nothing."""
    link = await square.link(checkout_options={"redirect_url": "https://shop.example/done"})
    path = f"/session/{link['id']}"
    await square.good("DELETE", f"{LINKS}/{link['id']}")
    status, text, _ = await square.page(path)
    assert (status, "shop.example" in text) == (410, False)
    await square.page(path, PAY)
    assert await square.good("GET", "/v2/payments") == {}


async def test_parts_of_units_are_shown(square: SquareBench) -> None:
    """A quantity with decimals is written beside its line."""
    item = line(1000, "1.5", name="Rope", quantity_unit={"precision": 1})
    link = await square.link(link_body(order=order_body(line_items=[item])))
    _, text, _ = await square.page(f"/session/{link['id']}")
    assert "\N{MULTIPLICATION SIGN} 1.5" in text
    assert "$15.00" in text


def _continue(text: str) -> str:
    found = re.search(r'class="pay" href="([^"]+)"', text)
    assert found is not None
    return unescape(found[1])
