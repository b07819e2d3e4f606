"""Clover: hosted checkout."""
