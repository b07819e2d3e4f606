"""What a request may say for Dodo Payments alone, by the field names of the contract."""

import enum
from typing import TypeVar

import msgspec
from msgspec import Struct

from service.core.model import CreateRequest, LineItem, Money

T = TypeVar("T")


class Theme(enum.Enum):
    """Light or dark."""

    DARK = "THEME_DARK"
    LIGHT = "THEME_LIGHT"
    SYSTEM = "THEME_SYSTEM"


class FontSize(enum.Enum):
    """Size of text."""

    XS = "FONT_SIZE_XS"
    SM = "FONT_SIZE_SM"
    MD = "FONT_SIZE_MD"
    LG = "FONT_SIZE_LG"
    XL = "FONT_SIZE_XL"
    XXL = "FONT_SIZE_2XL"


class FontWeight(enum.Enum):
    """Weight of text."""

    NORMAL = "FONT_WEIGHT_NORMAL"
    MEDIUM = "FONT_WEIGHT_MEDIUM"
    BOLD = "FONT_WEIGHT_BOLD"
    EXTRA_BOLD = "FONT_WEIGHT_EXTRA_BOLD"


class FieldType(enum.Enum):
    """What an answer to a custom field must look like."""

    TEXT = "FIELD_TYPE_TEXT"
    NUMBER = "FIELD_TYPE_NUMBER"
    EMAIL = "FIELD_TYPE_EMAIL"
    URL = "FIELD_TYPE_URL"
    DATE = "FIELD_TYPE_DATE"
    DROPDOWN = "FIELD_TYPE_DROPDOWN"
    BOOLEAN = "FIELD_TYPE_BOOLEAN"


class ThemeColors(Struct, frozen=True, omit_defaults=True):
    """Colours of one theme; the field names are Dodo's own."""

    bg_primary: str = ""
    bg_secondary: str = ""
    border_primary: str = ""
    border_secondary: str = ""
    button_primary: str = ""
    button_primary_hover: str = ""
    button_secondary: str = ""
    button_secondary_hover: str = ""
    button_text_primary: str = ""
    button_text_secondary: str = ""
    input_focus_border: str = ""
    text_error: str = ""
    text_placeholder: str = ""
    text_primary: str = ""
    text_secondary: str = ""
    text_success: str = ""


class ThemeConfig(Struct, frozen=True):
    """Colours and fonts of the page."""

    light: ThemeColors | None = None
    dark: ThemeColors | None = None
    font_primary_url: str = ""
    font_secondary_url: str = ""
    font_size: FontSize | None = None
    font_weight: FontWeight | None = None
    pay_button_text: str = ""
    radius: str = ""


class Customization(Struct, frozen=True):
    """How the page looks."""

    theme: Theme | None = None
    show_order_details: bool | None = None
    show_on_demand_tag: bool | None = None
    theme_config: ThemeConfig | None = None


class FeatureFlags(Struct, frozen=True, omit_defaults=True):
    """What the page asks and lets the buyer change; the field names are Dodo's own."""

    allow_currency_selection: bool | None = None
    allow_phone_number_collection: bool | None = None
    allow_tax_id: bool | None = None
    always_create_new_customer: bool | None = None
    redirect_immediately: bool | None = None
    allow_customer_editing_city: bool | None = None
    allow_customer_editing_country: bool | None = None
    allow_customer_editing_email: bool | None = None
    allow_customer_editing_name: bool | None = None
    allow_customer_editing_state: bool | None = None
    allow_customer_editing_street: bool | None = None
    allow_customer_editing_tax_id: bool | None = None
    allow_customer_editing_zipcode: bool | None = None
    allow_customer_editing_business_name: bool | None = None
    allow_editing_addons: bool | None = None
    require_phone_number: bool | None = None
    require_cardholder_name: bool | None = None
    require_tax_id: bool | None = None
    single_page: bool | None = None


class OnDemand(Struct, frozen=True):
    """A subscription whose later charges the merchant asks for."""

    mandate_only: bool | None = None
    product_price: Money | None = None
    product_description: str = ""
    adaptive_currency_fees_inclusive: bool | None = None


class Subscription(Struct, frozen=True):
    """How subscription products of the cart start."""

    trial_period_days: int | None = None
    on_demand: OnDemand | None = None


class CustomField(Struct, frozen=True):
    """A question on the page."""

    key: str = ""
    label: str = ""
    field_type: FieldType | None = None
    required: bool = False
    placeholder: str = ""
    options: tuple[str, ...] = ()


class DodoOptions(Struct, frozen=True):
    """Options of a session."""

    confirm: bool | None = None
    customization: Customization | None = None
    feature_flags: FeatureFlags | None = None
    subscription: Subscription | None = None
    show_saved_payment_methods: bool | None = None
    custom_fields: tuple[CustomField, ...] = ()
    force_3ds: bool | None = None
    mandate_min_amount: Money | None = None
    minimal_address: bool | None = None
    payment_method_id: str = ""
    product_collection_id: str = ""
    short_link: bool | None = None

    @property
    def on_demand(self) -> OnDemand | None:
        """Return the on-demand part, where there is one."""
        return self.subscription.on_demand if self.subscription else None


class CreditEntitlement(Struct, frozen=True):
    """Credits the buyer gets with an item; the field names are Dodo's own."""

    credit_entitlement_id: str = ""
    credits_amount: str = ""


class DodoLineItemOptions(Struct, frozen=True):
    """Options of a cart item."""

    credit_entitlements: tuple[CreditEntitlement, ...] = ()


def session_options(request: CreateRequest) -> DodoOptions:
    """Decode the session's options; all absent where the request has none."""
    return _decoded(request.provider_options, DodoOptions)


def line_options(item: LineItem) -> DodoLineItemOptions:
    """Decode a line's options."""
    return _decoded(item.provider_options, DodoLineItemOptions)


def _decoded(options: dict[str, object] | None, kind: type[T]) -> T:
    mine = options.get("dodo") if options else None
    # JSON of protobuf writes 64-bit numbers as text, hence not strict.
    return msgspec.convert(mine, kind, strict=False) if mine else kind()
