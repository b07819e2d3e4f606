"""The body of `POST /v2/online-checkout/payment-links`."""

from service.core.model import BuyerChoices, CreateRequest, Customer
from service.core.ports import CreateCall
from service.providers.square.options import SquareOptions, session_options
from service.providers.square.order import JsonObject, address, money, order_body
from service.providers.text import filled, said

PATH = "/v2/online-checkout/payment-links"
PAYMENT_METHODS = ("apple_pay", "google_pay", "cash_app_pay", "afterpay_clearpay")


def link_body(call: CreateCall, location_id: str, key: str) -> JsonObject:
    """Build the body that makes a payment link."""
    options = session_options(call.request)
    customer = call.request.customer or Customer()
    return {"idempotency_key": key, "order": order_body(call, location_id)} | said(
        description=options.description,
        payment_note=options.note,
        checkout_options=_checkout_options(call, options),
        pre_populated_data=said(
            buyer_email=customer.email,
            buyer_phone_number=customer.phone_number,
            buyer_address=address(customer),
        ),
    )


def _checkout_options(call: CreateCall, options: SquareOptions) -> JsonObject:
    request = call.request
    choices = request.buyer_choices or BuyerChoices()
    url = filled(request.success_url, session_id=call.session_id, reference_id=request.reference_id)
    return said(
        allow_tipping=choices.tipping,
        enable_coupon=choices.discount_codes,
        enable_loyalty=options.loyalty,
        custom_fields=[{"title": title} for title in options.custom_fields],
        subscription_plan_id=options.subscription_plan_id,
        redirect_url=url,
        merchant_support_email=options.support_email,
        ask_for_shipping_address=options.ask_for_shipping_address,
        accepted_payment_methods=_payment_methods(request),
        app_fee_money=money(options.app_fee),
        shipping_fee=_shipping_fee(request, options),
    )


def _payment_methods(request: CreateRequest) -> JsonObject:
    allowed = request.payment_methods.allowed if request.payment_methods else ()
    return {name: name in allowed for name in PAYMENT_METHODS} if allowed else {}


def _shipping_fee(request: CreateRequest, options: SquareOptions) -> JsonObject:
    fee = request.cart.shipping_fee
    return said(name=options.shipping_fee_name, charge=money(fee)) if fee else {}
