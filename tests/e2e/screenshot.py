"""Takes the README's picture of the hosted page, on a desktop and on a phone side by side."""

import base64
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from checkout.v1 import cart_pb2, checkout_service_pb2, checkout_service_pb2_grpc, customer_pb2
from tests.e2e.browser import ARGUMENTS, executable
from tests.e2e.process import start

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "checkout.png"
DESKTOP = ViewportSize(width=1180, height=880)
PHONE = ViewportSize(width=390, height=880)
FRAME = """
<body style="margin:0;padding:24px;display:inline-flex;gap:24px;background:#dfe3ee">
<style>img{display:block;border-radius:12px;box-shadow:0 6px 24px #1a1f3a33}</style>
<img src="data:image/png;base64,%s"><img src="data:image/png;base64,%s">
"""


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as service:
        with service.channel() as channel:
            stub = checkout_service_pb2_grpc.CheckoutServiceStub(channel)
            url = stub.CreateSession(_request(), timeout=30).session.checkout_url
        with _browser() as browser:
            shots = [_shot(browser, url, viewport) for viewport in (DESKTOP, PHONE)]
            PICTURE.parent.mkdir(parents=True, exist_ok=True)
            PICTURE.write_bytes(_side_by_side(browser, shots))


def _request() -> checkout_service_pb2.CreateSessionRequest:
    return checkout_service_pb2.CreateSessionRequest(
        provider="dodo",
        cart=cart_pb2.Cart(
            line_items=[
                cart_pb2.LineItem(product_id="pdt_demo", quantity=2),
                cart_pb2.LineItem(product_id="pdt_demo_taxed"),
            ],
            discount_codes=["DEMO10"],
        ),
        customer=customer_pb2.Customer(
            email="ada@example.com",
            first_name="Ada",
            last_name="Example",
            billing_address=customer_pb2.Address(country="GB", postal_code="EC1A 1BB"),
            locale="en",
        ),
        success_url="https://shop.example.com/done",
        cancel_url="https://shop.example.com/cart",
    )


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def _page(browser: Browser, viewport: ViewportSize) -> Iterator[Page]:
    context = browser.new_context(viewport=viewport, color_scheme="light")
    yield context.new_page()
    context.close()


def _shot(browser: Browser, url: str, viewport: ViewportSize) -> str:
    with _page(browser, viewport) as page:
        page.goto(url)
        return base64.b64encode(page.screenshot()).decode()


def _side_by_side(browser: Browser, shots: list[str]) -> bytes:
    with _page(browser, DESKTOP) as page:
        page.set_content(FRAME % tuple(shots))
        return page.locator("body").screenshot()


if __name__ == "__main__":
    main()
