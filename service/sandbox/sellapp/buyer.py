"""The form of the processor's page: what it asks, and how much a buyer sends."""

from collections.abc import Iterator, Mapping

from service.sandbox.currency import to_major, to_minor
from service.sandbox.emulator import EntryInvalid, Field
from service.sandbox.sellapp.enums import COINS
from service.sandbox.sellapp.records import Invoice

AMOUNT = "amount"


def fields(invoice: Invoice) -> tuple[Field, ...]:
    """Return the inputs of the page; whoever pays in coins may send too few."""
    return (
        Field(
            name="email",
            kind="email",
            value=invoice.customer.email,
            autocomplete="email",
            is_readonly=True,
        ),
        *_amount_field(invoice),
    )


def sent(invoice: Invoice, values: Mapping[str, str]) -> int:
    """Return how much a buyer sends, in minor units."""
    due = remaining(invoice)
    if AMOUNT not in values:
        return due
    try:
        amount = to_minor(values[AMOUNT], invoice.priced.currency)
    except ValueError as error:
        raise EntryInvalid({AMOUNT: "amount_invalid"}) from error
    if amount < 1:
        raise EntryInvalid({AMOUNT: "amount_low"})
    return amount


def remaining(invoice: Invoice) -> int:
    """Return what is still due."""
    return max(invoice.priced.due - invoice.received, 0)


def _amount_field(invoice: Invoice) -> Iterator[Field]:
    if invoice.payment_method in COINS:
        currency = invoice.priced.currency
        yield Field(
            name=AMOUNT,
            kind="amount",
            group="payment",
            label=f"{invoice.payment_method} ({currency})",
            value=str(to_major(remaining(invoice), currency)),
            is_required=True,
        )
