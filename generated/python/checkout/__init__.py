"""Generated messages, clients and servicer bases of the checkout contract."""
