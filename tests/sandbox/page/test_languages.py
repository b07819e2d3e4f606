"""Every language of the page says everything, and its colours can be read."""

import json
import re
import string

import pytest

from service.sandbox.dodo.enums import LANGUAGES
from service.sandbox.page.languages import FOLDER, Languages

CODES = sorted(path.stem for path in FOLDER.glob("*.json"))
ENGLISH = json.loads((FOLDER / "en.json").read_text(encoding="utf-8"))
STYLE = (FOLDER.parent / "page.css").read_text(encoding="utf-8")


def placeholders(text: str) -> set[str]:
    """Return the names that a phrase leaves open."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", CODES)
def test_a_language_is_complete(code: str) -> None:
    """Each language has every phrase, with the same placeholders, and is one that Dodo lists."""
    words = json.loads((FOLDER / f"{code}.json").read_text(encoding="utf-8"))
    assert code in LANGUAGES
    assert set(words) == set(ENGLISH)
    assert all(placeholders(words[key]) == placeholders(ENGLISH[key]) for key in words)
    assert all(words.values())


def test_every_phrase_is_used() -> None:
    """No phrase is left over from an earlier page."""
    sources = [
        path.read_text(encoding="utf-8")
        for folder, pattern in ((FOLDER.parent.parent, "**/*.py"), (FOLDER.parent, "**/*.html"))
        for path in folder.glob(pattern)
    ]
    text = "\n".join(sources)
    composed = re.compile(r"(group|per)_|_(invalid|text)$")
    unused = [key for key in ENGLISH if not re.search(rf"\b{key}\b", text)]
    assert [key for key in unused if not composed.search(key)] == []


@pytest.mark.parametrize(
    ("code", "amount", "currency", "expected"),
    [
        ("en", 199900, "USD", "$1,999.00"),
        ("de", 199900, "EUR", "1.999,00\xa0€"),
        ("ja", 2500, "JPY", "￥2,500"),
        ("en", 7250, "KWD", "KWD\xa07.250"),
        ("en", 1234, "IQD", "IQD\xa01.234"),
    ],
)
def test_money_is_written_as_its_readers_write_it(
    code: str, amount: int, currency: str, expected: str
) -> None:
    """Each language places symbols and separators its own way and shows every minor unit."""
    assert Languages().choose(code, "").money(amount, currency) == expected


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("text", "panel"),
        ("text", "aside"),
        ("text", "ground"),
        ("muted", "panel"),
        ("muted", "aside"),
        ("muted", "ground"),
        ("accent", "panel"),
        ("on-accent", "accent"),
        ("on-accent", "accent-strong"),
        ("bad", "panel"),
        ("bad", "bad-ground"),
        ("good", "panel"),
        ("test", "test-ground"),
    ],
)
def test_text_can_be_read_on_its_ground(theme: str, text: str, ground: str) -> None:
    """Every pair of colours has the contrast of WCAG 2.2 AA: 4.5 to 1."""
    colors = palette(theme)
    assert contrast(colors[text], colors[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_edges_of_inputs_can_be_seen(theme: str) -> None:
    """The border of a control has the contrast of WCAG 2.2 AA: 3 to 1."""
    colors = palette(theme)
    assert contrast(colors["edge"], colors["panel"]) >= 3


def test_the_system_theme_is_the_dark_one_at_night() -> None:
    """The colours for a dark system are those of the dark theme."""
    assert palette("dark") == palette("system")


def palette(theme: str) -> dict[str, str]:
    """Read the colours of a theme."""
    selector = ":root" if theme == "light" else f'[data-theme="{theme}"]'
    block = STYLE[STYLE.index(f"{selector} {{") :].partition("}")[0]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours as WCAG 2.2 defines it."""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    """Return the relative luminance of a colour as WCAG 2.2 defines it."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    ]
    return sum(
        weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
    )
