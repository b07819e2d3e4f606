"""What a request may say for Clover alone, by the field names of the contract."""

import msgspec
from msgspec import Struct

from service.core.model import CreateRequest


class CloverOptions(Struct, frozen=True):
    """Options of a hosted checkout."""

    page_config_id: str = ""


def session_options(request: CreateRequest) -> CloverOptions:
    """Decode the session's options; all absent where the request has none."""
    options = (request.provider_options or {}).get("clover") or {}
    return msgspec.convert(options, CloverOptions)
