"""What an operator sets for a Clover account beyond what every account has."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct

OWN_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "merchant_id": "id of the merchant that sells; required",
        "currency": "the merchant's currency, `USD` or `CAD`; required",
    }
)
# Hosted checkout exists in the United States and Canada, and charges in the merchant's own currency.
CURRENCIES = frozenset({"USD", "CAD"})
# Thirteen characters in Clover's examples, a UUID in one of its texts.
MERCHANT_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


class CloverSettings(Struct, frozen=True, kw_only=True):
    """Settings of one account."""

    merchant_id: str
    currency: str

    @classmethod
    def of(cls, own: Mapping[str, str]) -> "CloverSettings":
        """Read settings that have no problems."""
        return cls(merchant_id=own["merchant_id"], currency=own["currency"])


def settings_problems(own: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with an account's own settings."""
    if not MERCHANT_ID.fullmatch(own.get("merchant_id", "")):
        yield "merchant_id: set the merchant's id, as Clover's dashboard shows it"
    if own.get("currency", "") not in CURRENCIES:
        yield "currency: set that of the merchant, USD in the United States and CAD in Canada"
