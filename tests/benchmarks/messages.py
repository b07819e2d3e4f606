"""The calls that are measured: a cart of three lines, as a shop would send it."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from checkout.v1 import cart_pb2, checkout_service_pb2, customer_pb2

CREATE = "/checkout.v1.CheckoutService/CreateSession"
GET = "/checkout.v1.CheckoutService/GetSession"

_URL = "https://shop.example.com/thanks?session={SESSION_ID}"
_METADATA = {"campaign": "spring", "shop": "north"}


def _template(
    provider: str,
    products: Sequence[str],
    *,
    phone_number: str = "",
    **fields: Any,  # noqa: ANN401 - any field of the request
) -> checkout_service_pb2.CreateSessionRequest:
    lines = [
        cart_pb2.LineItem(product_id=product, quantity=number)
        for number, product in enumerate(products, 1)
    ]
    return checkout_service_pb2.CreateSessionRequest(
        provider=provider,
        cart=cart_pb2.Cart(line_items=lines),
        customer=fields.pop(
            "customer",
            customer_pb2.Customer(
                email="buyer@example.com",
                first_name="Ada",
                last_name="Byron",
                phone_number=phone_number,
            ),
        ),
        metadata=_METADATA,
        **fields,
    )


TEMPLATES = {
    "clover": _template(
        "clover",
        ["item_demo", "item_demo_taxed", "item_demo"],
        phone_number="+14155550100",
        success_url=_URL,
    ),
    "dodo": _template("dodo", [f"pdt_{number:020}" for number in range(1, 4)], success_url=_URL),
    "fastspring": _template("fastspring", ["demo-product", "demo-book", "demo-free"]),
    "sellapp": _template(
        "sellapp",
        ["4321", "4322", "4328"],
        customer=customer_pb2.Customer(email="buyer@example.com"),
        payment_methods=checkout_service_pb2.PaymentMethods(allowed=["STRIPE"]),
    ),
    "square": _template(
        "square",
        ["variation_demo", "variation_demo_large", "variation_demo"],
        customer=customer_pb2.Customer(email="buyer@example.com"),
        success_url=_URL,
    ),
}
"""A cart of three lines for each provider, as a shop would send it."""


def creates(prefix: str, provider: str = "dodo") -> Iterator[bytes]:
    """Yield serialised requests to create, each with ids of its own."""
    template = TEMPLATES[provider].SerializeToString()
    for number in count(1):
        name = f"{prefix}-{number:08}"
        own = checkout_service_pb2.CreateSessionRequest(request_id=name, reference_id=name)
        # Serialised messages of one type merge by being joined.
        yield template + own.SerializeToString()


def get(session_id: str) -> bytes:
    """Return a serialised request to read a session."""
    return checkout_service_pb2.GetSessionRequest(session_id=session_id).SerializeToString()
