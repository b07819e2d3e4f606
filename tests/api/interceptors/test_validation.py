"""Rules of the proto files, refused with every violation at once."""

from __future__ import annotations

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message

from checkout.v1 import checkout_service_pb2 as pb
from service.api.interceptors.validation import Validation
from service.core.errors import InvalidRequest
from tests.api.interceptors.passing import CHECK, answering, passing

VALID = {"provider": "dodo", "cart": {"line_items": [{"product_id": "pdt_demo", "quantity": 1}]}}


@pytest.fixture(scope="module")
def validation() -> Validation:
    """Return the interceptor; it compiles each rule once."""
    return Validation()


async def violations(validation: Validation, request: Message) -> dict[str, str]:
    """Return what a request is refused for."""
    call, _ = passing(request)
    with pytest.raises(InvalidRequest) as caught:
        await validation.intercept(call, answering())
    return {wrong.field: wrong.description for wrong in caught.value.violations}


def creating(**changes: object) -> pb.CreateSessionRequest:
    """Return a request from its JSON form."""
    return json_format.ParseDict({**VALID, **changes}, pb.CreateSessionRequest())


def line(**changes: object) -> pb.CreateSessionRequest:
    """Return a request with a second line of these fields."""
    second = {"product_id": "pdt_2", **changes}
    return creating(cart={"line_items": [{"product_id": "pdt_1"}, second]})


async def test_a_valid_request_passes(validation: Validation) -> None:
    """A request that breaks nothing reaches its handler."""
    call, _ = passing(creating())
    assert await validation.intercept(call, answering("done")) == "done"


async def test_requests_that_are_not_ours_pass(validation: Validation) -> None:
    """Other services on the port have no rules of ours."""
    call, _ = passing(creating(provider=""), path=CHECK)
    assert await validation.intercept(call, answering("done")) == "done"


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (pb.CreateSessionRequest(provider="dodo"), ["cart"]),
        (creating(cart={}), ["cart.line_items"]),
        (line(quantity=-1), ["cart.line_items[1].quantity"]),
        (
            line(unit_price={"amount": -1, "currency": "USD"}),
            ["cart.line_items[1].unit_price.amount"],
        ),
        (
            line(custom_amount={"amount": 1 << 53, "currency": "USD"}),
            ["cart.line_items[1].custom_amount.amount"],
        ),
        (creating(metadata={"a b": "x"}), ['metadata["a b"]']),
        (creating(metadata={"checkout_session_id": "x"}), ['metadata["checkout_session_id"]']),
        (creating(success_url="http://example.com"), ["success_url"]),
        (creating(provider=""), ["provider"]),
        (pb.ListSessionsRequest(page_size=-1), ["page_size"]),
        (pb.GetSessionRequest(), ["session_id"]),
    ],
    ids=lambda case: ",".join(case) if isinstance(case, list) else "of",
)
async def test_a_field_is_named_by_its_path(
    validation: Validation, request_: Message, fields: list[str]
) -> None:
    """A violation stands at the path a caller would write in grpcurl."""
    assert list(await violations(validation, request_)) == fields


async def test_a_pattern_is_put_in_words(validation: Validation) -> None:
    """A caller reads what the field must be, of a map's key too, and no regular expression."""
    found = await violations(validation, creating(provider="", metadata={"a b": "x"}))
    assert found == {
        "provider": "must be a provider as ListProviders names it, such as dodo",
        'metadata["a b"]': "key must be 1 to 60 letters, digits, _ and -",
    }


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (creating(ttl="90s", expire_time="2030-01-01T00:00:00Z"), ["expire_time", "ttl"]),
        (
            line(quantity=1, decimal_quantity="1.5"),
            ["cart.line_items[1].quantity", "cart.line_items[1].decimal_quantity"],
        ),
        (line(product_id=""), ["cart.line_items[1]"]),
        (
            line(product_id="", name="Mug", quantity=-1),
            ["cart.line_items[1].name", "cart.line_items[1].quantity"],
        ),
        (
            creating(customer={"customer_id": "cus_1", "email": "a@example.com"}),
            ["customer.customer_id", "customer.email"],
        ),
        (pb.ListSessionsRequest(metadata={"order": "1"}), ["metadata"]),
    ],
    ids=lambda case: ",".join(case) if isinstance(case, list) else "of",
)
async def test_a_rule_of_several_fields_names_what_it_is_about(
    validation: Validation, request_: Message, fields: list[str]
) -> None:
    """Each set field that the rule names is named; where none is, the message is."""
    assert list(await violations(validation, request_)) == fields


async def test_currencies_are_not_mixed(validation: Validation) -> None:
    """A cart of two currencies is refused in the words of its rule."""
    found = await violations(
        validation,
        creating(
            cart={
                "line_items": [
                    {"name": "A", "unit_price": {"amount": 1, "currency": "USD"}},
                    {"name": "B", "unit_price": {"amount": 1, "currency": "EUR"}},
                ]
            }
        ),
    )
    assert found["cart"].startswith("a cart has one currency")


async def test_everything_wrong_is_said_at_once(validation: Validation) -> None:
    """A caller mends a request in one go."""
    request = line(quantity=-1)
    request.provider = "No"
    request.ttl.seconds = 1
    request.metadata["ok"] = "x" * 501
    assert set(await violations(validation, request)) == {
        "provider",
        "cart.line_items[1].quantity",
        "ttl",
        'metadata["ok"]',
    }


async def test_a_time_no_rule_can_compute_with_is_refused(validation: Validation) -> None:
    """Numbers outside of time are the caller's fault, not a bug."""
    request = pb.ListSessionsRequest(metadata={"order": "1"})
    request.create_time_from.seconds = 1 << 62
    request.create_time_to.seconds = -(1 << 62)
    assert list(await violations(validation, request)) == [""]
