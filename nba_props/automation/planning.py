"""Plans: which partitions are missing or stale, and which runs a date needs before it can be predicted.

The result does not depend on the order of earlier commands: a plan makes histories and training data from everything
landed, whatever happens to be stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta

import dagster as dg

from nba_props.assets.inputs import Inputs
from nba_props.assets.tables import asset_key, table_of
from nba_props.assets.windows import LEARNED, WINDOWS, learned_from
from nba_props.automation.jobs import HISTORY_JOB, LINES_JOB, PAST_JOB, PREDICT_JOB, ROSTERS_JOB, TRAIN_JOB
from nba_props.catalog import TABLES
from nba_props.domain.digests import contents
from nba_props.domain.distributions.shapes import month_of
from nba_props.domain.history import LONGEST_REST
from nba_props.domain.models.card import training_start, week_of
from nba_props.domain.models.learner import Recipe, model_id
from nba_props.domain.systems import FORECASTERS, SYSTEM_TABLES, SYSTEMS, minutes, recipes_of
from nba_props.facts.calendar import days as dates_between
from nba_props.facts.calendar import history_start, identity_start, season_start, spans
from nba_props.schemas import ContractError, Table, analytics, monitoring, predictions
from nba_props.schemas.minutes import MINUTES
from nba_props.settings import SettingsError
from nba_props.sources import nba_stats, registry
from nba_props.sources.base import RawTable
from nba_props.storage.landing import LandingError
from nba_props.warehouse.frames import checked, split

#: tables over all dates so far: they change with every earlier date, and are quickly made again
_SUMS = (monitoring.SCOREBOARD, monitoring.MARKET_SCORES, monitoring.PROMOTIONS)
_AS_OF = frozenset(t.address for t in _SUMS)
#: their assets; those of the first two are of one step
SCORES = tuple(asset_key(t) for t in _SUMS)
#: the recipes of the models that a table's forecasts come from
_MODELS_OF = {
    **{s.table.address: s.needs().models for s in SYSTEMS},
    MINUTES.address: (minutes.RECIPE,),
}
#: tables that are made again with a system's rows
_PUBLISHING = (
    predictions.LEDGER,
    predictions.QUARANTINED_PREDICTIONS,
    predictions.PREDICTION_ACCURACY,
    predictions.GRADE_HISTORY,
    predictions.CLOSING_LINE_VALUE,
    predictions.QUOTE_SCORES,
    predictions.EVIDENCE,
    *_SUMS,
)
#: a run: job, first and last partition
#: the most dates of a run that predicts or loads odds: it holds them all in memory
RUN_DATES = 31
Step = tuple[str, date, date]


# -- stale ------------------------------------------------------------------------------------------------------------


def stale(
    definitions: dg.Definitions, inputs: Inputs, keys: Collection[dg.AssetKey], days: Sequence[date]
) -> dict[date, list[str]]:
    """The tables of ``keys`` that each date lacks, or that were made from other inputs than the current ones.

    A table made from a stale one is stale too, if it is among ``keys``. A missing partition that would be empty, as on
    a day off or without a payload, makes no table stale that reads a span of dates.
    """
    if not days:
        return {}
    graph = definitions.resolve_asset_graph()
    order = [k for k in graph.toposorted_asset_keys if k in set(keys) and ".".join(k.path) in TABLES]
    found: dict[str, set[date]] = {}
    empty: dict[str, set[date]] = {}
    for key in order:
        table = table_of(key)
        parents = graph.get(key).parent_keys
        states, own = inputs.states(table), inputs.outdated(table, parents, days)
        source = registry.source_of(table)
        if source and source[1].holds_many_dates:
            own = {d for d in own if d not in states} | _changed(inputs, source[1], own & set(states))
        windows = WINDOWS.get(table.address, ())
        apart = {w.table.address for w in windows if not w.beside}
        for parent in (".".join(p.path) for p in parents):
            own |= found.get(parent, set()) if parent not in apart else set()
        for window in windows:
            if late := found.get(window.table.address, set()) - empty.get(window.table.address, set()):
                spans_of = {d: window.days(d, inputs.settings) for d in days}
                own |= {d for d, (first, last) in spans_of.items() if any(first <= s <= last for s in late)}
        for recipe in _recipes(inputs, table):
            own |= _days_of_stale_models(inputs, days, _late_to_learn(inputs, found, empty), recipe)
        found[table.address] = own
        side_by_side = [p for p in (".".join(p.path) for p in parents) if p in TABLES and p not in apart]
        empty[table.address] = _would_be_empty(inputs, table, own - set(states), side_by_side, empty)
    return {d: lacking for d in days if (lacking := [a for a, stale_days in found.items() if d in stale_days])}


def _recipes(inputs: Inputs, table: Table) -> list[Recipe]:
    """The recipes of the models that a table's forecasts come from, in the deployment's markets."""
    return [r for r in _MODELS_OF.get(table.address, ()) if r.market in inputs.settings.markets]


def _late_to_learn(inputs: Inputs, found: Mapping[str, set[date]], empty: Mapping[str, set[date]]) -> set[date]:
    """The dates with a stale table that models learn from."""
    late = {d for w in LEARNED for d in found.get(w.table.address, set()) - empty.get(w.table.address, set())}
    if analytics.BETTING_LINES.address in found:  # without a quote there is no line to learn from
        late -= found[analytics.BETTING_LINES.address] - set(registry.days_with_odds(inputs.landing))
    return late


def _would_be_empty(
    inputs: Inputs, table: Table, days: Collection[date], parents: Collection[str], empty: Mapping[str, set[date]]
) -> set[date]:
    """The dates on which a missing partition would have no row: no payload is landed, or no parent has a row."""
    if not parents:
        return set(days) & inputs.without_payloads(table, sorted(days))
    rows = [{d: s.rows for d, s in inputs.states(TABLES[p]).items()} for p in parents]
    return {
        d for d in days if all(d in empty.get(p, ()) or of.get(d) == 0 for p, of in zip(parents, rows, strict=True))
    }


def _days_of_stale_models(inputs: Inputs, days: Sequence[date], late: Collection[date], recipe: Recipe) -> set[date]:
    """The dates whose model was trained on other data than are stored now, or will be once ``late`` is loaded."""
    weeks = sorted({week_of(d) for d in inputs.game_days(days)})
    changes = {w for w in weeks if any(learned_from(w, inputs.settings) <= d < w for d in late)}
    stale_weeks = {*untrained(inputs, weeks, [recipe]), *changes}
    return {d for d in days if week_of(d) in stale_weeks}


def _changed(inputs: Inputs, source: RawTable, days: Collection[date]) -> set[date]:
    """The dates whose rows differ from those stored, for a table whose payloads hold many dates."""
    if not days:
        return set()
    table, wanted = source.table, sorted(days)
    frame = source.read(inputs.landing, wanted).frame
    try:
        rows = checked(table, frame if len(frame.columns) else table.empty())
    except ContractError:
        return set(days)
    now, stored = contents(table, rows, split(table, rows, wanted)), inputs.states(table)
    return {d for d in wanted if d not in stored or now[d][""] != stored[d].content[""]}


def pending(
    definitions: dg.Definitions, inputs: Inputs, keys: Sequence[dg.AssetKey], days: Sequence[date]
) -> list[date]:
    """The dates on which one of the assets is missing or stale; for the scoreboard see :func:`late_scores`.

    A date without games is complete when its schedule and box scores are loaded.
    """
    history = {".".join(k.path) for k in assets_of(definitions, HISTORY_JOB)}
    busy = set(inputs.game_days(days))
    return sorted(
        d
        for d, lacking in stale(definitions, inputs, keys, days).items()
        if (set(lacking) - _AS_OF if d in busy else history & set(lacking))
    )


def late_scores(definitions: dg.Definitions, inputs: Inputs, days: Sequence[date]) -> list[date]:
    """The dates whose scoreboard lacks grades up to the date: an earlier date was graded since, or a run ended between
    grades and scoreboard.
    """
    graded = set(inputs.warehouse.partitions(predictions.PREDICTION_ACCURACY))
    return sorted(stale(definitions, inputs, SCORES, [d for d in days if d in graded]))


# -- plans ------------------------------------------------------------------------------------------------------------


def plan(definitions: dg.Definitions, inputs: Inputs, days: Sequence[date]) -> Iterator[Step]:
    """The runs that ``days`` need, those for earlier dates first.

    To be run one after the other: each step is decided when the one before is done and its changes are known.
    """
    yield from models(definitions, inputs, days, FORECASTERS)
    yield from ((PREDICT_JOB, *span) for span in together(days))


def together(days: Collection[date]) -> list[tuple[date, date]]:
    """The spans of dates that are made in one run each: what a run holds in memory grows with its dates."""
    return spans(days, bridge=RUN_DATES, longest=RUN_DATES)


def needed(
    definitions: dg.Definitions, inputs: Inputs, days: Sequence[date], keys: Collection[dg.AssetKey]
) -> Iterator[Step]:
    """The runs that some assets of ``days`` need first; models are trained where their system is among the assets."""
    made = {key.path[-1] for key in keys}
    has_models = recipes_of(made, inputs.settings.markets)
    yield from models(definitions, inputs, days, made) if has_models else earlier(definitions, inputs, days)


def earlier(definitions: dg.Definitions, inputs: Inputs, days: Sequence[date]) -> Iterator[Step]:
    """The runs that load the landed dates before ``days``, also those for their models; none without games."""
    busy = sorted(inputs.game_days(days))
    if busy:
        yield from preparation(definitions, inputs, busy, sorted({week_of(d) for d in busy}))


def ahead(definitions: dg.Definitions, inputs: Inputs, day: date) -> Iterator[Step]:
    """The runs that load everything landed before ``day``, which has no game to predict, and train the models of its
    week if games are still to come in it.
    """
    week = week_of(day)
    yield from preparation(definitions, inputs, [day], [week])
    if inputs.game_days(dates_between(day, week + timedelta(6))):
        yield from ((TRAIN_JOB, *span) for span in spans(untrained(inputs.fresh(), [week]), bridge=6))


def preparation(
    definitions: dg.Definitions, inputs: Inputs, days: Sequence[date], weeks: Sequence[date]
) -> Iterator[Step]:
    """The runs that load the inputs of ``days`` and of the models of ``weeks``.

    They cover every date since the season began, so that a gap differs from a day off; every landed date of the seasons
    that models learn from; the landed box scores of earlier seasons, for identities and matchups; and the lines of
    every landed date that models learn from. Dates before the first partition are left out.
    """
    settings, landing = inputs.settings, inputs.landing
    through = max(days[0], weeks[-1]) - timedelta(1)
    learn_from = max(training_start(weeks[0], settings.training_seasons), settings.first_date)
    # shapes are of the results before a month, which may begin within the week
    through_lines = max(weeks[-1], month_of(days[-1]))
    lined = [d for d in registry.days_with_odds(landing) if learn_from <= d < through_lines]
    first = max(settings.first_date, min(_reads_from(inputs, d) for d in (days[0], *lined[:1])))
    first = max(settings.first_date, min(first, learned_from(weeks[0], settings)))
    bridged = [d for start, end in spans(lined) for d in dates_between(start, end)]  # a run has no gaps
    season = dates_between(max(season_start(days[0]), settings.first_date), through)
    whole_from = min([learn_from, *bridged[:1], *season[:1]])
    landed = nba_stats.landed_box_score_days(landing, first, through)
    wanted = {*season, *bridged, *(d for d in landed if d >= whole_from)}

    past = [d for d in landed if d < whole_from]
    lacking = set(stale(definitions, inputs.fresh(), assets_of(definitions, PAST_JOB), past))
    yield from ((PAST_JOB, *span) for span in spans(lacking))
    lacking = set(stale(definitions, inputs.fresh(), assets_of(definitions, HISTORY_JOB), sorted(wanted)))
    yield from ((HISTORY_JOB, *span) for span in spans(lacking))
    rosters = nba_stats.landed_roster_days(landing, max(identity_start(days[0]), settings.first_date), through)
    lacking = set(stale(definitions, inputs.fresh(), assets_of(definitions, ROSTERS_JOB), rosters))
    yield from ((ROSTERS_JOB, *span) for span in spans(lacking))
    lacking = set(stale(definitions, inputs.fresh(), assets_of(definitions, LINES_JOB), bridged))
    yield from ((LINES_JOB, *span) for span in spans(lacking, longest=RUN_DATES))


def _reads_from(inputs: Inputs, day: date) -> date:
    """The first date whose box scores a date needs, for averages, rosters and its players' past form."""
    start = history_start(day, inputs.settings.look_back_days)
    return min(identity_start(day), start - timedelta(LONGEST_REST))


def assets_of(definitions: dg.Definitions, job: str) -> list[dg.AssetKey]:
    """The assets that a job materializes."""
    return sorted(definitions.resolve_job_def(job).asset_layer.executable_asset_keys)


def models(
    definitions: dg.Definitions, inputs: Inputs, days: Sequence[date], systems: Collection[str]
) -> Iterator[Step]:
    """The runs that load training data and train the models of some systems for ``days``; none without models."""
    asked = recipes_of(systems, inputs.settings.markets)
    weeks = sorted({week_of(d) for d in inputs.game_days(days)}) if asked else []
    if weeks:
        yield from preparation(definitions, inputs, days, weeks)
        stale_weeks = untrained(inputs.fresh(), weeks, asked)
        yield from ((TRAIN_JOB, *span) for span in spans(stale_weeks, bridge=6))  # weeks are Mondays


def untrained(inputs: Inputs, weeks: Sequence[date], recipes: Collection[Recipe] | None = None) -> list[date]:
    """The weeks for which a recipe has no model of the stored data by the installed library, and the week after each.

    Without ``recipes`` all of the deployment's markets are meant. The next week's model is judged against that one,
    which also serves it if its own is refused.
    """
    asked = recipes_of(FORECASTERS, inputs.settings.markets) if recipes is None else recipes
    lacking = {week for week in weeks if any(_lacks_model(inputs, recipe, week) for recipe in asked)}
    return sorted(lacking | {week for week in weeks if week - timedelta(7) in lacking})


def _lacks_model(inputs: Inputs, recipe: Recipe, week: date) -> bool:
    now, before = inputs.trained_from(recipe, week), week - timedelta(7)
    if inputs.models.made_from(model_id(recipe), week) != now or inputs.is_unusable(recipe, week):
        return True
    return inputs.lacks_model(recipe, before) and bool(_game_days(inputs, dates_between(before, week)[:-1]))


def never_trained(inputs: Inputs, days: Sequence[date], systems: Collection[str], running: date) -> Iterator[Step]:
    """The runs that train the weeks of ``days`` before the ``running`` one that a system was never trained for, on the
    stored data; for runs that were started without a plan.
    """
    asked = recipes_of(systems, inputs.settings.markets)
    weeks = {week for d in days if (week := week_of(d)) < running}
    tried = inputs.models.made_from
    lacking = {w for w in weeks if any(tried(model_id(recipe), w) is None for recipe in asked)}
    busy = {week_of(d) for d in _game_days(inputs, [d for d in days if week_of(d) in lacking])}
    yield from ((TRAIN_JOB, *span) for span in spans(busy, bridge=6))


def _game_days(inputs: Inputs, days: Sequence[date]) -> list[date]:
    """The dates that have games by the landed schedule; empty without a schedule."""
    try:
        return inputs.game_days(days) if days else []
    except LandingError:
        return []


# -- names ------------------------------------------------------------------------------------------------------------


def resolve(definitions: dg.Definitions, names: Sequence[str]) -> list[dg.AssetKey]:
    """The assets of some names (``xgboost_v1``, ``nba_raw.box_scores``); those of a system with ledger, grades and
    scoreboard.

    Raises:
        SettingsError: a name is not an asset's.
    """
    short = {t.name: t for t in TABLES.values()}
    found: list[dg.AssetKey] = []
    for name in names:
        table = TABLES.get(name.replace("/", ".")) or short.get(name)
        if table is None:
            raise SettingsError(f'there is no asset {name}: `nba-props sql "show tables"` lists them')
        found.append(asset_key(table))
        if table.name in SYSTEM_TABLES:
            found += [asset_key(t) for t in _PUBLISHING]
    graph = definitions.resolve_asset_graph()
    together = {k for key in found for k in graph.get(key).execution_set_asset_keys}
    return sorted(together)
