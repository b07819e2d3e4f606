"""The form of Clover's page: a tip where the request allows it, and the customer's details."""

from collections.abc import Iterator, Mapping

from service.sandbox.clover.records import Session
from service.sandbox.emulator import Field

TIP = "tip"
TIPS = ("0", "15", "18", "20")


def fields(session: Session) -> tuple[Field, ...]:
    """Return the inputs of the page, prefilled from the request."""
    customer = session.request.customer
    return (
        *_tip_fields(session),
        Field(
            name="name",
            value=" ".join(filter(None, (customer.first_name, customer.last_name))),
            autocomplete="name",
            is_required=True,
        ),
        Field(
            name="email",
            kind="email",
            value=customer.email,
            autocomplete="email",
            is_required=True,
        ),
        Field(
            name="phone_number",
            kind="tel",
            group="more",
            value=customer.phone_number,
            autocomplete="tel",
        ),
    )


def tip(session: Session, values: Mapping[str, str]) -> int:
    """Return the chosen tip: a share of the total before it, halves rounded up."""
    return (session.cart.total * int(values.get(TIP, "0")) + 50) // 100


def _tip_fields(session: Session) -> Iterator[Field]:
    if session.request.tips.enabled:
        yield Field(
            name=TIP,
            kind="select",
            group="order",
            options=tuple((rate, f"{rate}\N{NO-BREAK SPACE}%") for rate in TIPS),
            value=TIPS[0],
            is_required=True,
        )
