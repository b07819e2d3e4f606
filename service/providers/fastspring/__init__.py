"""FastSpring: v2 checkout sessions."""
