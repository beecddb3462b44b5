"""Addresses that requests may be sent to: https, or this machine itself."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a name or address, without port and brackets, is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """The name or address in a URL, without port and brackets; empty where there is none."""
    from urllib3.util import parse_url

    return (parse_url(url).host or "").strip("[]")


def why_unsafe(url: str) -> str | None:
    """Why no request may be sent to a URL; None if it may."""
    from urllib3.util import parse_url

    try:
        scheme, host = parse_url(url).scheme, host_of(url)
    except ValueError:
        return "the address is not a URL"
    if host and (scheme == "https" or (scheme == "http" and is_loopback(host))):
        return None
    return (
        f"{scheme or '(no scheme)'}://{host} is refused: an address begins with https://, or with http:// on loopback"
    )
