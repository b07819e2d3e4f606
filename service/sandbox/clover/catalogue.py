"""The demo merchant and its inventory."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

# Thirteen characters, as in all published examples.
MERCHANT_ID = "DEMOMERCHANT1"
CURRENCY = "USD"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An item of the inventory, with its own tax at Clover's scale: 100 000 is one percent."""

    name: str
    price: int
    rate: int = 0


INVENTORY: Mapping[str, Item] = MappingProxyType(
    {
        "item_demo": Item(name="Demo T-shirt", price=1999),
        "item_demo_taxed": Item(name="Demo mug", price=1000, rate=1_000_000),
    }
)
