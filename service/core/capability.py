"""What a provider account can do, and the refusal by name of everything else."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from service.core.model import ExpiryEnforcement, ItemKind, UnknownOutcomeStrategy, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from service.core.model import CreateRequest, LineItem, Money


class MetadataLimits(Struct, frozen=True):
    """Limits of metadata at a provider, the reserved pair already taken off."""

    max_pairs: int
    max_key_length: int
    max_value_length: int


class Capabilities(Struct, frozen=True, kw_only=True):
    """Declared facts of a provider account; see the proto message of the same name."""

    retrieve: bool
    cancel: bool
    expiry_enforcement: ExpiryEnforcement
    min_lifetime: timedelta
    max_lifetime: timedelta
    default_lifetime: timedelta
    unknown_outcome_strategy: UnknownOutcomeStrategy
    item_kinds: frozenset[ItemKind]
    request_fields: frozenset[str]
    max_line_items: int
    max_amount: int
    max_quantity: int
    zero_quantity: bool
    max_discount_codes: int
    metadata: MetadataLimits
    currencies: frozenset[str]
    webhook_events: frozenset[str]
    webhook_signature: str
    subscriptions: bool
    lists_payments: bool = False


OURS = frozenset(
    {
        "request_id",
        "provider",
        "account",
        "expire_time",
        "ttl",
        "metadata",
        "reference_id",
        "validate_only",
    }
)
"""Fields this service serves by itself, whatever the provider."""


def unsupported(
    request: CreateRequest, capabilities: Capabilities, provider: str
) -> list[Violation]:
    """Return every field of a request that the capabilities do not cover."""
    fields = msgspec.to_builtins(request)
    allowed = capabilities.request_fields | OURS
    # Nearly every request is covered, and telling so takes a fraction of naming what is not.
    is_covered = _is_covered(fields, _tree(allowed))
    return [
        *(() if is_covered else _undeclared(fields, "", "", allowed, provider)),
        *_cart(request, capabilities),
        *_metadata(request.metadata, capabilities),
    ]


Tree = dict[str, "Tree | None"]
"""Names of fields, each with those below it, or with nothing where all of it is allowed."""


@lru_cache
def _tree(allowed: frozenset[str]) -> Tree:
    tree: Tree = {}
    # A field of which all is allowed comes before those below it, and has none of them.
    for path in sorted(allowed):
        _add(tree, path.split("."))
    return tree


def _add(tree: Tree, names: list[str]) -> None:
    first, *rest = names
    if not rest:
        tree[first] = None
        return
    below = tree.setdefault(first, {})
    if below is not None:
        _add(below, rest)


def _is_covered(fields: Mapping[str, object], tree: Tree) -> bool:
    for name, value in fields.items():
        if name not in tree:
            return False
        below = tree[name]
        if below is None:
            continue
        parts = value if isinstance(value, list | tuple) else (value,)
        if not parts or not all(isinstance(one, dict) and _is_covered(one, below) for one in parts):
            return False
    return True


def _undeclared(
    value: object, path: str, name: str, allowed: frozenset[str], provider: str
) -> Iterator[Violation]:
    if name in allowed:
        return
    if isinstance(value, dict) and (value or _holds_allowed(name, allowed)):
        for key, child in value.items():
            yield from _undeclared(child, _join(path, key), _join(name, key), allowed, provider)
    elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        for index, child in enumerate(value):
            yield from _undeclared(child, f"{path}[{index}]", name, allowed, provider)
    else:
        yield Violation(path, f"{provider} does not take this field")


def _holds_allowed(name: str, allowed: frozenset[str]) -> bool:
    return not name or any(field.startswith(f"{name}.") for field in allowed)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _cart(request: CreateRequest, capabilities: Capabilities) -> Iterator[Violation]:
    cart = request.cart
    if len(cart.line_items) > capabilities.max_line_items:
        most = capabilities.max_line_items
        yield Violation("cart.line_items", f"{request.provider} takes at most {most} lines")
    if cart.currency and cart.currency not in capabilities.currencies and capabilities.currencies:
        yield Violation("cart.currency", f"{request.provider} does not charge in {cart.currency}")
    if len(cart.discount_codes) > capabilities.max_discount_codes > 0:
        most = capabilities.max_discount_codes
        yield Violation("cart.discount_codes", f"{request.provider} takes at most {most} codes")
    for index, item in enumerate(cart.line_items):
        yield from _line(item, f"cart.line_items[{index}]", request.provider, capabilities)


def _line(
    item: LineItem, path: str, provider: str, capabilities: Capabilities
) -> Iterator[Violation]:
    kind = item_kind(item)
    if kind not in capabilities.item_kinds:
        yield Violation(_KIND_FIELD[kind].format(path=path), f"{provider} {_KIND_REFUSAL[kind]}")
    if item.quantity == 0 and not capabilities.zero_quantity:
        yield Violation(f"{path}.quantity", f"{provider} does not take quantity 0")
    if item.quantity is not None and item.quantity > capabilities.max_quantity:
        most = capabilities.max_quantity
        yield Violation(f"{path}.quantity", f"{provider} takes at most {most}")
    prices = {"unit_price": item.unit_price, "custom_amount": item.custom_amount}
    yield from _amounts(prices, path, provider, capabilities)


def _amounts(
    prices: Mapping[str, Money | None], path: str, provider: str, capabilities: Capabilities
) -> Iterator[Violation]:
    most = capabilities.max_amount
    for name, money in prices.items():
        if money is not None and money.amount > most:
            yield Violation(f"{path}.{name}.amount", f"{provider} takes at most {most}")


def item_kind(item: LineItem) -> ItemKind:
    """Return in which of the three ways a line says what it sells."""
    if item.name:
        return ItemKind.AD_HOC
    return ItemKind.CATALOG_WITH_PRICE if item.unit_price else ItemKind.CATALOG


_KIND_FIELD = {
    ItemKind.AD_HOC: "{path}.name",
    ItemKind.CATALOG: "{path}.product_id",
    ItemKind.CATALOG_WITH_PRICE: "{path}.unit_price",
}
_KIND_REFUSAL = {
    ItemKind.AD_HOC: "sells items of its catalogue only: use product_id",
    ItemKind.CATALOG: "has no catalogue: use name and unit_price",
    ItemKind.CATALOG_WITH_PRICE: "sets the price of its catalogue's items itself",
}


def _metadata(metadata: Mapping[str, str], capabilities: Capabilities) -> Iterator[Violation]:
    limits = capabilities.metadata
    if len(metadata) > limits.max_pairs:
        yield Violation("metadata", f"at most {limits.max_pairs} pairs")
    for key, value in metadata.items():
        if len(key) > limits.max_key_length:
            yield Violation(
                f'metadata["{key}"]', f"keys have at most {limits.max_key_length} characters"
            )
        if len(value) > limits.max_value_length:
            yield Violation(
                f'metadata["{key}"]', f"values have at most {limits.max_value_length} characters"
            )
