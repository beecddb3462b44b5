"""Every landed date by itself: the output of `nba-props run DATE`, in random order, from an empty home.

``python -m benchmarks.alone LANDING HOME --part 0 --parts 2`` runs one half of the dates. A home of an earlier try is
continued: its dates are run again only where something is missing or stale.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import dagster as dg

from benchmarks.seasons import Home
from nba_props.deployment import load_settings
from nba_props.domain.models.card import week_of
from nba_props.sources import nba_stats, odds_api
from nba_props_tests.conftest import few_trees

_RUN = re.compile(r"^(\d{4}-\d\d-\d\d) [\d.]+ s, \d+ errors$", re.MULTILINE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("landing")
    parser.add_argument("home", type=Path)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600, help="begin no date after so many")
    parser.add_argument(
        "--after", type=Path, nargs="*", default=[], help="output of earlier tries, whose dates are not run again"
    )
    arguments = parser.parse_args()
    few_trees()
    settings = load_settings({"NBA_PROPS_HOME": str(arguments.home), "NBA_PROPS_LANDING": arguments.landing})
    started = time.monotonic()
    with dg.DagsterInstance.ephemeral() as instance:
        home = Home(settings, instance)
        played = nba_stats.landed_box_score_days(home.zone, settings.first_date, date(2027, 1, 1))
        done_before = {date.fromisoformat(day) for log in arguments.after for day in _RUN.findall(log.read_text())}
        every = _shuffled({*odds_api.landed_days(home.zone), *played}, arguments.part, arguments.parts)
        dates = [day for day in every if day not in done_before]
        for done, day in enumerate(dates):
            if time.monotonic() - started > 60 * arguments.minutes:
                print(f"{len(dates) - done} dates were not started", flush=True)
                break
            before, errors = time.monotonic(), home.errors
            home.run([day])
            print(f"{day} {time.monotonic() - before:.1f} s, {home.errors - errors} errors", flush=True)
    print(dict(home.found), flush=True)


def _shuffled(days: Iterable[date], part: int, parts: int) -> list[date]:
    """A part of the dates in random order, except that those of a week, which have one model, are kept together."""
    weeks: dict[date, list[date]] = {}
    for day in sorted(days):
        weeks.setdefault(week_of(day), []).append(day)
    chance, mine = random.Random(part), list(weeks.values())[part::parts]  # noqa: S311
    chance.shuffle(mine)
    return [day for week in mine for day in chance.sample(week, len(week))]


if __name__ == "__main__":
    main()
