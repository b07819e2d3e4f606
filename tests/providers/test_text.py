"""Texts from providers and for them."""

from service.providers.text import filled, readable, redacted


def test_texts_are_one_line_of_bounded_length() -> None:
    """Control characters become blanks and the end is cut."""
    assert readable("a\x00\r\nb\u2028c\x9b") == "a b c"
    assert len(readable("x" * 10_000)) == 500


def test_personal_values_are_cut_out_as_whole_words() -> None:
    """Given values and anything like an e-mail address go, whatever their case; words that hold them stay."""
    text = "Ada (ADA@example.com) in Adana, +1 (415) 555, other@host"
    personal = ["Ada", "ada@example.com", "+1 (415) 555", "", "x"]
    assert redacted(text, personal) == ("[redacted] ([redacted]) in Adana, [redacted], [redacted]")


def test_long_texts_take_no_time() -> None:
    """A text of a provider's longest answer is looked through once."""
    assert redacted("x" * 1_000_000, ["y"]) == "x" * 1_000_000
    assert redacted("x" * 1_000_000 + "@y", []) == "[redacted]"


def test_placeholders_of_urls_are_replaced_and_quoted() -> None:
    """The caller's reference cannot break out of its place in a URL."""
    url = "https://shop.example/?s={SESSION_ID}&r={REFERENCE_ID}"
    assert filled(url, session_id="cs_1", reference_id="a&b=/ #{SESSION_ID}") == (
        "https://shop.example/?s=cs_1&r=a%26b%3D%2F%20%23%7BSESSION_ID%7D"
    )
