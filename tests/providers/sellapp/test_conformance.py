"""The SellApp adapter in the conformance suite, and what of SellApp the suite does not know."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import ClassVar

import msgspec
import pytest

from service.core.errors import ProviderCredentialsRejected, ProviderRejected
from service.core.model import (
    CreateRequest,
    Customer,
    LineItem,
    Money,
    PaymentMethods,
    PaymentState,
    UnknownOutcomeStrategy,
)
from service.core.ports import Provider, SearchingProvider, Step
from service.providers.sellapp.options import SellappOptions
from service.providers.settings import AccountSettings
from service.sandbox.sellapp.catalogue import STICKERS
from service.sandbox.sellapp.emulator import SellappEmulator
from tests.providers.sandbox import NOW, Place
from tests.providers.sellapp.documents import EMAIL, SHOP, STORE, call, named, optioned, selling
from tests.providers.suite import ProviderSuite, accepted, build, call_for, created, settings_for

BUYER = msgspec.structs.replace(SHOP, customer=Customer(email=EMAIL))
PLAN = selling(LineItem(product_id="4324"))
CHECKOUT = "/v2/invoices/{invoice}/checkout"


class TestSellapp(ProviderSuite):
    """SellApp: POST /v2/invoices, then POST /v2/invoices/{invoice}/checkout."""

    name = "sellapp"
    base = SHOP
    subscription = PLAN
    unknown_item = selling(LineItem(product_id="999"))
    carries_our_id = False
    samples: ClassVar = {
        "cart.discount_codes": (SHOP, ["DEMO10"]),
        "cart.line_items.custom_amount": (SHOP, {"amount": 500, "currency": "USD"}),
        "cart.line_items.product_id": (SHOP, "4322"),
        "cart.line_items.quantity": (SHOP, 3),
        "customer.billing_address.country": (BUYER, "DE"),
        "customer.email": (SHOP, "grace@example.com"),
        "customer.ip_address": (BUYER, "192.0.2.7"),
        "customer.tax_id": (BUYER, "DE999999999"),
        "payment_methods.allowed": (SHOP, ["COINBASE"]),
        "provider_options.sellapp": (SHOP, {"affiliate": "partner"}),
    }

    def settings(self, place: Place, **changes: object) -> AccountSettings:
        """Return the sandbox's account with its store."""
        return settings_for(place, "sellapp", own=STORE, **changes)

    def lines(self, count: int) -> list[object]:
        """Return lines of different variants: each is taken once."""
        return [{"product_id": str(STICKERS + number)} for number in range(count)]


@pytest.fixture
async def sellapp(place: Place) -> AsyncIterator[Provider]:
    """The adapter under test."""
    provider = build(settings_for(place, "sellapp", own=STORE))
    yield provider
    await provider.close()


def emulator_of(place: Place) -> SellappEmulator:
    """Return the emulated SellApp."""
    emulator = place.sandbox.emulators["sellapp"]
    assert isinstance(emulator, SellappEmulator)
    return emulator


def habit(place: Place, **changes: object) -> None:
    """Have SellApp do otherwise where its documents leave it open."""
    emulator = emulator_of(place)
    emulator.habits = msgspec.structs.replace(emulator.habits, **changes)


async def begun(provider: Provider, request: CreateRequest = SHOP) -> Step:
    """Make an invoice without its checkout."""
    step = await provider.create(call_for(request))
    assert isinstance(step, Step)
    return step


@pytest.mark.parametrize("name", SellappOptions.__struct_fields__)
async def test_every_option_is_sent_and_taken(name: str, sellapp: Provider, place: Place) -> None:
    """Each of SellApp's own options passes the checks and the emulator."""
    invoice = await begun(sellapp)
    asked = {
        "affiliate": optioned(affiliate="partner"),
        "invoice_id": named(invoice.provider_session_id),
    }[name]
    assert accepted(asked, sellapp)
    assert (await created(sellapp, call_for(asked))).url.startswith(place.url)


async def test_an_invoice_that_is_named_was_there_before(sellapp: Provider) -> None:
    """A named invoice is the merchant's: the rules must know that no create of theirs made it."""
    made = await begun(sellapp)
    again = await begun(sellapp, named(made.provider_session_id))
    assert (made.preexisting, again.preexisting) == (False, True)
    assert (made.kept, made.references) == (again.kept, again.references)


async def test_the_invoice_is_kept_before_its_checkout(sellapp: Provider, place: Place) -> None:
    """The first call makes the invoice, and whoever goes on from it makes no second one."""
    step = await begun(sellapp)
    assert step.kept == {"invoice_id": step.provider_session_id}
    assert (step.url, step.strategy) == ("", UnknownOutcomeStrategy.RECREATE)
    assert step.payable_until == NOW + timedelta(hours=9)
    assert not step.preexisting
    assert (await begun(sellapp, named(step.provider_session_id))).preexisting
    for _ in range(2):
        answer = await sellapp.create(call(kept=step.kept))
        assert (answer.provider_session_id, bool(answer.url)) == (step.provider_session_id, True)
    requests = emulator_of(place).requests
    assert (requests.creates, requests.count(method="POST", route=CHECKOUT)) == (1, 2)


@pytest.mark.parametrize("word", ["COMPLETED", "PAID"])
async def test_what_costs_nothing_is_authorised_without_a_page(
    word: str, sellapp: Provider, place: Place
) -> None:
    """Under either name of the status; a checkout that may be free is never repeated blindly."""
    habit(place, free_status=word)
    step = await begun(sellapp, selling(LineItem(product_id="4323")))
    assert step.strategy is UnknownOutcomeStrategy.NEVER
    answer = await sellapp.create(call(kept=step.kept))
    assert (answer.url, answer.authorised, answer.payments) == ("", True, ())
    found = await sellapp.retrieve(step.provider_session_id)
    assert (found.authorised, found.payments) == (True, ())


async def test_a_trial_is_authorised_once_it_has_begun(sellapp: Provider, place: Place) -> None:
    """Nothing is due and there is a page; nothing is authorised before the buyer has been there."""
    trial = selling(LineItem(product_id="4325"))
    session = await created(sellapp, call_for(trial))
    assert session.url
    assert not session.authorised
    assert not (await sellapp.retrieve(session.provider_session_id)).authorised
    emulator_of(place).pay(session.provider_session_id)
    found = await sellapp.retrieve(session.provider_session_id)
    assert (found.authorised, found.payments) == (True, ())
    assert found.subscription_id


async def test_a_checkout_that_came_too_late_is_read(sellapp: Provider, place: Place) -> None:
    """Where the invoice is settled meanwhile, its payment is the answer; a voided one is a refusal."""
    step = await begun(sellapp)
    emulator = emulator_of(place)
    invoice = emulator.find(step.provider_session_id, emulator.catalogue.stores["demo-store"])
    assert invoice is not None
    emulator.complete(invoice)
    answer = await sellapp.create(call(kept=step.kept))
    assert [payment.status for payment in answer.payments] == [PaymentState.PAID]
    other = await begun(sellapp)
    await sellapp.cancel(other.provider_session_id)
    with pytest.raises(ProviderRejected):
        await sellapp.create(call(kept=other.kept))
    with pytest.raises(ProviderRejected):
        await sellapp.create(call(kept={"invoice_id": "77"}))


async def test_a_page_is_closed_while_nobody_has_paid(sellapp: Provider, place: Place) -> None:
    """Voiding is verified, may be repeated, and what was paid meanwhile is told."""
    session = await created(sellapp, call_for(SHOP))
    for _ in range(2):
        closing = await sellapp.cancel(session.provider_session_id)
        assert (closing.closed, closing.payments) == (True, ())
    paid = await created(sellapp, call_for(SHOP))
    emulator_of(place).pay(paid.provider_session_id)
    closing = await sellapp.cancel(paid.provider_session_id)
    assert closing.closed
    assert [payment.status for payment in closing.payments] == [PaymentState.PAID]
    assert (await sellapp.cancel("77")).closed


async def test_what_is_paid_in_part_stays_open(sellapp: Provider, place: Place) -> None:
    """An under-paid invoice is not voided, and nobody knows how much came in."""
    coins = msgspec.structs.replace(SHOP, payment_methods=PaymentMethods(allowed=("BTC",)))
    session = await created(sellapp, call_for(coins))
    emulator_of(place).pay(session.provider_session_id, {"amount": "5.00"})
    closing = await sellapp.cancel(session.provider_session_id)
    assert not closing.closed
    (payment,) = closing.payments
    assert (payment.status, payment.amount) == (PaymentState.PARTIALLY_PAID, None)


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        (("REVIEW",), PaymentState.PROCESSING),
        (("REVIEW", "COMPLETED"), PaymentState.PAID),
        (("REVIEW", "VOIDED"), PaymentState.CANCELLED),
        (("PAID", "DISPUTING"), PaymentState.PAID),
        (("FAILED",), PaymentState.FAILED),
    ],
)
async def test_statuses_are_read(
    statuses: tuple[str, ...], state: PaymentState, sellapp: Provider, place: Place
) -> None:
    """What sellers and processors set is what the payment becomes."""
    session = await created(sellapp, call_for(SHOP))
    emulator = emulator_of(place)
    store = emulator.catalogue.stores["demo-store"]
    invoice = emulator.find(session.provider_session_id, store)
    assert invoice is not None
    for word in statuses:
        emulator.change(invoice, word)
    (payment,) = (await sellapp.retrieve(session.provider_session_id)).payments
    assert payment.status is state


async def test_a_lost_invoice_is_found(sellapp: Provider, place: Place) -> None:
    """It has the buyer's address, the same variants and method, is new, and nobody pays it yet."""
    assert isinstance(sellapp, SearchingProvider)
    since = NOW - timedelta(minutes=1)
    assert await sellapp.search(call(), since) == []
    lost = await begun(sellapp)
    others = [
        msgspec.structs.replace(SHOP, customer=Customer(email="grace@example.com")),
        msgspec.structs.replace(SHOP, payment_methods=PaymentMethods(allowed=("PAYPAL",))),
        selling(LineItem(product_id="4321"), LineItem(product_id="4322")),
        selling(LineItem(product_id="4322")),
    ]
    for other in others:
        await begun(sellapp, other)
    paid = await created(sellapp, call_for(SHOP))
    emulator_of(place).pay(paid.provider_session_id)
    (found,) = await sellapp.search(call(), since)
    assert msgspec.structs.replace(found, details={}) == msgspec.structs.replace(lost, details={})
    assert await sellapp.search(call(), NOW + timedelta(seconds=1)) == []


async def test_a_quantity_that_is_shown_is_compared(sellapp: Provider, place: Place) -> None:
    """Where SellApp shows none, the variants alone decide."""
    assert isinstance(sellapp, SearchingProvider)
    await begun(sellapp, selling(LineItem(product_id="4321", quantity=2)))
    since = NOW - timedelta(minutes=1)
    assert len(await sellapp.search(call(), since)) == 1
    habit(place, shows_quantities=True)
    assert await sellapp.search(call(), since) == []


async def test_a_search_reads_every_page(sellapp: Provider) -> None:
    """A buyer of many invoices is looked through to the end of the time in question."""
    assert isinstance(sellapp, SearchingProvider)
    await begun(sellapp)
    other = selling(LineItem(product_id="4322"))
    for _ in range(100):
        await begun(sellapp, other)
    assert len(await sellapp.search(call(), NOW - timedelta(minutes=1))) == 1


async def test_a_named_invoice_is_checked_before_its_checkout(
    sellapp: Provider, place: Place
) -> None:
    """It must be pending and sell what the cart says; nothing is made."""
    habit(place, shows_quantities=True)
    invoice_id = (await begun(sellapp)).provider_session_id
    wrong = {
        "cart.line_items": [
            named(invoice_id, LineItem(product_id="4322")),
            named(invoice_id, LineItem(product_id="4321", quantity=2)),
            named(invoice_id, LineItem(product_id="4321"), LineItem(product_id="4322")),
        ],
        "provider_options.sellapp.invoice_id": [named("77")],
    }
    for field, requests in wrong.items():
        for request in requests:
            with pytest.raises(ProviderRejected) as caught:
                await sellapp.create(call(request))
            assert [violation.field for violation in caught.value.violations] == [field]
    await sellapp.cancel(invoice_id)
    with pytest.raises(ProviderRejected) as caught:
        await sellapp.create(call(named(invoice_id)))
    assert caught.value.metadata["provider_code"] == "NOT_PENDING"
    assert emulator_of(place).requests.creates == 1


async def test_a_page_that_cost_something_is_paid_exactly(sellapp: Provider, place: Place) -> None:
    """The provider's total is the session's, VAT apart."""
    german = msgspec.structs.replace(
        SHOP,
        customer=msgspec.convert({"email": EMAIL, "billing_address": {"country": "DE"}}, Customer),
    )
    session = await created(sellapp, call_for(german))
    assert session.totals is not None
    assert (session.totals.total, session.totals.tax) == (Money(2379, "USD"), Money(380, "USD"))
    emulator_of(place).pay(session.provider_session_id)
    (payment,) = (await sellapp.retrieve(session.provider_session_id)).payments
    assert payment.amount == session.totals.total


async def test_a_key_without_the_ability_is_the_operators_fault(
    sellapp: Provider, place: Place
) -> None:
    """A 403 is never the caller's."""
    emulator_of(place).abilities = frozenset()
    with pytest.raises(ProviderCredentialsRejected):
        await sellapp.create(call())


async def test_the_store_is_always_named(place: Place) -> None:
    """Another store of the same key has neither the products nor the invoices."""
    other = build(settings_for(place, "sellapp", own={"store": "another-store"}))
    with pytest.raises(ProviderRejected) as caught:
        await other.create(call())
    (violation,) = caught.value.violations
    assert violation.field == "cart.line_items[0].product_id"
    await other.close()
