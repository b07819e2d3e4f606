"""Several processes that serve at the same addresses, and the one that keeps them."""
