"""The sandbox: emulated providers, their hosted page and their webhooks, sharing no code with the adapters."""
