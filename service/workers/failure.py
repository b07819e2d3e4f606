"""Why several workers are not a service."""


class WorkersFailedError(Exception):
    """No service came about, or none is left: the reason that the last worker gave."""
