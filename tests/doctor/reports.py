"""Reports of the doctor, run inside the test's own process."""

from collections.abc import Mapping
from pathlib import Path

from service.config import read
from service.doctor.examination import examine
from service.doctor.findings import Finding

ACCOUNT = "CHECKOUT_PROVIDERS__DODO__DEFAULT__"
KEY = "canary-key"
SECRET = "whsec_Y2FuYXJ5IGNhbmFyeSBjYW5hcnkgY2FuYXJ5"


def report(folder: Path, **settings: str) -> dict[str, Finding]:
    """Examine one account, with a store in a folder and free ports unless told otherwise."""
    environ = {
        f"{ACCOUNT}API_KEY": KEY,
        f"{ACCOUNT}WEBHOOK_SECRETS": SECRET,
        f"{ACCOUNT}BASE_URL": "http://127.0.0.1:1",
        "CHECKOUT_STORE_URL": f"sqlite:///{folder / 'checkout.db'}",
        "CHECKOUT_GRPC_ADDRESS": "127.0.0.1:0",
        "CHECKOUT_WEB_ADDRESS": "127.0.0.1:0",
    }
    findings = examine(read(environ=environ | settings))
    assert "canary" not in "".join(finding.text for finding in findings)
    return {finding.subject: finding for finding in findings}


def contents(folder: Path) -> Mapping[str, tuple[bytes, int]]:
    """Return every file of a folder with its bytes and the time it was last changed."""
    return {
        file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in sorted(folder.iterdir())
    }
