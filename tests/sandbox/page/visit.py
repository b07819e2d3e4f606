"""A buyer's steps on the hosted page."""

from tests.sandbox.harness import Bench
from tests.sandbox.page.markup import Page

BUYER = {"email": "ann@example.com", "name": "Ann Example", "country": "DE"}
QUESTIONS = [
    {"key": "size", "label": "Size", "field_type": "dropdown", "options": ["S", "M"]},
    {"key": "news", "label": "Newsletter", "field_type": "boolean"},
    {"key": "site", "label": "Site", "field_type": "url", "required": True},
]


async def open_page(bench: Bench, accept_language: str = "", **fields: object) -> tuple[str, Page]:
    """Create a session and open its page."""
    created = await bench.create(**fields)
    headers = {"accept-language": accept_language}
    status, text, _ = await bench.page(created["checkout_url"], headers=headers)
    assert status == 200
    return created["checkout_url"], Page(text)


async def submit(
    bench: Bench, url: str, page: Page, action: str = "pay", **typed: str
) -> tuple[int, str, str]:
    """Press a button: status, text, and where it leads."""
    status, text, headers = await bench.page(url, page.form() | typed | {"action": action})
    return status, text, headers.get("location", "")
