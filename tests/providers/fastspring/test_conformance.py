"""The conformance suite on FastSpring, and what only FastSpring does, against its emulator."""

from typing import ClassVar

import msgspec
import pytest

from service.core.errors import ProviderRejected
from service.core.model import (
    Address,
    CreateRequest,
    Customer,
    Money,
    TotalsSource,
)
from service.core.ports import PaymentReport, Provider
from service.providers.fastspring.adapter import probe
from service.providers.fastspring.options import FastspringLineItemOptions, FastspringOptions
from service.providers.probe import send
from service.providers.secrets import Secret
from service.providers.settings import AccountSettings
from service.sandbox.fastspring.catalogue import (
    CHECKOUT_ID,
    TEST_CHECKOUT_ID,
)
from tests.providers.fastspring.shop import BASE, OWN, emulator, selling, told
from tests.providers.fields import with_field
from tests.providers.sandbox import Place
from tests.providers.suite import ProviderSuite, accepted, build, call_for, settings_for


def usd(amount: int) -> dict[str, object]:
    """Return an amount as a field's value."""
    return {"amount": amount, "currency": "USD"}


BUYER = msgspec.structs.replace(
    BASE, customer=Customer(billing_address=Address(country="US", region="CA"))
)
SHIPPED = msgspec.structs.replace(
    selling("demo-book"), customer=Customer(shipping_address=Address(country="US"))
)
PLACE = {
    "country": "US",
    "line1": "1455 Market St.",
    "line2": "Suite 600",
    "city": "San Francisco",
    "region": "CA",
    "postal_code": "94103",
    "first_name": "Jane",
    "last_name": "Doe",
}
OPTIONS: dict[str, object] = {
    "account_tags": {"tier": "gold"},
    "external_account_id": "shop-42",
    "live": False,
    "ship_to_contact": {
        "email": "bob@example.com",
        "phone_number": "+14155550101",
        "company": "Acme",
    },
    "ship_to_type": "SHIP_TO_TYPE_GIFT_PURCHASE",
    "tax_id_region": "BR",
}
LINE_OPTIONS: dict[str, object] = {
    "attributes": {"size": "L"},
    "descriptions": {
        "display": {"en": "Tee", "de": "Hemd"},
        "instructions": {"en": "Wear it"},
        "summary": {"en": "Blue"},
    },
    "discount_duration": 3,
    "eds_fees": [usd(200), {"amount": 190, "currency": "EUR"}],
    "quantity_behavior": "QUANTITY_BEHAVIOR_LOCK",
    "quantity_default": 2,
    "quantity_discounts": [
        {"min_quantity": 10, "percentage": "15"},
        {"amounts": [usd(100), {"amount": 100, "currency": "JPY"}]},
    ],
    "setup_fees": [usd(500)],
    "shipping_fees": [usd(300), {"amount": 400, "currency": "JPY"}],
    "subscription": {
        "billing_interval": {"unit": "UNIT_MONTH", "length": 3, "count": 4},
        "trial_period_days": 14,
    },
    "unit_prices": [{"amount": 1500, "currency": "EUR"}, {"amount": 2000, "currency": "JPY"}],
}
PLAN = selling("demo-subscription", unit_price=Money(1800, "USD"))
# What no sample sets: every option, of the session and of a line.
FURTHER = [
    *(
        msgspec.structs.replace(BASE, provider_options={"fastspring": {name: value}})
        for name, value in OPTIONS.items()
    ),
    *(
        with_field(PLAN, "cart.line_items.provider_options", {"fastspring": {name: value}})
        for name, value in LINE_OPTIONS.items()
    ),
]
SAMPLES: dict[str, tuple[CreateRequest, object]] = {
    "cart.discount_codes": (BASE, ["SAVE10"]),
    "cart.line_items.description": (BASE, "Blue, of cotton"),
    "cart.line_items.discounts.amount": (BASE, usd(100)),
    "cart.line_items.discounts.percentage": (BASE, "15"),
    "cart.line_items.image_url": (BASE, "https://shop.example/tee.png"),
    "cart.line_items.product_id": (BASE, "demo-book"),
    "cart.line_items.provider_options.fastspring": (BASE, {"attributes": {"size": "L"}}),
    "cart.line_items.quantity": (BASE, 3),
    "cart.line_items.unit_price": (BASE, usd(1234)),
    "cart.shipping_fee": (BASE, usd(500)),
    "customer.billing_address.city": (BUYER, "San Francisco"),
    "customer.billing_address.country": (BUYER, "CA"),
    "customer.billing_address.line1": (BUYER, "1455 Market St."),
    "customer.billing_address.line2": (BUYER, "Suite 600"),
    "customer.billing_address.postal_code": (BUYER, "94103"),
    "customer.billing_address.region": (BUYER, "NY"),
    "customer.company": (BASE, "Analytical Engines"),
    "customer.customer_id": (BASE, "acc-1"),
    "customer.email": (BASE, "ada@example.com"),
    "customer.first_name": (BASE, "Ada"),
    "customer.ip_address": (BASE, "2001:db8::1"),
    "customer.last_name": (BASE, "Lovelace"),
    "customer.locale": (BASE, "de"),
    "customer.phone_number": (BASE, "+14155550100"),
    "customer.shipping_address": (SHIPPED, PLACE),
    "customer.tax_id": (BASE, "DE123456789"),
    "payment_methods.hidden": (BASE, ["PAYPAL"]),
    "payment_methods.order": (BASE, ["PAYPAL", "CARD"]),
    "provider_options.fastspring": (BASE, {"external_account_id": "shop-42"}),
}


class TestFastspring(ProviderSuite):
    """FastSpring: POST /v2/checkouts/{store}/{checkout}/sessions."""

    name = "fastspring"
    base = BASE
    subscription = selling("demo-subscription")
    unknown_item = selling("demo-nowhere")
    samples: ClassVar = SAMPLES

    def settings(self, place: Place, **changes: object) -> AccountSettings:
        """Return the sandbox's account."""
        return settings_for(place, "fastspring", own=OWN, **changes)


@pytest.mark.parametrize("name", OPTIONS)
async def test_every_option_is_sent_and_taken(
    name: str, fastspring: Provider, place: Place
) -> None:
    """Each of FastSpring's own options passes the checks, changes the body and is taken."""
    asked = msgspec.structs.replace(BASE, provider_options={"fastspring": {name: OPTIONS[name]}})
    assert accepted(asked, fastspring)
    await fastspring.create(call_for(asked))
    await fastspring.create(call_for(BASE))
    # A test account's sessions are test sessions, said or not.
    assert (place.bodies[0] != place.bodies[1]) == (name != "live")


@pytest.mark.parametrize("name", LINE_OPTIONS)
async def test_every_line_option_is_sent_and_taken(
    name: str, fastspring: Provider, place: Place
) -> None:
    """Each option of a line passes the checks, changes the body and is taken."""
    options = {"fastspring": {name: LINE_OPTIONS[name]}}
    asked = with_field(PLAN, "cart.line_items.provider_options", options)
    assert accepted(asked, fastspring)
    await fastspring.create(call_for(asked))
    await fastspring.create(call_for(PLAN))
    assert place.bodies[0] != place.bodies[1]


def test_every_option_has_a_sample() -> None:
    """No option goes untried."""
    assert OPTIONS.keys() == {*FastspringOptions.__struct_fields__}
    assert LINE_OPTIONS.keys() == {*FastspringLineItemOptions.__struct_fields__}


async def test_totals_and_lines_are_fastsprings(fastspring: Provider) -> None:
    """Every figure comes back in minor units of the buyer's currency, and says where it is from."""
    asked = msgspec.structs.replace(
        with_field(BASE, "cart.line_items.quantity", 2),
        customer=Customer(billing_address=Address(country="DE")),
    )
    asked = with_field(asked, "cart.discount_codes", ["SAVE10"])
    created = await fastspring.create(call_for(asked))
    totals = created.totals
    assert totals is not None
    assert totals.source is TotalsSource.PROVIDER
    assert totals.subtotal == Money(3798, "EUR")
    assert totals.discount == Money(380, "EUR")
    assert totals.tax == Money(546, "EUR")
    assert totals.total == Money(3418, "EUR")
    assert created.details["discount_code_applied"] is True
    assert created.details["discount_code_amount"] == {"amount": 380, "currency": "EUR"}
    assert created.details["tax_included"] is True
    lines = msgspec.convert(created.details["line_items"], list[dict[str, object]])
    line = lines[0]
    assert line["list_total"] == {"amount": 3798, "currency": "EUR"}
    assert line["net_total"] == {"amount": 3418, "currency": "EUR"}
    assert line["tax_percentage"] == "19"


async def test_yen_have_no_decimals(fastspring: Provider, place: Place) -> None:
    """A price in a currency without minor units goes and comes back whole."""
    asked = msgspec.structs.replace(
        selling("demo-product", unit_price=Money(1500, "JPY")),
        customer=Customer(billing_address=Address(country="JP")),
    )
    created = await fastspring.create(call_for(asked))
    assert created.totals is not None
    assert created.totals.total == Money(1500, "JPY")


async def test_what_fastspring_ignores_is_a_warning(fastspring: Provider) -> None:
    """A bad coupon or post code is answered with success: the session names our field, and nobody's data."""
    customer = Customer(
        email="ada@example.com",
        tax_id="??",
        billing_address=Address(country="US", postal_code="!!secret!!"),
    )
    asked = msgspec.structs.replace(BASE, customer=customer)
    asked = with_field(asked, "cart.discount_codes", ["NOPE"])
    created = await fastspring.create(call_for(asked))
    assert [(warning.code, warning.field) for warning in created.warnings] == [
        ("INVALID_PROMO_CODE", "cart.discount_codes"),
        ("INVALID_POSTAL_CODE", "customer.billing_address.postal_code"),
        ("INVALID_TAX_ID", "customer.tax_id"),
    ]
    assert "!!secret!!" not in str(created.warnings)
    assert created.details["discount_code_applied"] is False


async def test_a_checkout_in_test_mode_makes_test_sessions(place: Place) -> None:
    """What was to be live is not, and the session says so."""
    own = OWN | {"checkout": TEST_CHECKOUT_ID}
    provider = build(settings_for(place, "fastspring", own=own, live=True))
    created = await provider.create(call_for(BASE))
    assert created.live is False
    assert [warning.code for warning in created.warnings] == ["CHECKOUT_NOT_LIVE"]
    assert created.warnings[0].field == "provider_options.fastspring.live"
    await provider.close()


async def test_a_live_account_can_make_a_test_session(place: Place) -> None:
    """Only where it is asked for; its payment is a test payment, and says so."""
    provider = build(settings_for(place, "fastspring", own=OWN, live=True))
    asked = msgspec.structs.replace(BASE, provider_options={"fastspring": {"live": False}})
    assert accepted(asked, provider)
    for request, live in ((asked, False), (BASE, True)):
        created = await provider.create(call_for(request))
        assert created.live is live
        assert created.warnings == ()
    deliveries = emulator(place).pay((await provider.create(call_for(asked))).provider_session_id)
    (event,) = await told(provider, place, deliveries)
    assert isinstance(event.report, PaymentReport)
    assert event.report.live is False
    await provider.close()


async def test_the_slash_of_the_path_is_a_slash(place: Place) -> None:
    """Each half is encoded by itself, so no half can reach into another path."""
    for own in (OWN | {"checkout": f"{CHECKOUT_ID}%2F.."}, OWN | {"store": "other-store"}):
        provider = build(settings_for(place, "fastspring", own=own))
        with pytest.raises(ProviderRejected) as caught:
            await provider.create(call_for(BASE))
        assert caught.value.metadata["provider_status"] == "404"
        await provider.close()


async def test_a_checkout_without_a_page_is_told(fastspring: Provider, place: Place) -> None:
    """A checkout inside a shop's page has no address; the session exists all the same."""
    emulator(place).has_no_pages = True
    created = await fastspring.create(call_for(BASE))
    assert created.url == ""
    assert [warning.code for warning in created.warnings] == ["NO_CHECKOUT_URL"]


async def test_the_credentials_can_be_tried(place: Place) -> None:
    """A small read is answered to the account's credentials and to no other."""
    account = settings_for(place, "fastspring", own=OWN)
    answer = await send(probe(account))
    assert (answer.status, answer.is_json) == (200, True)
    for wrong in (
        msgspec.structs.replace(account, api_key=Secret(value="wrong")),
        msgspec.structs.replace(account, own=OWN | {"username": "else"}),
    ):
        assert (await send(probe(wrong))).status == 401
