"""The hosted checkout page that all emulated providers share."""
