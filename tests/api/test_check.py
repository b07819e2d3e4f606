"""CheckSession as a client meets it."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf import json_format

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import provider_pb2, session_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from service.api.convert.check import MOST_VIOLATIONS
from service.core.model import Violation
from tests.api.refusals import refused
from tests.api.served import Served

Code = grpc.StatusCode
METHOD = "checkout.v1.CheckoutService/CheckSession"
LINE = {"product_id": "pdt_demo", "quantity": 1}


def check(**fields: Any) -> pb.CheckSessionRequest:  # noqa: ANN401 - any field of the request
    """Build a check of a cart of one line, at every account unless fields say otherwise."""
    request = {"cart": {"line_items": [LINE]}, **fields}
    return json_format.ParseDict({"request": request}, pb.CheckSessionRequest())


@pytest.mark.parametrize("named", [{}, {"provider": "scripted"}, {"account": "default"}])
def test_an_accepted_cart(
    served: Served, grpc_stub: CheckoutServiceStub, named: dict[str, str]
) -> None:
    """The account says that it would take the cart, until when, and nobody is called for it."""
    calls = len(served.provider.calls)
    (verdict,) = grpc_stub.CheckSession(check(**named)).verdicts
    assert (verdict.provider, verdict.account, verdict.live) == ("scripted", "default", False)
    assert (verdict.accepted, len(verdict.violations)) == (True, 0)
    assert verdict.totals.source == session_pb2.Totals.SOURCE_UNKNOWN
    assert verdict.expire_time.ToDatetime().year == 2026
    assert verdict.expiry_enforcement == provider_pb2.EXPIRY_ENFORCEMENT_PROVIDER
    assert len(served.provider.calls) == calls


def test_totals_and_warnings(grpc_stub: CheckoutServiceStub) -> None:
    """Sums and adjustments are those of the session that would be made."""
    line = {"name": "Tea", "unit_price": {"amount": "350", "currency": "USD"}, "quantity": "3"}
    cart = {"line_items": [line]}
    (verdict,) = grpc_stub.CheckSession(check(cart=cart, ttl="86430s")).verdicts
    assert (verdict.totals.total.amount, verdict.totals.total.currency) == (1050, "USD")
    assert [warning.code for warning in verdict.warnings] == ["EXPIRY_CLAMPED"]


def test_a_verdict_is_no_error(grpc_stub: CheckoutServiceStub) -> None:
    """What CreateSession would refuse is told as data, under the same paths and in the same words."""
    fields = {"success_url": "https://a.example/", "buyer_choices": {"tipping": True}}
    (verdict,) = grpc_stub.CheckSession(check(**fields)).verdicts
    create = check(provider="scripted", **fields).request
    refusal = refused(lambda: grpc_stub.CreateSession(create))
    assert [
        {"field": wrong.field, "description": wrong.description} for wrong in verdict.violations
    ] == refusal.details["BadRequest"]["fieldViolations"]
    assert not verdict.accepted
    assert not verdict.HasField("totals")
    assert not verdict.HasField("expire_time")


def test_violations_are_bounded(served: Served, grpc_stub: CheckoutServiceStub) -> None:
    """A list too long to be read is cut, and the rest is counted."""
    served.provider.violations = [Violation(f"f{n}", "wrong") for n in range(MOST_VIOLATIONS + 7)]
    (verdict,) = grpc_stub.CheckSession(check()).verdicts
    assert (len(verdict.violations), verdict.violations_omitted) == (MOST_VIOLATIONS, 7)


def test_the_request_id_stays_free(grpc_stub: CheckoutServiceStub) -> None:
    """A checked request can be created under its own id, and one that was can be checked again."""
    request = check(provider="scripted", request_id="checked-1")
    for is_replayed in (False, True):
        assert grpc_stub.CheckSession(request).verdicts[0].accepted
        assert grpc_stub.CreateSession(request.request).replayed is is_replayed


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        ({"cart": None}, ["request.cart"]),
        ({"cart": {"line_items": []}}, ["request.cart.line_items"]),
        ({"cart": {"line_items": [LINE], "currency": "ZZZ"}}, ["request.cart.currency"]),
        ({"provider": "No Name"}, ["request.provider"]),
        ({"account": "No Name", "request_id": "\x00"}, ["request.request_id", "request.account"]),
        ({"ttl": "1s"}, ["request.ttl"]),
        (
            {"ttl": "60s", "expire_time": "2026-03-02T00:00:00Z"},
            ["request.expire_time", "request.ttl"],
        ),
        ({"metadata": {"checkout_session_id": "x"}}, ['request.metadata["checkout_session_id"]']),
    ],
    ids=str,
)
def test_a_request_that_breaks_a_rule(
    grpc_stub: CheckoutServiceStub, fields: dict[str, Any], paths: list[str]
) -> None:
    """The rules of CreateSession hold, and their violations are named where they stand."""
    said = {name: value for name, value in fields.items() if value is not None}
    request = check(**said)
    if "cart" in fields and fields["cart"] is None:
        request.request.ClearField("cart")
    refusal = refused(lambda: grpc_stub.CheckSession(request))
    assert (refusal.code, refusal.info["reason"]) == (Code.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert sorted(refusal.fields) == sorted(paths)


def test_nothing_to_check(grpc_stub: CheckoutServiceStub) -> None:
    """An empty request lacks a cart, and its missing provider is no fault."""
    refusal = refused(lambda: grpc_stub.CheckSession(pb.CheckSessionRequest()))
    assert refusal.fields == ["request.cart"]


@pytest.mark.parametrize(
    ("named", "resource"),
    [
        ({"provider": "nobody"}, "nobody/default"),
        ({"provider": "scripted", "account": "other"}, "scripted/other"),
        ({"account": "other"}, "/other"),
    ],
    ids=str,
)
def test_an_account_nobody_configured(
    grpc_stub: CheckoutServiceStub, named: dict[str, str], resource: str
) -> None:
    """Who is asked for by name must be there, as for CreateSession."""
    refusal = refused(lambda: grpc_stub.CheckSession(check(**named)))
    assert (refusal.code, refusal.info["reason"]) == (Code.NOT_FOUND, "PROVIDER_NOT_CONFIGURED")
    assert refusal.details["ResourceInfo"]["resourceName"] == resource


def test_a_check_is_logged_and_counted(served: Served, grpc_stub: CheckoutServiceStub) -> None:
    """A check leaves one line and its metrics like any call."""
    labels = {"method": METHOD, "code": "OK", "reason": "", "provider": ""}
    before = served.count("checkout_grpc_calls_handled_total", **labels)
    grpc_stub.CheckSession(check())
    line = served.line("CheckSession", code="OK")
    assert (line["level"], line["event"]) == ("info", "call.finished")
    assert served.count("checkout_grpc_calls_handled_total", **labels) == before + 1
