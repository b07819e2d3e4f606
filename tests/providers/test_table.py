"""The page of providers says what the adapters declare."""

from service.providers.registry import PROVIDERS
from tests.providers.table import NAMES, PAGE, render, written


def test_page_is_what_the_adapters_declare() -> None:
    """After a change of capabilities, `make docs` writes the page anew."""
    page = PAGE.read_text("utf-8")
    assert written(page, render()) == page


def test_every_provider_is_on_the_page() -> None:
    """No adapter is left out."""
    table = render()
    assert all(f"| {NAMES[provider]}" in table for provider in PROVIDERS)
