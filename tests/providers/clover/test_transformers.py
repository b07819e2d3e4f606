"""Clover's answer to a create, as it comes and as it should not."""

from datetime import UTC, datetime, timedelta

import pytest

from service.core.ports import ProviderSession
from service.providers.clover.transformers import created
from tests.providers.clover.documents import NOW, document

CREATED = document("checkout_created")


def warned(session: ProviderSession) -> list[tuple[str, str]]:
    """Return the codes and fields of warnings."""
    return [(warning.code, warning.field) for warning in session.warnings]


def test_the_documented_answer() -> None:
    """Every field of it has its place."""
    assert created(CREATED, ()) == ProviderSession(
        provider_session_id="4de24107-dd60-4f50-b474-37e049a61b40",
        url="https://sandbox.dev.clover.com/checkout/4de24107-dd60-4f50-b474-37e049a61b40?mode=checkout",
        payable_until=datetime(2026, 3, 1, 12, 15, 0, 123_000, tzinfo=UTC),
        details={"create_time": "2026-03-01T12:00:00.125000Z"},
    )


def test_without_a_readable_end_it_is_fifteen_minutes_after_the_beginning() -> None:
    """The documented life stands in, with a warning."""
    session = created(CREATED | {"createdTime": 1772366400, "expirationTime": "later"}, ())
    assert session.payable_until == NOW + timedelta(minutes=15)
    assert warned(session) == [("TIME_UNREADABLE", "payable_until")]
    assert "createdTime" in session.warnings[0].message


def test_without_readable_times_the_answer_counts() -> None:
    """Then the rules count from when it is stored, and both fields are warned of."""
    fields = {name: CREATED[name] for name in ("href", "checkoutSessionId")}
    session = created(fields, ())
    assert (session.payable_until, session.details) == (None, {})
    assert warned(session) == [
        ("TIME_UNREADABLE", "payable_until"),
        ("TIME_UNREADABLE", "provider_details.clover.create_time"),
    ]


def test_the_last_day_of_time_is_survived() -> None:
    """A beginning that nothing can be added to is as good as none."""
    fields = {"createdTime": "9999-12-31T23:59:59Z", "expirationTime": None}
    assert created(CREATED | fields, ()).payable_until is None


def test_a_session_without_page_is_kept_with_a_warning() -> None:
    """Its payments must still be found."""
    session = created(CREATED | {"href": None}, ())
    assert (session.url, warned(session)) == ("", [("NO_CHECKOUT_URL", "")])


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (CREATED | {"checkoutSessionId": ""}, "no_session_id"),
        (CREATED | {"checkoutSessionId": None}, "no_session_id"),
        (CREATED | {"checkoutSessionId": 7}, "unreadable_body"),
        (CREATED | {"href": "https://clover.com.evil.example/"}, "foreign_checkout_url"),
        (CREATED | {"href": "http://www.clover.com/checkout/1"}, "foreign_checkout_url"),
        (CREATED | {"href": "https://user@www.clover.com/"}, "foreign_checkout_url"),
        ([], "unreadable_body"),
        (None, "unreadable_body"),
    ],
)
def test_an_unusable_answer_says_why(body: object, cause: str) -> None:
    """Without an id, or with a page elsewhere, nobody can be sent anywhere."""
    with pytest.raises(ValueError, match=cause):
        created(body, ())


def test_a_page_at_the_accounts_own_origin_is_taken() -> None:
    """A proxy or a sandbox is named by the operator."""
    session = created(CREATED | {"href": "http://127.0.0.1:1/x"}, ("http://127.0.0.1:1",))
    assert session.url == "http://127.0.0.1:1/x"
