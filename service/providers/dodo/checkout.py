"""The body of `POST /checkouts`, from the fields all providers share and Dodo's own options."""

from collections.abc import Mapping

import msgspec

from service.core.model import (
    RESERVED_METADATA_KEY,
    Address,
    CreateRequest,
    Customer,
    LineItem,
)
from service.core.ports import CreateCall
from service.providers.dodo.options import (
    CustomField,
    Customization,
    DodoOptions,
    FieldType,
    FontSize,
    FontWeight,
    Subscription,
    Theme,
    ThemeConfig,
    line_options,
    session_options,
)
from service.providers.text import filled, said

JsonObject = dict[str, object]

THEMES: Mapping[Theme, str] = {Theme.DARK: "dark", Theme.LIGHT: "light", Theme.SYSTEM: "system"}
FONT_SIZES: Mapping[FontSize, str] = {
    FontSize.XS: "xs",
    FontSize.SM: "sm",
    FontSize.MD: "md",
    FontSize.LG: "lg",
    FontSize.XL: "xl",
    FontSize.XXL: "2xl",
}
FONT_WEIGHTS: Mapping[FontWeight, str] = {
    FontWeight.NORMAL: "normal",
    FontWeight.MEDIUM: "medium",
    FontWeight.BOLD: "bold",
    FontWeight.EXTRA_BOLD: "extraBold",
}
FIELD_TYPES: Mapping[FieldType, str] = {
    FieldType.TEXT: "text",
    FieldType.NUMBER: "number",
    FieldType.EMAIL: "email",
    FieldType.URL: "url",
    FieldType.DATE: "date",
    FieldType.DROPDOWN: "dropdown",
    FieldType.BOOLEAN: "boolean",
}


def checkout_body(call: CreateCall) -> JsonObject:
    """Build the body of `POST /checkouts`."""
    request = call.request
    options = session_options(request)
    return (
        {"product_cart": [_cart_item(item) for item in request.cart.line_items]}
        | said(
            allowed_payment_method_types=_allowed(request),
            billing_currency=billing_currency(request),
            cancel_url=_url(request.cancel_url, call),
            discount_codes=list(request.cart.discount_codes),
            return_url=_url(request.success_url, call),
            metadata={**request.metadata, RESERVED_METADATA_KEY: call.session_id},
        )
        | _customer_fields(request.customer or Customer())
        | _option_fields(request, options)
    )


def billing_currency(request: CreateRequest) -> str:
    """Return the currency of the cart, which an amount in it can name too."""
    amounts = (item.custom_amount for item in request.cart.line_items)
    return request.cart.currency or next((a.currency for a in amounts if a), "")


def _cart_item(item: LineItem) -> JsonObject:
    entitlements = line_options(item).credit_entitlements
    addons = [
        {"addon_id": addon.add_on_id, "quantity": _count(addon.quantity)} for addon in item.add_ons
    ]
    return {"product_id": item.product_id, "quantity": _count(item.quantity)} | said(
        amount=item.custom_amount.amount if item.custom_amount else None,
        addons=addons,
        credit_entitlements=[msgspec.to_builtins(entitlement) for entitlement in entitlements],
    )


def _count(quantity: int | None) -> int:
    return 1 if quantity is None else quantity


def _allowed(request: CreateRequest) -> list[str]:
    return list(request.payment_methods.allowed) if request.payment_methods else []


def _url(url: str, call: CreateCall) -> str:
    return filled(url, session_id=call.session_id, reference_id=call.request.reference_id)


def _customer_fields(customer: Customer) -> JsonObject:
    name = " ".join(filter(None, (customer.first_name, customer.last_name)))
    details = said(
        customer_id=customer.customer_id,
        email=customer.email,
        name=name,
        phone_number=customer.phone_number,
    )
    return said(
        customer=details,
        customer_business_name=customer.company,
        billing_address=_billing_address(customer.billing_address),
        tax_id=customer.tax_id,
    )


def _billing_address(address: Address | None) -> JsonObject:
    if address is None:
        return {}
    return said(
        country=address.country,
        street=", ".join(filter(None, (address.line1, address.line2))),
        city=address.city,
        state=address.region,
        zipcode=address.postal_code,
    )


def _option_fields(request: CreateRequest, options: DodoOptions) -> JsonObject:
    locale = request.customer.locale if request.customer else ""
    choices = request.buyer_choices
    if not (request.provider_options or choices or locale):
        return {}
    flags: JsonObject = msgspec.to_builtins(options.feature_flags) if options.feature_flags else {}
    minimum = options.mandate_min_amount
    return said(
        confirm=options.confirm,
        customization=_customization(options.customization or Customization(), locale),
        custom_fields=[_custom_field(question) for question in options.custom_fields],
        feature_flags=flags | said(allow_discount_code=choices and choices.discount_codes),
        force_3ds=options.force_3ds,
        mandate_min_amount_inr_paise=minimum.amount if minimum else None,
        minimal_address=options.minimal_address,
        payment_method_id=options.payment_method_id,
        product_collection_id=options.product_collection_id,
        short_link=options.short_link,
        show_saved_payment_methods=options.show_saved_payment_methods,
        subscription_data=_subscription(options.subscription),
    )


def _customization(look: Customization, locale: str) -> JsonObject:
    return said(
        theme=THEMES[look.theme] if look.theme else None,
        show_order_details=look.show_order_details,
        show_on_demand_tag=look.show_on_demand_tag,
        force_language=locale,
        theme_config=_theme_config(look.theme_config),
    )


def _theme_config(config: ThemeConfig | None) -> JsonObject:
    if config is None:
        return {}
    return said(
        light=msgspec.to_builtins(config.light) if config.light else None,
        dark=msgspec.to_builtins(config.dark) if config.dark else None,
        font_primary_url=config.font_primary_url,
        font_secondary_url=config.font_secondary_url,
        font_size=FONT_SIZES[config.font_size] if config.font_size else None,
        font_weight=FONT_WEIGHTS[config.font_weight] if config.font_weight else None,
        pay_button_text=config.pay_button_text,
        radius=config.radius,
    )


def _custom_field(question: CustomField) -> JsonObject:
    return {"key": question.key, "label": question.label} | said(
        field_type=FIELD_TYPES[question.field_type] if question.field_type else None,
        required=question.required or None,
        placeholder=question.placeholder,
        options=list(question.options),
    )


def _subscription(subscription: Subscription | None) -> JsonObject:
    if subscription is None:
        return {}
    on_demand = subscription.on_demand
    mandate: JsonObject = {}
    if on_demand is not None:
        price = on_demand.product_price
        mandate = said(
            mandate_only=on_demand.mandate_only,
            product_price=price.amount if price else None,
            product_currency=price.currency if price else None,
            product_description=on_demand.product_description,
            adaptive_currency_fees_inclusive=on_demand.adaptive_currency_fees_inclusive,
        )
    return said(trial_period_days=subscription.trial_period_days, on_demand=mandate)
