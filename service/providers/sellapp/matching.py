"""Whether an invoice that was read is the one that a request asks for."""

from collections.abc import Mapping
from datetime import datetime

from service.core.model import CreateRequest
from service.providers.answers import lenient
from service.providers.sellapp import payloads
from service.providers.sellapp.invoices import quantities
from service.providers.sellapp.transformers import PENDING, collected, word


def may_be_of(request: CreateRequest, invoice: payloads.Invoice, since: datetime) -> bool:
    """Tell whether a lost create of a request may have made an invoice: nobody has begun to pay it."""
    buyer = collected(invoice)
    wanted = request.customer.email if request.customer else ""
    is_new = invoice.created_at is not None and invoice.created_at >= since
    return (
        is_new
        and word(invoice) == PENDING
        and buyer is not None
        and buyer.email.casefold() == wanted.casefold()
        and sells(request, invoice)
        and _is_paid_by(request, invoice)
    )


def sells(request: CreateRequest, invoice: payloads.Invoice) -> bool:
    """Tell whether an invoice sells what a request does; quantities only where SellApp shows them."""
    shown = _shown(invoice)
    wanted = quantities(request)
    return shown.keys() == wanted.keys() and all(
        shown[variant] in {None, quantity} for variant, quantity in wanted.items()
    )


def _shown(invoice: payloads.Invoice) -> Mapping[str, int | None]:
    variants = lenient(invoice.product_variants, list[payloads.Variant]) or []
    return {str(variant.id): variant.quantity for variant in variants}


def _is_paid_by(request: CreateRequest, invoice: payloads.Invoice) -> bool:
    gateway = invoice.payment.gateway
    methods = request.payment_methods.allowed if request.payment_methods else ()
    return gateway is None or gateway.type is None or gateway.type in methods
