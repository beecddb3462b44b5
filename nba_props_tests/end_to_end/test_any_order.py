"""The same inputs give the same answer, whatever the order of commands."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from nba_props.automation import planning
from nba_props.automation.jobs import GRADE_JOB, PREDICT_JOB, TRAIN_JOB
from nba_props.catalog import TABLES
from nba_props.domain.models.card import week_of
from nba_props.domain.systems import RECIPES
from nba_props.facts.calendar import days, season_start, spans
from nba_props_tests import league
from nba_props_tests.conftest import DAY, Platform, open_platform, utc

#: a Saturday with games; the Monday after is of another week, so of another model
FIRST = DAY - timedelta(2)
SPAN = days(FIRST, DAY)


def run(platform: Platform, first: date, last: date | None = None) -> None:
    """`nba-props run`."""
    for step in planning.plan(platform.definitions, platform.inputs, days(first, last or first)):
        assert platform.run(*step).success, step


def backfill(platform: Platform, span: list[date] = SPAN) -> list[date]:
    """`nba-props backfill` of the span; the dates that were pending."""
    keys = planning.assets_of(platform.definitions, PREDICT_JOB)
    pending = planning.pending(platform.definitions, platform.inputs, keys, span)
    if pending:
        run(platform, pending[0], pending[-1])
    late = planning.late_scores(platform.definitions, platform.inputs, span)
    if late:
        assert platform.run(GRADE_JOB, late[0], late[-1], list(planning.SCORES)).success
    return [*pending, *late]


def train(platform: Platform, day: date) -> None:
    """`nba-props train`."""
    week = week_of(day)
    for step in planning.preparation(platform.definitions, platform.inputs, [week], [week]):
        assert platform.run(*step).success
    assert platform.run(TRAIN_JOB, week).success


def grade(platform: Platform) -> None:
    """`nba-props grade` of what was published."""
    published = platform.warehouse.partitions(TABLES["nba_predictions.ledger"])
    for first, last in spans([d for d in published if d in SPAN], bridge=0):
        assert platform.run(GRADE_JOB, first, last).success


COMMANDS: dict[str, Callable[[Platform], object]] = {
    "run the first date": lambda p: run(p, FIRST),
    "run a later week's": lambda p: run(p, DAY),
    "train the first week": lambda p: train(p, FIRST),
    "train the later week": lambda p: train(p, DAY),
    "grade": grade,
    "backfill": backfill,
}


def outcome(platform: Platform) -> dict[str, dict[str, object]]:
    """The content of every partition of every table, run ids and clocks aside, and which model serves each week.

    One without rows equals a missing one: on a day off some commands make it and some do not.
    """
    found: dict[str, dict[str, object]] = {
        # the digest of whole rows is of the run, too
        t.address: {str(d): s.content[""] for d, s in platform.warehouse.states(t).items() if s.rows}
        for t in TABLES.values()
    }
    for system in RECIPES:
        found[system] = {str(w): platform.models.card(system, w).fingerprint for w in platform.models.weeks(system)}
    return found


def play(folder: Path, instance: dg.DagsterInstance, commands: list[str]) -> dict[str, dict[str, object]]:
    platform = open_platform(folder, instance)
    league.land(platform.zone)
    for command in commands:
        COMMANDS[command](platform)
    backfill(platform)
    assert backfill(platform) == [], "a span that was just made is stale"
    return outcome(platform)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def check_orders(tmp_path: Path, instance: dg.DagsterInstance, orders: list[list[str]]) -> None:
    plain = play(tmp_path / "plain", instance, ["backfill"])
    for number, commands in enumerate(orders):
        mixed = play(tmp_path / f"order-{number}", instance, commands)
        differing = [t for t in plain if plain[t] != mixed[t]]
        assert not differing, f"after {commands}: {differing}"


@pytest.mark.long
def test_a_later_date_first_ends_with_the_tables_of_a_plain_backfill(tmp_path: Path, instance: dg.DagsterInstance):
    """In a new home the later week's model is trained with the lines of dates that are not predicted yet."""
    check_orders(tmp_path, instance, [["run a later week's", "grade"]])


@pytest.mark.long
def test_random_orders_of_commands_end_with_equal_tables(tmp_path: Path, instance: dg.DagsterInstance):
    orders = []
    for seed in range(12):
        commands = [*COMMANDS, "run the first date", "grade"]
        random.Random(seed).shuffle(commands)  # noqa: S311
        orders.append(commands)
    check_orders(tmp_path, instance, orders)


@pytest.mark.long
@pytest.mark.real
@pytest.mark.parametrize(
    ("first", "last"), [(date(2025, 11, 8), date(2025, 11, 11)), (date(2024, 3, 30), date(2024, 4, 2))]
)
def test_real_dates_in_random_order_end_with_the_tables_of_one_range(real_data, tmp_path, instance, first, last):
    """A weekend and the week after, each with models of its own, from the payloads of one season."""
    span, made = days(first, last), []
    shuffled = random.Random(first.day).sample(span, len(span))  # noqa: S311
    assert shuffled != span
    for name, parts in (("range", [(first, last)]), ("dates", [(d, d) for d in shuffled])):
        platform = open_platform(
            tmp_path / name,
            instance,
            utc(2026, 11, 23),
            landing=str(real_data / "landing"),
            first_date=season_start(first),
        )
        for part in parts:
            run(platform, *part)
        backfill(platform, span)
        assert backfill(platform, span) == []
        made.append(outcome(platform))
    assert [t for t in made[0] if made[0][t] != made[1][t]] == []
    assert made[0]["xgboost_v1"]
    assert made[0]["catboost_v8"]
