"""Every field of every provider's documentation travels, or is left out on purpose, as the page of fields says."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import pytest

from service.core.errors import ProviderRejected
from service.core.model import CreateRequest
from tests.proto.fields_page import Row, covers, rows
from tests.proto.test_fields import NAMES
from tests.providers.clover import test_conformance as clover
from tests.providers.dodo import test_conformance as dodo
from tests.providers.fastspring import test_conformance as fastspring
from tests.providers.fields import with_field
from tests.providers.sandbox import Place
from tests.providers.sellapp import test_conformance as sellapp
from tests.providers.square import test_conformance as square
from tests.providers.suite import ProviderSuite, accepted, build, call_for, created

# A part of a path that is not a name but somebody's id.
VARIABLE = "{id}"


class Seller(NamedTuple):
    """A provider's calls, each with its suite, and requests that set what no sample of a suite does."""

    suites: Sequence[type[ProviderSuite]]
    further: Sequence[CreateRequest]


SELLERS = {
    "Clover": Seller((clover.TestClover,), ()),
    "Dodo Payments": Seller((dodo.TestDodo,), dodo.FURTHER),
    "FastSpring": Seller((fastspring.TestFastspring,), fastspring.FURTHER),
    "SellApp": Seller((sellapp.TestSellapp,), ()),
    "Square": Seller((square.TestLinks, square.TestCheckouts), square.FURTHER),
}


@pytest.mark.parametrize("provider", NAMES)
async def test_every_field_travels_as_the_page_says(provider: str, place: Place) -> None:
    """What has a place in the contract is found on the wire under its name, and what is refused never is."""
    sent = {path async for path in _everything_sent(SELLERS[provider], place)}
    requests = [row for row in rows() if (row.provider, row.table) == (provider, "Request")]
    missing = [row.fields for row in requests if row.places and not _travels(row, sent)]
    assert missing == []
    refused = [row for row in requests if row.word == "refused"]
    assert [row.fields for row in refused if _travels(row, sent)] == []


async def _everything_sent(seller: Seller, place: Place) -> AsyncIterator[str]:
    for kind in seller.suites:
        suite = kind()
        adapter = build(suite.settings(place))
        samples = (with_field(base, path, value) for path, (base, value) in suite.samples.items())
        for request in (*samples, *seller.further):
            if accepted(request, adapter):
                # What the sandbox's catalogue lacks is refused there, and has been sent.
                with suppress(ProviderRejected):
                    await created(adapter, call_for(request))
        await adapter.close()
    for name in place.named:
        yield name
    for body in place.bodies:
        for path in _paths(body):
            yield path


def _travels(row: Row, sent: set[str]) -> bool:
    """Tell whether a path was sent, within the body or within the order that holds it."""
    return any(
        covers(field, path)
        or path.startswith((f"{field}.", f"{field}[]"))
        or path.endswith(f".{field}")
        or _is_of_some_id(field, path)
        for field in row.fields
        for path in sent
    )


def _is_of_some_id(field: str, path: str) -> bool:
    pattern = re.escape(field).replace(re.escape(VARIABLE), "[^.]+")
    return VARIABLE in field and re.fullmatch(pattern, path) is not None


def _paths(value: object, path: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _paths(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        yield f"{path}[]"
        yield path
        for inner in value:
            yield from _paths(inner, f"{path}[]")
    if path:
        yield path
