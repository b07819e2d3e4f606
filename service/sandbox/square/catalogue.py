"""The demo seller: its locations, and what its catalogue holds."""

from collections.abc import Mapping

import msgspec

MERCHANT_ID = "MLDEMO"
LOCATION_ID = "LDEMO"
# Square publishes no limit for an order; this one keeps the refusal within a test's reach.
MAX_TOTAL = 99_999_999


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """A place of business; it takes one currency only."""

    location_id: str
    currency: str
    takes_cards: bool = True


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An object of the catalogue: a price for variations and modifiers, a rate for the others."""

    name: str
    kind: str
    variation_name: str = ""
    amount: int | None = None
    currency: str = "USD"
    percentage: str = ""


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """All that the seller has; an amount of none is a price that each order sets."""

    locations: Mapping[str, Location]
    entries: Mapping[str, Entry]


def demo_catalogue() -> Catalogue:
    """Return the demo seller."""
    return Catalogue(
        locations={
            place.location_id: place
            for place in (
                Location(location_id=LOCATION_ID, currency="USD"),
                Location(location_id="LDEMO_EUR", currency="EUR"),
                Location(location_id="LDEMO_GBP", currency="GBP"),
                Location(location_id="LDEMO_JPY", currency="JPY"),
                Location(location_id="LDEMO_NO_CARDS", currency="USD", takes_cards=False),
            )
        },
        entries={
            "variation_demo": Entry(
                kind="variation", name="Demo Product", variation_name="Regular", amount=1999
            ),
            "variation_demo_large": Entry(
                kind="variation", name="Demo Product", variation_name="Large", amount=2999
            ),
            "variation_demo_variable": Entry(
                kind="variation", name="Demo Donation", variation_name="Any amount"
            ),
            "variation_demo_eur": Entry(
                kind="variation",
                name="Demo Produkt",
                variation_name="Standard",
                amount=1450,
                currency="EUR",
            ),
            "modifier_demo": Entry(kind="modifier", name="Gift Wrap", amount=50),
            "tax_demo": Entry(kind="tax", name="Demo Tax", percentage="9"),
            "discount_demo": Entry(kind="discount", name="Demo Membership", percentage="0.5"),
        },
    )
