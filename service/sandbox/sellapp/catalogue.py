"""The demo seller: two stores, what they sell, and the ways they can be paid."""

from collections.abc import Mapping

import msgspec

MAX_LINES = 500
STORE = "demo-store"
FIRST_STORE = "another-store"
STICKERS = 500_000


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A variant of a product; a plan is a subscription, whose first days may be free."""

    variant_id: int
    product_id: int
    title: str
    price: int
    currency: str = "USD"
    is_plan: bool = False
    trial_days: int = 0


class Coupon(msgspec.Struct, frozen=True, kw_only=True):
    """A discount by code, on some variants only where it names them."""

    coupon_id: int
    code: str
    percent: int = 0
    amount: int = 0
    variant_ids: frozenset[int] = frozenset()


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """One store of the seller."""

    store_id: int
    slug: str
    variants: Mapping[int, Variant]
    coupons: Mapping[str, Coupon]
    payment_methods: frozenset[str]


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """All stores; a request that names none means the first."""

    stores: Mapping[str, Store]

    @property
    def first(self) -> Store:
        """Return the store that is used without being asked for."""
        return next(iter(self.stores.values()))


def demo_catalogue() -> Catalogue:
    """Return the demo seller."""
    variants = [
        Variant(variant_id=4321, product_id=11, title="Demo Product", price=1999),
        Variant(variant_id=4322, product_id=11, title="Demo Product, large", price=2999),
        Variant(variant_id=4323, product_id=12, title="Demo Freebie", price=0),
        Variant(variant_id=4324, product_id=13, title="Demo Plan", price=990, is_plan=True),
        Variant(
            variant_id=4325,
            product_id=14,
            title="Demo Trial",
            price=990,
            is_plan=True,
            trial_days=7,
        ),
        Variant(variant_id=4326, product_id=15, title="Demo Produkt", price=1450, currency="EUR"),
        Variant(variant_id=4327, product_id=16, title="Demo Shohin", price=1200, currency="JPY"),
        Variant(variant_id=4328, product_id=17, title="Demo Donation", price=100),
        *_stickers(),
    ]
    coupons = [
        Coupon(coupon_id=31, code="DEMO10", percent=10),
        Coupon(coupon_id=32, code="DEMO500", amount=500),
        Coupon(coupon_id=33, code="FREE", percent=100),
        Coupon(coupon_id=34, code="LARGE", percent=50, variant_ids=frozenset({4322})),
    ]
    return Catalogue(
        stores={
            FIRST_STORE: Store(
                store_id=7,
                slug=FIRST_STORE,
                variants={},
                coupons={},
                payment_methods=frozenset({"STRIPE"}),
            ),
            STORE: Store(
                store_id=1,
                slug=STORE,
                variants={variant.variant_id: variant for variant in variants},
                coupons={coupon.code: coupon for coupon in coupons},
                payment_methods=frozenset(
                    {"STRIPE", "PAYPAL", "COINBASE", "BTC", "CASHAPP", "CUSTOM_PAYMENT_METHOD"}
                ),
            ),
        }
    )


def _stickers() -> list[Variant]:
    return [
        Variant(variant_id=STICKERS + n, product_id=18, title=f"Demo Sticker {n}", price=100)
        for n in range(MAX_LINES)
    ]
