"""Digests of the inputs of partitions: names of payloads, contents of other partitions, models, settings.

A partition is stale when the digest of its inputs differs from the one that was stored with its rows. Times are not
compared: a payload that was copied with an old file time is new, and a table written again with equal rows is not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import dagster as dg

from nba_props.assets.windows import LEARNED, WINDOWS
from nba_props.catalog import TABLES
from nba_props.deployment import aliases_of, in_shadow
from nba_props.domain.distributions.shapes import RULES as SHAPE_RULES
from nba_props.domain.models.card import refusal, training_start, week_of
from nba_props.domain.models.learner import Recipe, definition, model_id
from nba_props.domain.systems import TRAINED
from nba_props.facts.books import SPORTSBOOKS
from nba_props.facts.digest import digest
from nba_props.facts.markets import POINTS
from nba_props.schemas import Table, analytics, monitoring, predictions, raw, reference
from nba_props.schemas.distributions import DEPENDENCE, SHAPES
from nba_props.schemas.features import MARKET_FEATURES, MARKET_SCHEMA_HASH, PLAYER_FEATURES, SCHEMA_HASH
from nba_props.settings import Settings
from nba_props.sources import registry
from nba_props.sources.base import Feed
from nba_props.sources.nba_stats.games import game_days
from nba_props.storage.landing import LandingZone
from nba_props.storage.models import CorruptModel, ModelStore
from nba_props.warehouse.base import PartitionState, Warehouse

MODELS = "nba_models"
LANDING = "landing"
#: how a week without any training is written
_UNTRAINED = "none None"
#: the facet of the schedule that trainings, histories and slates read: all but status and scores
PLAN = "plan"
#: tables that read the status and the score of a game as well
_READ_RESULTS = (predictions.PREDICTION_ACCURACY.address, predictions.GRADE_HISTORY.address)


# -- payloads ---------------------------------------------------------------------------------------------------------


def landing_key(feed: Feed) -> dg.AssetKey:
    """The asset of a feed's payloads."""
    return dg.AssetKey([LANDING, feed.name])


# -- digests ----------------------------------------------------------------------------------------------------------


def _digest(parts: Iterable[str]) -> str:
    return digest("\x1f".join(parts), 12)


def _lasting(key: dg.AssetKey) -> list[str]:
    """A key's path with the table's first name: renaming a table must not change a digest."""
    table = TABLES.get(".".join(key.path))
    return table.lasting_name.split(".") if table else list(key.path)


def unused(markets: Collection[str]) -> frozenset[str]:
    """The addresses of the tables that none of some markets needs."""
    return frozenset() if set(markets) - {POINTS} else frozenset({MARKET_FEATURES.address})


@dataclass
class Inputs:
    """Digests of the current inputs of partitions; states are read once and kept, so an object serves one use."""

    warehouse: Warehouse
    landing: LandingZone
    models: ModelStore
    settings: Settings
    _states: dict[str, dict[date, PartitionState]] = field(default_factory=dict, repr=False)
    _learned: dict[date, str] = field(default_factory=dict, repr=False)

    def fresh(self) -> Inputs:
        """The same without the states read so far, so that later writes are seen."""
        return Inputs(self.warehouse, self.landing, self.models, self.settings)

    def knowing(self, states: Mapping[str, dict[date, PartitionState]]) -> Inputs:
        """The same with these states of some tables, by address, instead of the current ones."""
        return replace(self, _states={**self._states, **states}, _learned=dict(self._learned))

    @property
    def unused(self) -> frozenset[str]:
        """The tables that no market of the deployment needs: they are neither missing nor an input."""
        return unused(self.settings.markets)

    def states(self, table: Table) -> dict[date, PartitionState]:
        """The state of each stored partition of a table."""
        if table.address not in self._states:
            self._states[table.address] = self.warehouse.states(table)
        return self._states[table.address]

    def outdated(self, table: Table, parents: Collection[dg.AssetKey], days: Sequence[date]) -> set[date]:
        """The dates whose partition is missing, or was made from other inputs than the current ones."""
        if not days or table.address in self.unused:
            return set()
        states, now = self.states(table), self.digests(table, parents, days)
        return {d for d in days if d not in states or states[d].made_from != now[d]}

    def payloads(self, table: Table, days: Sequence[date]) -> Mapping[date, Sequence[str]]:
        """The names of the payloads behind each date of a table; empty for a table that is made from others."""
        found = registry.source_of(table)
        return found[1].payloads(self.landing, days) if found and days else {}

    def without_payloads(self, table: Table, days: Sequence[date]) -> set[date]:
        """The dates for which no payload of a table is landed; empty for a table that is made from others."""
        landed = self.payloads(table, days)
        return {d for d in days if not landed.get(d)} if registry.source_of(table) else set()

    def not_loaded(self, table: Table, days: Sequence[date]) -> set[date]:
        """The dates of a table of payloads whose partition is missing, or was made before the newest payload landed.

        Raises:
            KeyError: the table is made from other tables.
        """
        found = registry.source_of(table)
        if found is None:
            raise KeyError(f"{table.address} is made from other tables")
        feed, source = found
        return self.outdated(table, (landing_key(feed), *(dg.AssetKey(t.path) for t in source.reads.values())), days)

    def digests(self, table: Table, parents: Collection[dg.AssetKey], days: Sequence[date]) -> dict[date, str]:
        """The digest of each date's inputs.

        Args:
            table: the table that has the partitions.
            parents: the asset's parents in Dagster's graph.
            days: the dates.
        """
        parts: dict[date, list[str]] = {d: [str(self._salt(table))] for d in days}
        windows = WINDOWS.get(table.address, ())
        apart = {w.table.address for w in windows if not w.beside}
        for key in sorted(parents, key=_lasting):
            address = ".".join(key.path)
            if key.path[0] == MODELS:
                for day, version in self._models(key.path[1], days).items():
                    parts[day].append(f"{address}={version}")
            elif address in TABLES and address not in apart and address not in self.unused:
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
        if table.address in (SHAPES.address, DEPENDENCE.address):
            return SHAPE_RULES
        if table.address == monitoring.PROMOTIONS.address:
            return tuple(sorted(in_shadow(self.settings).items()))
        if table.dataset == analytics.SLATE.dataset:
            markets = [m for m in self.settings.markets if m != POINTS]
            # the order decides on lines and between equal best prices, not on what the books offer
            order = [] if self.settings.books == SPORTSBOOKS else self.settings.books
            own = {
                PLAYER_FEATURES.address: [SCHEMA_HASH],
                MARKET_FEATURES.address: [MARKET_SCHEMA_HASH],
                analytics.BETTING_LINES.address: [*markets, *order],
                analytics.BOOK_LINES.address: markets,
                analytics.CONSENSUS.address: markets,
                analytics.PRICES.address: order,
                analytics.CONTEXT.address: table.column_names,  # partitions of a release with fewer are stale
            }
            return (self.settings.look_back_days, self.settings.max_games, *own.get(table.address, []))
        return ()

    def _span(
        self, table: Table, first: date, last: date, facet: str = "", only: Collection[date] | None = None
    ) -> str:
        """One digest of the partitions of a table in first..last that have rows, all of them or those of some dates."""
        states = self.states(table)
        asked = states if only is None else states.keys() & only
        filled = (d for d in sorted(asked) if first <= d <= last and states[d].rows)
        return _digest(f"{d}{states[d].content.get(facet, '')}" for d in filled)

    def _models(self, system_id: str, days: Sequence[date]) -> dict[date, str]:
        """The fingerprints of the models in force for each date, or why there is none."""
        asked = {model_id(r) for r in TRAINED[system_id] if r.market in self.settings.markets}
        names = sorted(asked, key=lambda name: (name != system_id, name))
        weeks = {week: [self._model(name, week) for name in names] for week in {week_of(d) for d in days}}
        # a market that was never trained changes nothing
        kept = {week: [found[0], *(one for one in found[1:] if one != _UNTRAINED)] for week, found in weeks.items()}
        return {d: " ".join(kept[week_of(d)]) for d in days}

    def _model(self, name: str, week: date) -> str:
        try:
            card = self.models.in_force(name, week)
            return card.fingerprint if card else f"none {self.models.refusal(name, week).get('reason')}"
        except CorruptModel:
            return "corrupt"

    def game_days(self, days: Sequence[date]) -> list[date]:
        """The dates that have games by the landed schedule.

        Raises:
            LandingError: a season of the dates has no schedule.
        """
        return game_days(self.landing, days)

    def trained_from(self, recipe: Recipe, week: date) -> str:
        """A digest of the training data and recipe of a week's model, and the model that it is judged against."""
        incumbent = self.models.incumbent(model_id(recipe), week)
        return f"{self._training(recipe, week)}-{incumbent.fingerprint if incumbent else 'none'}"

    def _training(self, recipe: Recipe, week: date) -> str:
        return _digest([self.learned(week), definition(recipe)])

    def lacks_model(self, recipe: Recipe, week: date) -> bool:
        """Whether a week that could have a model was never trained, its training data or recipe changed since, or
        another library made it. The model it was judged against does not matter.
        """
        if week + timedelta(6) < self.settings.first_date:
            return False
        made_from = self.models.made_from(model_id(recipe), week)
        if made_from is None or made_from.partition("-")[0] != self._training(recipe, week):
            return True
        return self.is_unusable(recipe, week)

    def is_unusable(self, recipe: Recipe, week: date) -> bool:
        """Whether the model of a week was made by another version of its library, or can't be read."""
        try:
            if week not in self.models.weeks(model_id(recipe)):
                return False
            why = refusal(recipe, self.models.card(model_id(recipe), week), week) or ""
        except CorruptModel:
            return True
        return why.startswith("MODEL_LIBRARY_DIFFERS")

    def learned(self, week: date) -> str:
        """The digest of the training data of a week's models; the same for every system, so it is kept."""
        if week not in self._learned:
            self._learned[week] = self._all_learned(week)
        return self._learned[week]

    def _all_learned(self, week: date) -> str:
        start, last = training_start(week, self.settings.training_seasons), week - timedelta(1)
        parts = [f"{self.settings.look_back_days} {self.settings.max_games} {SCHEMA_HASH}"]
        # rows of a date without a quote have no line: whether it was predicted makes no difference to a model
        quoted = {d for d, state in self.states(raw.ODDS_QUOTES).items() if state.rows}
        for window in LEARNED:
            facet = PLAN if window.table is raw.SCHEDULE else ""
            only = quoted if window.table is analytics.BETTING_LINES else None
            read = self._span(window.table, window.start(start, self.settings), last, facet, only)
            parts.append(f"{window.table.address}={read}")
        return _digest(parts)
