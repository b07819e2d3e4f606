"""What a caller reads of a broken rule that is only a pattern in the proto files."""

import json
import re

import pytest

from service.api.wording import PATTERNS, worded
from tests.proto.descriptors import ROOT

PATTERN = re.compile(r'pattern(?: =|:) "((?:[^"\\]|\\.)*)"')
EXAMPLE = re.compile(r'such as "?([^",]+?)"?(?:,|:| or |$)')


def test_every_pattern_of_the_contract_has_words() -> None:
    """No caller has to read a regular expression, and no words are left over."""
    files = (ROOT / "proto" / "checkout").rglob("*.proto")
    found = [text for file in files for text in PATTERN.findall(file.read_text("utf-8"))]
    assert {json.loads(f'"{text}"') for text in found} == set(PATTERNS)


@pytest.mark.parametrize(
    ("pattern", "example"),
    [(pattern, one) for pattern, text in PATTERNS.items() for one in EXAMPLE.findall(text)],
)
def test_examples_are_right(pattern: str, example: str) -> None:
    """What the words give as an example is taken."""
    assert re.fullmatch(pattern, example)


@pytest.mark.parametrize(
    ("rule", "value", "text"),
    [
        ("string.min_len", 1, "value is required"),
        ("string.min_len", 2, "in the library's words"),
        ("string.pattern", "unknown", "in the library's words"),
        (
            "string.pattern",
            "^[A-Z]{3}$",
            "must be an ISO 4217 code in capital letters, such as USD",
        ),
        ("int64.gte", 1, "in the library's words"),
    ],
)
def test_other_rules_keep_their_words(rule: str, value: object, text: str) -> None:
    """Only what says too little is said anew."""
    assert worded(rule, value, "in the library's words") == text
