"""Cursors: nothing but what was given is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.cursors import Cursor, read_cursor
from service.core.errors import InvalidRequest

CURSORS = st.builds(
    Cursor,
    store_id=st.binary(max_size=16),
    position=st.integers(0, 2**63 - 1),
    before=st.text("cs_0123456789abcdef", max_size=30),
    mark=st.binary(max_size=8),
)


@given(cursor=CURSORS)
def test_a_cursor_is_read_as_it_was_written(cursor: Cursor) -> None:
    """What callers keep says where to go on."""
    assert read_cursor(cursor.text()) == cursor


@given(text=st.text())
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """Whatever else is sent is refused by the field's name."""
    with pytest.raises(InvalidRequest) as refused:
        read_cursor(text)
    assert [wrong.field for wrong in refused.value.violations] == ["cursor"]


def test_an_altered_cursor_is_refused() -> None:
    """One changed character is noticed wherever it stands."""
    text = Cursor(b"store", 7).text()
    for place in range(len(text)):
        altered = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        with pytest.raises(InvalidRequest):
            read_cursor(altered)


def test_what_could_not_be_an_id_is_refused() -> None:
    """A cursor that somebody made up holds nothing that a store would choke on."""
    with pytest.raises(InvalidRequest):
        read_cursor(Cursor(b"store", 7, before="cs_\0").text())
