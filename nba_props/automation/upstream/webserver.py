"""Dagster's webserver with an application of ours around its own."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nba_props.automation import upstream
from nba_props.automation.upstream import is_the_tested_version
from nba_props.process.errors import NbaPropsError

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class NoGuard(NbaPropsError):
    """The UI can't be served behind its guard."""


def serve(around: Callable[[Any], ASGIApp]) -> None:
    """Run ``dagster-webserver`` with ``around`` applied to its application.

    Dagster has no argument for it, so that the function by which its command makes the application is replaced.

    Raises:
        NoGuard: Dagster is not the tested version, which may make its application elsewhere.
    """
    if not is_the_tested_version():
        raise NoGuard(f"the UI is not served, since its guard is tested with Dagster {upstream.TESTED}: install it")
    cli: Any = import_module("dagster_webserver.cli")
    make = cli.create_app_from_workspace_process_context
    cli.create_app_from_workspace_process_context = lambda *arguments, **named: around(make(*arguments, **named))
    cli.main()
