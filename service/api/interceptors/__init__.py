"""What happens around every call, each concern in one module."""
