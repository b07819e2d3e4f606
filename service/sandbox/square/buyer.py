"""The form of Square's page: what it asks for a session, and the buyer that a filled form describes."""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from service.sandbox.emulator import Field
from service.sandbox.square.enums import COUNTRIES
from service.sandbox.square.records import Buyer, Session
from service.sandbox.square.schema import JsonObject

TIP = "tip"
TIPS = ("0", "15", "18", "20")
DEFAULT_COUNTRY = "US"
COUNTRY_OPTIONS = tuple((code, code) for code in sorted(COUNTRIES - {"ZZ"}))
ADDRESS_FIELDS = {
    "zipcode": "postal_code",
    "street": "address_line_1",
    "city": "locality",
    "state": "administrative_district_level_1",
    "country": "country",
}
HINTS = {
    "zipcode": "postal-code",
    "street": "street-address",
    "city": "address-level2",
    "state": "address-level1",
}


def fields(session: Session) -> tuple[Field, ...]:
    """Return the inputs of the page, prefilled from the request."""
    prefilled = session.prefilled
    return (
        *_tip_fields(session),
        Field(
            name="email",
            kind="email",
            value=prefilled.email,
            autocomplete="email",
            is_required=True,
        ),
        Field(
            name="phone_number",
            kind="tel",
            group="more",
            value=prefilled.phone,
            autocomplete="tel",
        ),
        *(_address_fields(prefilled.address) if asks_address(session) else ()),
        *_custom_fields(session),
    )


def asks_address(session: Session) -> bool:
    """Tell whether the page asks where to ship."""
    return bool(session.options.get("ask_for_shipping_address"))


def tip(session: Session, values: Mapping[str, str]) -> int:
    """Return the chosen tip: a share of the total before it, halves to even."""
    return round(session.order.priced.total * Fraction(values.get(TIP, "0")) / 100)


def buyer(session: Session, values: Mapping[str, str]) -> Buyer:
    """Build the buyer that checked values describe."""
    address: JsonObject = {}
    if asks_address(session):
        first, _, last = values["name"].rpartition(" ")
        given = {theirs: values[ours] for ours, theirs in ADDRESS_FIELDS.items()}
        given |= {"first_name": first or last, "last_name": last if first else ""}
        address = {name: text for name, text in given.items() if text}
    return Buyer(email=values["email"], phone=values["phone_number"], address=address)


def _tip_fields(session: Session) -> Iterator[Field]:
    if session.is_link and session.options.get("allow_tipping"):
        yield Field(
            name=TIP,
            kind="select",
            group="order",
            options=tuple((rate, f"{rate}\N{NO-BREAK SPACE}%") for rate in TIPS),
            value=TIPS[0],
            is_required=True,
        )


def _address_fields(address: JsonObject) -> Iterator[Field]:
    names = (address.get("first_name", ""), address.get("last_name", ""))
    yield Field(
        name="name",
        group="shipping",
        value=" ".join(name for name in names if name),
        autocomplete="name",
        is_required=True,
    )
    yield Field(
        name="country",
        kind="country",
        group="shipping",
        options=COUNTRY_OPTIONS,
        value=address.get("country", DEFAULT_COUNTRY),
        autocomplete="country",
        is_required=True,
    )
    for name, hint in HINTS.items():
        yield Field(
            name=name,
            group="shipping",
            value=address.get(ADDRESS_FIELDS[name], ""),
            autocomplete=hint,
            is_required=name != "state",
        )


def _custom_fields(session: Session) -> Iterator[Field]:
    questions = session.options.get("custom_fields", ()) if session.is_link else ()
    for index, question in enumerate(questions):
        yield Field(name=f"custom.{index}", group="custom", label=question["title"])
