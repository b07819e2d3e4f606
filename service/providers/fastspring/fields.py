"""From FastSpring's name of a field to the contract's, and what of a request is personal."""

import re
from collections.abc import Iterator, Mapping

from service.core.model import Address, CreateRequest
from service.providers.fastspring.options import line_options, session_options

MINE = "provider_options.fastspring"

FIELDS: Mapping[str, str] = {
    "buyerIp": "customer.ip_address",
    "cart": "cart.line_items",
    "cart.couponCode": "cart.discount_codes",
    "cart.lineItems": "cart.line_items",
    "country": "customer.billing_address.country",
    "customer": "customer",
    "customer.accountId": "customer.customer_id",
    "customer.accountTags": f"{MINE}.account_tags",
    "customer.billToAddress": "customer.billing_address",
    "customer.billToContact.company": "customer.company",
    "customer.billToContact.email": "customer.email",
    "customer.billToContact.firstName": "customer.first_name",
    "customer.billToContact.lastName": "customer.last_name",
    "customer.billToContact.phoneNumber": "customer.phone_number",
    "customer.externalAccountId": f"{MINE}.external_account_id",
    "customer.shipToAddress": "customer.shipping_address",
    "customer.shipToContact.company": f"{MINE}.ship_to_contact.company",
    "customer.shipToContact.email": f"{MINE}.ship_to_contact.email",
    "customer.shipToContact.firstName": "customer.shipping_address.first_name",
    "customer.shipToContact.lastName": "customer.shipping_address.last_name",
    "customer.shipToContact.phoneNumber": f"{MINE}.ship_to_contact.phone_number",
    "customer.shipToType": f"{MINE}.ship_to_type",
    "customer.taxId": "customer.tax_id",
    "customer.taxIdRegion": f"{MINE}.tax_id_region",
    "hidePaymentMethods": "payment_methods.hidden",
    "live": f"{MINE}.live",
    "locale": "customer.locale",
    "orderTags": "metadata",
    "paymentMethodsOrder": "payment_methods.order",
}
OF_ADDRESS: Mapping[str, str] = {
    "addressLine1": "line1",
    "addressLine2": "line2",
    "city": "city",
    "country": "country",
    "postalCode": "postal_code",
    "region": "region",
}
OF_LINE: Mapping[str, str] = {
    "attributes": f"{MINE}.attributes",
    "customPrice.discountDuration": f"{MINE}.discount_duration",
    "customPrice.edsFee": f"{MINE}.eds_fees",
    "customPrice.setupFee": f"{MINE}.setup_fees",
    "customPrice.shippingFee": f"{MINE}.shipping_fees",
    "customPrice.unitPrice": "unit_price",
    "descriptions": f"{MINE}.descriptions",
    "descriptions.imageUrl": "image_url",
    "productPath": "product_id",
    "quantity": "quantity",
    "quantityBehavior": f"{MINE}.quantity_behavior",
    "quantityDefault": f"{MINE}.quantity_default",
    "subscriptionOverrides": f"{MINE}.subscription",
}
LINE = re.compile(r"cart\.lineItems\[(\d+)\](?:\.(.+))?")


def our_field(field: str, request: CreateRequest) -> str:
    """Return the path in the contract of a field that FastSpring names; empty where none is known."""
    found = LINE.fullmatch(field)
    if found and int(found[1]) < len(request.cart.line_items):
        return _line(int(found[1]), found[2] or "", request)
    address, _, part = field.rpartition(".")
    if part in OF_ADDRESS and address in ("customer.billToAddress", "customer.shipToAddress"):
        return f"{FIELDS[address]}.{OF_ADDRESS[part]}"
    return next((FIELDS[name] for name in _prefixes(field) if name in FIELDS), "")


def _line(index: int, part: str, request: CreateRequest) -> str:
    path, item = f"cart.line_items[{index}]", request.cart.line_items[index]
    if part.startswith("customPrice.discounts"):
        ours = "discounts" if item.discounts else f"{MINE}.quantity_discounts"
        return f"{path}.{ours}"
    if part.startswith("customPrice.shippingFee") and not line_options(item).shipping_fees:
        return "cart.shipping_fee"
    ours = next((OF_LINE[name] for name in _prefixes(part) if name in OF_LINE), "")
    return f"{path}.{ours}" if ours else path


def _prefixes(name: str) -> Iterator[str]:
    name = re.sub(r"\[\d+\]", "", name)
    while name:
        yield name
        name = name.rpartition(".")[0]


def personal(request: CreateRequest) -> Iterator[str]:
    """Yield what a request says of people, for keeping it out of texts."""
    options = session_options(request)
    if options.ship_to_contact is not None:
        contact = options.ship_to_contact
        yield from (contact.email, contact.phone_number, contact.company)
    customer = request.customer
    if customer is None:
        return
    yield from (customer.email, customer.phone_number, customer.company, customer.tax_id)
    yield from (customer.first_name, customer.last_name, customer.ip_address)
    for address in (customer.billing_address, customer.shipping_address):
        yield from _personal(address or Address())


def _personal(address: Address) -> Iterator[str]:
    yield from (address.line1, address.line2, address.city, address.region, address.postal_code)
    yield from (address.first_name, address.last_name)
