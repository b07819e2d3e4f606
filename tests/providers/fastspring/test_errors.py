"""FastSpring's refusals: the right error for each status, our fields for its own, and nobody's data."""

from datetime import timedelta

import pytest

from service.core.errors import (
    ProviderCredentialsRejected,
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRateLimited,
    ProviderRejected,
)
from service.core.model import Customer, Discount
from service.providers.answers import Answer
from service.providers.fastspring.errors import error_of
from service.providers.fastspring.fields import our_field
from tests.providers.fastspring.documents import NAMES, document, line, request

ASKED = request(
    line(discounts=(Discount(percentage="5"),)), line(), customer=Customer(email="ada@example.com")
)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ProviderRejected),
        (401, ProviderCredentialsRejected),
        (403, ProviderCredentialsRejected),
        (404, ProviderRejected),
        (408, ProviderOutcomeUnknown),
        (415, ProviderRejected),
        (422, ProviderRejected),
        (429, ProviderRateLimited),
        (500, ProviderOutcomeUnknown),
        (502, ProviderOutcomeUnknown),
        (503, ProviderOutcomeUnknown),
        (504, ProviderOutcomeUnknown),
    ],
)
@pytest.mark.parametrize("body", [document("refusal"), None, "text", {"errors": 5}, {"status": 5}])
def test_each_status_is_its_error(status: int, kind: type[ProviderError], body: object) -> None:
    """Whatever the body says, and whether it can be read at all."""
    answer = Answer(status=status, body=body, retry_after=timedelta(seconds=7))
    error = error_of(answer, NAMES, ASKED)
    assert type(error) is kind
    assert error.metadata["provider"] == "fastspring"
    if kind in (ProviderRateLimited, ProviderOutcomeUnknown):
        assert error.retry_after == timedelta(seconds=7)


def test_a_refusal_names_every_field_and_quotes_nobody() -> None:
    """All entries at once, by the contract's paths; the rejected value is left where it is."""
    error = error_of(Answer(status=400, body=document("refusal")), NAMES, ASKED)
    assert [(wrong.field, wrong.description) for wrong in error.violations] == [
        ("customer.email", "Email [redacted] is not valid"),
        ("cart.line_items[1].product_id", "Product does not exist"),
    ]
    assert error.metadata == {
        **NAMES,
        "provider_status": "400",
        "provider_code": "INVALID_EMAIL_FORMAT",
        "provider_message": "Email [redacted] is not valid",
        "provider_field": "customer.billToContact.email",
    }
    assert "ada@example.com" not in repr(vars(error))


def test_a_refusal_without_entries_keeps_its_message() -> None:
    """The body's own status and text stand in."""
    body = {"status": "404 NOT_FOUND", "message": "Checkout was not found"}
    error = error_of(Answer(status=404, body=body), NAMES)
    assert error.metadata["provider_code"] == "404 NOT_FOUND"
    assert error.metadata["provider_message"] == "Checkout was not found"
    assert error.violations == ()


def test_a_refusal_of_an_older_call_is_read_too() -> None:
    """Its texts stand by field."""
    body = {"action": "events.get", "result": "error", "error": {"days": "Can not parse days."}}
    error = error_of(Answer(status=400, body=body), NAMES)
    assert error.metadata["provider_field"] == "days"
    assert error.metadata["provider_message"] == "Can not parse days."


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("locale", "customer.locale"),
        ("buyerIp", "customer.ip_address"),
        ("live", "provider_options.fastspring.live"),
        ("orderTags.order", "metadata"),
        ("cart.couponCode", "cart.discount_codes"),
        ("cart.lineItems", "cart.line_items"),
        ("cart.lineItems[7].quantity", "cart.line_items"),
        ("cart.lineItems[1]", "cart.line_items[1]"),
        ("cart.lineItems[1].quantity", "cart.line_items[1].quantity"),
        ("cart.lineItems[1].customPrice.unitPrice.USD", "cart.line_items[1].unit_price"),
        ("cart.lineItems[0].customPrice.discounts[0]", "cart.line_items[0].discounts"),
        (
            "cart.lineItems[1].customPrice.discounts[0].minQuantity",
            "cart.line_items[1].provider_options.fastspring.quantity_discounts",
        ),
        ("cart.lineItems[1].customPrice.shippingFee.USD", "cart.shipping_fee"),
        ("cart.lineItems[1].descriptions.imageUrl", "cart.line_items[1].image_url"),
        (
            "cart.lineItems[1].descriptions.display.en",
            "cart.line_items[1].provider_options.fastspring.descriptions",
        ),
        ("cart.lineItems[1].something", "cart.line_items[1]"),
        ("customer.billToAddress.postalCode", "customer.billing_address.postal_code"),
        ("customer.shipToAddress.country", "customer.shipping_address.country"),
        ("customer.shipToContact.firstName", "customer.shipping_address.first_name"),
        ("paymentMethodsOrder[2]", "payment_methods.order"),
        ("somewhere", ""),
        ("", ""),
    ],
)
def test_fastsprings_fields_are_ours(theirs: str, ours: str) -> None:
    """A path of FastSpring's leads to where the caller set it, as closely as can be told."""
    assert our_field(theirs, ASKED) == ours
