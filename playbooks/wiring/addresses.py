"""Which addresses settings may name: https, and plain http on this machine alone."""

from urllib.parse import urlsplit

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def private(url: str) -> str:
    """Return a URL that is https, or http on loopback; raise ValueError for any other."""
    parts = urlsplit(url)
    loopback = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not (loopback or (parts.scheme == "https" and parts.hostname)):
        raise ValueError("must be https, or http on loopback")
    return url
