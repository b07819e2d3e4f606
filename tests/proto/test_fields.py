"""Every documented field of every provider has its place in the contract, and the page says which."""

import tomllib
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor

from checkout.v1.checkout_service_pb2 import CreateSessionRequest
from checkout.v1.provider_options_pb2 import LineItemOptions, ProviderDetails, ProviderOptions
from checkout.v1.session_pb2 import Session
from tests.proto.fields_page import SERVICE, Row, covers, exists, leaves, parts, rows

DOCUMENTED = tomllib.loads(Path(__file__).with_name("provider_fields.toml").read_text("utf-8"))
TABLES = {"Request": CreateSessionRequest.DESCRIPTOR, "Answer": Session.DESCRIPTOR}
NAMES = {
    "Clover": "clover",
    "Dodo Payments": "dodo",
    "FastSpring": "fastspring",
    "Square": "square",
    "SellApp": "sellapp",
}
WORDS = {"Request": {"account", "service", "refused"}, "Answer": {"not kept"}}
CASES = [(provider, table) for provider in NAMES for table in TABLES]


def table_rows(provider: str, table: str) -> list[Row]:
    """Select the rows of one table."""
    return [row for row in rows() if (row.provider, row.table) == (provider, table)]


def own_paths(message: Descriptor, prefix: str, name: str) -> set[str]:
    """List the paths of what a message holds for one provider."""
    field = message.fields_by_name.get(name)
    inner = parts(field) if field else None
    return set(leaves(inner, f"{prefix}{name}.")) if inner else set()


@pytest.mark.parametrize(("provider", "table"), CASES)
def test_every_documented_field_is_on_the_page(provider: str, table: str) -> None:
    """What a provider's documentation names can be looked up, once."""
    written = [field for row in table_rows(provider, table) for field in row.fields]
    missing = [
        field
        for field in DOCUMENTED[provider][table]
        if not any(covers(name, field) for name in written)
    ]
    assert missing == []
    assert sorted(set(written)) == sorted(written)


@pytest.mark.parametrize(("provider", "table"), CASES)
def test_every_field_on_the_page_is_documented(provider: str, table: str) -> None:
    """The page names no field that a provider does not have."""
    written = [field for row in table_rows(provider, table) for field in row.fields]
    documented = DOCUMENTED[provider][table]
    unknown = [name for name in written if not any(covers(name, field) for field in documented)]
    assert unknown == []


@pytest.mark.parametrize(("provider", "table"), CASES)
def test_every_place_exists_in_the_contract(provider: str, table: str) -> None:
    """The places on the page are fields of the request or of the session."""
    places = [place for row in table_rows(provider, table) for place in row.places]
    assert [place for place in places if not exists(TABLES[table], place)] == []


@pytest.mark.parametrize(("provider", "table"), CASES)
def test_what_has_no_place_says_why(provider: str, table: str) -> None:
    """A field without a place is the account's or the service's, or is openly left out."""
    words = {row.word for row in table_rows(provider, table) if not row.places}
    assert words <= WORDS[table]


@pytest.mark.parametrize(("provider", "name"), NAMES.items())
def test_every_option_and_detail_stems_from_a_field(provider: str, name: str) -> None:
    """Nothing is promised for one provider that no field of that provider carries."""
    line = "cart.line_items[].provider_options."
    promised = {
        "Request": own_paths(ProviderOptions.DESCRIPTOR, "provider_options.", name)
        | own_paths(LineItemOptions.DESCRIPTOR, line, name),
        "Answer": own_paths(ProviderDetails.DESCRIPTOR, "provider_details.", name),
    }
    for table, paths in promised.items():
        places = {place for row in table_rows(provider, table) for place in row.places}
        unused = {path for path in paths if not any(covers(place, path) for place in places)}
        assert unused == set()


@pytest.mark.parametrize(("provider", "name"), NAMES.items())
def test_no_field_stands_in_options_of_another_provider(provider: str, name: str) -> None:
    """A provider's fields lead to common places and to its own."""
    others = [f".{other}." for other in NAMES.values() if other != name]
    places = [place for row in rows() if row.provider == provider for place in row.places]
    assert [place for place in places if any(other in place for other in others)] == []


def test_every_field_of_the_request_reaches_a_provider_or_the_service() -> None:
    """The contract holds no field that nobody honours."""
    requests = [row for row in rows() if row.table == "Request"]
    own = {field for row in rows() if row.provider == SERVICE for field in row.fields}
    places = {place for row in requests for place in row.places} | own
    unused = [
        path
        for path in leaves(CreateSessionRequest.DESCRIPTOR)
        if not any(covers(place, path) for place in places)
    ]
    assert unused == []
    assert [path for path in own if not exists(CreateSessionRequest.DESCRIPTOR, path)] == []
