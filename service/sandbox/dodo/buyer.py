"""The form of Dodo's page: what it asks for a session, and the buyer that a filled form describes."""

from collections.abc import Iterator, Mapping, Sequence

from service.sandbox.currency import to_major, to_minor
from service.sandbox.dodo.catalogue import Catalogue
from service.sandbox.dodo.enums import COUNTRIES
from service.sandbox.dodo.records import Buyer
from service.sandbox.dodo.request import Address, CheckoutRequest, CustomField
from service.sandbox.dodo.rules import saved_customer
from service.sandbox.emulator import EntryInvalid, Field, FieldKind

CUSTOM = "custom."
AMOUNT = "amount."
DEFAULT_COUNTRY = "US"

COUNTRY_OPTIONS = tuple((code, code) for code in sorted(COUNTRIES))
KINDS: Mapping[str, FieldKind] = {"dropdown": "select", "boolean": "checkbox"}


def fields(request: CheckoutRequest, catalogue: Catalogue) -> tuple[Field, ...]:
    """Return the inputs of the page, prefilled from the request."""
    return (
        *_order_fields(request, catalogue),
        *_contact_fields(request, catalogue),
        *_address_fields(request),
        *_tax_fields(request),
        *_custom_fields(request.custom_fields or []),
        *_method_fields(request),
    )


def buyer(request: CheckoutRequest, catalogue: Catalogue, values: Mapping[str, str]) -> Buyer:
    """Build the buyer that checked values describe."""
    saved = saved_customer(request, catalogue)
    return Buyer(
        email=values["email"],
        name=values["name"],
        country=values["country"],
        phone_number=values.get("phone_number") or (saved.phone_number if saved else None),
        city=values.get("city") or None,
        state=values.get("state") or None,
        street=values.get("street") or None,
        zipcode=values.get("zipcode") or None,
        tax_id=values.get("tax_id") or None,
        payment_method=values.get("payment_method") or "credit",
        answers=tuple(
            (name.removeprefix(CUSTOM), value)
            for name, value in values.items()
            if name.startswith(CUSTOM) and value
        ),
    )


def amounts(
    request: CheckoutRequest, catalogue: Catalogue, values: Mapping[str, str]
) -> dict[int, int]:
    """Return the amount that the buyer chose for each line, in minor units."""
    chosen: dict[int, int] = {}
    for name, text in values.items():
        if name.startswith(AMOUNT) and text:
            index = int(name.removeprefix(AMOUNT))
            product = catalogue.products[request.product_cart[index].product_id]
            chosen[index] = _amount(name, text, product.currency, product.price)
    return chosen


def chosen_product(
    request: CheckoutRequest, catalogue: Catalogue, values: Mapping[str, str]
) -> str | None:
    """Return the product picked from the collection of a session whose cart is empty."""
    if request.product_cart or request.product_collection_id is None:
        return None
    return values.get("product") or catalogue.collections[request.product_collection_id][0]


def _amount(name: str, text: str, currency: str, minimum: int) -> int:
    try:
        amount = to_minor(text, currency)
    except ValueError as error:
        raise EntryInvalid({name: "amount_invalid"}) from error
    if amount < minimum:
        raise EntryInvalid({name: "amount_low"})
    return amount


def _order_fields(request: CheckoutRequest, catalogue: Catalogue) -> Iterator[Field]:
    if not request.product_cart and request.product_collection_id is not None:
        ids = catalogue.collections[request.product_collection_id]
        options = tuple((key, catalogue.products[key].name) for key in ids)
        yield Field(
            name="product",
            kind="select",
            group="order",
            options=options,
            value=ids[0],
            is_required=True,
        )
    for index, item in enumerate(request.product_cart):
        product = catalogue.products[item.product_id]
        if product.is_pay_what_you_want and item.amount is None:
            yield Field(
                name=f"{AMOUNT}{index}",
                kind="amount",
                group="order",
                label=f"{product.name} ({product.currency})",
                value=str(to_major(product.suggested_price, product.currency)),
                is_required=True,
            )


def _contact_fields(request: CheckoutRequest, catalogue: Catalogue) -> Iterator[Field]:
    flags, given = request.feature_flags, request.customer
    saved = saved_customer(request, catalogue)
    email = (saved.email if saved else given and given.email) or ""
    name = (saved.name if saved else given and given.name) or ""
    yield Field(
        name="email",
        kind="email",
        value=email,
        autocomplete="email",
        is_required=True,
        is_readonly=bool(email) and (saved is not None or not flags.allow_customer_editing_email),
    )
    yield Field(
        name="name",
        value=name,
        autocomplete="name",
        is_required=True,
        is_readonly=bool(name) and not flags.allow_customer_editing_name,
    )
    if flags.allow_phone_number_collection or flags.require_phone_number:
        yield Field(
            name="phone_number",
            kind="tel",
            group="contact" if flags.require_phone_number else "more",
            value=(given and given.phone_number) or "",
            autocomplete="tel",
            is_required=flags.require_phone_number,
        )


def _address_fields(request: CheckoutRequest) -> Iterator[Field]:
    flags, given = request.feature_flags, request.billing_address
    yield Field(
        name="country",
        kind="country",
        group="address",
        options=COUNTRY_OPTIONS,
        value=given.country if given else DEFAULT_COUNTRY,
        autocomplete="country",
        is_required=True,
        is_readonly=given is not None and not flags.allow_customer_editing_country,
    )
    yield _address_field(
        "zipcode", "postal-code", given, is_editable=flags.allow_customer_editing_zipcode
    )
    if not request.minimal_address:
        yield _address_field(
            "street", "street-address", given, is_editable=flags.allow_customer_editing_street
        )
        yield _address_field(
            "city", "address-level2", given, is_editable=flags.allow_customer_editing_city
        )
        yield _address_field(
            "state", "address-level1", given, is_editable=flags.allow_customer_editing_state
        )


def _address_field(name: str, hint: str, given: Address | None, *, is_editable: bool) -> Field:
    value = (getattr(given, name) if given else None) or ""
    return Field(
        name=name,
        group="address" if name == "zipcode" else "more",
        value=value,
        autocomplete=hint,
        is_readonly=bool(value) and not is_editable,
    )


def _tax_fields(request: CheckoutRequest) -> Iterator[Field]:
    flags, value = request.feature_flags, request.tax_id or ""
    if flags.allow_tax_id or flags.require_tax_id or value:
        yield Field(
            name="tax_id",
            group="contact" if flags.require_tax_id else "more",
            value=value,
            is_required=flags.require_tax_id,
            is_readonly=bool(value) and not flags.allow_customer_editing_tax_id,
        )


def _custom_fields(questions: Sequence[CustomField]) -> Iterator[Field]:
    for question in questions:
        yield Field(
            name=f"{CUSTOM}{question.key}",
            kind=KINDS.get(question.field_type) or _same_kind(question),
            group="custom",
            label=question.label,
            placeholder=question.placeholder or "",
            options=tuple((option, option) for option in question.options or ()),
            is_required=question.required,
        )


def _same_kind(question: CustomField) -> FieldKind:
    match question.field_type:
        case "email" | "url" | "number" | "date" as kind:
            return kind
        case _:
            return "text"


def _method_fields(request: CheckoutRequest) -> Iterator[Field]:
    allowed = request.allowed_payment_method_types or []
    if allowed:
        yield Field(
            name="payment_method",
            kind="select",
            group="payment",
            options=tuple((method, method.replace("_", " ").capitalize()) for method in allowed),
            value=allowed[0],
            is_required=True,
        )
