"""Finds a browser for the tests, and as a program gets one where there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")

# Without these the browser talks to its maker, and as root it does not start.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PLAYWRIGHT = (sys.executable, "-m", "playwright", "install", "chromium")
DEBIAN = (
    "apt-get",
    "install",
    "-q",
    "-y",
    "--no-install-recommends",
    "chromium",
    "fonts-dejavu-core",
)


def executable() -> Path | None:
    """Return the browser to start: an installed one, else Playwright's own, else none."""
    for name in INSTALLED:
        if found := shutil.which(name):
            return Path(found)
    return next((path for path in (MACOS, _playwrights_own()) if path.exists()), None)


def main() -> None:
    """Make sure that there is a browser, or say in one line what to install."""
    if executable():
        return
    for command in (PLAYWRIGHT, *_debian()):
        if subprocess.run(command, check=False).returncode == 0 and executable():
            return
    sys.exit("A browser is needed: install Chromium or Chrome (Debian: apt install chromium).")


def _playwrights_own() -> Path:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def _debian() -> tuple[tuple[str, ...], ...]:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return ()
    return (("sh", "-c", f"apt-get update -q && {' '.join(DEBIAN)}"),)


if __name__ == "__main__":
    main()
