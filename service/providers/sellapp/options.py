"""What a request may say for SellApp alone, by the field names of the contract."""

import msgspec
from msgspec import Struct

from service.core.model import CreateRequest


class SellappOptions(Struct, frozen=True):
    """Options of an invoice."""

    affiliate: str = ""
    invoice_id: str = ""


def session_options(request: CreateRequest) -> SellappOptions:
    """Decode the session's options; all absent where the request has none."""
    mine = request.provider_options.get("sellapp") if request.provider_options else None
    return msgspec.convert(mine, SellappOptions, strict=False) if mine else SellappOptions()
