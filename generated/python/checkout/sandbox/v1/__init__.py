"""The service of the sandbox, version 1."""
