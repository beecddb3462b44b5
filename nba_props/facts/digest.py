"""The short hash that ids, marks and fingerprints are made of."""

from __future__ import annotations

import hashlib


def digest(content: str | bytes, size: int = 16) -> str:
    """The BLAKE2b hash of a text (as UTF-8) or of bytes, of ``size`` bytes: twice as many hexadecimal digits.

    It is stored in tables and file names: equal content gives the same digest in every release.
    """
    data = content.encode() if isinstance(content, str) else content
    return hashlib.blake2b(data, digest_size=size).hexdigest()
