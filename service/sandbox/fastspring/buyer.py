"""The form of FastSpring's page: what it asks for a session, and the buyer that a filled form describes."""

from collections.abc import Mapping

from service.sandbox.emulator import Field
from service.sandbox.fastspring.payloads import payment_methods
from service.sandbox.fastspring.records import Buyer, Session

COUNTRY = "country"
CODE_FIELD = "discount_code"
COUNTRIES = (
    "AT",
    "AU",
    "BR",
    "CA",
    "CH",
    "DE",
    "ES",
    "FR",
    "GB",
    "IN",
    "IT",
    "JP",
    "MX",
    "NL",
    "US",
)


def fields(session: Session) -> tuple[Field, ...]:
    """Return the inputs of the page, prefilled from the request; the country decides the currency."""
    customer = session.body.get("customer", {})
    contact, address = customer.get("billToContact", {}), customer.get("billToAddress", {})
    countries = sorted({*COUNTRIES, session.country})
    methods = payment_methods(session)
    return (
        Field(
            name=COUNTRY,
            kind="country",
            group="order",
            options=tuple((code, code) for code in countries),
            value=session.country,
            autocomplete="country",
            is_required=True,
        ),
        Field(
            name="email",
            kind="email",
            value=contact.get("email", ""),
            autocomplete="email",
            is_required=True,
        ),
        Field(
            name="name",
            value=" ".join(filter(None, (contact.get("firstName"), contact.get("lastName")))),
            autocomplete="name",
            is_required=True,
        ),
        Field(
            name="zipcode",
            group="address",
            value=address.get("postalCode", ""),
            autocomplete="postal-code",
        ),
        Field(
            name="city",
            group="address",
            value=address.get("city", ""),
            autocomplete="address-level2",
        ),
        Field(
            name="phone_number",
            kind="tel",
            group="more",
            value=contact.get("phoneNumber", ""),
            autocomplete="tel",
        ),
        Field(
            name="payment_method",
            kind="select",
            group="payment",
            options=tuple((method["id"], method["description"]) for method in methods),
            value=methods[0]["id"] if methods else "",
            is_required=bool(methods),
        ),
    )


def buyer(values: Mapping[str, str]) -> Buyer:
    """Build the buyer that checked values describe."""
    first, _, last = values["name"].rpartition(" ")
    return Buyer(
        email=values["email"],
        first=first or last,
        last=last if first else "",
        country=values[COUNTRY],
        phone=values["phone_number"],
        postal_code=values["zipcode"],
        city=values["city"],
        method=values["payment_method"] or "CARD",
    )
