"""Stores: implementations of the `Store` port, and the migrations of their tables."""
