"""What Dodo's refusals mean."""

from datetime import timedelta

import pytest

from service.core.errors import (
    ProviderCredentialsRejected,
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from service.core.model import LineItem, Violation
from service.providers.answers import Answer
from service.providers.dodo.errors import FIELD_BY_CODE, FIELD_BY_WIRE_NAME, error_of
from tests.providers.dodo.documents import NAMES, request, settled_customer
from tests.providers.fields import leaves


def refused(status: int, code: str = "", message: str = "") -> Answer:
    """Return an answer in the documented shape of an error."""
    return Answer(status=status, body={"code": code, "message": message})


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(400, "INVALID_REQUEST_BODY"), ProviderRejected),
        (refused(404, "NOT_FOUND"), ProviderRejected),
        (refused(409, "PREVIOUS_PAYMENT_PENDING"), ProviderRejected),
        (refused(410), ProviderRejected),
        (refused(413), ProviderRejected),
        (refused(422, "INVALID_DISCOUNT_CODE"), ProviderRejected),
        (refused(401), ProviderCredentialsRejected),
        (refused(403), ProviderCredentialsRejected),
        (refused(400, "UNAUTHORIZED"), ProviderCredentialsRejected),
        (refused(422, "MERCHANT_NOT_LIVE"), ProviderCredentialsRejected),
        (Answer(status=429), ProviderRateLimited),
        (refused(400, "TOO_MANY_REQUESTS"), ProviderRateLimited),
        (refused(503, "DISCOUNT_CONCURRENT_REDEMPTION"), ProviderUnavailable),
        (refused(503), ProviderOutcomeUnknown),
        (Answer(status=408), ProviderOutcomeUnknown),
        (Answer(status=500), ProviderOutcomeUnknown),
        (Answer(status=502, text="<html>"), ProviderOutcomeUnknown),
        (Answer(status=504, body=[]), ProviderOutcomeUnknown),
        (refused(500, "INTERNAL_SERVER_ERROR"), ProviderOutcomeUnknown),
        (refused(422, "INTERNAL_SERVER_ERROR"), ProviderOutcomeUnknown),
        (Answer(status=599, body={"code": 7}), ProviderOutcomeUnknown),
    ],
)
def test_the_code_decides_before_the_status(answer: Answer, kind: type[ProviderError]) -> None:
    """Each documented code or status is one kind of error, and every error names the account."""
    error = error_of(answer, NAMES, request())
    assert type(error) is kind
    assert error.metadata.items() >= NAMES.items()


def test_a_refusal_keeps_dodos_status_code_and_message() -> None:
    """The caller gets the words to look up."""
    error = error_of(
        refused(422, "INVALID_DISCOUNT_CODE", "Invalid Discount Code"), NAMES, request()
    )
    assert error.metadata == {
        **NAMES,
        "provider_status": "422",
        "provider_code": "INVALID_DISCOUNT_CODE",
        "provider_message": "Invalid Discount Code",
    }
    assert error.violations == (Violation("cart.discount_codes", "Invalid Discount Code"),)


def test_the_wait_that_dodo_asks_for_is_kept() -> None:
    """Rate limits carry Retry-After."""
    wait = timedelta(seconds=7)
    assert error_of(Answer(status=429, retry_after=wait), NAMES).retry_after == wait


@pytest.mark.parametrize(
    ("code", "message", "field", "provider_field"),
    [
        (
            "INVALID_REQUEST_PARAMETERS",
            "tax_id requires billing_address",
            "customer.tax_id",
            "tax_id",
        ),
        (
            "INVALID_REQUEST_BODY",
            "billing_address.zipcode required when confirm is true",
            "customer.billing_address.postal_code",
            "billing_address.zipcode",
        ),
        (
            "INVALID_REQUEST_BODY",
            "Expected int at $.product_cart[1].amount",
            "cart.line_items[1].custom_amount",
            "product_cart[1].amount",
        ),
        ("X", "product_cart[0] is wrong", "cart.line_items[0]", "product_cart[0]"),
        ("X", "product_cart is wrong", "cart.line_items", "product_cart"),
        ("NOT_FOUND", "Product pdt_2 not found", "cart.line_items[1].product_id", ""),
        ("INVALID_QUANTITY", "Reduce it", "cart.line_items", ""),
        ("UNSUPPORTED_CURRENCY", "No", "cart.currency", ""),
    ],
)
def test_the_refused_field_is_named_by_its_place_in_the_contract(
    code: str, message: str, field: str, provider_field: str
) -> None:
    """Dodo's name for a field, an id we sent, or else the code, leads back to our field."""
    asked = request(LineItem(product_id="pdt_1"), LineItem(product_id="pdt_2"))
    error = error_of(refused(422, code, message), NAMES, asked)
    assert error.violations[0].field == field
    assert error.metadata.get("provider_field", "") == provider_field


def test_with_one_line_the_refusal_is_about_it() -> None:
    """A refusal of some line is one of the only line."""
    error = error_of(refused(422, "INVALID_QUANTITY", "Reduce it"), NAMES, request())
    assert error.violations == (Violation("cart.line_items[0].quantity", "Reduce it"),)


def test_a_refusal_of_nothing_known_has_no_violation() -> None:
    """No field is guessed."""
    assert error_of(refused(422, "SOMETHING_NEW", "Nope"), NAMES, request()).violations == ()


def test_all_mapped_fields_exist() -> None:
    """Every path in the tables is a field of the contract, or above one."""
    known = {path for path, _ in leaves()}
    for field in {*FIELD_BY_CODE.values(), *FIELD_BY_WIRE_NAME.values()} - {"metadata"}:
        if not field.startswith("provider_options.dodo."):
            assert any(path == field or path.startswith(f"{field}.") for path in known), field


def test_messages_do_not_repeat_what_the_buyer_is_called() -> None:
    """Personal values of the request and e-mail addresses are cut out, and the rest is bounded."""
    customer = settled_customer(first_name="Ada", phone_number="+14155550100", tax_id="DE1")
    asked = request(customer=customer, options={"payment_method_id": "pm_secret"})
    message = (
        "Ada ada@example.com other@example.com +14155550100 DE1 pm_secret 1 Main St 78701\n"
        + "x" * 1000
    )
    text = error_of(refused(422, "X", message), NAMES, asked).metadata["provider_message"]
    assert text.startswith(" ".join(["[redacted]"] * 8) + " x")
    assert len(text) == 500
