"""What SellApp's refusals mean."""

from datetime import timedelta

import msgspec
import pytest

from service.core.errors import (
    ProviderCredentialsRejected,
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRateLimited,
    ProviderRejected,
)
from service.core.model import Customer, LineItem, Money
from service.providers.answers import Answer
from service.providers.sellapp.errors import error_of, is_missing
from service.providers.sellapp.fields import FIELDS
from tests.providers.fields import leaves
from tests.providers.sellapp.documents import SHOP, named, selling

NAMES = {"provider": "sellapp", "account": "default"}
ASKED = selling(
    LineItem(product_id="4322"),
    LineItem(product_id="4321", quantity=2, custom_amount=Money(100, "USD")),
)


def refused(status: int = 422, **fields: object) -> Answer:
    """Return an answer in the documented form."""
    body = {
        "message": "The given data was invalid.",
        "type": "invalid_request_error",
        "code": "validation_failed",
        "status": status,
    }
    return Answer(status=status, body=body | fields)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(400), ProviderRejected),
        (refused(400, code="1020"), ProviderCredentialsRejected),
        (refused(400, code=1020), ProviderCredentialsRejected),
        (refused(400, code=None, error=1020), ProviderCredentialsRejected),
        (refused(401), ProviderCredentialsRejected),
        (refused(403), ProviderCredentialsRejected),
        (refused(404), ProviderRejected),
        (refused(408), ProviderOutcomeUnknown),
        (refused(409), ProviderOutcomeUnknown),
        (refused(422), ProviderRejected),
        (refused(429), ProviderRateLimited),
        (refused(500), ProviderOutcomeUnknown),
        (Answer(status=502, text="<html>"), ProviderOutcomeUnknown),
        (Answer(status=503, body=[]), ProviderOutcomeUnknown),
        (Answer(status=413, text="<html>"), ProviderRejected),
    ],
)
def test_status_and_code_decide(answer: Answer, kind: type[ProviderError]) -> None:
    """Every error names the account."""
    error = error_of(answer, NAMES, ASKED)
    assert type(error) is kind
    assert error.metadata.items() >= NAMES.items()


def test_the_wait_that_sellapp_asks_for_is_kept() -> None:
    """Calling earlier would make it longer."""
    answer = Answer.of(429, {"Retry-After": "7"}, b"{}")
    assert error_of(answer, NAMES).retry_after == timedelta(seconds=7)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("customer_email", "customer.email"),
        ("customer_ip", "customer.ip_address"),
        ("payment_method", "payment_methods.allowed[0]"),
        ("coupon", "cart.discount_codes[0]"),
        ("vat_id", "customer.tax_id"),
        ("country", "customer.billing_address.country"),
        ("affiliate", "provider_options.sellapp.affiliate"),
        ("product_variants", "cart.line_items"),
        ("product_variants.4321", "cart.line_items[1].product_id"),
        ("product_variants.4321.quantity", "cart.line_items[1].quantity"),
        ("product_variants.9", "cart.line_items"),
        ("extra", "cart.line_items[1].custom_amount"),
        ("extra.amount", "cart.line_items[1].custom_amount.amount"),
        ("extra.currency", "cart.line_items[1].custom_amount.currency"),
    ],
)
@pytest.mark.parametrize("is_listed", [True, False])
def test_fields_are_told_by_our_paths(theirs: str, ours: str, *, is_listed: bool) -> None:
    """Whether all fields at fault are listed, or only the first is named."""
    listed = {theirs: ["No.", "Not at all."]} if is_listed else None
    error = error_of(refused(param=theirs, message="No.", errors=listed), NAMES, ASKED)
    (violation,) = error.violations
    assert (violation.field, violation.description) == (ours, "No.")
    assert error.metadata["provider_field"] == theirs
    assert error.metadata["provider_message"] == "No."
    assert error.metadata["provider_code"] == "validation_failed"


def test_every_field_at_fault_is_told() -> None:
    """Not only the first."""
    errors = {"customer_email": "Wrong.", "coupon": ["Expired."], "invoice": []}
    found = error_of(refused(errors=errors), NAMES, ASKED).violations
    assert {violation.field: violation.description for violation in found} == {
        "customer.email": "Wrong.",
        "cart.discount_codes[0]": "Expired.",
    }


def test_the_quantity_of_a_subscription_is_that_of_its_only_line() -> None:
    """SellApp names no variant there."""
    errors = {"quantity": ["Once."]}
    (violation,) = error_of(refused(errors=errors), NAMES, SHOP).violations
    assert violation.field == "cart.line_items[0].quantity"
    assert error_of(refused(errors=errors), NAMES, ASKED).violations == ()


def test_whatever_is_wrong_with_a_named_invoice_is_its_fault() -> None:
    """A 404 is one: nothing else of the request was sent."""
    error = error_of(refused(404), NAMES, named("77"))
    assert is_missing(error)
    assert [violation.field for violation in error.violations] == [
        "provider_options.sellapp.invoice_id"
    ]


def test_our_paths_exist() -> None:
    """What a caller is pointed at is a field of the contract."""
    known = {path for path, _ in leaves()} | {"cart.line_items", "provider_options.sellapp"}
    for path in FIELDS.values():
        assert any(path.replace("[0]", "").startswith(name) for name in known), path


@pytest.mark.parametrize(
    "body", [None, [], "x", {"message": {"a": 1}}, {"errors": [1], "code": []}]
)
def test_a_body_of_another_shape_is_no_reason_to_fail(body: object) -> None:
    """The status still decides."""
    error = error_of(Answer(status=422, body=body), NAMES, ASKED)
    assert type(error) is ProviderRejected
    assert error.metadata["provider_status"] == "422"


def test_nothing_personal_is_repeated() -> None:
    """What the buyer is called by stays out of texts, whichever field quotes it."""
    buyer = Customer(email="ada@example.com", ip_address="192.0.2.7", tax_id="DE999999999")
    said = "ada@example.com at 192.0.2.7 with DE999999999"
    answer = refused(message=said, param=said, errors={"coupon": [said], said: [said]}, code=said)
    error = error_of(answer, NAMES, msgspec.structs.replace(ASKED, customer=buyer))
    told = repr(vars(error))
    assert not any(canary in told for canary in said.split() if len(canary) > 4)
