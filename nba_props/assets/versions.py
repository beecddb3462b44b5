"""The code version of an asset: a digest of the content of its rule, so that the UI shows what an older rule made.

**Content** is what rows depend on: the compiled code of the step's function and of every function, method and constant
of ours that it reaches by name, SQL texts with the views that they name, and the table's contract. Comments,
docstrings, descriptions, layout, annotations and the names of local variables do not belong to it; nor does code that
reads, stores or shows rows (``_RULES`` lists where rules are). A table or a system that a rule reads counts by its name
alone: what changes there changes stored rows, which is staleness of data. Compiled code differs between minor versions
of Python, and so does the version.

It does not decide what a plan makes again: inputs do (``assets/inputs.py``).
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from nba_props.catalog import VIEWS
from nba_props.domain.systems import System
from nba_props.facts.digest import digest
from nba_props.schemas import Table, View

#: where rules are; of other code of ours only the module of the step itself
_RULES = (
    "nba_props.domain.",
    "nba_props.facts.",
    "nba_props.presentation.",
    "nba_props.schemas.",
    "nba_props.sources.",
)
#: fields that are for people to read
_PROSE = frozenset({"description", "full_description"})
_PLAIN = frozenset({type(None), bool, int, float, str, bytes, datetime.date, datetime.time, datetime.timedelta})
#: an object's own content, and the objects that it refers to
_Part = tuple[str, tuple[Any, ...]]


def code_version(rule: Any, *more: Any) -> str:
    """Twelve hexadecimal digits for a rule, a function or a statement, with what it reaches, and ``more`` that its rows
    depend on.
    """
    return digest(_with_views(rule) if isinstance(rule, str) else content(rule, *more), 6)


def content(compute: Any, *more: Any) -> str:
    """The text of which :func:`code_version` is the digest: each object that is reached, by its name, and ``more``."""
    references: list[Any] = []
    own = [_text(value, references, expand=True) for value in more]
    # what a factory made the step for is a part of its rule, and not a thing that it reads
    for name, cell in zip(compute.__code__.co_freevars, compute.__closure__ or (), strict=True):
        own.append(f"{name}={_text(_held(cell), references, expand=True)}")
    own.append(_code(compute.__code__))
    references += _named(compute, own)
    found: dict[str, str] = {}
    while references:
        thing = references.pop()
        name = _name(thing)
        if name not in found and name.startswith((*_RULES, f"{compute.__module__}.")):
            found[name], beneath = _part(thing)
            references += beneath
    return _with_views("\x1e".join([*own, *(f"{name}\x1f{found[name]}" for name in sorted(found))]))


def contract(table: Table) -> tuple[Any, ...]:
    """What a table's contract asks of its rows, without its prose."""
    columns = [(c.name, c.type.value, c.nullable, c.ge, c.le, c.isin) for c in table.columns]
    return (table.address, columns, table.key, table.write_mode.value, table.content)


def _with_views(text: str) -> str:
    """A text, and the statements of the views that it names."""
    return text + "".join(f"\x1e{view.sql}" for view in _views_in(text))


def _views_in(text: str) -> list[View]:
    """The views that a text names, and those that their statements name."""
    found: dict[str, View] = {}
    texts = [text]
    while texts:
        one = texts.pop()
        new = {address: view for address, view in VIEWS.items() if address not in found and address in one}
        found |= new
        texts += [view.sql for view in new.values()]
    return [found[address] for address in sorted(found)]


# -- parts ------------------------------------------------------------------------------------------------------------

#: the parts of this process, which does not exchange its code
_parts: dict[Any, _Part] = {}


def _part(thing: Any) -> _Part:
    """A function's or class's own content, and what it refers to."""
    known = _parts.get(thing)
    if known is None:
        known = _parts[thing] = _of_class(thing) if isinstance(thing, type) else _of_function(thing)
    return known


def _of_function(function: FunctionType) -> _Part:
    references: list[Any] = []
    parts = [_code(function.__code__)]
    parts.append(_text([function.__defaults__, function.__kwdefaults__], references))
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        parts.append(f"{name}={_text(_held(cell), references)}")
    references += _named(function, parts)
    return "\x1d".join(parts), tuple(references)


def _of_class(kind: type) -> _Part:
    if issubclass(kind, Enum):
        return repr([(name, member.value) for name, member in kind.__members__.items()]), ()
    references: list[Any] = [base for base in kind.__bases__ if base is not object]
    parts = []
    for name, value in sorted(vars(kind).items()):
        member = _function_of(value)
        if isinstance(member, FunctionType):
            if member.__code__.co_filename != "<string>":  # which dataclasses write
                text, beneath = _of_function(member)
                parts.append(f"{name}={text}")
                references += beneath
        elif not name.startswith(("__", "_abc")) and name not in _PROSE:
            parts.append(f"{name}={_text(value, references)}")
    return "\x1d".join(parts), tuple(references)


def _function_of(value: Any) -> Any:
    """The function behind a method, a property or a cached function; anything else as it is."""
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, functools.cached_property):
        value = value.func
    elif isinstance(value, (staticmethod, classmethod, MethodType)):
        value = value.__func__
    while not isinstance(value, type) and hasattr(value, "__wrapped__"):
        value = value.__wrapped__
    return value


def _named(function: FunctionType, parts: list[str]) -> list[Any]:
    """What a function refers to by names of its module; the texts of constants are added to ``parts``."""
    references: list[Any] = []
    for name, value in _globals(function):
        text = _text(value, references)
        if text:
            parts.append(f"{name}={text}")
    return references


def _globals(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The names of its module that a function reads, with their values; of a module of ours the names that it reads
    there.
    """
    names = sorted(set(_names(function.__code__)))
    known = function.__globals__
    for name in names:
        if name not in known:
            continue
        value = known[name]
        if not isinstance(value, ModuleType):
            yield name, value
        elif value.__name__.startswith(_RULES):
            yield from ((f"{name}.{n}", vars(value)[n]) for n in names if n in vars(value))


def _names(code: CodeType) -> Iterator[str]:
    """The names that a code reads, and those that functions within it read."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _code(code: CodeType) -> str:
    """Instructions, names and constants of a function, without its docstring and its places in the file."""
    constants = list(code.co_consts)
    if constants and isinstance(constants[0], str) and not code.co_name.startswith("<"):
        constants[0] = None
    inner = ",".join(_code(c) if isinstance(c, CodeType) else _text(c, []) for c in constants)
    return f"{code.co_code.hex()} {' '.join(code.co_names)} [{inner}]"


# -- values -----------------------------------------------------------------------------------------------------------


def _text(value: Any, references: list[Any], *, expand: bool = False) -> str:
    """A value as text that is the same in every process; functions and classes of ours are added to ``references``.

    ``expand`` shows a system with its formula, which by itself is shown by its name.
    """
    if type(value) in _PLAIN:
        return repr(value)
    if isinstance(value, Enum):
        return repr(value.value)
    if isinstance(value, Table):
        return value.address
    if isinstance(value, View):
        return value.sql
    if isinstance(value, System) and not expand:
        return value.system_id
    if isinstance(value, Mapping):
        return _joined((f"{_text(k, references)}:{_text(v, references, expand=expand)}" for k, v in value.items()))
    if isinstance(value, (list, tuple)):
        return _joined(_text(v, references, expand=expand) for v in value)
    if isinstance(value, (set, frozenset)):
        return _joined(sorted(_text(v, references) for v in value))
    if isinstance(value, re.Pattern):
        return f"{value.pattern!r} {value.flags}"
    if isinstance(value, functools.partial):
        return _text([value.func, value.args, value.keywords], references)
    value = _function_of(value)
    if isinstance(value, (FunctionType, type)):
        references.append(value)
        return _name(value)
    kind = type(value)
    if not kind.__module__.startswith(_RULES):
        return _name(value) if hasattr(value, "__qualname__") else _name(kind)
    references.append(kind)
    return f"{_name(kind)}{_joined(f'{n}={_text(v, references)}' for n, v in _fields(value))}"


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    """The fields of an object of ours, without prose and without what it has only computed."""
    if dataclasses.is_dataclass(value):
        names: Iterable[str] = (field.name for field in dataclasses.fields(value))
    else:
        names = sorted(n for n in getattr(value, "__dict__", ()) if not hasattr(type(value), n))
    return ((name, getattr(value, name)) for name in names if name not in _PROSE)


def _held(cell: Any) -> Any:
    """What a closure's cell holds; None where nothing is assigned yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _joined(texts: Iterable[str]) -> str:
    return f"({','.join(texts)})"


def _name(thing: Any) -> str:
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"
