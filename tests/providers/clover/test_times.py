"""Times in every form that Clover was seen to write."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.providers.clover.times import moment

NOON = datetime(2026, 3, 1, 12, 0, 0, 125_000, tzinfo=UTC)
MILLISECONDS = st.integers(10**12, 9_999_999_999_999)
SECONDS = st.integers(1, 10**12 - 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1772366400125, NOON),
        (1772366400.125, NOON),
        (1772366400, NOON.replace(microsecond=0)),
        ("1772366400125", NOON),
        (" 1772366400 ", NOON.replace(microsecond=0)),
        ("2026-03-01@12:00:00.125+0000", NOON),
        ("2026-03-01T12:00:00.125+0000", NOON),
        ("2026-03-01T12:00:00.125Z", NOON),
        ("2026-03-01T07:00:00.125-05:00", NOON),
        (10**12, datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)),
        (999_999_999_999, None),
    ],
)
def test_every_form_that_was_seen(value: object, expected: datetime | None) -> None:
    """Numbers in s or ms, digits, and dates with @ or T, at the magnitude that parts them."""
    assert moment(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1,
        float("nan"),
        float("inf"),
        10**300,
        "",
        "soon",
        "9" * 5000,
        "2026-03-01T12:00:00",
        "2026-03-01",
        "2026-13-01T12:00:00Z",
        "0001-01-01T00:00:00+2300",
        "١٧٧٢٣٦٦٤٠٠",
        [],
        {},
    ],
)
def test_anything_else_is_no_time(value: object) -> None:
    """What cannot be told for sure is left to the time of receipt."""
    assert moment(value) is None


@given(MILLISECONDS)
def test_milliseconds_are_exact(number: int) -> None:
    """Number and text come to the same instant, to the millisecond."""
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number)
    assert moment(number) == moment(str(number)) == expected


@given(MILLISECONDS)
def test_all_forms_of_an_instant_agree(milliseconds: int) -> None:
    """However an instant is written, it is read as the same."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    text = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}"
    forms = (milliseconds, f"{text}+0000", f"{text}Z", f"{text}+0000".replace("T", "@"))
    assert {moment(form) for form in forms} == {at}
    assert moment(milliseconds // 1000) == at.replace(microsecond=0)


@given(st.one_of(SECONDS, st.floats(), st.integers(), st.text()))
def test_nothing_breaks_the_reading(value: object) -> None:
    """There is a time in UTC, or none."""
    found = moment(value)
    assert found is None or found.tzinfo is UTC
