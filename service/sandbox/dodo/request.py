"""The body of `POST /checkouts`: every field documented from 1.53.2 to SDK 2.52.0, and no other.

Whether Dodo itself refuses unknown fields is not published; the sandbox does, so that a misspelt
field is found here and not in production.
"""

from typing import Annotated, ClassVar, Literal, cast

import msgspec
from msgspec import Meta, field

from service.sandbox.dodo.enums import COUNTRIES, CURRENCIES, LANGUAGES, PAYMENT_METHODS
from service.sandbox.dodo.errors import Refusal, invalid_body, unknown_values

MAX_INT32 = 2**31 - 1

Int32 = Annotated[int, Meta(ge=-(2**31), le=MAX_INT32)]
Count = Annotated[int, Meta(ge=0, le=MAX_INT32)]
WebUrl = Annotated[str, Meta(pattern=r"^https?://[^\s/?#]+[^\s]*$")]
SecureUrl = Annotated[str, Meta(pattern=r"^https://[^\s/?#]+[^\s]*$")]
Email = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Radius = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?(px|rem|em)$")]
Color = Annotated[str, Meta(pattern=r"^(#?[0-9a-fA-F]{3,8}|[a-zA-Z]+|[a-z]+\([^()]*\))$")]
Credits = Annotated[str, Meta(pattern=r"^(?=.*[1-9])[0-9]+(\.[0-9]+)?$")]
Scalar = str | int | float | bool


class Choice(str):
    """A string out of a closed list."""

    __slots__ = ()
    known: ClassVar[frozenset[str]]


class Country(Choice):
    """An ISO 3166-1 alpha-2 code that Dodo lists."""

    known = COUNTRIES


class Currency(Choice):
    """An ISO 4217 code that Dodo lists."""

    known = CURRENCIES


class Language(Choice):
    """A language that Dodo's page speaks."""

    known = LANGUAGES


class PaymentMethod(Choice):
    """A payment method type that Dodo lists."""

    known = PAYMENT_METHODS


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object that takes its documented fields only."""


class CartAddon(Strict, frozen=True, kw_only=True):
    """An add-on of a subscription."""

    addon_id: str
    quantity: Count


class CreditEntitlement(Strict, frozen=True, kw_only=True):
    """How many credits this session grants instead of the product's own number."""

    credit_entitlement_id: str
    credits_amount: Credits


class CartItem(Strict, frozen=True, kw_only=True):
    """One product of the cart."""

    product_id: str
    quantity: Count
    amount: Int32 | None = None
    addons: list[CartAddon] | None = None
    credit_entitlements: list[CreditEntitlement] | None = None


class Address(Strict, frozen=True, kw_only=True):
    """The buyer's billing address."""

    country: Country
    city: str | None = None
    state: str | None = None
    street: str | None = None
    zipcode: str | None = None


class Customer(Strict, frozen=True, kw_only=True):
    """An existing customer by id, or a new one by e-mail."""

    customer_id: str | None = None
    email: Email | None = None
    name: str | None = None
    phone_number: str | None = None


class CustomField(Strict, frozen=True, kw_only=True):
    """A question of the merchant's own on the page."""

    key: str
    label: str
    field_type: Literal["text", "number", "email", "url", "date", "dropdown", "boolean"]
    required: bool = False
    placeholder: str | None = None
    options: list[str] | None = None


class ThemeColors(Strict, frozen=True, kw_only=True):
    """Colours of one theme mode."""

    bg_primary: Color | None = None
    bg_secondary: Color | None = None
    border_primary: Color | None = None
    border_secondary: Color | None = None
    button_primary: Color | None = None
    button_primary_hover: Color | None = None
    button_secondary: Color | None = None
    button_secondary_hover: Color | None = None
    button_text_primary: Color | None = None
    button_text_secondary: Color | None = None
    input_focus_border: Color | None = None
    text_error: Color | None = None
    text_placeholder: Color | None = None
    text_primary: Color | None = None
    text_secondary: Color | None = None
    text_success: Color | None = None


class ThemeConfig(Strict, frozen=True, kw_only=True):
    """The look of the page; the sandbox checks all of it and shows the pay button's text."""

    light: ThemeColors | None = None
    dark: ThemeColors | None = None
    font_primary_url: SecureUrl | None = None
    font_secondary_url: SecureUrl | None = None
    font_size: Literal["xs", "sm", "md", "lg", "xl", "2xl"] | None = None
    font_weight: Literal["normal", "medium", "bold", "extraBold"] | None = None
    pay_button_text: Annotated[str, Meta(max_length=100)] | None = None
    radius: Radius | None = None


class Customization(Strict, frozen=True, kw_only=True):
    """Theme, language and layout of the page."""

    theme: Literal["dark", "light", "system"] | None = None
    show_order_details: bool = True
    show_on_demand_tag: bool = True
    force_language: Language | None = None
    theme_config: ThemeConfig | None = None


class FeatureFlags(Strict, frozen=True, kw_only=True):
    """What the buyer may do on the page; undocumented defaults are taken as allowed."""

    allow_currency_selection: bool = True
    allow_discount_code: bool = True
    allow_phone_number_collection: bool = True
    allow_tax_id: bool = True
    always_create_new_customer: bool = False
    redirect_immediately: bool = False
    allow_customer_editing_city: bool = True
    allow_customer_editing_country: bool = True
    allow_customer_editing_email: bool = True
    allow_customer_editing_name: bool = True
    allow_customer_editing_state: bool = True
    allow_customer_editing_street: bool = True
    allow_customer_editing_tax_id: bool = True
    allow_customer_editing_zipcode: bool = True
    allow_customer_editing_business_name: bool = False
    allow_editing_addons: bool = False
    require_cardholder_name: bool = False
    require_phone_number: bool = False
    require_tax_id: bool = False
    single_page: bool = False


class OnDemand(Strict, frozen=True, kw_only=True):
    """A mandate that the merchant charges when it wants."""

    mandate_only: bool
    product_price: Count | None = None
    product_currency: Currency | None = None
    product_description: str | None = None
    adaptive_currency_fees_inclusive: bool | None = None


class SubscriptionData(Strict, frozen=True, kw_only=True):
    """Overrides for the subscriptions of the cart."""

    trial_period_days: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    on_demand: OnDemand | None = None


class CheckoutRequest(Strict, frozen=True, kw_only=True):
    """The whole body."""

    product_cart: Annotated[list[CartItem], Meta(max_length=20)]
    allowed_payment_method_types: list[PaymentMethod] | None = None
    billing_address: Address | None = None
    billing_currency: Currency | None = None
    cancel_url: WebUrl | None = None
    confirm: bool = False
    custom_fields: Annotated[list[CustomField], Meta(max_length=5)] | None = None
    customer: Customer | None = None
    customer_business_name: str | None = None
    customization: Customization = field(default_factory=Customization)
    discount_code: str | None = None
    discount_codes: Annotated[list[str], Meta(max_length=20)] | None = None
    feature_flags: FeatureFlags = field(default_factory=FeatureFlags)
    force_3ds: bool | None = None
    mandate_min_amount_inr_paise: Count | None = None
    metadata: dict[str, Scalar] | None = None
    minimal_address: bool = False
    payment_method_id: str | None = None
    product_collection_id: str | None = None
    return_url: WebUrl | None = None
    short_link: bool = False
    show_saved_payment_methods: bool = False
    subscription_data: SubscriptionData | None = None
    tax_id: str | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the discount codes in the order they apply."""
        return (self.discount_code,) if self.discount_code else tuple(self.discount_codes or ())


def decode(body: bytes) -> CheckoutRequest:
    """Decode a body, or refuse it with the place of the first mistake."""
    try:
        return msgspec.json.decode(body, type=CheckoutRequest, dec_hook=_choice)
    except msgspec.ValidationError as error:
        raise invalid_body(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(400, "INVALID_REQUEST_BODY", "The request body is not JSON.") from error


def _choice(kind: type, value: object) -> Choice:
    choice = cast("type[Choice]", kind)
    if not isinstance(value, str) or value not in choice.known:
        raise ValueError(unknown_values(value, choice.known))
    return choice(value)
