"""One endpoint for several accounts of a seller, at the providers that have but one address for all of them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from service.core.model import Cart, LineItem, Money, State
from service.core.webhooks import Receipt
from service.sandbox.fastspring.catalogue import TEST_CHECKOUT_ID
from tests.providers.market import opened
from tests.providers.tellers import TELLERS

EURO = Cart(line_items=(LineItem(name="Hemd", unit_price=Money(1500, "EUR")),))
OTHERS: Mapping[str, tuple[Mapping[str, str], Cart]] = {
    "square links": ({"location_id": "LDEMO_EUR", "currency": "EUR"}, EURO),
    "square checkouts": ({"location_id": "LDEMO_EUR", "currency": "EUR"}, EURO),
    "fastspring": ({"checkout": TEST_CHECKOUT_ID}, TELLERS["fastspring"].request.cart),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_a_payment_counts_for_the_account_it_was_made_at(
    name: str, tmp_path: Path, empty_store: bytes
) -> None:
    """It comes in at the first account's endpoint, and completes the session of the second."""
    different, cart = OTHERS[name]
    async with opened(TELLERS[name], tmp_path, empty_store, others={"second": different}) as market:
        own = await market.open()
        session = await market.open(account="second", cart=cart)
        receipts = await market.deliver(*await market.paid(session))
        assert Receipt.APPLIED in receipts
        assert {*receipts} <= {Receipt.APPLIED, Receipt.IGNORED}
        assert (await market.read(session)).state is State.COMPLETED
        assert (await market.read(own)).state is State.OPEN
        assert await market.kept() == ()


@pytest.mark.parametrize("name", ["square links", "square checkouts"])
async def test_a_location_that_no_account_is_set_up_for_is_foreign(
    name: str, tmp_path: Path, empty_store: bytes
) -> None:
    """Its payments are acknowledged and told, and belong to nobody here."""
    different, cart = OTHERS[name]
    async with opened(TELLERS[name], tmp_path, empty_store, others={"second": different}) as market:
        session = await market.open(account="second", cart=cart)
        hooks = await market.paid(session)
    (tmp_path / "alone").mkdir()
    async with opened(TELLERS[name], tmp_path / "alone", empty_store) as alone:
        signed = [alone.signed(hook.body, "again") for hook in hooks]
        assert {*await alone.deliver(*signed)} == {Receipt.FOREIGN, Receipt.IGNORED}
        assert "webhook.foreign" in alone.seen.events
        assert await alone.kept() == ()
