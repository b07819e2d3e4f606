"""Square: payment links and checkouts."""
