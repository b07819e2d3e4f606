"""Which addresses a provider's answer may send customers to."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

# Browsers take a backslash for a slash, and drop what is not printable.
PLAIN_URL = re.compile(r"[!-\[\]-~]+")


def is_page(url: str, domains: Iterable[str], origins: Iterable[str]) -> bool:
    """Tell whether a URL is https at a domain or below, or at one of the origins."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not PLAIN_URL.fullmatch(url):
        return False
    if f"{parts.scheme}://{parts.netloc}".lower() in origins:
        return True
    is_theirs = any(host == domain or host.endswith(f".{domain}") for domain in domains)
    return parts.scheme == "https" and is_theirs and parts.netloc.lower() == host
