"""What is sent to create a session, field by field."""

from typing import Any

import msgspec
import pytest

from service.core.model import (
    Address,
    Cart,
    CreateRequest,
    Customer,
    Discount,
    LineItem,
    Money,
    PaymentMethods,
)
from service.providers.fastspring.amounts import encoded
from service.providers.fastspring.body import session_body
from tests.providers.fastspring.documents import SESSION_ID, call, line, request


def body_of(asked: CreateRequest, *, live: bool = True) -> dict[str, Any]:
    """Return what goes over the wire."""
    sent: dict[str, Any] = msgspec.json.decode(encoded(session_body(call(asked), live=live)))
    return sent


def sent_line(item: LineItem, **fields: object) -> dict[str, Any]:
    """Return the only line of what goes over the wire."""
    (found,) = body_of(request(item, **fields))["cart"]["lineItems"]
    assert isinstance(found, dict)
    return found


def test_the_smallest_request_says_no_more_than_it_must() -> None:
    """A product, its quantity, the mode and our id."""
    assert body_of(request()) == {
        "live": True,
        "orderTags": {"checkout_session_id": SESSION_ID},
        "cart": {"lineItems": [{"productPath": "sample-stuff", "quantity": 1}]},
    }


@pytest.mark.parametrize(
    ("account", "option", "expected"),
    [(True, None, True), (True, False, False), (True, True, True), (False, None, False)],
)
def test_the_mode_is_the_accounts_unless_the_request_says_another(
    account: bool, option: bool | None, expected: bool
) -> None:
    """FastSpring's own default is live, so the mode is always said."""
    options = {} if option is None else {"live": option}
    assert body_of(request(options=options), live=account)["live"] is expected


def test_customers_and_addresses_are_all_sent() -> None:
    """The country goes where prices are decided and where the address is."""
    customer = Customer(
        email="ada@example.com",
        first_name="Ada",
        last_name="Lovelace",
        phone_number="+14155550100",
        company="Engines",
        tax_id="DE123456789",
        ip_address="192.0.2.7",
        locale="de",
        billing_address=Address("DE", "1 Way", "Flat 2", "Bonn", "NW", "53111"),
        shipping_address=Address("US", "2 Way", "", "Austin", "TX", "78701", "Bob", "Byron"),
    )
    options = {
        "external_account_id": "shop-42",
        "account_tags": {"tier": "gold"},
        "ship_to_type": "SHIP_TO_TYPE_SHIP_TO",
        "ship_to_contact": {"email": "bob@example.com", "company": "Acme", "phone_number": "+1415"},
        "tax_id_region": "DE",
    }
    sent = body_of(request(customer=customer, options=options))
    assert (sent["locale"], sent["country"], sent["buyerIp"]) == ("de", "DE", "192.0.2.7")
    assert sent["customer"] == {
        "externalAccountId": "shop-42",
        "billToContact": {
            "email": "ada@example.com",
            "firstName": "Ada",
            "lastName": "Lovelace",
            "company": "Engines",
            "phoneNumber": "+14155550100",
        },
        "billToAddress": {
            "addressLine1": "1 Way",
            "addressLine2": "Flat 2",
            "city": "Bonn",
            "region": "NW",
            "postalCode": "53111",
            "country": "DE",
        },
        "shipToContact": {
            "email": "bob@example.com",
            "firstName": "Bob",
            "lastName": "Byron",
            "company": "Acme",
            "phoneNumber": "+1415",
        },
        "shipToAddress": {
            "addressLine1": "2 Way",
            "city": "Austin",
            "region": "TX",
            "postalCode": "78701",
            "country": "US",
        },
        "shipToType": "SHIP_TO",
        "accountTags": {"tier": "gold"},
        "taxId": "DE123456789",
        "taxIdRegion": "DE",
    }


def test_an_existing_account_is_named() -> None:
    """FastSpring's own id of it."""
    sent = body_of(request(customer=Customer(customer_id="acct-1")))
    assert sent["customer"] == {"accountId": "acct-1"}


def test_payment_methods_are_ordered_and_hidden() -> None:
    """Both lists keep their order."""
    methods = PaymentMethods(order=("PAYPAL", "CARD"), hidden=("WIRE", "PIX"))
    sent = body_of(request(payment_methods=methods))
    assert sent["paymentMethodsOrder"] == ["PAYPAL", "CARD"]
    assert sent["hidePaymentMethods"] == ["WIRE", "PIX"]


def test_metadata_travels_as_tags_beside_our_id() -> None:
    """A caller's pairs come back with the order."""
    sent = body_of(request(metadata={"order": "42"}))
    assert sent["orderTags"] == {"order": "42", "checkout_session_id": SESSION_ID}


def test_prices_are_exact_numbers_by_currency() -> None:
    """The line's price and those in further currencies are one map of JSON numbers."""
    item = line(
        {"unit_prices": [{"amount": 1500, "currency": "EUR"}, {"amount": 2000, "currency": "JPY"}]},
        unit_price=Money(1010, "USD"),
        quantity=3,
    )
    raw = encoded(session_body(call(request(item)), live=True))
    assert b'"customPrice":{"unitPrice":{"USD":10.10,"EUR":15.00,"JPY":2000}}' in raw
    assert b'"quantity":3' in raw


def test_discounts_of_a_line_and_from_quantities_on() -> None:
    """One from the first unit on, and further tiers."""
    item = line(
        {
            "quantity_discounts": [
                {"min_quantity": 10, "percentage": "15"},
                {"min_quantity": 20, "amounts": [{"amount": 150, "currency": "USD"}]},
            ],
            "discount_duration": 3,
        },
        discounts=(Discount(percentage="5.0"),),
    )
    price = sent_line(item)["customPrice"]
    assert price["discounts"] == [
        {"minQuantity": 1, "percentDiscount": 5},
        {"minQuantity": 10, "percentDiscount": 15},
        {"minQuantity": 20, "amountDiscount": {"USD": 1.5}},
    ]
    assert price["discountDuration"] == 3
    fixed = sent_line(line(discounts=(Discount(amount=Money(99, "USD")),)))
    assert fixed["customPrice"]["discounts"] == [
        {"minQuantity": 1, "amountDiscount": {"USD": 0.99}}
    ]


def test_fees_and_shipping() -> None:
    """A cart's shipping fee is that of its only line."""
    fees = {
        name: [{"amount": amount, "currency": "USD"}]
        for name, amount in (("setup_fees", 500), ("eds_fees", 200))
    }
    cart = Cart(line_items=(line(fees),), shipping_fee=Money(700, "USD"))
    (sent,) = body_of(request(cart=cart))["cart"]["lineItems"]
    assert sent["customPrice"] == {
        "setupFee": {"USD": 5.0},
        "edsFee": {"USD": 2.0},
        "shippingFee": {"USD": 7.0},
    }


@pytest.mark.parametrize(("locale", "expected"), [("", "en"), ("de", "de"), ("pt-BR", "pt")])
def test_a_description_is_in_the_sessions_language(locale: str, expected: str) -> None:
    """Texts in other languages stand beside it."""
    item = line(
        {"descriptions": {"display": {"en": "Tee"}, "summary": {"fr": "Bleu"}}},
        description="Blue",
        image_url="https://shop.example/tee.png",
    )
    sent = sent_line(item, customer=Customer(locale=locale))["descriptions"]
    assert sent == {
        "display": {"en": "Tee"},
        "summary": {expected: "Blue", "fr": "Bleu"},
        "imageUrl": "https://shop.example/tee.png",
    }


def test_quantities_attributes_and_subscriptions() -> None:
    """FastSpring's words for what the contract says in its own."""
    item = line(
        {
            "quantity_behavior": "QUANTITY_BEHAVIOR_HIDE",
            "quantity_default": 0,
            "attributes": {"size": "L"},
            "subscription": {
                "billing_interval": {"unit": "UNIT_ON_DEMAND", "length": 1, "count": 0},
                "trial_period_days": 0,
            },
        }
    )
    assert sent_line(item) == {
        "productPath": "sample-stuff",
        "quantity": 1,
        "quantityBehavior": "HIDE",
        "quantityDefault": 0,
        "attributes": {"size": "L"},
        "subscriptionOverrides": {
            "billingFrequency": {
                "intervalUnit": "ON_DEMAND",
                "intervalLength": 1,
                "intervalCount": 0,
            },
            "trialDays": 0,
        },
    }


def test_one_code_is_sent() -> None:
    """FastSpring takes one coupon."""
    cart = Cart(line_items=(line(),), discount_codes=("SAVE10",))
    assert body_of(request(cart=cart))["cart"]["couponCode"] == "SAVE10"
