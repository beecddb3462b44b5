"""The simulated league: two demo nights, incidents, and payloads for load tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from nba_props.cli.daily import predict, show
from nba_props.cli.group import example, main
from nba_props.cli.printing import Output, print_line, progress, terminal
from nba_props.cli.session import here, session_of
from nba_props.cli.values import INCIDENT, MARKETS, ROWS, Whole, is_address
from nba_props.deployment import load_settings
from nba_props.facts.calendar import days as dates_between
from nba_props.facts.markets import POINTS, keys
from nba_props.operations import day_one
from nba_props.operations.ledger import own_dates
from nba_props.settings import Settings, SettingsError
from nba_props.simulator.incidents import INCIDENTS, apply
from nba_props.sources import registry
from nba_props.storage.landing import LandingError, LandingZone
from nba_props.warehouse.base import is_simulated
from nba_props.warehouse.registry import open_warehouse

_DEMO_SEED = 7
_DEMO_NIGHTS = (date(2026, 1, 9), date(2026, 1, 10))
#: days with odds before and after the first night: more would make the demo slow
_ODDS_BEFORE, _ODDS_AFTER = 16, 7


@main.command(
    **example(
        "nba-props demo",
        "nba-props demo --incident frozen_book",
        fails="a run or a check of severity ERROR fails; not with --incident",
    )
)
@click.option("--rows", type=ROWS, default=20, show_default=True, help="Rows of each board to print; 0 for all.")
@click.option("--incident", type=INCIDENT, help="Reproduce an incident (see `incidents`) in a separate league.")
@click.option("--force", is_flag=True, help="Materialize the nights again even if they exist.")
def demo(rows: int, incident: str | None, force: bool) -> None:
    """Predict two nights of a simulated league or, if NBA_PROPS_LANDING is set, the date of the newest landed odds."""
    settings = load_settings()
    if settings.profile != "local":
        raise SettingsError("the demo uses a simulated league on this machine: unset NBA_PROPS_PROFILE")
    with Output() as out:
        if incident:
            _run_incident(out, settings, incident, rows)
        elif os.environ.get("NBA_PROPS_LANDING"):
            _run(out, settings, [_newest(settings)], rows, force=force)
        else:
            day_one.require_simulated(settings, LandingZone(settings.landing), open_warehouse(settings).source())
            _write_league(settings.landing)
            settings = load_settings()  # the new zone's manifest has the first date
            _run(out, settings, list(_DEMO_NIGHTS), rows, force=force)


def _run(out: Output, settings: Settings, span: list[date], rows: int, *, force: bool) -> None:
    """Predict a span, or show what is already published without another run."""
    warehouse = open_warehouse(settings)
    if not force and set(span) <= set(own_dates(warehouse)):
        out.label(simulated=is_simulated(warehouse))
        out.print("these dates are published already; --force materializes them again")
        show(out, settings, warehouse, span, rows)
    elif not predict(session_of(settings, LandingZone(settings.landing), out), span, rows=rows, force=force):
        sys.exit(1)


def _write_league(landing: str, incidents: Sequence[str] = (), odds_days: Sequence[date] = ()) -> None:
    """Write the demo's league, unless the zone has a simulated one already.

    It has odds of points from sixteen days before the nights, of every market from the first night on, and odds on
    ``odds_days``.
    """
    if not LandingZone(landing).is_simulated:
        first = _DEMO_NIGHTS[0]
        around = dates_between(first - timedelta(_ODDS_BEFORE), first + timedelta(_ODDS_AFTER))
        _simulate(Path(landing), 1, _DEMO_SEED, incidents, keys(), [*around, *odds_days], first)


def _newest(settings: Settings) -> date:
    """The newest date with odds."""
    landing = LandingZone(settings.landing)
    landing.require()
    landed = registry.days_with_odds(landing)
    if not landed:
        raise LandingError(f"{settings.landing} has no odds: name a date with `nba-props run DATE`")
    return landed[-1]


def _run_incident(out: Output, settings: Settings, name: str, rows: int) -> None:
    home = settings.home / "incidents" / name
    os.environ["DAGSTER_HOME"] = str(home / "dagster")
    own = load_settings({"NBA_PROPS_HOME": str(home)})
    incident = INCIDENTS[name]
    _write_league(own.landing, (name,), [incident.day])
    own = load_settings({"NBA_PROPS_HOME": str(home)})
    out.called = here(own)  # printed commands have to refer to this home
    completed = predict(session_of(own, LandingZone(own.landing), out), [incident.day], rows=rows, force=True)
    if incident.afterwards:
        out.print(f"incident {name}: {incident.afterwards(open_warehouse(own))}; the date is run again")
        completed = predict(session_of(own, LandingZone(own.landing), out), [incident.day], rows=rows, force=True)
    out.print(f"{name}: {incident.description}; the run {'completed' if completed else 'was stopped by a check'}")


@main.command(**example("nba-props incidents"))
def incidents() -> None:
    """List the incidents that `demo` and `simulate` can reproduce."""
    console, width = terminal(), max(map(len, INCIDENTS))
    for name, incident in INCIDENTS.items():
        print_line(console, f"{name:<{width}}  {incident.description}", indent=width + 2)


def _on_this_machine(context: click.Context, parameter: click.Parameter, value: Path) -> Path:
    if is_address(value):
        raise click.BadParameter("is an address, not a folder of this machine", context, parameter)
    return value


@main.command(**example("nba-props simulate --seasons 2 --out ../league"))
@click.option(
    "--seasons",
    type=Whole(1, 50),
    default=1,
    show_default=True,
    help="Seasons to simulate; the last is 2025-26.",
)
@click.option(
    "--seed", type=Whole(min=0), default=_DEMO_SEED, show_default=True, help="The same seed gives the same league."
)
@click.option(
    "--out", type=click.Path(path_type=Path), callback=_on_this_machine, required=True,
    help="Folder of the new landing zone.",
)  # fmt: skip
@click.option(
    "--incident", "names", type=INCIDENT, multiple=True, help="Damage the payloads (see `incidents`); may be repeated."
)
@click.option(
    "--markets", "asked", type=MARKETS, default=POINTS, show_default=True,
    help="Markets that the books quote, comma-separated, or all.",
)  # fmt: skip
def simulate(seasons: int, seed: int, out: Path, names: tuple[str, ...], asked: tuple[str, ...]) -> None:
    """Write a simulated league's payloads, in the formats of the real APIs, for load tests and incidents."""
    _simulate(out, seasons, seed, names, asked)


def _simulate(
    out: Path,
    seasons: int,
    seed: int,
    names: Sequence[str],
    asked: Sequence[str],
    odds_days: Sequence[date] | None = None,
    asked_from: date | None = None,
) -> None:
    from nba_props.simulator.league import simulate as write

    console = terminal()
    fresh = not out.exists()
    with progress(console) as bars:
        tasks: dict[str, Any] = {}

        def show(season: str, done: int, total: int) -> None:
            if season not in tasks:
                tasks[season] = bars.add_task(f"simulate {season}", total=total)
            bars.update(tasks[season], completed=done)

        manifest = write(out, seasons, seed, show, odds_days, asked, asked_from)
    for name in names if fresh else ():
        print_line(console, f"incident {name}: {apply(name, LandingZone(str(out)))}")
    if fresh:
        season_names = ", ".join(manifest["seasons"])
        print_line(console, f"simulated league of {season_names} (seed {manifest['seed']}) in {out}")
