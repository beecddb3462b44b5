"""The code version of an asset, from the source of the code that computes it.

It changes with the step's function, with a module of ``domain`` or ``sources`` that the function names, with the
modules which that one uses, and with the table's contract; helpers in the step's own module are not followed. The UI
shows it for each partition. It does not decide what is missing or stale: inputs do (``assets/inputs.py``).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from types import CodeType, ModuleType
from typing import Any

from nba_props.facts.digest import digest

#: formulas and readers; code that stores or shows rows does not change them
_COMPUTE = ("nba_props.domain.", "nba_props.sources.")


def code_version(compute: Any, *more: Any) -> str:
    """Twelve hexadecimal digits for a function, the modules that it uses, and ``more`` that its rows depend on."""
    names = {compute.__module__: inspect.getsource(compute)}
    pending = list(_used(compute))
    while pending:
        module = pending.pop()
        if module.__name__ not in names:
            names[module.__name__] = _source(module.__name__)
            pending += _within(module.__name__)
    parts = [*(f"{name}\x1f{text}" for name, text in sorted(names.items())), *map(repr, more)]
    return digest("\x1e".join(parts), 6)


def _used(compute: Any) -> Iterable[ModuleType]:
    """The modules behind the names that a function reads, and behind the values of its closure."""
    held: list[Any] = [compute.__globals__.get(name) for name in _names(compute.__code__)]
    for cell in compute.__closure__ or ():
        with suppress(ValueError):  # not assigned yet
            held.append(cell.cell_contents)
    return _modules(held)


def _names(code: CodeType) -> Iterator[str]:
    """The names that a function's code reads, and those that functions within it read."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


@cache
def _within(name: str) -> tuple[ModuleType, ...]:
    """The modules behind the names of a module."""
    return tuple(_modules(vars(sys.modules[name]).values()))


def _modules(values: Iterable[Any]) -> Iterable[ModuleType]:
    for value in values:
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        parts = (
            [name, *(getattr(part, "__module__", None) for part in vars(value).values())] if _is_ours(value) else [name]
        )
        for part in parts:
            if isinstance(part, str) and part.startswith(_COMPUTE) and part in sys.modules:
                yield sys.modules[part]


def _is_ours(value: Any) -> bool:
    """Whether a value is an object of ours with attributes that may be functions, such as a system with its formula."""
    return type(value).__module__.startswith(_COMPUTE) and hasattr(value, "__dict__")


@cache
def _source(name: str) -> str:
    return inspect.getsource(sys.modules[name])
