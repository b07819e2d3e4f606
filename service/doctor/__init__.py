"""The command `checkout doctor`: looks at everything the service depends on, and changes none of it."""
