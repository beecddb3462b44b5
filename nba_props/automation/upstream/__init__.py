"""Every use of Dagster's private parts, each with a fallback to its public ones.

Belongs here: imports of ``dagster._...``. Not here: rules of this platform. With another version than the tested one
the stock behaviour is used, with a warning: docs/dagster.md lists what is lost then.
"""

from __future__ import annotations

import logging

import dagster as dg

#: the version whose private parts were tested here; setup.cfg pins it
TESTED = "1.13.27"
_LOG = logging.getLogger(__name__)
_warned: set[str] = set()


def is_the_tested_version() -> bool:
    """Whether Dagster is the tested version; for parts that refuse with any other."""
    return dg.__version__ == TESTED


def is_tested(part: str, lost: str) -> bool:
    """The same for parts with a fallback: otherwise warns once for each what is lost without it."""
    if is_the_tested_version():
        return True
    if part not in _warned:
        _warned.add(part)
        _LOG.warning(
            "Dagster %s is not the tested %s: %s uses Dagster's standard behaviour, %s",
            dg.__version__,
            TESTED,
            part,
            lost,
        )
    return False
