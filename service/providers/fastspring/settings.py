"""What an operator sets for a FastSpring account beyond what every account has."""

import base64
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from urllib.parse import quote

from msgspec import Struct

OWN_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "username": "user name of the API credentials, whose password is `api_key`; required",
        "store": "id of the store, such as `fastspring`; required",
        "checkout": "id of the checkout, such as `web-main`; required",
    }
)
PATH_PART = re.compile(r"[^/\x00-\x20\x7f]{1,128}")
# FastSpring answers no request without one.
USER_AGENT = "checkout"


class FastspringSettings(Struct, frozen=True, kw_only=True):
    """Settings of one account."""

    username: str
    store: str
    checkout: str

    @classmethod
    def of(cls, own: Mapping[str, str]) -> "FastspringSettings":
        """Read settings that have no problems."""
        return cls(username=own["username"], store=own["store"], checkout=own["checkout"])

    @property
    def sessions_path(self) -> str:
        """Return the path of the sessions; the slash between store and checkout is a real one."""
        return (
            f"/v2/checkouts/{quote(self.store, safe='')}/{quote(self.checkout, safe='')}/sessions"
        )

    def headers(self, password: str) -> Mapping[str, str]:
        """Return the headers of every call."""
        credentials = base64.b64encode(f"{self.username}:{password}".encode()).decode()
        return {"Authorization": f"Basic {credentials}", "User-Agent": USER_AGENT}


def settings_problems(own: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with an account's own settings."""
    username = own.get("username", "")
    if not username or ":" in username or not username.isprintable():
        yield "username: set the user name of the API credentials, which has no colon"
    for name in ("store", "checkout"):
        if not PATH_PART.fullmatch(own.get(name, "")):
            yield f"{name}: set one half of the checkout's path store/checkout, without the slash"
