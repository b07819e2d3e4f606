"""The calls that are measured: a cart of three lines, as a shop would send it."""

from collections.abc import Iterator
from itertools import count

from checkout.v1 import cart_pb2, checkout_service_pb2, customer_pb2

CREATE = "/checkout.v1.CheckoutService/CreateSession"
GET = "/checkout.v1.CheckoutService/GetSession"

_TEMPLATE = checkout_service_pb2.CreateSessionRequest(
    provider="dodo",
    cart=cart_pb2.Cart(
        line_items=[
            cart_pb2.LineItem(product_id=f"pdt_{number:020}", quantity=number)
            for number in range(1, 4)
        ]
    ),
    customer=customer_pb2.Customer(email="buyer@example.com", first_name="Ada", last_name="Byron"),
    success_url="https://shop.example.com/thanks?session={SESSION_ID}",
    metadata={"campaign": "spring", "shop": "north"},
)


def creates(prefix: str) -> Iterator[bytes]:
    """Yield serialised requests to create, each with ids of its own."""
    template = _TEMPLATE.SerializeToString()
    for number in count(1):
        name = f"{prefix}-{number:08}"
        own = checkout_service_pb2.CreateSessionRequest(request_id=name, reference_id=name)
        # Serialised messages of one type merge by being joined.
        yield template + own.SerializeToString()


def get(session_id: str) -> bytes:
    """Return a serialised request to read a session."""
    return checkout_service_pb2.GetSessionRequest(session_id=session_id).SerializeToString()
