"""The Square adapter in the conformance suite, once for each of its calls."""

from collections.abc import AsyncIterator
from typing import ClassVar

import msgspec
import pytest

from service.core.errors import ProviderOutcomeUnknown, ProviderRejected
from service.core.model import (
    AddOn,
    Address,
    Cart,
    CreateRequest,
    Customer,
    LineItem,
    Money,
    PaymentState,
    TotalsSource,
)
from service.core.ports import Closing, PaymentReport, Provider
from service.providers.probe import send
from service.providers.secrets import Secret
from service.providers.settings import AccountSettings
from service.providers.square.adapter import probe
from service.providers.square.options import SquareOptions
from service.sandbox.square.catalogue import LOCATION_ID
from service.sandbox.square.emulator import SquareEmulator
from tests.providers.fields import with_field
from tests.providers.sandbox import Place
from tests.providers.suite import SESSION_ID, ProviderSuite, accepted, build, call_for, settings_for


def usd(amount: int) -> Money:
    """Return an amount in the currency of the location."""
    return Money(amount, "USD")


def price(amount: int) -> dict[str, object]:
    """Return an amount as a field's value."""
    return {"amount": amount, "currency": "USD"}


SHIRT = LineItem(name="Shirt", unit_price=usd(1500), quantity=2)
BASE = CreateRequest(provider="square", cart=Cart(line_items=(SHIRT,)))
CATALOGUE = CreateRequest(
    provider="square", cart=Cart(line_items=(LineItem(product_id="variation_demo"),))
)
ADDED = msgspec.structs.replace(
    BASE,
    cart=Cart(
        line_items=(
            msgspec.structs.replace(
                SHIRT, quantity=None, add_ons=(AddOn(name="Print", price=usd(50)),)
            ),
        )
    ),
)
SINGLE = with_field(BASE, "cart.line_items", [{"name": "Cheese", "unit_price": price(1000)}])
BUYER = msgspec.structs.replace(BASE, customer=Customer(shipping_address=Address(country="US")))
PICKUP = {"type": "TYPE_PICKUP", "as_soon_as_possible": True, "preparation_time": "1800s"}
PICKED_UP = msgspec.structs.replace(
    BASE,
    customer=Customer(first_name="Ada", email="ada@example.com"),
    provider_options={"square": {"fulfillment": PICKUP}},
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
SAMPLES: dict[str, tuple[CreateRequest, object]] = {
    "cart.discounts": (BASE, [{"name": "Sale", "percentage": "5"}, {"amount": price(100)}]),
    "cart.line_items.add_ons": (
        BASE,
        [{"name": "Print", "price": price(50), "quantity": 2}],
    ),
    "cart.line_items.decimal_quantity": (SINGLE, "1.25"),
    "cart.line_items.discounts": (BASE, [{"amount": price(100)}, {"percentage": "0.5"}]),
    "cart.line_items.name": (BASE, "Blouse"),
    "cart.line_items.note": (BASE, "Gift"),
    "cart.line_items.product_id": (CATALOGUE, "variation_demo_large"),
    "cart.line_items.quantity": (BASE, 3),
    "cart.line_items.taxes": (BASE, [{"name": "VAT", "percentage": "7.75", "inclusive": True}]),
    "cart.line_items.unit_price": (BASE, price(1700)),
    "cart.line_items.variation_name": (BASE, "Large"),
    "cart.shipping_fee": (BASE, price(500)),
    "cart.taxes": (BASE, [{"name": "Sales tax", "percentage": "9"}]),
    "customer.customer_id": (BASE, "CUSTOMERDEMO"),
    "customer.email": (BASE, "ada@example.com"),
    "customer.first_name": (BUYER, "Ada"),
    "customer.last_name": (BUYER, "Lovelace"),
    "customer.phone_number": (PICKED_UP, "+14155550100"),
    "customer.shipping_address": (BASE, PLACE),
    "provider_options.square": (BASE, {"note": "Front desk"}),
    "success_url": (BASE, "https://shop.example/done?s={SESSION_ID}"),
}


class SquareSuite(ProviderSuite):
    """What both calls have in common."""

    name = "square"
    base = BASE
    unknown_item = CreateRequest(
        provider="square", cart=Cart(line_items=(LineItem(product_id="variation_nowhere"),))
    )
    call: ClassVar[str]

    def settings(self, place: Place, **changes: object) -> AccountSettings:
        """Return the sandbox's account with this call."""
        return settings_for(place, "square", own=own(place, self.call), **changes)

    async def test_zero_quantity_is_refused_unless_declared(self, provider: Provider) -> None:
        """A line of nothing stands beside others: Square drops it when the order is paid."""
        request = with_field(
            BASE,
            "cart.line_items",
            [msgspec.to_builtins(SHIRT), msgspec.to_builtins(SHIRT) | {"quantity": 0}],
        )
        assert provider.capabilities.zero_quantity
        assert accepted(request, provider)
        assert (await provider.create(call_for(request))).provider_session_id

    async def test_subscriptions_start_where_declared(
        self, provider: Provider, place: Place
    ) -> None:
        """A plan is sold like a thing: Square's events of subscriptions name no order."""
        assert provider.capabilities.subscriptions == (self.call == "links")
        assert not place.hooks


def own(place: Place, call: str) -> dict[str, str]:
    """Return the settings that only Square has."""
    return {
        "location_id": LOCATION_ID,
        "currency": "USD",
        "call": call,
        "webhook_url": f"{place.url}/hook",
    }


class TestLinks(SquareSuite):
    """Square: POST /v2/online-checkout/payment-links."""

    call = "links"
    samples: ClassVar = SAMPLES | {
        "buyer_choices.discount_codes": (BASE, True),
        "buyer_choices.tipping": (BASE, True),
        "payment_methods.allowed": (BASE, ["apple_pay", "google_pay"]),
    }


class TestCheckouts(SquareSuite):
    """Square: POST /v2/locations/{location_id}/checkouts."""

    call = "checkouts"
    samples: ClassVar = SAMPLES


CHARGES: list[dict[str, object]] = [
    {"name": "Service", "percentage": "10", "calculation_phase": "CALCULATION_PHASE_SUBTOTAL"},
    {"name": "Late", "percentage": "1", "calculation_phase": "CALCULATION_PHASE_TOTAL"},
    {
        "name": "Share",
        "percentage": "2.5",
        "calculation_phase": "CALCULATION_PHASE_APPORTIONED_PERCENTAGE",
    },
    {
        "name": "Bag",
        "amount": price(25),
        "calculation_phase": "CALCULATION_PHASE_APPORTIONED_AMOUNT",
    },
]
CUSTOMER = Customer(first_name="Ada", email="ada@example.com")
OPTIONS: dict[str, dict[str, object]] = {
    "app_fee": {"app_fee": price(100)},
    "ask_for_shipping_address": {"ask_for_shipping_address": True},
    "auto_apply_discounts": {"auto_apply_discounts": True},
    "auto_apply_taxes": {"auto_apply_taxes": True},
    "custom_fields": {"custom_fields": ["Size", "Colour"]},
    "description": {"description": "Order 7"},
    "fulfillment": {"fulfillment": PICKUP},
    "loyalty": {"loyalty": True},
    "note": {"note": "Front desk"},
    "service_charges": {"service_charges": CHARGES},
    "shipping_fee_name": {"shipping_fee_name": "Courier"},
    "subscription_plan_id": {"subscription_plan_id": "plan_demo"},
    "support_email": {"support_email": "help@shop.example"},
}
SHARE = {"location_id": "LOTHER", "description": "Commission", "amount": price(100)}
MORE_OPTIONS: list[dict[str, object]] = [
    {"additional_recipients": [SHARE]},
    {"service_charges": [{"catalog_object_id": "charge_elsewhere"}]},
]
FURTHER = [
    *(
        msgspec.structs.replace(BASE, customer=CUSTOMER, provider_options={"square": options})
        for options in (*OPTIONS.values(), *MORE_OPTIONS)
    ),
    msgspec.structs.replace(
        with_field(BASE, "cart.shipping_fee", price(500)),
        provider_options={"square": {"shipping_fee_name": "Courier"}},
    ),
    with_field(CATALOGUE, "cart.line_items.add_ons", [{"add_on_id": "modifier_elsewhere"}]),
    msgspec.structs.replace(BASE, reference_id="order 7"),
]
"""Requests that set, together, every option; Square's sandbox does not take them all."""
LINKS_ONLY = {"app_fee", "custom_fields", "description", "loyalty", "subscription_plan_id"}


@pytest.mark.parametrize("call", ["links", "checkouts"])
@pytest.mark.parametrize("name", [*OPTIONS])
async def test_every_option_is_sent_and_taken_or_refused(
    name: str, call: str, place: Place
) -> None:
    """Each of Square's own options passes the checks and the emulator, or is refused by its name."""
    provider = build(settings_for(place, "square", own=own(place, call)))
    asked = msgspec.structs.replace(
        BASE, customer=CUSTOMER, provider_options={"square": OPTIONS[name]}
    )
    if name == "shipping_fee_name":
        asked = with_field(asked, "cart.shipping_fee", price(500))
    if call == "checkouts" and name in LINKS_ONLY:
        (violation,) = provider.check(asked)
        assert violation.field == f"provider_options.square.{name}"
    else:
        assert accepted(asked, provider)
        await provider.create(call_for(asked))
        await provider.create(call_for(msgspec.structs.replace(asked, provider_options=None)))
        assert place.bodies[0] != place.bodies[1]
    await provider.close()


def test_every_option_has_a_sample() -> None:
    """Shares for others are tried without a server: Square's sandbox takes none."""
    assert OPTIONS.keys() == {*SquareOptions.__struct_fields__} - {"additional_recipients"}


@pytest.mark.parametrize(
    "fulfillment",
    [
        {"type": "TYPE_SHIPMENT", "carrier": "UPS", "shipping_type": "Express", "note": "Bell"},
        {"type": "TYPE_SHIPMENT", "time": "2026-03-02T10:00:00Z"},
        {
            "type": "TYPE_DELIVERY",
            "time": "2026-03-02T10:00:00Z",
            "window": "3600s",
            "preparation_time": "600s",
        },
        {"type": "TYPE_PICKUP", "time": "2026-03-02T10:00:00Z", "window": "3600s"},
    ],
)
@pytest.mark.parametrize("call", ["links", "checkouts"])
async def test_goods_reach_the_customer_every_way(
    fulfillment: dict[str, object], call: str, place: Place
) -> None:
    """Shipments, deliveries and scheduled pick-ups are Square's too."""
    provider = build(settings_for(place, "square", own=own(place, call)))
    address = Address(country="US", line1="1 Main St", city="Austin", postal_code="78701")
    asked = msgspec.structs.replace(
        BASE,
        customer=msgspec.structs.replace(CUSTOMER, shipping_address=address),
        provider_options={"square": {"fulfillment": fulfillment}},
    )
    assert accepted(asked, provider)
    assert (await provider.create(call_for(asked))).provider_session_id
    await provider.close()


@pytest.fixture
async def links(place: Place) -> AsyncIterator[Provider]:
    """An account that makes payment links."""
    provider = build(settings_for(place, "square", own=own(place, "links")))
    yield provider
    await provider.close()


async def test_a_repeat_of_the_stored_body_makes_nothing_new(links: Provider) -> None:
    """The same bytes under the same key are answered with the first payment link."""
    call = call_for(BASE)
    body = links.prepare(call)
    stored = msgspec.structs.replace(call, body=body, attempt=call.attempt + 1)
    first = await links.create(msgspec.structs.replace(call, body=body))
    again = await links.create(stored)
    assert again == first


async def test_another_body_under_the_key_is_no_refusal(links: Provider) -> None:
    """Whatever used the key may have made a page, so it is not called refused."""
    await links.create(call_for(BASE))
    other = msgspec.structs.replace(call_for(SINGLE), attempt=call_for(BASE).attempt)
    with pytest.raises(ProviderOutcomeUnknown):
        await links.create(other)


async def test_totals_are_squares_and_agree_with_ours(links: Provider) -> None:
    """Everything that changes an order comes out as Square's rules say, to the last unit."""
    asked = with_field(ADDED, "cart.discounts", [{"percentage": "5"}])
    asked = with_field(asked, "cart.taxes", [{"name": "Sales tax", "percentage": "8.875"}])
    asked = with_field(asked, "cart.shipping_fee", price(500))
    asked = msgspec.structs.replace(
        asked, provider_options={"square": {"service_charges": CHARGES[:1]}}
    )
    ours = links.totals(asked)
    created = await links.create(call_for(asked))
    assert ours is not None
    assert created.totals is not None
    assert created.totals.source is TotalsSource.PROVIDER
    assert msgspec.structs.replace(created.totals, source=ours.source) == ours
    assert created.warnings == ()


async def test_a_deleted_link_is_closed_and_stays_so(links: Provider) -> None:
    """Deleting cancels the order, which is read again; deleting once more changes nothing."""
    created = await links.create(call_for(BASE))
    for details in (created.details, created.details, {}):
        assert await links.cancel(created.provider_session_id, details) == Closing(closed=True)


async def test_a_deletion_that_cancels_nothing_closes_nothing(
    links: Provider, place: Place
) -> None:
    """Without the id of a cancelled order the page may still take payments, now and when asked again."""
    emulator = place.sandbox.emulators["square"]
    assert isinstance(emulator, SquareEmulator)
    emulator.fails_to_cancel = True
    created = await links.create(call_for(BASE))
    for _ in range(2):
        assert not (await links.cancel(created.provider_session_id, created.details)).closed


async def test_a_link_that_was_paid_meanwhile_tells_of_the_payment(
    links: Provider, place: Place
) -> None:
    """Ending comes too late, and what was paid is not lost."""
    created = await links.create(call_for(BASE))
    place.sandbox.emulators["square"].pay(created.provider_session_id)
    closing = await links.cancel(created.provider_session_id, created.details)
    assert [payment.status for payment in closing.payments] == [PaymentState.PAID]
    assert closing.closed


async def test_an_order_is_found_without_its_link(links: Provider) -> None:
    """What the session keeps leads to the order, even where the link is gone."""
    created = await links.create(call_for(BASE))
    await links.cancel(created.provider_session_id, created.details)
    found = await links.retrieve(created.provider_session_id, created.details)
    assert found.payments == ()


async def test_a_declined_card_is_told(links: Provider, place: Place) -> None:
    """A decline leaves the page open and says why."""
    created = await links.create(call_for(BASE))
    emulator = place.sandbox.emulators["square"]
    for delivery in emulator.decline(created.provider_session_id):
        await delivery.tried.wait()
    reports = [
        event.report for hook in place.hooks for event in links.parse(hook.headers, hook.body)
    ]
    failed = [report for report in reports if isinstance(report, PaymentReport)][-1]
    assert failed.status is PaymentState.FAILED
    assert failed.error is not None
    assert failed.error.code


@pytest.mark.parametrize("call", ["links", "checkouts"])
async def test_a_payment_is_located_by_its_order(call: str, place: Place) -> None:
    """Even where no answer named the order, it has our id on it; other orders have none."""
    provider = build(settings_for(place, "square", own=own(place, call)))
    created = await provider.create(call_for(BASE))
    for delivery in place.sandbox.emulators["square"].pay(created.provider_session_id):
        await delivery.tried.wait()
    events = [e for hook in place.hooks for e in provider.parse(hook.headers, hook.body)]
    paid = next(event for event in events if isinstance(event.report, PaymentReport))
    assert await provider.locate(paid) == SESSION_ID
    nameless = msgspec.structs.replace(paid, references=("payment:p",))
    assert await provider.locate(nameless) == ""
    unknown = msgspec.structs.replace(paid, references=("order:nothing",))
    with pytest.raises(ProviderRejected):
        await provider.locate(unknown)
    await provider.close()


async def test_the_token_can_be_tried(place: Place) -> None:
    """A small read is answered to the account's token and to no other."""
    account = settings_for(place, "square", own=own(place, "links"))
    answer = await send(probe(account))
    assert (answer.status, answer.is_json) == (200, True)
    wrong = msgspec.structs.replace(account, api_key=Secret(value="wrong-token"))
    assert (await send(probe(wrong))).status == 401
