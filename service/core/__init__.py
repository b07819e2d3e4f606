"""The rules of checkout sessions: no transport, no database, no provider."""
