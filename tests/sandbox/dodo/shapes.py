"""Names and types of Dodo's response fields.

Taken from the vendor's OpenAPI document 1.86.0 (repository dodopayments/dodo-docs,
openapi/openapi.documented.yml) and, for the newer fields, from the type declarations of its npm
package dodopayments 2.52.0 (resources/checkout-sessions.d.ts, payments.d.ts, subscriptions.d.ts).
"""

from collections.abc import Mapping

Shape = Mapping[str, tuple[type, ...]]
NONE = type(None)

CREATED: Shape = {
    "session_id": (str,),
    "checkout_url": (str, NONE),
    "payment_id": (str, NONE),
    "client_secret": (str, NONE),
    "publishable_key": (str, NONE),
}

SESSION_STATUS: Shape = {
    "id": (str,),
    "created_at": (str,),
    "customer_email": (str, NONE),
    "customer_name": (str, NONE),
    "payment_id": (str, NONE),
    "payment_status": (str, NONE),
}

PAYMENT_SUMMARY: Shape = {
    "brand_id": (str,),
    "created_at": (str,),
    "currency": (str,),
    "customer": (dict,),
    "digital_products_delivered": (bool,),
    "has_license_key": (bool,),
    "is_multi_subscription": (bool,),
    "metadata": (dict,),
    "payment_id": (str,),
    "payment_provider": (str,),
    "subscription_ids": (list,),
    "total_amount": (int,),
    "card_last_four": (str, NONE),
    "card_network": (str, NONE),
    "dispute_status": (str, NONE),
    "invoice_id": (str, NONE),
    "invoice_url": (str, NONE),
    "payment_method": (str, NONE),
    "payment_method_type": (str, NONE),
    "refund_status": (str, NONE),
    "status": (str, NONE),
    "subscription_id": (str, NONE),
}

PAYMENT: Shape = {
    "billing": (dict,),
    "brand_id": (str,),
    "business_id": (str,),
    "created_at": (str,),
    "currency": (str,),
    "customer": (dict,),
    "digital_products_delivered": (bool,),
    "disputes": (list,),
    "is_multi_subscription": (bool,),
    "is_update_payment_method": (bool,),
    "metadata": (dict,),
    "payment_id": (str,),
    "payment_provider": (str,),
    "refunds": (list,),
    "retry_attempt": (int,),
    "settlement_amount": (int,),
    "settlement_currency": (str,),
    "subscription_ids": (list,),
    "total_amount": (int,),
    "card_holder_name": (str, NONE),
    "card_issuing_country": (str, NONE),
    "card_last_four": (str, NONE),
    "card_network": (str, NONE),
    "card_type": (str, NONE),
    "checkout_session_id": (str, NONE),
    "custom_field_responses": (list, NONE),
    "discount_id": (str, NONE),
    "discounts": (list, NONE),
    "error_code": (str, NONE),
    "error_message": (str, NONE),
    "invoice_id": (str, NONE),
    "invoice_url": (str, NONE),
    "payment_link": (str, NONE),
    "payment_method": (str, NONE),
    "payment_method_id": (str, NONE),
    "payment_method_type": (str, NONE),
    "product_cart": (list, NONE),
    "refund_status": (str, NONE),
    "settlement_tax": (int, NONE),
    "status": (str, NONE),
    "subscription_id": (str, NONE),
    "tax": (int, NONE),
    "updated_at": (str, NONE),
}

SUBSCRIPTION: Shape = {
    "addons": (list,),
    "billing": (dict,),
    "brand_id": (str,),
    "cancel_at_next_billing_date": (bool,),
    "created_at": (str,),
    "credit_entitlement_cart": (list,),
    "currency": (str,),
    "customer": (dict,),
    "has_payment_method": (bool,),
    "metadata": (dict,),
    "meter_credit_entitlement_cart": (list,),
    "meters": (list,),
    "next_billing_date": (str,),
    "on_demand": (bool,),
    "payment_frequency_count": (int,),
    "payment_frequency_interval": (str,),
    "previous_billing_date": (str,),
    "product_id": (str,),
    "quantity": (int,),
    "recurring_pre_tax_amount": (int,),
    "status": (str,),
    "subscription_id": (str,),
    "subscription_period_count": (int,),
    "subscription_period_interval": (str,),
    "tax_inclusive": (bool,),
    "trial_period_days": (int,),
    "cancelled_at": (str, NONE),
    "custom_field_responses": (list, NONE),
    "customer_business_name": (str, NONE),
    "discount_cycles_remaining": (int, NONE),
    "discount_id": (str, NONE),
    "discounts": (list, NONE),
    "expires_at": (str, NONE),
    "payment_method_id": (str, NONE),
    "tax_id": (str, NONE),
}

PREVIEW: Shape = {
    "billing_country": (str,),
    "currency": (str,),
    "current_breakup": (dict,),
    "product_cart": (list,),
    "recurring_breakup": (dict, NONE),
    "tax_id_err_msg": (str, NONE),
    "total_price": (int,),
    "total_tax": (int, NONE),
}

PREVIEW_LINE: Shape = {
    "addons": (list, NONE),
    "credit_entitlements": (list,),
    "currency": (str,),
    "description": (str, NONE),
    "discount_amount": (int, NONE),
    "discounted_price": (int,),
    "is_subscription": (bool,),
    "is_usage_based": (bool,),
    "meters": (list,),
    "name": (str, NONE),
    "og_currency": (str,),
    "og_price": (int,),
    "product_id": (str,),
    "quantity": (int,),
    "tax": (int, NONE),
    "tax_category": (str,),
    "tax_inclusive": (bool,),
    "tax_rate": (int,),
}

ERROR: Shape = {"code": (str,), "message": (str,)}


def check(shape: Shape, value: object) -> None:
    """Assert that an object has exactly the documented fields with the documented types."""
    assert isinstance(value, dict)
    assert set(value) == set(shape)
    wrong = {name: value[name] for name, types in shape.items() if type(value[name]) not in types}
    assert wrong == {}
