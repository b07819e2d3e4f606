"""The emulated Clover: hosted checkouts and their payments."""
