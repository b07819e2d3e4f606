"""The emulated FastSpring."""
