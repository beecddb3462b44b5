"""The code version of an asset, from the content of what computes it.

It changes when the step's function, a module of this package that the function itself names, or the table's contract
changes; what helpers of the step's own module use is not followed. The UI says of a partition which code made it. What
is missing or stale is decided by inputs alone (``assets/inputs.py``); this has no say in it.
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

#: formulas, readers and contracts; what stores and shows rows does not make them
_COMPUTE = ("nba_props.domain.", "nba_props.sources.")


def code_version(compute: Any, *more: Any) -> str:
    """Twelve hexadecimal digits for a function, the modules that it uses, and what else ``more`` says of the rows."""
    names = {compute.__module__: inspect.getsource(compute)}
    pending = list(_used(compute))
    while pending:
        module = pending.pop()
        if module.__name__ not in names:
            names[module.__name__] = _source(module.__name__)
            pending += _within(module.__name__)
    said = [*(f"{name}\x1f{text}" for name, text in sorted(names.items())), *map(repr, more)]
    return digest("\x1e".join(said), 6)


def _used(compute: Any) -> Iterable[ModuleType]:
    """The modules behind the names that a function reads, those of its closure's values included."""
    held: list[Any] = [compute.__globals__.get(name) for name in _names(compute.__code__)]
    for cell in compute.__closure__ or ():
        with suppress(ValueError):  # a name that is given later
            held.append(cell.cell_contents)
    return _modules(held)


def _names(code: CodeType) -> Iterator[str]:
    """The names that a function's code reads, and that of functions within it."""
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
    """Whether a value is an object of ours that may hold functions, such as a system with its formula."""
    return type(value).__module__.startswith(_COMPUTE) and hasattr(value, "__dict__")


@cache
def _source(name: str) -> str:
    return inspect.getsource(sys.modules[name])
