"""Dodo Payments hosted checkout sessions."""
