"""What a buyer types is checked against the form's fields."""

import pytest

from service.sandbox import form
from service.sandbox.emulator import EntryInvalid, Field, FieldKind

EMAIL = Field(name="email", kind="email", value="ann@example.com", is_required=True)
FIXED = Field(name="country", kind="country", value="DE", is_readonly=True)
TICK = Field(name="news", kind="checkbox", value="true")
CHOICE = Field(name="size", kind="select", options=(("S", "Small"), ("M", "Medium")))


def test_a_fixed_field_cannot_be_changed() -> None:
    """A read-only field keeps its value whatever is posted."""
    assert form.check([FIXED], {"country": "FR"}) == {"country": "DE"}


def test_an_absent_field_keeps_what_is_prefilled() -> None:
    """A field that is not posted has its prefilled value; an emptied one is empty."""
    assert form.values([EMAIL], {}) == {"email": "ann@example.com"}
    assert form.values([EMAIL], {"email": " "}) == {"email": ""}


def test_an_unticked_box_is_empty() -> None:
    """A browser leaves out a box that is not ticked."""
    assert form.values([EMAIL, TICK], {"email": "b@example.com"})["news"] == ""
    assert form.values([TICK], {}) == {"news": "true"}


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("email", "ann", "email_invalid"),
        ("url", "example", "url_invalid"),
        ("number", "ten", "number_invalid"),
        ("date", "2030-02-30", "date_invalid"),
        ("tel", "call me", "tel_invalid"),
        ("text", "x" * 501, "too_long"),
    ],
)
def test_malformed_values_are_named(kind: FieldKind, text: str, problem: str) -> None:
    """Each kind of field says what is wrong with its value."""
    with pytest.raises(EntryInvalid) as refused:
        form.check([Field(name="f", kind=kind)], {"f": text})
    assert refused.value.problems == {"f": problem}


def test_every_problem_is_named_at_once() -> None:
    """A buyer sees all mistakes of a form together."""
    with pytest.raises(EntryInvalid) as refused:
        form.check([EMAIL, CHOICE], {"email": "", "size": "XL"})
    assert refused.value.problems == {"email": "required", "size": "choice_invalid"}


@pytest.mark.parametrize("kind", form.SAMPLES)
def test_samples_pass_their_own_check(kind: FieldKind) -> None:
    """A form filled in the buyer's stead is one that a buyer could have sent."""
    field = Field(name="f", kind=kind, is_required=True)
    samples = form.samples([field])
    assert form.check([field], samples) == samples


def test_samples_leave_optional_fields_empty() -> None:
    """Only what is needed is filled, and what is prefilled stays."""
    optional = Field(name="phone", kind="tel")
    assert form.samples([EMAIL, optional]) == {"email": "ann@example.com", "phone": ""}


def test_forgiving_replaces_only_what_is_wrong() -> None:
    """A declined card needs no perfect form: good values are kept, others replaced."""
    fields = [Field(name="email", kind="email", is_required=True), Field(name="name")]
    kept = form.forgive(fields, {"email": "ann", "name": "Ann"})
    assert kept == {"email": "buyer@example.com", "name": "Ann"}
