"""Bad requests over the wire: every problem by name at once, nothing stored, nothing sent."""

from collections.abc import Callable, Iterator

import grpc
import pytest

from checkout.sandbox.v1 import sandbox_service_pb2 as sandbox_pb
from checkout.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.api.refusals import Refusal, refused
from tests.e2e.process import ServiceProcess
from tests.e2e.wire.requests import LINE, TIMEOUT, Fields, create_request, fresh_id, provider_calls

pytestmark = pytest.mark.slow

INVALID = grpc.StatusCode.INVALID_ARGUMENT
MAX_AMOUNT = 2**53 - 1
MEBIBYTE = 1024 * 1024
CREATE = "/checkout.v1.CheckoutService/CreateSession"


def usd(amount: int) -> Fields:
    """Build an amount of US dollars."""
    return {"amount": str(amount), "currency": "USD"}


def cart(*lines: Fields, **others: object) -> Fields:
    """Build a request with a cart of its own."""
    return {"cart": {"line_items": list(lines), **others}}


def line(**fields: object) -> Fields:
    """Build a request whose one line adds to a good one."""
    return cart({**LINE, **fields})


# Rules that the proto files declare, and sums: the request, and every field that is named.
INVALID_REQUESTS: dict[str, tuple[Fields, list[str]]] = {
    "no cart": ({"cart": None}, ["cart"]),
    "empty cart": ({"cart": {}}, ["cart.line_items"]),
    "501 lines": (cart(*[LINE] * 501), ["cart.line_items"]),
    "mixed currencies of lines": (
        cart(
            {"name": "a", "unit_price": usd(1)},
            {"name": "b", "unit_price": {"amount": "1", "currency": "EUR"}},
        ),
        ["cart"],
    ),
    "a price in another currency than the cart's": (
        cart({"name": "a", "unit_price": usd(1)}, currency="EUR"),
        ["cart.currency"],
    ),
    "negative price": (
        cart({"name": "a", "unit_price": usd(-1)}),
        ["cart.line_items[0].unit_price.amount"],
    ),
    "a price above 2^53-1": (
        cart({"name": "a", "unit_price": usd(MAX_AMOUNT + 1)}),
        ["cart.line_items[0].unit_price.amount"],
    ),
    "a total above 2^53-1": (
        cart({"name": "a", "unit_price": usd(MAX_AMOUNT), "quantity": 2}),
        ["cart"],
    ),
    "a quantity above 2^31-1": (line(quantity=str(2**31)), ["cart.line_items[0].quantity"]),
    "negative quantity": (line(quantity=-1), ["cart.line_items[0].quantity"]),
    "a decimal quantity that is none": (
        cart({"product_id": "pdt_demo", "decimal_quantity": "1e3"}),
        ["cart.line_items[0].decimal_quantity"],
    ),
    "malformed currency": (cart(LINE, currency="usd"), ["cart.currency"]),
    "unknown currency": (cart(LINE, currency="XYZ"), ["cart.currency"]),
    "a line of no kind": (cart({"quantity": 1}), ["cart.line_items[0]"]),
    "a line of both kinds": (
        line(name="a", unit_price=usd(1)),
        ["cart.line_items[0].product_id", "cart.line_items[0].name"],
    ),
    "a named line without price": (cart({"name": "a"}), ["cart.line_items[0].name"]),
    "both quantities": (
        line(decimal_quantity="1.5"),
        ["cart.line_items[0].quantity", "cart.line_items[0].decimal_quantity"],
    ),
    "both ways to expire": (
        {"expire_time": "2100-01-01T00:00:00Z", "ttl": "3600s"},
        ["expire_time", "ttl"],
    ),
    "customer by id and by details": (
        {"customer": {"customer_id": "cus_1", "email": "a@example.com", "last_name": "B"}},
        ["customer.customer_id", "customer.email", "customer.last_name"],
    ),
    "a discount by both on the order": (
        cart(LINE, discounts=[{"percentage": "5", "amount": usd(1)}]),
        ["cart.discounts[0].percentage", "cart.discounts[0].amount"],
    ),
    "a discount by both on a line": (
        line(discounts=[{"percentage": "5", "amount": usd(1)}]),
        ["cart.line_items[0].discounts[0].percentage", "cart.line_items[0].discounts[0].amount"],
    ),
    "an add-on of both kinds": (
        line(add_ons=[{"add_on_id": "a", "name": "b"}]),
        ["cart.line_items[0].add_ons[0].add_on_id", "cart.line_items[0].add_ons[0].name"],
    ),
    "malformed e-mail address": ({"customer": {"email": "nobody"}}, ["customer.email"]),
    "http to another host": ({"success_url": "http://example.com"}, ["success_url"]),
    "a URL that runs a script": ({"failure_url": "javascript:alert(1)"}, ["failure_url"]),
    "a URL with a password": ({"cancel_url": "https://u:p@example.com/"}, ["cancel_url"]),
    "a URL that pretends to be loopback": (
        {"success_url": "http://localhost@example.com/"},
        ["success_url"],
    ),
    "a URL with another placeholder": (
        {"success_url": "https://example.com/{ORDER_ID}"},
        ["success_url"],
    ),
    "a URL of two lines": ({"success_url": "https://example.com/\r\nx: y"}, ["success_url"]),
    "reserved metadata key": (
        {"metadata": {"checkout_session_id": "x"}},
        ['metadata["checkout_session_id"]'],
    ),
    "malformed metadata key": ({"metadata": {"a b": "x"}}, ['metadata["a b"]']),
    "too many metadata pairs": ({"metadata": {f"k{i}": "v" for i in range(50)}}, ["metadata"]),
    "a long metadata value": ({"metadata": {"k": "v" * 501}}, ['metadata["k"]']),
    "a request id with a space": ({"request_id": "a b"}, ["request_id"]),
    "a request id beyond ASCII": ({"request_id": "é"}, ["request_id"]),
    "a request id of 193 characters": ({"request_id": "a" * 193}, ["request_id"]),
    "too short a life": ({"ttl": "59s"}, ["ttl"]),
    "a life that is over": ({"ttl": "-60s"}, ["ttl"]),
    "unknown enum value": (
        {"provider_options": {"dodo": {"customization": {"theme": 99}}}},
        ["provider_options.dodo.customization.theme"],
    ),
    "payment method without confirm": (
        {"provider_options": {"dodo": {"payment_method_id": "pm"}}},
        ["provider_options.dodo.payment_method_id"],
    ),
    "everything at once": (
        {
            "request_id": "a b",
            "provider": "DODO",
            **cart({"quantity": -1}, currency="usd"),
            "customer": {"email": "nobody"},
            "success_url": "ftp://example.com",
            "metadata": {"é": "x"},
        },
        [
            "request_id",
            "provider",
            "cart.line_items[0]",
            "cart.line_items[0].quantity",
            "cart.currency",
            "customer.email",
            "success_url",
            'metadata["é"]',
        ],
    ),
}

# What Dodo Payments does not take.
UNSUPPORTED: dict[str, tuple[Fields, list[str]]] = {
    "fields it lacks": (
        {**cart({**LINE, "note": "n"}, shipping_fee=usd(1)), "failure_url": "https://example.com"},
        [
            "cart.line_items[0].note",
            "cart.shipping_fee.amount",
            "cart.shipping_fee.currency",
            "failure_url",
        ],
    ),
    "an item without catalogue": (
        cart({"name": "a", "unit_price": usd(1)}),
        [
            "cart.line_items[0].name",
            "cart.line_items[0].unit_price.amount",
            "cart.line_items[0].unit_price.currency",
        ],
    ),
    "options of others": (
        {"provider_options": {"square": {"ask_for_shipping_address": True}, "clover": {}}},
        ["provider_options.square.ask_for_shipping_address", "provider_options.clover"],
    ),
    "line options of others": (
        line(provider_options={"fastspring": {}}),
        ["cart.line_items[0].provider_options.fastspring"],
    ),
    "a price above 2^31-1": (
        line(custom_amount=usd(2**31)),
        ["cart.line_items[0].custom_amount.amount"],
    ),
    "a longer life": ({"ttl": "86520s"}, ["ttl"]),
    "the longest life protobuf has": ({"ttl": "315576000000s"}, ["ttl"]),
    "an end in the past": ({"expire_time": "0001-01-01T00:00:00Z"}, ["expire_time"]),
    "an end that is far": ({"expire_time": "9999-12-31T23:59:59Z"}, ["expire_time"]),
    "a long metadata key": ({"metadata": {"k" * 41: "v"}}, [f'metadata["{"k" * 41}"]']),
    "a language of no page": ({"customer": {"locale": "xx"}}, ["customer.locale"]),
}

BAD_BYTES = {
    "no protobuf": b"\xff\xff\xff",
    "cut short": b"\x0a\x05ab",
    "text that is no UTF-8": b"\x12\x01\xff",
    "a message inside that is none": b"\x22\x02\x0a\xff",
}


@pytest.fixture(scope="module", autouse=True)
def nothing_happened(
    service: ServiceProcess, checkout: CheckoutServiceStub, sandbox: SandboxServiceStub
) -> Iterator[None]:
    """Hold every test of this module to it: no session here, no call to and no session at the provider."""
    yield
    assert not checkout.ListSessions(pb.ListSessionsRequest(), timeout=TIMEOUT).sessions
    assert provider_calls(service) == 0
    assert not sandbox.ListSessions(sandbox_pb.ListSessionsRequest(), timeout=TIMEOUT).sessions


def both_ways(checkout: CheckoutServiceStub, fields: Fields) -> Refusal:
    """Return how a create is refused, which validate_only must be in the same words."""
    request = create_request(**{"request_id": fresh_id(), **fields})
    refusal = refused(lambda: checkout.CreateSession(request, timeout=TIMEOUT))
    request.validate_only = True
    assert refusal == refused(lambda: checkout.CreateSession(request, timeout=TIMEOUT))
    return refusal


def raw(channel: grpc.Channel, body: bytes) -> Callable[[], object]:
    """Prepare a create of bytes that no client library would send."""
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(CREATE)
    return lambda: call(body, timeout=TIMEOUT)


@pytest.mark.parametrize("case", INVALID_REQUESTS)
def test_broken_rules(checkout: CheckoutServiceStub, case: str) -> None:
    """A request that breaks the contract names every field that does, with and without validate_only."""
    fields, paths = INVALID_REQUESTS[case]
    refusal = both_ways(checkout, fields)
    assert (INVALID, sorted(paths)) == (refusal.code, sorted(refusal.fields))
    assert refusal.info == {"reason": "INVALID_REQUEST", "domain": "checkout.v1"}
    assert {"ErrorInfo", "BadRequest"} == set(refusal.details)


@pytest.mark.parametrize("case", UNSUPPORTED)
def test_what_the_provider_cannot_honour(checkout: CheckoutServiceStub, case: str) -> None:
    """A field that the provider does not take is refused by name, with and without validate_only."""
    fields, paths = UNSUPPORTED[case]
    refusal = both_ways(checkout, fields)
    names = {"provider": "dodo", "account": "default"}
    info = {"reason": "UNSUPPORTED_BY_PROVIDER", "domain": "checkout.v1", "metadata": names}
    assert (INVALID, set(paths), info) == (refusal.code, set(refusal.fields), refusal.info)
    assert {"ErrorInfo", "BadRequest"} == set(refusal.details)


@pytest.mark.parametrize(("provider", "account"), [("acme", ""), ("dodo", "other")])
def test_unknown_accounts(checkout: CheckoutServiceStub, provider: str, account: str) -> None:
    """A provider or an account that nobody configured is not found, and the answer names both."""
    refusal = both_ways(checkout, {"provider": provider, "account": account})
    names = {"provider": provider, "account": account or "default"}
    assert (grpc.StatusCode.NOT_FOUND, names) == (refusal.code, refusal.info["metadata"])
    assert (
        refusal.info["reason"],
        refusal.info["domain"],
    ) == ("PROVIDER_NOT_CONFIGURED", "checkout.v1")
    resource = {
        "resourceType": "checkout.v1.ProviderAccount",
        "resourceName": f"{provider}/{names['account']}",
    }
    assert resource == refusal.details["ResourceInfo"]


@pytest.mark.parametrize("field", ["time", "window", "preparation_time"])
def test_times_that_are_none(checkout: CheckoutServiceStub, field: str) -> None:
    """A time that no calendar has is refused by name, in the options of whichever provider."""
    request = create_request(
        provider_options={"square": {"fulfillment": {"type": "TYPE_SHIPMENT"}}}
    )
    getattr(request.provider_options.square.fulfillment, field).seconds = 2**60
    refusal = refused(lambda: checkout.CreateSession(request, timeout=TIMEOUT))
    assert (refusal.code, refusal.info["reason"], refusal.fields) == (
        INVALID,
        "INVALID_REQUEST",
        ["provider_options"],
    )


@pytest.mark.parametrize("case", BAD_BYTES)
def test_unreadable_bytes(channel: grpc.Channel, case: str) -> None:
    """Bytes that are no message are an invalid request, and the decoder's words stay inside."""
    refusal = refused(raw(channel, BAD_BYTES[case]))
    assert (
        refusal.code,
        refusal.info["reason"],
        refusal.fields,
    ) == (INVALID, "INVALID_REQUEST", [""])
    assert refusal.message == "the bytes are not a message of this method's request type"


def test_a_message_over_our_limit(channel: grpc.Channel) -> None:
    """A message above 1 MiB is refused with the limit and its own size."""
    refusal = refused(raw(channel, bytes(MEBIBYTE + 1)))
    sizes = {"limit_bytes": str(MEBIBYTE), "size_bytes": str(MEBIBYTE + 1)}
    assert (INVALID, sizes) == (refusal.code, refusal.info["metadata"])


def test_a_message_over_the_transports_limit(channel: grpc.Channel) -> None:
    """A message above 4 MiB is not even read, and the channel goes on working."""
    refusal = refused(raw(channel, bytes(4 * MEBIBYTE + 1)))
    assert (refusal.code, refusal.details) == (grpc.StatusCode.RESOURCE_EXHAUSTED, {})
    assert INVALID is refused(raw(channel, b"")).code


def test_very_many_violations(checkout: CheckoutServiceStub) -> None:
    """A list of violations too long for a client's limit is cut, and says by how many."""
    refusal = both_ways(checkout, cart(*[{"quantity": -1}] * 500))
    omitted = int(refusal.info["metadata"]["violations_omitted"])
    assert (refusal.code, len(refusal.fields) + omitted) == (INVALID, 1000)


def test_an_unknown_method(channel: grpc.Channel) -> None:
    """A method nobody serves is unimplemented."""
    method = "/checkout.v1.CheckoutService/DropSessions"
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    assert grpc.StatusCode.UNIMPLEMENTED is refused(lambda: call(b"", timeout=TIMEOUT)).code


def test_placeholders_and_loopback_are_good(checkout: CheckoutServiceStub) -> None:
    """URLs with our placeholders, and http to this machine, pass validate_only, which gives no id."""
    request = create_request(
        success_url="https://example.com/{SESSION_ID}?order={REFERENCE_ID}",
        cancel_url="http://[::1]:3000/{SESSION_ID}",
        reference_id="order 1",
        validate_only=True,
    )
    session = checkout.CreateSession(request, timeout=TIMEOUT).session
    assert (session.session_id, session.state, session.provider) == ("", 0, "dodo")
