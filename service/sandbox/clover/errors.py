"""Refusals: a status and a JSON body with a message, which is all that is known of Clover's."""


class Refusal(Exception):
    """An API error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
