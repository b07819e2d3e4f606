"""Says in words what a value must be, where a rule of the proto files only has a pattern or a number."""

from collections.abc import Mapping
from types import MappingProxyType

_REQUIRED = "value is required"
_PERCENTAGE = 'must be a percentage such as "7.25": at most 100, with up to five decimals'
_CURRENCY = "must be an ISO 4217 code in capital letters, such as USD"

PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        r"^[a-z][a-z0-9_]{0,31}$": "must be a provider as ListProviders names it, such as dodo",
        r"^([a-z0-9][a-z0-9_-]{0,62})?$": "must be an account as ListProviders names it, or empty for default",
        r"^[!-~]{0,192}$": "must be at most 192 visible ASCII characters, without spaces, best a UUID",
        r"^[ -~]{0,192}$": "must be at most 192 ASCII characters",
        r"^[A-Za-z0-9_-]{1,60}$": "must be 1 to 60 letters, digits, _ and -",
        r"^[A-Z]{3}$": _CURRENCY,
        r"^([A-Z]{3})?$": _CURRENCY,
        r"^[A-Z]{2}$": "must be an ISO 3166 code of two capital letters, such as US",
        r"^[a-z]{2}$": "must be a language of two small letters, such as en",
        r"^([a-z]{2,3}(-[A-Z]{2})?)?$": "must be a language with or without a region, such as de or pt-BR",
        r"^(\+?[0-9][0-9 ().-]{1,31})?$": "must be a telephone number in international form, such as +14155550100",
        r"^((0|[1-9][0-9]{0,6})(\.[0-9]{1,5})?)?$": (
            'must be a decimal such as "1.5", below ten million and with up to five decimals'
        ),
        r"^(100(\.0{1,5})?|[0-9]{1,2}(\.[0-9]{1,5})?)?$": _PERCENTAGE,
        r"^(100(\.0{1,5})?|[0-9]{1,2}(\.[0-9]{1,5})?)$": _PERCENTAGE,
        r"^(100|[1-9][0-9]?)?$": 'must be a whole percentage from 1 to 100, such as "15"',
        r"^([1-9][0-9]*(\.[0-9]+)?|0\.[0-9]*[1-9][0-9]*)$": 'must be a decimal above 0, such as "2.5"',
        r"^([0-9]{1,4}(\.[0-9]{1,4})?(px|rem|em))?$": "must be a number with px, rem or em, such as 0.5rem",
        r"^[#A-Za-z0-9 (),.%/+-]{0,64}$": "must be a CSS colour, such as #1a2b3c or navy",
        r"^([A-Za-z0-9_-]{4,512})?$": "must be 4 to 512 letters, digits, _ and -",
        r"^([A-Z0-9]{1,2})?$": "must be at most two capital letters or digits",
        r"^([1-9][0-9]{0,17})?$": "must be a number of at most 18 digits, such as 4321",
    }
)
"""For every pattern of the contract what it lets pass."""


def worded(rule: str, value: object, text: str) -> str:
    """Return what to say of a broken rule with this id and value; `text` is what its library says."""
    if rule == "string.pattern":
        return PATTERNS.get(str(value), text)
    return _REQUIRED if (rule, value) == ("string.min_len", 1) else text
