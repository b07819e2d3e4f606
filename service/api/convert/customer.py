"""Customers and their addresses between the contract and the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.core.model import Address, CollectedDetails, Customer

if TYPE_CHECKING:
    from checkout.v1 import customer_pb2, session_pb2

_CUSTOMER_TEXTS = (
    "customer_id",
    "email",
    "first_name",
    "last_name",
    "phone_number",
    "company",
    "tax_id",
    "ip_address",
    "locale",
)
_ADDRESS_TEXTS = Address.__struct_fields__


def customer_from_proto(message: customer_pb2.Customer) -> Customer:
    """Return the customer a request gives."""
    return Customer(
        customer_id=message.customer_id,
        email=message.email,
        first_name=message.first_name,
        last_name=message.last_name,
        phone_number=message.phone_number,
        company=message.company,
        billing_address=(
            address_from_proto(message.billing_address)
            if message.HasField("billing_address")
            else None
        ),
        shipping_address=(
            address_from_proto(message.shipping_address)
            if message.HasField("shipping_address")
            else None
        ),
        tax_id=message.tax_id,
        ip_address=message.ip_address,
        locale=message.locale,
    )


def customer_to_proto(customer: Customer, message: customer_pb2.Customer) -> None:
    """Write a customer into a message that is part of another."""
    message.SetInParent()
    for name in _CUSTOMER_TEXTS:
        if text := getattr(customer, name):
            setattr(message, name, text)
    if customer.billing_address is not None:
        address_to_proto(customer.billing_address, message.billing_address)
    if customer.shipping_address is not None:
        address_to_proto(customer.shipping_address, message.shipping_address)


def address_from_proto(message: customer_pb2.Address) -> Address:
    """Return the address a message holds."""
    return Address(
        country=message.country,
        line1=message.line1,
        line2=message.line2,
        city=message.city,
        region=message.region,
        postal_code=message.postal_code,
        first_name=message.first_name,
        last_name=message.last_name,
    )


def address_to_proto(address: Address, message: customer_pb2.Address) -> None:
    """Write an address into a message that is part of another."""
    message.SetInParent()
    for name in _ADDRESS_TEXTS:
        if text := getattr(address, name):
            setattr(message, name, text)


def collected_to_proto(collected: CollectedDetails, message: session_pb2.CollectedDetails) -> None:
    """Write what the buyer typed into a message that is part of another."""
    message.SetInParent()
    message.email = collected.email
    message.name = collected.name
    message.phone_number = collected.phone_number
    message.tax_id = collected.tax_id
    message.customer_id = collected.customer_id
    message.custom_fields.update(collected.custom_fields)
    if collected.billing_address is not None:
        address_to_proto(collected.billing_address, message.billing_address)
    if collected.shipping_address is not None:
        address_to_proto(collected.shipping_address, message.shipping_address)
