"""One tree of errors: whatever a user can put right is below one class, which commands print as one sentence."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import click
import pytest

import nba_props
from nba_props.cli.group import plain_errors
from nba_props.process.errors import NbaPropsError
from nba_props.settings import BadSetting
from nba_props.warehouse.base import CorruptPartition

#: caught where they are raised, and turned into a reject, an abstention or one of the others
INNER = {"FanOut", "FieldError", "Refused", "TooFewRows", "UnreadablePdf"}


def errors() -> set[type[Exception]]:
    found = set()
    for module in pkgutil.walk_packages(nba_props.__path__, "nba_props."):
        if module.name != "nba_props.__main__":
            own = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
            found |= {c for _, c in own if issubclass(c, Exception) and c.__module__.startswith("nba_props.")}
    return found


def test_every_error_of_ours_is_in_the_tree():
    loose = {e for e in errors() if not issubclass(e, (NbaPropsError, click.ClickException))}
    assert {e.__name__ for e in loose if not e.__name__.startswith("_")} == INNER


@pytest.mark.parametrize(
    ("error", "status"),
    [(CorruptPartition("t of 2026-01-09 is cut off: nba-props run makes it again"), 1), (BadSetting("X is 'y'"), 2)],
)
def test_a_command_prints_it_as_one_sentence(error, status):
    with pytest.raises(click.ClickException) as printed, plain_errors():
        raise error
    assert printed.value.message == str(error)
    assert printed.value.exit_code == status


def test_a_mistake_of_ours_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), plain_errors():
        raise ZeroDivisionError
