"""What Clover's refusals mean."""

from datetime import timedelta

import pytest

from service.core.errors import (
    ProviderCredentialsRejected,
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRateLimited,
    ProviderRejected,
)
from service.core.model import LineItem, Violation
from service.providers.answers import Answer
from service.providers.clover.errors import FIELDS, OF_LINE, error_of
from tests.providers.clover.documents import NAMES, SHIRT, request, taxed
from tests.providers.fields import leaves

STOCKED = LineItem(product_id="5WB4J4BNZ41V6", note="Blue")


def refused(message: str, status: int = 400) -> Answer:
    """Return an answer in the form that was seen."""
    return Answer(status=status, body={"message": message})


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused("bad"), ProviderRejected),
        (refused("wrong host", 404), ProviderRejected),
        (Answer(status=413, text="<html>"), ProviderRejected),
        (refused("401 Unauthorized", 401), ProviderCredentialsRejected),
        (Answer(status=403), ProviderCredentialsRejected),
        (Answer(status=408), ProviderOutcomeUnknown),
        (Answer(status=429, text="Too Many Requests"), ProviderRateLimited),
        (Answer(status=500, body={"message": "oops"}), ProviderOutcomeUnknown),
        (Answer(status=502, text="<html>"), ProviderOutcomeUnknown),
        (Answer(status=503, body=[]), ProviderOutcomeUnknown),
        (Answer(status=504), ProviderOutcomeUnknown),
        (Answer(status=100), ProviderOutcomeUnknown),
    ],
)
def test_the_status_decides(answer: Answer, kind: type[ProviderError]) -> None:
    """Clover publishes no codes, and every error names the account."""
    error = error_of(answer, NAMES, request())
    assert type(error) is kind
    assert error.metadata.items() >= NAMES.items()


def test_the_wait_that_clover_asks_for_is_kept() -> None:
    """Calling earlier would make it longer."""
    headers = {"Retry-After": "7", "X-RateLimit-tokenConcurrentLimit": "5"}
    answer = Answer.of(429, headers, b"<html>slow down</html>")
    error = error_of(answer, NAMES, request())
    assert (error.retry_after, error.metadata) == (timedelta(seconds=7), NAMES)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"message": "bad"}, None, "bad"),
        ({"error": "bad"}, None, "bad"),
        ({"error": {"code": "E1", "message": "bad"}}, "E1", "bad"),
        ({"code": 400, "message": "bad", "error": "Bad Request"}, "400", "bad"),
        ({"message": "", "error": "bad"}, None, "bad"),
        ({"message": ["bad"]}, None, None),
        (["bad"], None, None),
        ("bad", None, None),
        (None, None, None),
    ],
)
def test_words_are_taken_from_every_form_that_was_seen(
    body: object, code: str | None, message: str | None
) -> None:
    """A message at the top, or an error that is a text or has a message of its own."""
    metadata = error_of(Answer(status=400, body=body), NAMES, request()).metadata
    assert metadata["provider_status"] == "400"
    assert (metadata.get("provider_code"), metadata.get("provider_message")) == (code, message)


@pytest.mark.parametrize(
    ("message", "field", "provider_field"),
    [
        ("customer.firstName is required", "customer.first_name", "firstName"),
        ("Last Name must not be blank", "customer.last_name", "Last Name"),
        ("Invalid email address", "customer.email", "email address"),
        ("customer.phoneNumber: bad", "customer.phone_number", "phoneNumber"),
        ("customer must not be null", "customer", "customer"),
        ("redirectUrls.success must be https", "success_url", "redirectUrls.success"),
        ("redirectUrls.failure must be https", "failure_url", "redirectUrls.failure"),
        ("redirectUrls.cancel must be https", "cancel_url", "redirectUrls.cancel"),
        ("unknown pageConfigUuid", "provider_options.clover.page_config_id", "pageConfigUuid"),
        ("tips.enabled is no boolean", "buyer_choices.tipping", "tips.enabled"),
        ("bad - at `$.shoppingCart.lineItems[1].price`", "cart.line_items[1].unit_price", "price"),
        ("lineItems[0].taxRates[0].rate", "cart.line_items[0]", "lineItems[0]"),
        ("lineItems[2].taxRates[0].rate", "cart.line_items[2].taxes", "taxRates"),
        ("lineItems[0].unitQty too high", "cart.line_items[0].quantity", "unitQty"),
        ("lineItems[7].price", "cart.line_items", "lineItems[7]"),
        ("Line item needs either itemRefUuid or name and price", "cart.line_items", "Line item"),
        ("Item 5WB4J4BNZ41V6 not found", "cart.line_items[1].product_id", "itemRefUuid"),
        ("shoppingCart is too large", "cart", "shoppingCart"),
    ],
)
def test_the_refused_field_is_named_by_its_place_in_the_contract(
    message: str, field: str, provider_field: str
) -> None:
    """A name in the text, or an id that we sent, leads back to our field."""
    stocked = LineItem(product_id="5WB4J4BNZ41V6", unit_price=SHIRT.unit_price)
    error = error_of(refused(message), NAMES, request(SHIRT, stocked, taxed(100, "5")))
    assert error.violations == (Violation(field, message),)
    assert error.metadata["provider_field"] == provider_field


def test_with_one_line_the_refusal_is_about_it() -> None:
    """What a line does not have cannot be what is wrong with it."""
    text = "Line item needs either itemRefUuid or name and price"
    for item, field in ((SHIRT, "unit_price"), (STOCKED, "product_id")):
        error = error_of(refused(text), NAMES, request(item))
        assert error.violations[0].field == f"cart.line_items[0].{field}"


def test_a_refusal_of_nothing_known_has_no_violation() -> None:
    """No field is guessed, not even from a part of a word."""
    for text in ("Unable to process", "prenotedly mispriced tipsy rename"):
        assert error_of(refused(text), NAMES, request()).violations == ()


def test_all_mapped_fields_exist() -> None:
    """Every path in the tables is a field of the contract, or above one."""
    known = {path for path, _ in leaves()}
    mapped = {ours for _, ours in FIELDS} | {f"cart.line_items.{ours}" for _, ours in OF_LINE}
    for field in mapped - {"provider_options.clover.page_config_id"}:
        assert any(path == field or path.startswith(f"{field}.") for path in known), field


def test_messages_do_not_repeat_what_the_buyer_is_called() -> None:
    """Personal values of the request and e-mail addresses are cut out, and the rest is bounded."""
    message = "Ada Lovelace ada@example.com other@example.com +14155550100\n" + "x" * 1000
    text = error_of(refused(message), NAMES, request()).metadata["provider_message"]
    assert text.startswith(" ".join(["[redacted]"] * 5) + " x")
    assert len(text) == 500
