"""The table of what each provider can do, made of what the adapters declare: `make docs`."""

import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

from service.core.capability import Capabilities
from service.core.ports import Provider
from service.providers.registry import build_provider
from service.providers.secrets import Secret
from service.providers.settings import AccountSettings
from service.sandbox.registry import EMULATIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "providers" / "README.md"
BEGIN, END = "<!-- made by make docs -->\n", "<!-- end -->\n"
NAMES = {
    "clover": "Clover",
    "dodo": "Dodo Payments",
    "fastspring": "FastSpring",
    "sellapp": "SellApp",
    "square": "Square",
}
# An account of Square is set to one of two calls, and what it can do depends on that.
CALLS = {"square": ("links", "checkouts")}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def accounts() -> dict[str, Provider]:
    """Build an account of every provider, one for each call it can be set to."""
    found = {}
    for provider in sorted(EMULATIONS):
        own = dict(EMULATIONS[provider].own_settings)
        for call in CALLS.get(provider, ("",)):
            title = f"{NAMES[provider]}, {call}" if call else NAMES[provider]
            found[title] = _account(provider, own | ({"call": call} if call else {}))
    return found


def _account(provider: str, own: dict[str, str]) -> Provider:
    settings = AccountSettings(provider=provider, live=False, api_key=Secret(value="k"), own=own)
    return build_provider(settings, chance=lambda: 0.0, observe=lambda *_: None)


ROWS: dict[str, Callable[[Capabilities], str]] = {
    "Sessions can be read (`refresh`)": lambda c: _yes(c.retrieve),
    "Missed payments are looked for": lambda c: _yes(c.lists_payments),
    "Pages can be closed": lambda c: _yes(c.cancel),
    "Who ends an unpaid session": lambda c: c.expiry_enforcement.value,
    "Lifetime, at most": lambda c: _span(c.max_lifetime),
    "Lifetime, unless asked otherwise": lambda c: _span(c.default_lifetime),
    "After a lost answer": lambda c: c.unknown_outcome_strategy.value,
    "A line sells": lambda c: ", ".join(sorted(kind.value for kind in c.item_kinds)),
    "Lines, at most": lambda c: str(c.max_line_items),
    "Quantity, at most": lambda c: f"{c.max_quantity:,}",
    "Quantity 0": lambda c: _yes(c.zero_quantity),
    "Discount codes, at most": lambda c: str(c.max_discount_codes),
    "Metadata: pairs, characters of a key, of a value": lambda c: (
        f"{c.metadata.max_pairs}, {c.metadata.max_key_length}, {c.metadata.max_value_length}"
    ),
    "Subscriptions": lambda c: _yes(c.subscriptions),
    "Webhook signature": lambda c: f"`{c.webhook_signature}`",
}


def render() -> str:
    """Return both tables: what differs by provider, and which request fields each takes."""
    found = {title: account.capabilities for title, account in accounts().items()}
    return "\n".join([*_differences(found), "", *_fields(found)]) + "\n"


def _differences(found: dict[str, Capabilities]) -> Iterator[str]:
    yield from _head("", found)
    for row, value in ROWS.items():
        yield _line(row, (value(capabilities) for capabilities in found.values()))


def _fields(found: dict[str, Capabilities]) -> Iterator[str]:
    yield from _head("Request field", found)
    declared = [{_named(path) for path in one.request_fields} for one in found.values()]
    for name in sorted(set().union(*declared)):
        yield _line(f"`{name}`", (_mark(name, fields) for fields in declared))


def _mark(name: str, declared: set[str]) -> str:
    if any(name == path or name.startswith(f"{path}.") for path in declared):
        return "✓"
    return "in part" if any(path.startswith(f"{name}.") for path in declared) else ""


def _named(path: str) -> str:
    """Name the options of any provider by one name: each takes its own alone."""
    head, found, _ = path.partition("provider_options.")
    return f"{head}provider_options" if found else path


def _head(first: str, found: dict[str, Capabilities]) -> Iterator[str]:
    yield _line(first, found)
    yield "|---" * (1 + len(found)) + "|"


def _line(first: str, cells: Iterable[str]) -> str:
    return "| " + " | ".join([first, *cells]) + " |"


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _span(span: timedelta) -> str:
    for unit, name in ((DAY, "d"), (HOUR, "h"), (timedelta(minutes=1), "min")):
        if span >= unit and not span % unit:
            return f"{span // unit} {name}"
    return f"{span.total_seconds():.0f} s"


def written(page: str, table: str) -> str:
    """Return the page with the table in its place."""
    head, _, rest = page.partition(BEGIN)
    return head + BEGIN + table + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8"), render()), "utf-8")
    sys.stdout.write(f"{PAGE.name} is written\n")
