"""The Clover adapter in the conformance suite."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import ClassVar

import msgspec
import pytest

from service.core.errors import ProviderRejected
from service.core.model import (
    Cart,
    CreateRequest,
    Customer,
    LineItem,
    Money,
    PaymentState,
    Tax,
)
from service.core.ports import Closing, PaymentReport, Provider, ProviderSession
from service.providers.settings import AccountSettings
from service.sandbox.clover.catalogue import CURRENCY, MERCHANT_ID
from service.sandbox.clover.emulator import CloverEmulator
from service.sandbox.clover.request import CustomerRule
from service.sandbox.clover.times import TimeFormat
from tests.providers.clover.documents import CUSTOMER, SHIRT
from tests.providers.fields import with_field
from tests.providers.sandbox import NOW, Place
from tests.providers.suite import ProviderSuite, accepted, build, call_for, settings_for

OWN = {"merchant_id": MERCHANT_ID, "currency": CURRENCY}
BASE = CreateRequest(provider="clover", cart=Cart(line_items=(SHIRT,)), customer=CUSTOMER)
STOCKED = msgspec.structs.replace(
    BASE, cart=Cart(line_items=(LineItem(product_id="item_demo_taxed"),))
)
TAXED = msgspec.structs.replace(
    BASE,
    cart=Cart(
        line_items=(msgspec.structs.replace(SHIRT, taxes=(Tax(name="GST", percentage="5"),)),)
    ),
)


class TestClover(ProviderSuite):
    """Clover: POST /invoicingcheckoutservice/v1/checkouts."""

    name = "clover"
    base = BASE
    unknown_item = msgspec.structs.replace(
        BASE, cart=Cart(line_items=(LineItem(product_id="item_nowhere"),))
    )
    carries_our_id = False
    samples: ClassVar = {
        "buyer_choices.tipping": (BASE, True),
        "cancel_url": (BASE, "https://shop.example/back"),
        "cart.line_items.name": (BASE, "Blouse"),
        "cart.line_items.note": (BASE, "Gift"),
        "cart.line_items.product_id": (STOCKED, "item_demo"),
        "cart.line_items.quantity": (BASE, 3),
        "cart.line_items.taxes.name": (TAXED, "PST"),
        "cart.line_items.taxes.percentage": (TAXED, "8.875"),
        "cart.line_items.unit_price": (BASE, {"amount": 1700, "currency": "USD"}),
        "customer.email": (BASE, "countess@example.com"),
        "customer.first_name": (BASE, "Augusta"),
        "customer.last_name": (BASE, "King"),
        "customer.phone_number": (BASE, "+14155550199"),
        "failure_url": (BASE, "https://shop.example/failed?code=%7BERROR_CODE%7D"),
        "provider_options.clover": (BASE, {"page_config_id": "8dc30ba1"}),
        "success_url": (BASE, "https://shop.example/done?s=%7BCHECKOUT_SESSION_ID%7D"),
    }

    def settings(self, place: Place, **changes: object) -> AccountSettings:
        """Return the sandbox's account with its merchant."""
        return settings_for(place, "clover", own=OWN, **changes)


@pytest.fixture
async def clover(place: Place) -> AsyncIterator[Provider]:
    """The adapter under test."""
    provider = build(settings_for(place, "clover", own=OWN))
    yield provider
    await provider.close()


def emulator_of(place: Place) -> CloverEmulator:
    """Return the emulated Clover."""
    emulator = place.sandbox.emulators["clover"]
    assert isinstance(emulator, CloverEmulator)
    return emulator


async def created(provider: Provider, request: CreateRequest) -> ProviderSession:
    """Create a session."""
    session = await provider.create(call_for(request))
    assert isinstance(session, ProviderSession)
    return session


@pytest.mark.parametrize("form", TimeFormat)
async def test_every_form_of_its_times_is_read(
    form: TimeFormat, clover: Provider, place: Place
) -> None:
    """Seconds, milliseconds and both texts come to the same fifteen minutes."""
    emulator_of(place).time_format = form
    session = await created(clover, BASE)
    assert session.payable_until == NOW + timedelta(minutes=15)
    assert session.details == {"create_time": "2026-03-01T12:00:00Z"}
    assert session.warnings == ()


@pytest.mark.parametrize("rule", CustomerRule)
async def test_every_version_of_the_customer_rule_is_met(
    rule: CustomerRule, clover: Provider, place: Place
) -> None:
    """A customer that passes the checks passes at Clover, whichever document holds there."""
    emulator_of(place).customer_rule = rule
    assert accepted(BASE, clover)
    assert (await created(clover, BASE)).provider_session_id


@pytest.mark.parametrize("name", ["first_name", "last_name", "email", "phone_number"])
async def test_what_clover_would_miss_is_refused_before(name: str, clover: Provider) -> None:
    """Without one of the four the strictest document refuses, and so do the checks, by its name."""
    request = with_field(BASE, f"customer.{name}", "")
    (violation,) = clover.check(request)
    assert violation.field == f"customer.{name}"
    with pytest.raises(ProviderRejected) as caught:
        await clover.create(call_for(request))
    assert caught.value.violations[0].field == f"customer.{name}"


async def test_tips_add_to_what_is_paid(clover: Provider, place: Place) -> None:
    """The amount of a payment has the tip in it, for Clover tells them in one."""
    session = await created(clover, with_field(BASE, "buyer_choices.tipping", True))
    entry = {"tip": "20", "name": "Ada Lovelace", "email": "ada@example.com"}
    for delivery in emulator_of(place).pay(session.provider_session_id, entry):
        await delivery.tried.wait()
    (report,) = _reports(clover, place)
    assert report.amount == Money(3600, "USD")


async def test_a_decline_and_then_an_approval(clover: Provider, place: Place) -> None:
    """Both lead to one session and are two events; only the second says paid."""
    session = await created(clover, BASE)
    emulator = emulator_of(place)
    for act in (emulator.decline, emulator.pay):
        for delivery in act(session.provider_session_id):
            await delivery.tried.wait()
    events = [event for hook in place.hooks for event in clover.parse(hook.headers, hook.body)]
    assert len({event.event_id for event in events}) == 2
    assert {event.references[0] for event in events} == {f"session:{session.provider_session_id}"}
    declined, paid = _reports(clover, place)
    assert (declined.status, paid.status) == (PaymentState.FAILED, PaymentState.PAID)
    assert declined.error is not None
    assert declined.error.code == "DECLINED"
    assert paid.amount == Money(3000, "USD")


async def test_what_it_cannot_do_changes_nothing(clover: Provider, place: Place) -> None:
    """Neither ending nor reading a session sends anything, as no such call is documented."""
    session = await created(clover, BASE)
    assert await clover.cancel(session.provider_session_id) == Closing(closed=False)
    read = await clover.retrieve(session.provider_session_id)
    assert read == ProviderSession(provider_session_id=session.provider_session_id)
    assert [seen.method for seen in emulator_of(place).requests] == ["POST"]


async def test_a_refused_customer_is_named(clover: Provider) -> None:
    """An e-mail address that only Clover refuses leads back to our field, and is not repeated."""
    customer = Customer("", "not-an-address", "Ada", "Lovelace", "+14155550100")
    request = msgspec.structs.replace(BASE, customer=customer)
    with pytest.raises(ProviderRejected) as caught:
        await clover.create(call_for(request))
    assert caught.value.violations[0].field == "customer.email"
    assert "not-an-address" not in repr(vars(caught.value))


def _reports(provider: Provider, place: Place) -> list[PaymentReport]:
    events = [event for hook in place.hooks for event in provider.parse(hook.headers, hook.body)]
    return [event.report for event in events if isinstance(event.report, PaymentReport)]
