"""The documented rules that no schema expresses: which fields, products and values go together."""

import re
from collections.abc import Iterator

from service.sandbox.dodo.catalogue import Catalogue, Product, SavedCustomer
from service.sandbox.dodo.errors import Refusal, invalid_body, invalid_parameters, not_found
from service.sandbox.dodo.request import CartItem, CheckoutRequest, CustomField, Scalar

METADATA_PAIRS = 50
METADATA_VALUE_LENGTH = 500
METADATA_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")

ON_DEMAND_MESSAGES = {
    "ONE_TIME_PRODUCTS_NOT_ALLOWED_FOR_ON_DEMAND": (
        "One-time products are not allowed for on demand subscriptions"
    ),
    "ON_DEMAND_USAGE_BASED_BILLING_NOT_SUPPORTED": (
        "On Demand Subscriptions are not supported for Usage Based Billing"
    ),
    "ADDONS_NOT_ALLOWED_FOR_ON_DEMAND": "Addons are not allowed for on demand subscriptions",
    "DISCOUNT_NOT_AVAILABLE_FOR_ON_DEMAND": (
        "Discount coupon not available for on demand subscriptions"
    ),
}


def check(request: CheckoutRequest, catalogue: Catalogue) -> None:
    """Refuse a decoded body that breaks a documented rule."""
    _check_cart(request, catalogue)
    _check_customer(request, catalogue)
    _check_discounts(request)
    _check_payment_methods(request)
    _check_metadata(request.metadata or {})
    _check_custom_fields(request.custom_fields or [])
    if request.tax_id and request.billing_address is None:
        raise invalid_parameters("tax_id requires billing_address with country")
    for item in request.product_cart:
        _check_item(item, catalogue)
    _check_confirm(request, catalogue)
    _check_on_demand(request, catalogue)


def saved_customer(request: CheckoutRequest, catalogue: Catalogue) -> SavedCustomer | None:
    """Return the existing customer that a body names."""
    customer_id = request.customer.customer_id if request.customer else None
    return catalogue.customers.get(customer_id) if customer_id else None


def products(request: CheckoutRequest, catalogue: Catalogue) -> Iterator[Product]:
    """Yield the product of each line of the cart."""
    return (catalogue.products[item.product_id] for item in request.product_cart)


def _check_cart(request: CheckoutRequest, catalogue: Catalogue) -> None:
    collection_id = request.product_collection_id
    if collection_id is not None and collection_id not in catalogue.collections:
        raise not_found("Product collection", collection_id)
    if not request.product_cart and collection_id is None:
        raise Refusal(422, "PRODUCT_CART_EMTPY", "product_cart is empty")


def _check_customer(request: CheckoutRequest, catalogue: Catalogue) -> None:
    customer = request.customer
    if customer is None:
        return
    # The schema is a choice of two shapes; a body that mixes both is taken by neither.
    details = (customer.email, customer.name, customer.phone_number)
    if customer.customer_id is None and customer.email is None:
        raise invalid_body("customer needs customer_id or email - at `$.customer`")
    if customer.customer_id is not None and any(value is not None for value in details):
        raise invalid_body("customer takes customer_id or details, not both - at `$.customer`")
    if customer.customer_id is not None and customer.customer_id not in catalogue.customers:
        raise not_found("Customer", customer.customer_id)


def _check_discounts(request: CheckoutRequest) -> None:
    if request.discount_code is not None and request.discount_codes is not None:
        raise invalid_parameters("discount_code cannot be used together with discount_codes")


def _check_payment_methods(request: CheckoutRequest) -> None:
    allowed = request.allowed_payment_method_types
    if allowed is None:
        return
    if len(set(allowed)) != len(allowed):
        raise invalid_body("duplicate items - at `$.allowed_payment_method_types`")
    if not allowed:
        raise Refusal(422, "NO_ELIGIBLE_PAYMENT_METHODS", "No eligible payment methods found")


def _check_metadata(metadata: dict[str, Scalar]) -> None:
    if len(metadata) > METADATA_PAIRS:
        raise Refusal(422, "MAXIMUM_KEYS_REACHED", f"Exceeds {METADATA_PAIRS} key-value pairs")
    for key, value in metadata.items():
        if not METADATA_KEY.fullmatch(key):
            raise invalid_body(
                "metadata keys have 1 to 40 letters, digits, dashes or underscores - at `$.metadata`"
            )
        if len(str(value)) > METADATA_VALUE_LENGTH:
            raise invalid_body(
                f"metadata values have at most {METADATA_VALUE_LENGTH} characters - at `$.metadata`"
            )


def _check_custom_fields(fields: list[CustomField]) -> None:
    if len({field.key for field in fields}) != len(fields):
        raise invalid_body("duplicate key - at `$.custom_fields`")
    for index, field in enumerate(fields):
        where = f"at `$.custom_fields[{index}]`"
        if not field.key or not field.label:
            raise invalid_body(f"key and label cannot be empty - {where}")
        if field.field_type == "dropdown" and not field.options:
            raise invalid_body(f"options are required for dropdown fields - {where}")
        if field.field_type != "dropdown" and field.options is not None:
            raise invalid_body(f"options are only for dropdown fields - {where}")


def _check_confirm(request: CheckoutRequest, catalogue: Catalogue) -> None:
    if request.payment_method_id is not None:
        _check_saved_method(request, request.payment_method_id, catalogue)
    if not request.confirm:
        return
    if request.customer is None:
        raise invalid_parameters("customer is required when confirm is true")
    address = request.billing_address
    needed = ("zipcode",) if request.minimal_address else ("street", "city", "state", "zipcode")
    missing = [name for name in needed if address is None or not getattr(address, name)]
    if missing:
        names = ", ".join(f"billing_address.{name}" for name in missing)
        raise invalid_parameters(f"{names} required when confirm is true")
    if not request.product_cart:
        raise Refusal(422, "PRODUCT_CART_EMTPY", "product_cart is empty")
    for item, product in zip(request.product_cart, products(request, catalogue), strict=True):
        if product.is_pay_what_you_want and item.amount is None:
            message = "Amount is mandatory for pay as you want product"
            raise Refusal(422, "PAY_AS_YOU_WANT_AMOUNT_REQUIRED", message)


def _check_saved_method(request: CheckoutRequest, method_id: str, catalogue: Catalogue) -> None:
    if not request.confirm:
        raise invalid_parameters("payment_method_id is only allowed when confirm is true")
    customer = saved_customer(request, catalogue)
    if customer is None:
        raise invalid_parameters("payment_method_id requires an existing customer_id")
    if method_id not in customer.payment_method_ids:
        raise not_found("Payment method", method_id)


def _sellable(product_id: str, catalogue: Catalogue) -> Product:
    product = catalogue.products.get(product_id)
    if product is None:
        raise not_found("Product", product_id)
    if product.is_deleted:
        raise Refusal(422, "PRODUCT_IS_DELETED", f"Product {product_id} is deleted")
    if product.is_incomplete:
        raise Refusal(
            422,
            "MISSING_PRODUCT_INFORMATION",
            f"Product {product_id} exists but other mandatory information is missing or invalid",
        )
    return product


def _check_item(item: CartItem, catalogue: Catalogue) -> None:
    product = _sellable(item.product_id, catalogue)
    if product.kind == "usage" and item.quantity != 1:
        message = "Only 1 quantity allowed in usage based price products"
        raise Refusal(422, "INVALID_QUANTITY", message)
    # For every other product the documents say that an amount is silently ignored.
    is_too_low = item.amount is not None and item.amount < product.price
    if product.is_pay_what_you_want and is_too_low:
        raise below_minimum()
    _check_addons(item, product, catalogue)
    for entitlement in item.credit_entitlements or []:
        if entitlement.credit_entitlement_id not in product.credit_entitlement_ids:
            raise not_found("Credit entitlement", entitlement.credit_entitlement_id)


def below_minimum() -> Refusal:
    """Build the refusal of an amount under the product's own minimum."""
    message = "Amount cannot be less than minimum amount specified for the product"
    return Refusal(422, "REQUEST_AMOUNT_BELOW_MINIMUM", message)


def _check_addons(item: CartItem, product: Product, catalogue: Catalogue) -> None:
    ids = [addon.addon_id for addon in item.addons or []]
    if not ids:
        return
    if not product.is_recurring:
        raise invalid_parameters("addons are only valid if the product is a subscription")
    if product.kind == "usage":
        raise Refusal(
            422,
            "ADDONS_IN_USAGE_BASED_BILLING_NOT_SUPPORTED",
            "Addons in Subscriptions are not supported for Usage Based Billing",
        )
    if len(set(ids)) != len(ids):
        message = "Duplicate addon IDs are not allowed"
        raise Refusal(422, "DUPLICATE_ADDON_IDS_IN_REQUEST", message)
    for addon_id in ids:
        if addon_id not in catalogue.addons or addon_id not in product.addon_ids:
            message = f"One or more product IDs do not exist: {addon_id}"
            raise Refusal(422, "MISSING_ADDON_IDS", message)


def _check_on_demand(request: CheckoutRequest, catalogue: Catalogue) -> None:
    data = request.subscription_data
    if data is None or data.on_demand is None:
        return
    kinds = {product.kind for product in products(request, catalogue)}
    refused = {
        "ONE_TIME_PRODUCTS_NOT_ALLOWED_FOR_ON_DEMAND": "one_time" in kinds,
        "ON_DEMAND_USAGE_BASED_BILLING_NOT_SUPPORTED": "usage" in kinds,
        "ADDONS_NOT_ALLOWED_FOR_ON_DEMAND": any(item.addons for item in request.product_cart),
        "DISCOUNT_NOT_AVAILABLE_FOR_ON_DEMAND": bool(request.codes),
    }
    for code, is_refused in refused.items():
        if is_refused:
            raise Refusal(422, code, ON_DEMAND_MESSAGES[code])
