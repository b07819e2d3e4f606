"""An emulator of the Dodo Payments HTTP API, as strict as its published documents."""
