"""Definitions whose parts are put together once in a process: assets, checks, jobs and sensors are the same for every
deployment with the same dates and feeds, and only the resources differ.

Only for platforms of tests, and not for one whose code a test has exchanged (``Platform.rebuild``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from nba_props import definitions
from nba_props.assets import analytics, distributions, minutes, models, monitoring, predictions, raw, reference
from nba_props.sources import registry

#: what builds a part, and by which name its caller knows it
_BUILDERS: list[tuple[ModuleType, str]] = [
    *(
        (module, "build")
        for module in (raw, reference, analytics, models, predictions, distributions, minutes, monitoring)
    ),
    *((definitions, name) for name in ("all_rules", "build_checks", "build_freshness_checks", "build_jobs")),
    *((definitions, name) for name in ("build_fetch_jobs", "build_sensors", "build_schedules")),
]
_built: dict[tuple[object, ...], tuple[tuple[Any, ...], Any]] = {}


@contextmanager
def parts_built_once() -> Iterator[None]:
    """Inside, a part of definitions is built when it is asked for first, and is the same from then on."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in _BUILDERS:
            patch.setattr(module, name, _once(getattr(module, name)))
        yield


def _once(plain: Callable[..., Any]) -> Callable[..., Any]:
    def build(*arguments: Any) -> Any:
        # a list of parts is one that is kept here; with the arguments it stays, so that no other has its number
        key = (plain, *map(id, registry.FEEDS), *(id(a) if isinstance(a, list) else a for a in arguments))
        if key not in _built:
            _built[key] = arguments, plain(*arguments)
        return _built[key][1]

    return build
