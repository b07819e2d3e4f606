"""Square's refusals in the core's words."""

import msgspec
import pytest

from service.core.errors import (
    ProviderCredentialsRejected,
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRateLimited,
    ProviderRejected,
)
from service.core.model import (
    AddOn,
    Address,
    Cart,
    CreateRequest,
    Customer,
    Discount,
    LineItem,
    Money,
    Tax,
)
from service.providers.answers import Answer
from service.providers.square.errors import error_of, is_missing

NAMES = {"provider": "square", "account": "default"}
OPTIONS: dict[str, object] = {"square": {"service_charges": [{"name": "S", "percentage": "5"}]}}
REQUEST = CreateRequest(
    provider="square",
    cart=Cart(
        line_items=(
            LineItem(
                name="A",
                unit_price=Money(100, "USD"),
                add_ons=(AddOn(name="x", price=Money(1, "USD")),),
                taxes=(Tax("T", "5"),),
            ),
            LineItem(name="B", unit_price=Money(100, "USD"), decimal_quantity="1.5"),
        ),
        discounts=(Discount(percentage="5"),),
        taxes=(Tax("O", "5"),),
    ),
    customer=Customer(
        email="ada@example.com",
        first_name="Ada",
        phone_number="+14155550100",
        shipping_address=Address(line1="1 Main St", city="Austin"),
    ),
    provider_options=OPTIONS,
)


def error(status: int, *errors: dict[str, str]) -> ProviderError:
    """Return the error of an answer."""
    answer = Answer(status=status, body={"errors": list(errors)} if errors else None)
    return error_of(answer, NAMES, REQUEST)


@pytest.mark.parametrize(
    ("status", "category", "code", "kind"),
    [
        (401, "AUTHENTICATION_ERROR", "UNAUTHORIZED", ProviderCredentialsRejected),
        (401, "AUTHENTICATION_ERROR", "ACCESS_TOKEN_EXPIRED", ProviderCredentialsRejected),
        (403, "AUTHENTICATION_ERROR", "INSUFFICIENT_SCOPES", ProviderCredentialsRejected),
        (403, "INVALID_REQUEST_ERROR", "CARD_PROCESSING_NOT_ENABLED", ProviderCredentialsRejected),
        (400, "INVALID_REQUEST_ERROR", "AMOUNT_TOO_HIGH", ProviderRejected),
        (400, "INVALID_REQUEST_ERROR", "ORDER_EXPIRED", ProviderRejected),
        (400, "SOMETHING_NEW", "NOBODY_KNOWS", ProviderRejected),
        (404, "INVALID_REQUEST_ERROR", "NOT_FOUND", ProviderRejected),
        (429, "RATE_LIMIT_ERROR", "RATE_LIMITED", ProviderRateLimited),
        (400, "RATE_LIMIT_ERROR", "RATE_LIMITED", ProviderRateLimited),
        (400, "INVALID_REQUEST_ERROR", "IDEMPOTENCY_KEY_REUSED", ProviderOutcomeUnknown),
        (409, "INVALID_REQUEST_ERROR", "CONFLICT", ProviderOutcomeUnknown),
        (408, "API_ERROR", "REQUEST_TIMEOUT", ProviderOutcomeUnknown),
        (500, "API_ERROR", "INTERNAL_SERVER_ERROR", ProviderOutcomeUnknown),
        (503, "API_ERROR", "SERVICE_UNAVAILABLE", ProviderOutcomeUnknown),
        (500, "INVALID_REQUEST_ERROR", "BAD_REQUEST", ProviderOutcomeUnknown),
        (200, "INVALID_REQUEST_ERROR", "BAD_REQUEST", ProviderRejected),
        (200, "API_ERROR", "INTERNAL_SERVER_ERROR", ProviderOutcomeUnknown),
    ],
)
def test_what_a_refusal_means(
    status: int, category: str, code: str, kind: type[ProviderError]
) -> None:
    """Status and category decide, and codes where they say more."""
    assert type(error(status, {"category": category, "code": code})) is kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [(None, ProviderRejected), ({"errors": "no"}, ProviderRejected), ([], ProviderRejected)],
)
def test_a_body_that_cannot_be_read_is_still_a_refusal(
    body: object, kind: type[ProviderError]
) -> None:
    """A page of HTML with status 400 refuses as well."""
    found = error_of(Answer(status=400, body=body, text="<html>"), NAMES, REQUEST)
    assert type(found) is kind
    assert found.metadata["provider_status"] == "400"


@pytest.mark.parametrize(
    ("field", "ours"),
    [
        ("order.line_items[0].base_price_money.amount", "cart.line_items[0].unit_price.amount"),
        ("order.order.line_items[1].quantity", "cart.line_items[1].decimal_quantity"),
        ("order.line_items[0].modifiers[0].name", "cart.line_items[0].add_ons[0].name"),
        ("order.line_items[0].catalog_object_id", "cart.line_items[0].product_id"),
        ("order.line_items[0].quantity_unit", "cart.line_items[0]"),
        ("order.line_items[9].name", "cart.line_items"),
        ("order.taxes[0].percentage", "cart.taxes[0].percentage"),
        ("order.taxes[1].percentage", "cart.line_items[0].taxes[0].percentage"),
        ("order.discounts[0]", "cart.discounts[0]"),
        ("order.discounts[7]", "cart.discounts"),
        (
            "order.service_charges[0].amount_money",
            "provider_options.square.service_charges[0].amount",
        ),
        ("order.order.service_charges[1].amount_money", "cart.shipping_fee"),
        ("order.fulfillments[0].pickup_details", "provider_options.square.fulfillment"),
        ("pre_populated_data.buyer_address.locality", "customer.shipping_address.city"),
        ("pre_populate_shipping_address", "customer.shipping_address"),
        ("checkout_options.redirect_url", "success_url"),
        ("redirect_url", "success_url"),
        ("payment_note", "provider_options.square.note"),
    ],
)
def test_squares_fields_are_told_as_ours(field: str, ours: str) -> None:
    """A caller learns which field of the contract it is, in either call."""
    fault = {"category": "INVALID_REQUEST_ERROR", "code": "BAD_REQUEST", "field": field}
    found = error(400, fault | {"detail": "Wrong."})
    assert [(violation.field, violation.description) for violation in found.violations] == [
        (ours, "Wrong.")
    ]
    assert found.metadata["provider_field"] == field


def test_every_entry_becomes_a_violation() -> None:
    """Square may say several things at once, by field or by code."""
    found = error(
        400,
        {"category": "INVALID_REQUEST_ERROR", "code": "INVALID_EMAIL_ADDRESS"},
        {"category": "INVALID_REQUEST_ERROR", "code": "VALUE_EMPTY", "field": "order.line_items"},
        {"category": "INVALID_REQUEST_ERROR", "code": "BAD_REQUEST", "field": "nowhere"},
    )
    assert [violation.field for violation in found.violations] == [
        "customer.email",
        "cart.line_items",
    ]


def test_nothing_personal_is_repeated() -> None:
    """What the request says of the buyer is taken out of Square's texts."""
    detail = "Ada of 1 Main St, Austin, ada@example.com, +14155550100 is wrong"
    found = error(
        400,
        {
            "category": "INVALID_REQUEST_ERROR",
            "code": "INVALID_EMAIL_ADDRESS",
            "detail": detail,
            "field": "pre_populated_data.buyer_email",
        },
    )
    said = repr(vars(found)) + repr(msgspec.to_builtins(found.violations))
    for value in ("Ada", "1 Main St", "Austin", "ada@example.com", "+14155550100"):
        assert value not in said


@pytest.mark.parametrize(
    ("status", "code", "missing"),
    [(404, "NOT_FOUND", True), (410, "GONE", True), (400, "NOT_FOUND", True), (400, "X", False)],
)
def test_what_is_gone_is_told_apart(status: int, code: str, missing: bool) -> None:
    """A link that is not there needs no closing."""
    found = error(status, {"category": "INVALID_REQUEST_ERROR", "code": code})
    assert is_missing(found) == missing
