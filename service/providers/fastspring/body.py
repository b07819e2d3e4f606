"""The body that creates a session, from the fields all providers share and FastSpring's own options."""

from collections.abc import Mapping
from decimal import Decimal

from service.core.model import (
    RESERVED_METADATA_KEY,
    Address,
    CreateRequest,
    Customer,
    Discount,
    LineItem,
    PaymentMethods,
)
from service.core.ports import CreateCall
from service.providers.fastspring.amounts import prices
from service.providers.fastspring.options import (
    FastspringLineItemOptions,
    FastspringOptions,
    QuantityDiscount,
    Subscription,
    line_options,
    session_options,
)
from service.providers.text import said

JsonObject = dict[str, object]

DEFAULT_LANGUAGE = "en"
NO_OPTIONS = FastspringOptions()


def session_body(call: CreateCall, *, live: bool) -> JsonObject:
    """Build the body; `live` is the mode of the account."""
    request = call.request
    options = session_options(request)
    customer = request.customer or Customer()
    methods = request.payment_methods or PaymentMethods()
    billing = customer.billing_address or Address()
    return said(
        locale=customer.locale,
        country=billing.country,
        buyerIp=customer.ip_address,
        live=is_live(options, live=live),
        customer=_customer(customer, options) if request.customer or options != NO_OPTIONS else {},
        orderTags={**request.metadata, RESERVED_METADATA_KEY: call.session_id},
        cart=_cart(request),
        paymentMethodsOrder=list(methods.order),
        hidePaymentMethods=list(methods.hidden),
    )


def is_live(options: FastspringOptions, *, live: bool) -> bool:
    """Tell which mode a request asks for on an account of a mode."""
    return live if options.live is None else options.live


def language(request: CreateRequest) -> str:
    """Return the language that a text of one language is in."""
    locale = request.customer.locale if request.customer else ""
    return locale.split("-")[0] or DEFAULT_LANGUAGE


def _customer(customer: Customer, options: FastspringOptions) -> JsonObject:
    shipping = customer.shipping_address or Address()
    contact = options.ship_to_contact
    return said(
        accountId=customer.customer_id,
        externalAccountId=options.external_account_id,
        billToContact=said(
            email=customer.email,
            firstName=customer.first_name,
            lastName=customer.last_name,
            company=customer.company,
            phoneNumber=customer.phone_number,
        ),
        billToAddress=_address(customer.billing_address),
        shipToContact=said(
            email=contact and contact.email,
            firstName=shipping.first_name,
            lastName=shipping.last_name,
            company=contact and contact.company,
            phoneNumber=contact and contact.phone_number,
        ),
        shipToAddress=_address(customer.shipping_address),
        shipToType=options.ship_to_type and options.ship_to_type.name,
        accountTags=options.account_tags,
        taxId=customer.tax_id,
        taxIdRegion=options.tax_id_region,
    )


def _address(address: Address | None) -> JsonObject:
    if address is None:
        return {}
    return said(
        addressLine1=address.line1,
        addressLine2=address.line2,
        city=address.city,
        region=address.region,
        postalCode=address.postal_code,
        country=address.country,
    )


def _cart(request: CreateRequest) -> JsonObject:
    return said(
        couponCode=next(iter(request.cart.discount_codes), ""),
        lineItems=[_line(item, request) for item in request.cart.line_items],
    )


def _line(item: LineItem, request: CreateRequest) -> JsonObject:
    sold: JsonObject = {
        "productPath": item.product_id,
        "quantity": 1 if item.quantity is None else item.quantity,
    }
    own = (item.unit_price, item.description, item.image_url, item.discounts, item.provider_options)
    return sold | _further(item, request) if any(own) or request.cart.shipping_fee else sold


def _further(item: LineItem, request: CreateRequest) -> JsonObject:
    options = line_options(item)
    behavior = options.quantity_behavior
    return said(
        quantityBehavior=behavior and behavior.name,
        quantityDefault=options.quantity_default,
        descriptions=_descriptions(item, options, language(request)),
        customPrice=_custom_price(item, options, request),
        attributes=options.attributes,
        subscriptionOverrides=_overrides(options.subscription),
    )


def _descriptions(
    item: LineItem, options: FastspringLineItemOptions, spoken: str
) -> Mapping[str, object]:
    texts = options.descriptions
    summary = {spoken: item.description} if item.description else {}
    return said(
        display=texts and texts.display,
        instructions=texts and texts.instructions,
        summary=summary | (texts.summary if texts else {}),
        imageUrl=item.image_url,
    )


def _custom_price(
    item: LineItem, options: FastspringLineItemOptions, request: CreateRequest
) -> JsonObject:
    unit_price = (item.unit_price,) if item.unit_price else ()
    shipping = (request.cart.shipping_fee,) if request.cart.shipping_fee else ()
    discounts = [_discount(discount) for discount in item.discounts]
    discounts += [_quantity_discount(discount) for discount in options.quantity_discounts]
    return said(
        unitPrice=prices((*unit_price, *options.unit_prices)),
        discounts=discounts,
        discountDuration=options.discount_duration,
        setupFee=prices(options.setup_fees),
        edsFee=prices(options.eds_fees),
        shippingFee=prices((*shipping, *options.shipping_fees)),
    )


def _discount(discount: Discount) -> JsonObject:
    return said(
        minQuantity=1,
        percentDiscount=_whole(discount.percentage),
        amountDiscount=prices((discount.amount,) if discount.amount else ()),
    )


def _quantity_discount(discount: QuantityDiscount) -> JsonObject:
    return said(
        minQuantity=1 if discount.min_quantity is None else discount.min_quantity,
        percentDiscount=_whole(discount.percentage),
        amountDiscount=prices(discount.amounts),
    )


def _whole(percentage: str) -> int | None:
    return int(Decimal(percentage)) if percentage else None


def _overrides(subscription: Subscription | None) -> JsonObject:
    if subscription is None:
        return {}
    interval = subscription.billing_interval
    frequency: JsonObject = {}
    if interval is not None:
        frequency = said(
            intervalUnit=interval.unit and interval.unit.name,
            intervalLength=interval.length,
            intervalCount=interval.count,
        )
    return said(billingFrequency=frequency, trialDays=subscription.trial_period_days)
