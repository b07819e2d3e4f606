"""SellApp: invoices and their checkouts."""
