"""Details of providers come out as JSON would put them into the message."""

from datetime import UTC, datetime

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import given
from hypothesis import strategies as st

from checkout.v1 import provider_options_pb2
from service.api.convert.details import details_to_proto

DETAILS = provider_options_pb2.ProviderDetails
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
INTEGERS = st.integers(-(2**31), 2**31 - 1)
SCALARS = {
    FieldDescriptor.TYPE_STRING: st.text(max_size=8),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_INT32: INTEGERS,
    FieldDescriptor.TYPE_INT64: INTEGERS | INTEGERS.map(str),
    FieldDescriptor.TYPE_ENUM: st.integers(0, 1),
}


def values_of(descriptor: Descriptor) -> st.SearchStrategy[dict[str, object]]:
    """Return values for some fields of a message, as an adapter may give them."""
    return st.fixed_dictionaries(
        {}, optional={field.name: value_of(field) for field in descriptor.fields}
    )


def value_of(field: FieldDescriptor) -> st.SearchStrategy[object]:
    """Return values for one field, nothing among them."""
    inner: st.SearchStrategy[object]
    if field.message_type is None:
        inner = SCALARS[field.type]
    elif field.message_type.full_name == "google.protobuf.Timestamp":
        inner = TIMES.map(lambda time: time.isoformat().replace("+00:00", "Z"))
    elif field.message_type.full_name == "google.protobuf.Duration":
        inner = st.integers(0, 10**6).map("{}s".format)
    else:
        inner = values_of(field.message_type)
    return st.lists(inner, max_size=2) if field.is_repeated else st.none() | inner


@given(values_of(DETAILS.DESCRIPTOR))
def test_details_are_those_of_json(values: dict[str, object]) -> None:
    """Whatever an adapter says, the message is the one that the slow way makes."""
    written = DETAILS()
    details_to_proto(values, written)
    assert written == json_format.ParseDict(values, DETAILS())


@pytest.mark.parametrize("with_pages", [True, False])
def test_pages_are_left_out_where_they_are_not_to_be_seen(*, with_pages: bool) -> None:
    """An address that leads around the gate stays inside, at whatever depth it stands."""
    gateway = {"checkout_url": "https://pay.example", "type": "STRIPE"}
    details = DETAILS()
    details_to_proto({"sellapp": {"gateway": gateway}}, details, with_pages=with_pages)
    assert details.sellapp.gateway.type == "STRIPE"
    assert bool(details.sellapp.gateway.checkout_url) is with_pages


def test_what_a_later_release_wrote_is_left_out() -> None:
    """A field nobody knows yet harms no read."""
    details = DETAILS()
    details_to_proto({"sellapp": {"novelty": {"x": 1}, "store_id": "7"}}, details)
    assert details.sellapp.store_id == "7"
