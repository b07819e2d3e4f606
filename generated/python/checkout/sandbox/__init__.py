"""The service of the sandbox."""
