"""The checkout service, version 1."""
