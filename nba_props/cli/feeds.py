"""Downloading live payloads to the landing zone, with a command for each feed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from nba_props.cli.group import Group, Typed, example, main
from nba_props.cli.printing import Output
from nba_props.cli.values import DateSpan
from nba_props.deployment import clock_of, load_settings
from nba_props.facts.calendar import game_date_of
from nba_props.storage.landing import LandingZone

if TYPE_CHECKING:
    from nba_props.sources.base import Feed, Fetched, Option


_FAILS = "a request fails; what was landed before is kept"


class FeedCommands(Group):
    """A command for each feed of the registry."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from nba_props.sources import registry

        return [feed.command.name for feed in registry.feeds()]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        from nba_props.sources import registry

        return next((_command(feed) for feed in registry.feeds() if feed.command.name == name), None)


@main.group(cls=FeedCommands, **example("nba-props fetch odds", "nba-props fetch stats yesterday"))
def fetch() -> None:
    """Download payloads: odds, stats, injuries. Landed payloads are never changed."""


def _command(feed: Feed) -> click.Command:
    """``nba-props fetch NAME``."""
    asked = feed.command
    parameters: list[click.Parameter] = [_option(option) for option in asked.options]
    if asked.span != "none":
        parameters.append(click.Argument(["span"], type=DateSpan(), required=asked.span == "needed"))
    if asked.plan is not None:
        text = "Print the plan and its cost, and stop."
        parameters.append(click.Option(["--dry-run"], is_flag=True, help=text))
    return Typed(
        asked.name,
        params=parameters,
        callback=_callback(feed),
        help=asked.help,
        **example(*asked.examples, fails=_FAILS),
    )


def _option(option: Option) -> click.Option:
    if isinstance(option.default, bool):
        name = f"--{option.name}/--no-{option.name}"
        return click.Option([name], default=option.default, show_default=True, help=option.help)
    return click.Option(
        [f"--{option.name}"], default=option.default, show_default=True, help=option.help, callback=_reader(option)
    )


def _reader(option: Option) -> Callable[[click.Context, click.Parameter, str], Any]:
    def read(context: click.Context, parameter: click.Parameter, text: str) -> Any:
        try:
            return option.read(text)
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return read


def _callback(feed: Feed) -> Callable[..., None]:
    """The function of the command: prints the plan, lands the payloads and prints how many."""
    from nba_props.sources.base import LiveFeeds

    def run(span: list[date] | None = None, dry_run: bool = False, **given: Any) -> None:
        settings, out, asked = load_settings(), Output(), feed.command
        zone = LandingZone(settings.landing)
        feeds = LiveFeeds(settings.live, zone, clock_of(settings))
        feeds.require_real()
        zone.make()
        days = span or [game_date_of(feeds.clock())]
        options = {option.name: given[option.name.replace("-", "_")] for option in asked.options}
        if asked.plan is not None:
            for line in asked.plan(feeds, days, options):
                out.print(line)
        if not dry_run:
            feed.require(feeds)
            _print_fetched(out, asked.fetch(feeds, days, options))

    return run


def _print_fetched(out: Output, done: Fetched) -> None:
    credits = f", {done.credits} credits" + (f", {done.remaining} left" if done.remaining is not None else "")
    out.print(f"landed    {len(done.landed)} payloads, {done.present} already there{credits}")
    for failure in done.failures:
        out.print_marked("failed   ", "red", failure)
    if done.failures:
        sys.exit(1)
