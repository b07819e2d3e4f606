"""What an operator sets for a SellApp account beyond what every account has."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from service.providers.settings import AccountSettings

OWN_SETTINGS: Mapping[str, str] = MappingProxyType(
    {"store": "slug of the store that sells, sent as `X-STORE`; required"}
)
SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def settings_problems(settings: AccountSettings) -> Iterator[str]:
    """Yield what is wrong with an account beside its secrets."""
    if not SLUG.fullmatch(settings.own.get("store", "")):
        # Without it SellApp takes the key's first store, and says nothing.
        yield "store: set the slug of the store that sells"
    if not settings.live and settings.base_url is None:
        yield "live: SellApp has no test mode; set live = true, or the base_url of an emulator"
