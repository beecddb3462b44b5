"""Everyday commands: run, backfill, train, grade."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Sequence
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from nba_props.cli.boards import print_boards
from nba_props.cli.group import RUN_FAILS, example, main
from nba_props.cli.printing import FORMAT, Column, Output
from nba_props.cli.program import program
from nba_props.cli.session import (
    Session,
    here,
    print_findings,
    print_undo,
    published,
    session,
    text_of,
    today_of,
    update_scores,
    within_partitions,
)
from nba_props.cli.values import ALLOW_LOSS, ASSET, ROWS, SYSTEM_SHOWN, DateSpan
from nba_props.facts import vocabulary
from nba_props.facts.calendar import days as dates_between
from nba_props.facts.calendar import spans
from nba_props.facts.markets import POINTS
from nba_props.facts.words import plural
from nba_props.presentation.board import gate_summary
from nba_props.settings import Settings
from nba_props.warehouse.base import Warehouse

if TYPE_CHECKING:
    import pandas as pd

    from nba_props.automation.runner import Outcome

#: width of the headings of the gate's table, in characters
_GATE_WIDTH = 12
_GRADE = vocabulary.Outcome
#: the display order of outcomes
_ORDER = (_GRADE.WIN, _GRADE.LOSS, _GRADE.PUSH, _GRADE.NO_BET)
_OUTCOMES_SQL = "CASE outcome " + " ".join(f"WHEN '{o}' THEN {n}" for n, o in enumerate(_ORDER, 1)) + " ELSE 5 END"
_FORCE = click.option("--force", is_flag=True, help="Materialize dates again that are complete.")


@main.command(**example("nba-props run today", "nba-props run 2026-01-09..2026-01-11 --rows 0", fails=RUN_FAILS))
@click.argument("span", type=DateSpan())
@_FORCE
@ALLOW_LOSS
@click.option("--rows", type=ROWS, default=20, show_default=True, help="Rows of each board to print; 0 for all.")
@SYSTEM_SHOWN
@FORMAT
def run(span: list[date], force: bool, allow_loss: bool, rows: int, system: str | None, form: str) -> None:
    """Predict the dates of SPAN that are missing or stale, from landed payloads, and print their boards.

    Prerequisites are materialized first: history, lines and weekly models. Fresh data is kept.
    """
    with Output(form) as out:
        opened = session(out, allow_loss=allow_loss)
        if not predict(opened, span, force=force, rows=rows, system=system):
            sys.exit(1)


@main.command(**example("nba-props backfill 2026-01-01..2026-01-11 --dry-run", fails=RUN_FAILS))
@click.argument("span", type=DateSpan())
@click.option(
    "--select",
    type=ASSET,
    multiple=True,
    help="Only this system or table, plus publishing and grading; may be repeated.",
)
@_FORCE
@click.option("--dry-run", is_flag=True, help="Print the plan and stop.")
@ALLOW_LOSS
@FORMAT
def backfill(
    span: list[date], select: tuple[str, ...], force: bool, dry_run: bool, allow_loss: bool, form: str
) -> None:
    """Print the plan, then materialize the dates of SPAN that are missing or older than their inputs.

    A run makes up to 31 dates.

    Models of past weeks are trained as needed; nothing is fetched, so no API credit is spent.
    """
    from nba_props.automation import planning
    from nba_props.automation.jobs import PREDICT_JOB

    with Output(form) as out:
        opened = session(out, allow_loss=allow_loss)
        within_partitions(opened.settings, span)
        chosen = planning.resolve(opened.definitions, select) if select else None
        days = _wanted(opened, span, chosen, force=force, dry_run=dry_run)
        _print_plan(opened, span, days, [k.to_user_string() for k in chosen] if chosen else None)
        if dry_run:
            return
        if not days:
            out.print("nothing is missing or stale; --force materializes the dates again")
            update_scores(opened, span)
            return
        if chosen is None:
            ok = predict(opened, dates_between(days[0], days[-1]), force=True, boards=False)
        else:
            systems = [k.path[-1] for k in chosen]
            outcomes = opened.follow(planning.models(opened.definitions, opened.inputs, days, systems))
            if all(o.success for o in outcomes):
                outcomes += opened.follow([(PREDICT_JOB, *part) for part in planning.together(days)], chosen)
            ok = print_findings(out, outcomes)
            _print_gate(out, gate_summary(opened.warehouse, days))
            update_scores(opened, span)
            print_undo(opened, outcomes, span)
        if not ok:
            sys.exit(1)


def _wanted(
    opened: Session, span: list[date], keys: Sequence[Any] | None = None, *, force: bool, dry_run: bool = False
) -> list[date]:
    """The dates to materialize: all of them, or those that are missing or stale, before or after the earlier steps."""
    from nba_props.automation import planning
    from nba_props.automation.jobs import PREDICT_JOB

    if force:
        return list(span)
    asked = keys if keys is not None else planning.assets_of(opened.definitions, PREDICT_JOB)
    days = planning.pending(opened.definitions, opened.inputs.fresh(), asked, span)
    if len(days) == len(span):
        return days
    # payloads landed for earlier dates can make more of them stale once they are loaded
    steps = planning.earlier(opened.definitions, opened.inputs, span)
    if dry_run:
        if step := next(steps, None):
            opened.out.print(
                f"earlier   new payloads of earlier dates: {step[0]} of {text_of(step[1:])} and the steps after it run "
                "first, and can make more dates stale"
            )
        return days
    outcomes = opened.follow(steps)
    if not print_findings(opened.out, outcomes):
        sys.exit(1)
    return planning.pending(opened.definitions, opened.inputs.fresh(), asked, span) if outcomes else days


def _print_plan(opened: Session, span: list[date], days: list[date], assets: list[str] | None) -> None:
    """Print the plan of a backfill: dates, games, assets, expected rows, credits."""
    from nba_props.domain.games import playable
    from nba_props.schemas.analytics import SLATE
    from nba_props.sources import nba_stats

    out = opened.out
    schedule = nba_stats.read_schedule(opened.landing, span).frame
    games = playable(schedule)["game_date"].dt.date.value_counts().to_dict()
    # counted without reading rows: a partition that can't be read may be the one to rebuild
    players = [n for n in opened.warehouse.row_counts(SLATE, span).values() if n]
    busy = [d for d in days if games.get(d)]
    per_date = sum(players) / len(players) if players else None
    out.print(f"plan      {span[0]}..{span[-1]}: {len(days)} of {len(span)} dates are missing or stale")
    out.print(f"games     {sum(games.get(d, 0) for d in busy)} on {len(busy)} of these dates")
    out.print(f"assets    {', '.join(assets) if assets else 'all'}")
    expected = (
        f"about {per_date * len(busy):,.0f} players, each with a row from every system" if per_date else "unknown yet"
    )
    out.print(f"rows      {expected if busy else 'none'}")
    out.print("credits   0: landed payloads only")


def predict(
    opened: Session,
    span: list[date],
    *,
    force: bool = False,
    rows: int = 20,
    system: str | None = None,
    boards: bool = True,
) -> bool:
    """Update a span and print the result.

    Args:
        opened: the session.
        span: the dates, in order.
        force: materialize complete dates again.
        rows: rows of each board; 0 for all.
        system: the system whose picks the boards show; the usual one by default.
        boards: print them.

    Returns:
        Whether no run, no system and no check of severity ERROR failed.
    """
    from nba_props.assets.raw import origin
    from nba_props.automation import planning

    out, warehouse = opened.out, opened.warehouse
    within_partitions(opened.settings, span)
    held = origin(opened.landing)
    if warehouse.source() not in (None, held):
        warehouse.claim(held)  # raises, with what the warehouse holds and what to set
    if not opened.inputs.game_days(span):
        return _load_days_off(opened, span)
    started = time.monotonic()
    days = _wanted(opened, span, force=force)
    outcomes: list[Outcome] = []
    if days:
        through = dates_between(days[0], days[-1])
        outcomes = opened.follow(planning.plan(opened.definitions, opened.inputs, through))
    else:
        out.print(f"{text_of(span)} is up to date; --force materializes it again")
    seconds = time.monotonic() - started
    ok = print_findings(out, outcomes)
    if all(o.success for o in outcomes):
        update_scores(opened, span)
    if outcomes:
        passed, failed = sum(o.passed_checks for o in outcomes), sum(len(o.failed_checks) for o in outcomes)
        above = " (see above)" if failed else ""
        out.print(f"{plural(len(outcomes), 'run')} in {seconds:.1f} s; {passed} checks passed, {failed} failed{above}")
        print_undo(opened, outcomes, span)
    if not all(o.success for o in outcomes):
        out.print("not done  fix the problem above and run the command again: finished work is kept")
        return False
    show(out, opened.settings, warehouse, span, rows, system, boards=boards)
    return ok


def show(
    out: Output,
    settings: Settings,
    warehouse: Warehouse,
    span: list[date],
    rows: int,
    system: str | None = None,
    *,
    boards: bool = True,
) -> None:
    """Print what is published for a span, where it is stored, and which commands to run next."""
    from nba_props.operations.home import dagster_home

    if boards:
        print_boards(out, warehouse, span, rows, system)
    _print_gate(out, gate_summary(warehouse, span))
    out.print(f"warehouse {warehouse.place}")
    if warehouse.catalog:
        out.print(f"catalog   {warehouse.catalog}")
    out.print(f"instance  {dagster_home(settings)}")
    lines = [
        f"open {span[-1]}",
        f"board {span[-1]}",
        *([f"grade {text_of(span)}"] if span[-1] < today_of(settings) else []),
        "dev",
    ]
    out.called = here(settings)
    for number, line in enumerate(lines):
        out.print(f"{'' if number else 'next':<9} nba-props {line}")


def _print_gate(out: Output, summary: pd.DataFrame) -> None:
    columns = [
        Column(
            "\n".join(textwrap.wrap(str(name), _GATE_WIDTH, break_long_words=False)),
            list(values.astype(str)),
            right=values.dtype.kind in "iu",
        )
        for name, values in summary.items()
    ]
    out.rows(summary, "Gate", "gate", columns)


def _load_days_off(opened: Session, span: list[date]) -> bool:
    """Load what is landed for dates without games, so that a day off differs from a date that was never loaded.

    Returns:
        Whether every step succeeded and no stored row contradicts the empty schedule.
    """
    from nba_props.automation.jobs import HISTORY_JOB, LINES_JOB
    from nba_props.domain import quality
    from nba_props.schemas.raw import SCHEDULE
    from nba_props.sources import registry

    out, warehouse = opened.out, opened.warehouse
    out.print(f"no game is scheduled on {text_of(span)}: nothing to predict, and no model to train")
    outcomes = opened.follow([(HISTORY_JOB, span[0], span[-1])])
    if set(span) & set(registry.days_with_odds(opened.landing)):
        outcomes += opened.follow([(LINES_JOB, span[0], span[-1])])
        out.print("odds were landed for it nevertheless: see nba_raw.quarantined_quotes")
    ok = print_findings(out, outcomes)
    known = frozenset(warehouse.partitions(SCHEDULE))
    stored = quality.Published(warehouse.query, (), span[0], span[-1], scheduled=known)
    for day in (d for d in span if d in known and not stored.has_schedule(d)):
        finding = quality.expected_outputs(stored, day)
        out.print_marked("ERROR", "red", f"{SCHEDULE.address} {finding.text}")
        ok = False
    return ok


@main.command(**example("nba-props train today", fails=RUN_FAILS))
@click.argument("span", type=DateSpan())
@ALLOW_LOSS
def train(span: list[date], allow_loss: bool) -> None:
    """Train the models of the weeks of SPAN again, on all landed box scores and lines of their training window.

    Landed payloads that are not in the warehouse yet are loaded first. Use it for the current week, after a library
    upgrade, or after a change to the features.
    """
    from nba_props.automation import planning
    from nba_props.automation.jobs import TRAIN_JOB
    from nba_props.domain.models.card import week_of
    from nba_props.domain.models.learner import model_id
    from nba_props.domain.systems import SYSTEM_TABLES, recipes_of
    from nba_props.facts.markets import POINTS

    with Output() as out:
        opened = session(out, allow_loss=allow_loss)
        within_partitions(opened.settings, span)
        first, last = week_of(span[0]), week_of(span[-1])
        weeks = [d for d in dates_between(first, last) if d == week_of(d)]
        before = planning.preparation(opened.definitions, opened.inputs, weeks, weeks)
        ok = print_findings(out, opened.follow(chain(before, [(TRAIN_JOB, first, last)])))
        store = opened.inputs.models
        for system in [model_id(r) for r in recipes_of(SYSTEM_TABLES, opened.settings.markets)]:
            for week in weeks:
                if refused := store.refusal(system, week).get("reason"):
                    out.print_marked("not in force", "yellow", f"{system} of {week}: {refused}")
            for week in [w for w in store.weeks(system) if first <= w <= last]:
                card = store.card(system, week)
                mae, last_10 = card.metrics["holdout_mae"], card.metrics["holdout_last_10_mae"]
                of = "" if card.market == POINTS else f", {card.market}"
                out.print(
                    f"{card.version}{of}: {card.rows} rows through {card.trained_through}, MAE {mae:.3f} on the newest "
                    f"{card.metrics['holdout_rows']:.0f} (last-10 average {last_10:.3f})"
                )
        if not ok:
            sys.exit(1)


@main.command(**example("nba-props grade yesterday", fails=RUN_FAILS))
@click.argument("span", type=DateSpan())
@ALLOW_LOSS
@FORMAT
def grade(span: list[date], allow_loss: bool, form: str) -> None:
    """Load the results of SPAN and grade its predictions; a corrected box score changes the grade."""
    from nba_props.automation.jobs import GRADE_JOB

    with Output(form) as out:
        opened = session(out, allow_loss=allow_loss)
        days = published(opened, span, "there is nothing to grade")
        if not days:
            return
        steps = [(GRADE_JOB, first, last) for first, last in spans(days, bridge=0)]
        ok = print_findings(out, opened.follow(steps))
        update_scores(opened, span)
        counts = opened.warehouse.query(
            f"""
            SELECT outcome, COUNT(CASE WHEN market = '{POINTS}' AND is_valid_line THEN 1 END) AS on_a_line,
              COUNT(CASE WHEN market = '{POINTS}' AND NOT is_valid_line THEN 1 END) AS without_a_line,
              COUNT(CASE WHEN market <> '{POINTS}' THEN 1 END) AS other_markets
            FROM nba_predictions.prediction_accuracy
            WHERE game_date BETWEEN @first AND @last AND is_current
            GROUP BY outcome ORDER BY {_OUTCOMES_SQL}, outcome
            """,
            first=span[0],
            last=span[-1],
        )
        if not counts["other_markets"].sum():
            counts = counts.drop(columns="other_markets")
        out.rows(counts, f"Grades of the current predictions, {text_of(span)}")
        out.print(f"next      {program()} report {text_of(span)}")
        if not ok:
            sys.exit(1)
