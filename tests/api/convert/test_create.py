"""A request loses nothing on its way in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf import json_format
from msgspec import structs

from checkout.v1 import checkout_service_pb2 as pb
from service.api.convert.cart import cart_to_proto
from service.api.convert.create import create_from_proto
from service.api.convert.customer import customer_to_proto
from service.core.errors import InvalidRequest
from service.core.model import CreateRequest
from tests.api.convert.filling import fill, lacking


@pytest.fixture(scope="module")
def message() -> pb.CreateSessionRequest:
    """Return a request with every field set."""
    message = pb.CreateSessionRequest()
    fill(message)
    assert list(lacking(message)) == []
    return message


def test_no_field_of_a_request_is_left_out(message: pb.CreateSessionRequest) -> None:
    """The model has the contract's fields by name, and each is given."""
    given = structs.asdict(create_from_proto(message))
    empty = structs.asdict(create_from_proto(pb.CreateSessionRequest()))
    assert list(given) == [field.name for field in message.DESCRIPTOR.fields]
    assert [name for name, value in given.items() if value == empty[name]] == []


def test_a_cart_comes_back_as_it_was_given(message: pb.CreateSessionRequest) -> None:
    """Every field of a cart, its lines and their options survives the way in and out."""
    answer = pb.CreateSessionRequest()
    cart_to_proto(create_from_proto(message).cart, answer.cart)
    assert answer.cart == message.cart


def test_a_customer_comes_back_as_it_was_given(message: pb.CreateSessionRequest) -> None:
    """Every field of a customer and its addresses survives the way in and out."""
    customer = create_from_proto(message).customer
    assert customer is not None
    answer = pb.CreateSessionRequest()
    customer_to_proto(customer, answer.customer)
    assert answer.customer == message.customer


def test_what_is_absent_stays_absent() -> None:
    """An empty message and no message are told apart, and so are zero and nothing."""
    message = pb.CreateSessionRequest(provider="dodo")
    message.cart.line_items.add(product_id="pdt_1")
    message.cart.line_items.add(product_id="pdt_2", quantity=0)
    message.buyer_choices.tipping = False
    message.provider_options.dodo.SetInParent()
    request = create_from_proto(message)
    assert [line.quantity for line in request.cart.line_items] == [None, 0]
    assert request.buyer_choices is not None
    assert (request.buyer_choices.tipping, request.buyer_choices.discount_codes) == (False, None)
    assert request.provider_options == {"dodo": {}}
    assert (request.customer, request.ttl, request.payment_methods) == (None, None, None)


def test_options_keep_the_names_of_the_contract() -> None:
    """Options are the set fields alone, as a caller writes them."""
    text = '{"providerOptions":{"dodo":{"subscription":{"trialPeriodDays":7}}}}'
    request = create_from_proto(json_format.Parse(text, pb.CreateSessionRequest()))
    assert request.provider_options == {"dodo": {"subscription": {"trial_period_days": 7}}}


def test_the_account_has_a_default() -> None:
    """An empty account is the account named "default"."""
    assert create_from_proto(pb.CreateSessionRequest()).account == "default"
    assert create_from_proto(pb.CreateSessionRequest(account="eu")).account == "eu"


def test_times_are_exact_to_the_microsecond() -> None:
    """A wish for a time or a lifetime arrives as it was meant."""
    message = pb.CreateSessionRequest()
    message.expire_time.FromJsonString("2030-01-02T03:04:05.678901999Z")
    message.ttl.FromJsonString("90.000001999s")
    request = create_from_proto(message)
    assert request.expire_time == datetime(2030, 1, 2, 3, 4, 5, 678901, UTC)
    assert request.ttl == timedelta(seconds=90, microseconds=1)


@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [(1 << 62, 0), (-(1 << 62), 0), (253402300800, 0), (0, 1_000_000_000), (0, -1_000_000_000)],
)
@pytest.mark.parametrize("name", ["expire_time", "ttl"])
def test_what_is_no_time_is_refused(name: str, seconds: int, nanos: int) -> None:
    """Numbers outside of time name their field; a long lifetime is one the rules refuse."""
    if (name, seconds) == ("ttl", 253402300800):
        seconds = 1 << 60
    message = pb.CreateSessionRequest()
    getattr(message, name).seconds = seconds
    getattr(message, name).nanos = nanos
    with pytest.raises(InvalidRequest) as caught:
        create_from_proto(message)
    assert [wrong.field for wrong in caught.value.violations] == [name]


def test_the_model_has_no_field_of_its_own() -> None:
    """What the rules know of a request is what the contract says."""
    contract = {field.name for field in pb.CreateSessionRequest.DESCRIPTOR.fields}
    assert set(CreateRequest.__struct_fields__) == contract
