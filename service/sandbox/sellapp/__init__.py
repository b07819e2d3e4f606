"""The emulated SellApp: invoices, their checkouts, and the processor's page."""
