from __future__ import annotations

import pytest

from nba_props.facts.digest import digest


@pytest.mark.parametrize(
    ("content", "size", "stored"),
    [
        ("LeBron James", 4, "8bf03132"),
        ("Luka Dončić\x1f2025-11-05", 16, "022d6a1259396d02b15f5681bd9c211d"),
        (b"\x00\x01", 8, "fb34657ab5e1f0e4"),
    ],
)
def test_a_digest_is_the_same_in_every_release(content, size, stored):
    assert digest(content, size) == stored
    assert len(stored) == 2 * size
