"""CreateSession's request to the model, and its answer back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkout.v1 import checkout_service_pb2
from service.api.convert.cart import cart_from_proto, options_from_proto
from service.api.convert.customer import customer_from_proto
from service.api.convert.session import session_to_proto
from service.api.convert.times import moment_if_set, span_from_proto
from service.core.model import BuyerChoices, CreateRequest, PaymentMethods

if TYPE_CHECKING:
    from service.core.create import CreateResult
    from service.core.gate import GateLinks

DEFAULT_ACCOUNT = "default"


def create_from_proto(message: checkout_service_pb2.CreateSessionRequest) -> CreateRequest:
    """Return what a caller asks to create. Raises InvalidRequest for a time that is none."""
    has = message.HasField
    return CreateRequest(
        request_id=message.request_id,
        provider=message.provider,
        account=message.account or DEFAULT_ACCOUNT,
        cart=cart_from_proto(message.cart),
        customer=customer_from_proto(message.customer) if has("customer") else None,
        success_url=message.success_url,
        failure_url=message.failure_url,
        cancel_url=message.cancel_url,
        payment_methods=(
            _payment_methods_from_proto(message.payment_methods) if has("payment_methods") else None
        ),
        expire_time=moment_if_set(message, "expire_time"),
        ttl=span_from_proto(message.ttl, "ttl") if has("ttl") else None,
        metadata=dict(message.metadata),
        reference_id=message.reference_id,
        buyer_choices=(
            _buyer_choices_from_proto(message.buyer_choices) if has("buyer_choices") else None
        ),
        validate_only=message.validate_only,
        provider_options=(
            options_from_proto(message.provider_options) if has("provider_options") else None
        ),
    )


def created_to_proto(
    result: CreateResult, links: GateLinks | None
) -> checkout_service_pb2.CreateSessionResponse:
    """Return the answer to CreateSession."""
    answer = checkout_service_pb2.CreateSessionResponse(replayed=result.replayed)
    session_to_proto(result.session, result.now, links, answer.session)
    return answer


def _payment_methods_from_proto(message: checkout_service_pb2.PaymentMethods) -> PaymentMethods:
    return PaymentMethods(
        allowed=tuple(message.allowed), order=tuple(message.order), hidden=tuple(message.hidden)
    )


def _buyer_choices_from_proto(message: checkout_service_pb2.BuyerChoices) -> BuyerChoices:
    has = message.HasField
    return BuyerChoices(
        tipping=message.tipping if has("tipping") else None,
        discount_codes=message.discount_codes if has("discount_codes") else None,
    )
