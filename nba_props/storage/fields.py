"""Single values of a payload: a field's value in its proper type, or an error that describes what is wrong.

JSON's null, a missing field, Python's NaN (not JSON, but sent) and blank text all count as unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from nba_props.facts.calendar import YEARS, named_day, parse_instant

#: most characters of a text
LONGEST_TEXT = 300
#: most characters of the name of a player, team, arena or book; the longest real one has 33
LONGEST_NAME = 100
#: the largest id of a player or team: ten digits
MOST_ID = 10**10 - 1
#: digits that always fit a 64-bit integer
_MOST_DIGITS = 18
_NBA_GAME = re.compile(r"\d{10}", re.ASCII)
_NUMBER = re.compile(rf"-?\d{{1,{_MOST_DIGITS}}}(\.\d{{0,{_MOST_DIGITS}}})?", re.ASCII)
#: more than any number of a feed; below it doubles are exact for whole numbers
_LARGEST = 1e15
#: characters that are invisible or change how others are displayed: controls, surrogates, marks of direction and of
#: zero width, tags, and unassigned ones
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    r"\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U0010ffff]"
)

#: a person's name: letters with accents, and punctuation between names; no digits and no markup
_PERSON = re.compile(
    r"(?:[^\W\d_]|[ \u00a0\u0300-\u036f.,'\u2018\u2019\u02bc`\u00b4\-\u2010-\u2013()&\"\u201c\u201d])+"
)


class FieldError(ValueError):
    """A field's value is not what it should be; the message names field and value."""

    def __init__(self, name: str, value: Any, wanted: str) -> None:
        super().__init__(f"{name} is {shown(value)}, {wanted}")


def shown(value: Any) -> str:
    """A value as messages show it, cut to a short length."""
    if type(value).__module__ == "numpy":
        value = value.item()
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return f"a whole number of {value.bit_length()} bits"
    text = repr(value) if isinstance(value, str | int | float | bool | None) else type(value).__name__
    return text if len(text) <= 80 else f"{text[:80]}…"


def is_unknown(value: Any) -> bool:
    """Whether a value counts as unknown."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or value == ""


def record(holder: Any, name: str) -> Mapping[str, Any]:
    """An object within an object.

    Raises:
        FieldError: it is missing, or not an object.
    """
    value = holder.get(name) if isinstance(holder, Mapping) else None
    if not isinstance(value, Mapping):
        raise FieldError(name, value, "not an object")
    return value


def optional_text(holder: Mapping[str, Any], name: str, most: int = LONGEST_TEXT) -> str | None:
    """Text in one line of at most ``most`` characters, or None if unknown."""
    value = holder.get(name)
    if is_unknown(value):
        return None
    if not isinstance(value, str):
        raise FieldError(name, value, "not text")
    if len(value) > most:
        raise FieldError(name, value, f"longer than {most} characters")
    if _CONTROL.search(value):
        raise FieldError(name, value, "with characters that are not text")
    return value.strip() or None


def text(holder: Mapping[str, Any], name: str) -> str:
    """Text in one line; FieldError if unknown."""
    return _needed(optional_text(holder, name), holder, name)


def optional_name(holder: Mapping[str, Any], name: str) -> str | None:
    """A name of a player, team, arena or book, or None if unknown."""
    return optional_text(holder, name, LONGEST_NAME)


def name(holder: Mapping[str, Any], name: str) -> str:
    """A name of a player, team, arena or book; FieldError if unknown."""
    return _needed(optional_name(holder, name), holder, name)


def person(holder: Mapping[str, Any], name: str) -> str:
    """A person's name; FieldError if unknown or implausible."""
    value = holder.get(name)
    if isinstance(value, str) and len(value) <= LONGEST_NAME and _is_person(value):  # most are cached
        return value.strip()
    raise FieldError(name, _needed(optional_name(holder, name), holder, name), "not the name of a person")


@lru_cache(maxsize=65536)
def _is_person(text: str) -> bool:
    from nba_props.domain.names import player_lookup  # imports pandas, which commands without rows do not need

    return not _CONTROL.search(text) and _PERSON.fullmatch(text) is not None and bool(player_lookup(text))


def optional_whole(holder: Mapping[str, Any], name: str, least: int = 0, most: int = MOST_ID) -> int | None:
    """A whole number from ``least`` to ``most``, also one written as text, or None if unknown."""
    value = holder.get(name)
    if is_unknown(value):
        return None
    number = value
    if isinstance(value, str) and re.fullmatch(rf"-?\d{{1,{_MOST_DIGITS}}}", value.strip(), re.ASCII):
        number = int(value)
    if isinstance(number, float) and math.isfinite(number) and number.is_integer():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or number.bit_length() > 62:
        raise FieldError(name, value, "not a whole number")
    if not least <= number <= most:
        wanted = f"less than {least}" if number < least else f"more than {most}"
        raise FieldError(name, value, wanted)
    return number


def whole(holder: Mapping[str, Any], name: str, least: int = 0, most: int = MOST_ID) -> int:
    """A whole number; FieldError if unknown."""
    return _needed(optional_whole(holder, name, least, most), holder, name)


def optional_share(holder: Mapping[str, Any], name: str) -> float | None:
    """A number from 0 to 1, or None if unknown."""
    value = holder.get(name)
    if is_unknown(value):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise FieldError(name, value, "not a number from 0 to 1")
    return float(value)


def optional_flag(holder: Mapping[str, Any], name: str) -> bool | None:
    """True or false, or None if unknown."""
    value = holder.get(name)
    if is_unknown(value):
        return None
    if not isinstance(value, bool):
        raise FieldError(name, value, "neither true nor false")
    return value


def optional_instant(holder: Mapping[str, Any], name: str) -> datetime | None:
    """An instant in UTC, or None if unknown."""
    value = optional_text(holder, name)
    if value is None:
        return None
    try:
        return parse_instant(value)
    except ValueError as error:
        raise FieldError(name, value, f"not an instant: {error}") from error


def day(holder: Mapping[str, Any], name: str) -> date:
    """The date that a text begins with, whatever time of day follows."""
    value = text(holder, name)
    found = date_in(value)
    if found is None:
        raise FieldError(name, value, f"not a date such as 2025-11-05 of the years {YEARS.start} to {YEARS.stop - 1}")
    return found


def is_game_id(value: Any) -> bool:
    """Whether a value is an NBA game id: text of ten digits."""
    return isinstance(value, str) and _NBA_GAME.fullmatch(value) is not None


def date_in(text: str) -> date | None:
    """The date that a text or a file's name begins with; None without one, or if it is outside ``YEARS``."""
    return named_day(text[:10])


def number(value: Any) -> float:
    """A number, also one written as text; NaN for anything else."""
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value.strip()) else math.nan
    known = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
    return float(value) if known else math.nan


def _needed(value: Any, holder: Mapping[str, Any], name: str) -> Any:
    if value is None:
        raise FieldError(name, holder.get(name), "but it is required")
    return value
