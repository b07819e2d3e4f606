"""Adapters: one folder per provider behind the `Provider` port."""
