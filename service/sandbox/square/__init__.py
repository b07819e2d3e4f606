"""The emulated Square: hosted checkouts, payment links, orders and payments."""
