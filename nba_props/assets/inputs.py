"""What a partition is made from, as a digest: names of payloads, contents of other partitions, models, settings.

A partition is stale when the digest of its inputs is another one than the digest that was stored with its rows. Times
play no part: a payload that was copied with an old file time is new, and a table written again with equal rows is not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import dagster as dg

from nba_props.assets.windows import LEARNED, WINDOWS
from nba_props.catalog import TABLES
from nba_props.deployment import aliases_of
from nba_props.domain.models.card import refusal, training_start, week_of
from nba_props.domain.models.learner import Recipe, definition
from nba_props.domain.systems import RECIPES
from nba_props.facts.digest import digest
from nba_props.schemas import Table, analytics, predictions, raw, reference
from nba_props.schemas.features import PLAYER_FEATURES, SCHEMA_HASH
from nba_props.settings import Settings
from nba_props.sources import registry
from nba_props.sources.base import Feed
from nba_props.sources.nba_stats.games import game_days
from nba_props.storage.landing import LandingZone
from nba_props.storage.models import CorruptModel, ModelStore
from nba_props.warehouse.base import PartitionState, Warehouse

MODELS = "nba_models"
LANDING = "landing"
#: what a training and a history read of the schedule, and what a slate does: all but status and scores
PLAN = "plan"
#: tables to which the status and the score of a game matter
_READ_RESULTS = (predictions.PREDICTION_ACCURACY.address, predictions.GRADE_HISTORY.address)


# -- payloads ---------------------------------------------------------------------------------------------------------


def landing_key(feed: Feed) -> dg.AssetKey:
    """The asset that stands for a feed's payloads."""
    return dg.AssetKey([LANDING, feed.name])


# -- digests ----------------------------------------------------------------------------------------------------------


def _digest(parts: Iterable[str]) -> str:
    return digest("\x1f".join(parts), 12)


def _lasting(key: dg.AssetKey) -> list[str]:
    """A key's path under the table's first name: a digest must not change because a table is called otherwise."""
    table = TABLES.get(".".join(key.path))
    return table.lasting_name.split(".") if table else list(key.path)


@dataclass
class Inputs:
    """Digests of what partitions are made from, as things stand; states are read once and kept for one use."""

    warehouse: Warehouse
    landing: LandingZone
    models: ModelStore
    settings: Settings
    _states: dict[str, dict[date, PartitionState]] = field(default_factory=dict, repr=False)
    _learned: dict[date, str] = field(default_factory=dict, repr=False)

    def fresh(self) -> Inputs:
        """The same, knowing nothing yet: what was written since is seen."""
        return Inputs(self.warehouse, self.landing, self.models, self.settings)

    def knowing(self, states: Mapping[str, dict[date, PartitionState]]) -> Inputs:
        """The same, with some tables as they stood when somebody looked, by address."""
        return replace(self, _states={**self._states, **states}, _learned=dict(self._learned))

    def states(self, table: Table) -> dict[date, PartitionState]:
        if table.address not in self._states:
            self._states[table.address] = self.warehouse.states(table)
        return self._states[table.address]

    def outdated(self, table: Table, parents: Collection[dg.AssetKey], days: Sequence[date]) -> set[date]:
        """The dates whose partition is missing, or was made from something else than what is there now."""
        if not days:
            return set()
        states, now = self.states(table), self.digests(table, parents, days)
        return {d for d in days if d not in states or states[d].made_from != now[d]}

    def payloads(self, table: Table, days: Sequence[date]) -> Mapping[date, Sequence[str]]:
        """The names of the payloads behind each date of a table; none for a table that is made from others."""
        found = registry.source_of(table)
        return found[1].payloads(self.landing, days) if found and days else {}

    def without_payloads(self, table: Table, days: Sequence[date]) -> set[date]:
        """The dates of which nothing is landed that a table of payloads could have rows of."""
        landed = self.payloads(table, days)
        return {d for d in days if not landed.get(d)} if registry.source_of(table) else set()

    def not_taken_in(self, table: Table, days: Sequence[date]) -> set[date]:
        """The dates of a table of payloads whose partition is missing, or was made before the newest of them came.

        Raises:
            KeyError: no payload is behind the table.
        """
        found = registry.source_of(table)
        if found is None:
            raise KeyError(f"{table.address} is made from other tables")
        feed, source = found
        return self.outdated(table, (landing_key(feed), *(dg.AssetKey(t.path) for t in source.reads.values())), days)

    def digests(self, table: Table, parents: Collection[dg.AssetKey], days: Sequence[date]) -> dict[date, str]:
        """The digest of each date's inputs.

        Args:
            table: whose partitions are made.
            parents: the asset's parents in Dagster's graph.
            days: the dates.
        """
        parts: dict[date, list[str]] = {d: [str(self._salt(table))] for d in days}
        windows = WINDOWS.get(table.address, ())
        apart = {w.table.address for w in windows}
        for key in sorted(parents, key=_lasting):
            address = ".".join(key.path)
            if key.path[0] == MODELS:
                for day, version in self._models(key.path[1], days).items():
                    parts[day].append(f"{address}={version}")
            elif address in TABLES and address not in apart:
                facet = PLAN if address == raw.SCHEDULE.address and table.address not in _READ_RESULTS else ""
                states, name = self.states(TABLES[address]), TABLES[address].lasting_name
                for day in days:
                    parts[day].append(f"{name}={states[day].content.get(facet, '') if day in states else None}")
        if any(key.path[0] == LANDING for key in parents):
            landed = self.payloads(table, days)
            for day in days:
                parts[day].append("payloads=" + ",".join(sorted(landed.get(day, ()))))
        for window in windows:
            for day in days:
                behind = self._span(window.table, *window.days(day, self.settings))
                parts[day].append(f"{window.table.address}={behind}")
        return {day: _digest(found) for day, found in parts.items()}

    def _salt(self, table: Table) -> tuple[Any, ...]:
        """Settings that a table's rows depend on."""
        if table.address in (reference.RESOLVED_NAMES.address, reference.UNRESOLVED_NAMES.address):
            return aliases_of(self.settings)[0]
        if table.dataset == analytics.SLATE.dataset:
            own = {
                PLAYER_FEATURES.address: [SCHEMA_HASH],
                analytics.CONTEXT.address: table.column_names,  # what a release wrote that knew fewer is stale
            }
            return (self.settings.look_back_days, self.settings.max_games, *own.get(table.address, []))
        return ()

    def _span(
        self, table: Table, first: date, last: date, facet: str = "", only: Collection[date] | None = None
    ) -> str:
        """One digest of all partitions of a table in first..last, or of some of them, that have rows."""
        states = self.states(table)
        asked = states if only is None else states.keys() & only
        there = (d for d in sorted(asked) if first <= d <= last and states[d].rows)  # an empty one says nothing
        return _digest(f"{d}{states[d].content.get(facet, '')}" for d in there)

    def _models(self, system_id: str, days: Sequence[date]) -> dict[date, str]:
        """The model in force for each date."""
        found: dict[date, str] = {}
        for week in {week_of(d) for d in days}:
            try:
                card = self.models.in_force(system_id, week)
                found[week] = card.fingerprint if card else f"none {self.models.refusal(system_id, week).get('reason')}"
            except CorruptModel:
                found[week] = "corrupt"
        return {d: found[week_of(d)] for d in days}

    def game_days(self, days: Sequence[date]) -> list[date]:
        """The dates that have games by the landed schedule.

        Raises:
            LandingError: a season of the dates has no schedule.
        """
        return game_days(self.landing, days)

    def trained_from(self, system_id: str, week: date) -> str:
        """What decides on a week's model: a digest of what and how it learns, and what it is judged against."""
        incumbent = self.models.incumbent(system_id, week)
        return f"{self._taught(system_id, week)}-{incumbent.fingerprint if incumbent else 'none'}"

    def _taught(self, system_id: str, week: date) -> str:
        return _digest([self.learned(week), definition(RECIPES[system_id])])

    def lacks_model(self, recipe: Recipe, week: date) -> bool:
        """Whether a week that could have a model was never tried, or what it would learn from has changed since, or
        another library made it; what it was judged against is no matter to the week after.
        """
        if week + timedelta(6) < self.settings.first_date:
            return False
        made_from = self.models.made_from(recipe.system_id, week)
        if made_from is None or made_from.partition("-")[0] != self._taught(recipe.system_id, week):
            return True
        return self.is_anothers(recipe, week)

    def is_anothers(self, recipe: Recipe, week: date) -> bool:
        """Whether the model of a week was made by another library than the one that runs, or can't be read."""
        try:
            if week not in self.models.weeks(recipe.system_id):
                return False
            why = refusal(recipe, self.models.card(recipe.system_id, week), week) or ""
        except CorruptModel:
            return True
        return why.startswith("MODEL_LIBRARY_DIFFERS")

    def learned(self, week: date) -> str:
        """The digest of all that a week's models learn from; the same for every system, so it is kept."""
        if week not in self._learned:
            self._learned[week] = self._all_learned(week)
        return self._learned[week]

    def _all_learned(self, week: date) -> str:
        start, last = training_start(week, self.settings.training_seasons), week - timedelta(1)
        parts = [f"{self.settings.look_back_days} {self.settings.max_games} {SCHEMA_HASH}"]
        # rows of a date without a quote have no line: that it was predicted, or was not, teaches nothing
        quoted = {d for d, state in self.states(raw.ODDS_QUOTES).items() if state.rows}
        for window in LEARNED:
            facet = PLAN if window.table is raw.SCHEDULE else ""
            only = quoted if window.table is analytics.BETTING_LINES else None
            read = self._span(window.table, window.start(start, self.settings), last, facet, only)
            parts.append(f"{window.table.address}={read}")
        return _digest(parts)
