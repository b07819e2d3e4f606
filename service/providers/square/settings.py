"""What an operator sets for a Square account beyond what every account has."""

import enum
import re
from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from urllib.parse import urlsplit

from msgspec import Struct

OWN_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "location_id": "id of the location that sells; required",
        "currency": "the location's currency, such as `USD`; required",
        "call": "what makes the page, `links` (without one) or `checkouts`",
        "webhook_url": "the notification URL exactly as registered; required with webhook secrets",
        "api_version": "version of its API; without one the one this service was written for",
    }
)
# Those of the countries Square serves.
CURRENCIES = frozenset({"AUD", "CAD", "EUR", "GBP", "JPY", "USD"})
LOCATION_ID = re.compile(r"[A-Za-z0-9_-]{1,50}")


class Call(enum.Enum):
    """Which of Square's two calls makes the page."""

    LINKS = "links"
    CHECKOUTS = "checkouts"


# The newest published description that each call was read in.
API_VERSIONS: Mapping[Call, str] = {Call.LINKS: "2025-08-20", Call.CHECKOUTS: "2022-05-12"}


class SquareSettings(Struct, frozen=True, kw_only=True):
    """Settings of one account; `webhook_url` is exactly what is registered at Square."""

    location_id: str
    currency: str
    call: Call = Call.LINKS
    api_version: str
    webhook_url: str = ""

    @classmethod
    def of(cls, own: Mapping[str, str]) -> "SquareSettings":
        """Read settings that have no problems."""
        call = Call(own.get("call", Call.LINKS.value))
        return cls(
            location_id=own["location_id"],
            currency=own["currency"],
            call=call,
            api_version=own.get("api_version", API_VERSIONS[call]),
            webhook_url=own.get("webhook_url", ""),
        )


def settings_problems(own: Mapping[str, str], *, has_secrets: bool) -> Iterator[str]:
    """Yield what is wrong with an account's own settings."""
    if not LOCATION_ID.fullmatch(own.get("location_id", "")):
        yield "location_id: set the id of the location that sells, as Square's dashboard shows it"
    if own.get("currency", "") not in CURRENCIES:
        known = ", ".join(sorted(CURRENCIES))
        yield f"currency: set that of the location, one of {known}"
    if own.get("call", Call.LINKS.value) not in {call.value for call in Call}:
        yield "call: set links or checkouts"
    if "api_version" in own and not _is_date(own["api_version"]):
        yield "api_version: write a date, such as 2025-08-20"
    url = own.get("webhook_url", "")
    if url and not _is_url(url):
        yield "webhook_url: this is not a URL; copy what is registered at Square"
    if has_secrets and not url:
        yield "webhook_url: missing; signatures cover the URL exactly as registered at Square"


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
