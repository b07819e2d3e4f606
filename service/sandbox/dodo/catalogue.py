"""The demo merchant's catalogue: one product for each kind of item, and some that cannot be sold.

Adaptive pricing is off for this merchant, so `billing_currency` is checked and, as documented,
ignored: every product is charged in its own currency.
"""

from typing import Literal

import msgspec

BUSINESS_ID = "bus_demo"
BRAND_ID = "bnd_demo"

ProductKind = Literal["one_time", "subscription", "usage"]


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """Something the merchant sells; the tax rate is in basis points."""

    product_id: str
    name: str
    description: str
    price: int
    currency: str = "USD"
    kind: ProductKind = "one_time"
    is_pay_what_you_want: bool = False
    suggested_price: int = 0
    tax_rate: int = 0
    is_tax_inclusive: bool = False
    tax_category: str = "digital_products"
    addon_ids: tuple[str, ...] = ()
    credit_entitlement_ids: tuple[str, ...] = ()
    is_deleted: bool = False
    is_incomplete: bool = False

    @property
    def is_recurring(self) -> bool:
        """Tell whether buying it starts a subscription."""
        return self.kind != "one_time"


class Addon(msgspec.Struct, frozen=True, kw_only=True):
    """An extra of a subscription."""

    addon_id: str
    name: str
    price: int


class Discount(msgspec.Struct, frozen=True, kw_only=True):
    """A code: `percentage` in basis points, `flat` in minor units of its currency."""

    discount_id: str
    code: str
    kind: Literal["percentage", "flat"]
    amount: int
    currency: str = "USD"


class SavedCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer the merchant already has, with the payment methods it saved."""

    customer_id: str
    name: str
    email: str
    phone_number: str | None = None
    payment_method_ids: tuple[str, ...] = ()


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the merchant has set up."""

    products: dict[str, Product]
    addons: dict[str, Addon]
    discounts: dict[str, Discount]
    collections: dict[str, tuple[str, ...]]
    customers: dict[str, SavedCustomer]


def demo_catalogue() -> Catalogue:
    """Build the demo merchant's catalogue."""
    return Catalogue(
        products={product.product_id: product for product in _products()},
        addons={"adn_demo": Addon(addon_id="adn_demo", name="Demo extra seat", price=300)},
        discounts={discount.code: discount for discount in _discounts()},
        collections={"pdc_demo": ("pdt_demo", "pdt_demo_inclusive", "pdt_demo_taxed")},
        customers={
            "cus_demo": SavedCustomer(
                customer_id="cus_demo",
                name="Demo Customer",
                email="demo.customer@example.com",
                phone_number="+14155550100",
                payment_method_ids=("pm_demo",),
            )
        },
    )


def _discounts() -> tuple[Discount, ...]:
    return (
        Discount(discount_id="dsc_demo_10", code="DEMO10", kind="percentage", amount=1000),
        Discount(discount_id="dsc_demo_500", code="DEMO500", kind="flat", amount=500),
    )


def _products() -> tuple[Product, ...]:
    return (
        Product(
            product_id="pdt_demo",
            name="Demo T-shirt",
            description="Soft cotton, one size, never shipped",
            price=1999,
        ),
        Product(
            product_id="pdt_demo_subscription",
            name="Demo plan",
            description="Billed every month",
            price=900,
            kind="subscription",
            tax_category="saas",
            addon_ids=("adn_demo",),
        ),
        Product(
            product_id="pdt_demo_usage",
            name="Demo metered plan",
            description="A monthly base fee, usage billed afterwards",
            price=500,
            kind="usage",
            tax_category="saas",
        ),
        Product(
            product_id="pdt_demo_pwyw",
            name="Demo donation",
            description="Pay what you want, from 5.00 up",
            price=500,
            is_pay_what_you_want=True,
            suggested_price=1500,
        ),
        Product(
            product_id="pdt_demo_inclusive",
            name="Demo e-book",
            description="The price includes 20 % tax",
            price=2400,
            tax_rate=2000,
            is_tax_inclusive=True,
            tax_category="e_book",
        ),
        Product(
            product_id="pdt_demo_taxed",
            name="Demo course",
            description="10 % tax is added to the price",
            price=1000,
            tax_rate=1000,
            tax_category="edtech",
        ),
        Product(
            product_id="pdt_demo_credits",
            name="Demo credits",
            description="Prepaid credits",
            price=4900,
            tax_category="saas",
            credit_entitlement_ids=("cde_demo",),
        ),
        *_foreign_products(),
        *_unsellable_products(),
    )


def _foreign_products() -> tuple[Product, ...]:
    return (
        Product(
            product_id="pdt_demo_eur",
            name="Demo mug",
            description="Priced in euro",
            price=1450,
            currency="EUR",
        ),
        Product(
            product_id="pdt_demo_inr",
            name="Demo tea",
            description="Priced in Indian rupees",
            price=49900,
            currency="INR",
        ),
        Product(
            product_id="pdt_demo_jpy",
            name="Demo poster",
            description="Priced in yen, which has no decimals",
            price=2500,
            currency="JPY",
        ),
        Product(
            product_id="pdt_demo_kwd",
            name="Demo lamp",
            description="Priced in Kuwaiti dinar, which has three decimals",
            price=7250,
            currency="KWD",
        ),
    )


def _unsellable_products() -> tuple[Product, ...]:
    return (
        Product(
            product_id="pdt_demo_deleted",
            name="Demo relic",
            description="Deleted",
            price=1000,
            is_deleted=True,
        ),
        Product(
            product_id="pdt_demo_incomplete",
            name="Demo draft",
            description="Mandatory information is missing",
            price=1000,
            is_incomplete=True,
        ),
    )
