"""Mutations of payloads: what no feed sends, in every place of a structure, and in its bytes."""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

#: what says that nothing is known, or that there is nothing
SILENT: list[Any] = [None, float("nan"), "", " ", [], {}, 0, -0.0, False, "-0", "2025-11-10T05:00:00Z"]
SPEAKING: list[Any] = [
    float("inf"), -float("inf"), "x", "\ud800", "a\x00b", "\u202eoops", "zero\u200bwidth", "A\u2066B", "\x1b[31m", "z" * 5000,
    True, -1, 1.5, 7, 99, 1e15, -1e15, 1e308, -1e308, 10**19, 10**400, 2**63, "7", "1e9", "NaN", "\u0967\u0968", "XYZ",
    "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2025-11-10T20:00:00", "01/01/0001",
    "12/31/9999", "2026-W02-5", [[]], [{}], {"a": []}, [None], ["\ud800"], {"\ud800": 1}, "../../x", "[/i]", "<b>",
]  # fmt: skip
DEEP = "@deep@"


@dataclass
class Mutation:
    """A payload and what was done to it."""

    data: bytes
    done: list[str] = field(default_factory=list)
    #: something was taken away or set to what says nothing: then a row or a value may go without a word
    is_silent: bool = False


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a payload, by its path."""
    if at:
        yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from places(one, (*at, key))


def mutated(base: bytes, where: list[tuple[Any, ...]], rng: random.Random, packed: bool) -> Mutation:
    """One to three changes to the structure of a payload, or to its bytes."""
    found = Mutation(b"")
    content = json.loads(base)
    for path in rng.sample(where, rng.choice((1, 1, 1, 2, 3))) if rng.random() < 0.9 else ():
        holder = content
        try:
            for step in path[:-1]:
                holder = holder[step]
            _change(holder, path[-1], rng, found)
        except (KeyError, IndexError, TypeError, ValueError):
            continue  # an earlier change took this place away
    text = json.dumps(content).replace(f'"{DEEP}"', "[" * (depth := rng.choice((3, 49, 60, 900, 20_000))) + "]" * depth)
    data = text.encode()
    if not found.done:
        data = _damaged(data, rng, found)
    if packed:
        data = gzip.compress(data, compresslevel=1, mtime=0)
        if rng.random() < 0.05:
            data = _damaged(data, rng, found)
    found.data = data
    return found


def _change(holder: Any, key: Any, rng: random.Random, found: Mutation) -> None:
    match rng.randrange(12):
        case 0:
            del holder[key]
            found.is_silent = True
        case 1 if isinstance(holder, dict):
            holder[rng.choice((f"{key}x", str(key).upper() + "_", "", "\ud800"))] = holder.pop(key)
            found.is_silent = True
        case 2 if isinstance(holder, list):
            holder.insert(rng.randint(0, len(holder)), json.loads(json.dumps(holder[key])))
            found.is_silent = True  # a header or a value that stands twice moves the others
        case 3:
            other = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
            holder[key], holder[other] = holder[other], holder[key]
            found.is_silent = True  # of two values each can be right in the other's place
        case 4:
            holder[key] = DEEP
        case 5 | 6:
            holder[key] = copy.copy(rng.choice(SILENT))
            found.is_silent = True
        case _:
            holder[key] = copy.deepcopy(rng.choice(SPEAKING))
    found.done.append(f"{key}: {holder.get(key) if isinstance(holder, dict) else holder[key:][:1]!r}"[:200])


def _damaged(data: bytes, rng: random.Random, found: Mutation) -> bytes:
    found.done.append("bytes")
    found.is_silent = True
    if rng.random() < 0.3:
        return data[: rng.randrange(len(data))]
    flipped = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    return bytes(flipped)
