"""Checkout: one stateful session contract in front of five hosted-checkout providers."""
