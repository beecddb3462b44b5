"""Checks against the clock instead of a date's rows: feeds, tonight's odds, tables and models are as new as expected.

Belongs here: what Dagster has to know. Not here: what is expected and when (``operations/freshness.py``).
"""

import dagster as dg

from nba_props.assets.inputs import Inputs, landing_key
from nba_props.assets.models import model_key
from nba_props.assets.tables import asset_key
from nba_props.checks.partitioned import result
from nba_props.domain.finding import Finding
from nba_props.domain.systems import TRAINED
from nba_props.facts.calendar import game_date_of
from nba_props.operations.freshness import (
    OUTPUTS,
    Output,
    feeds_freshness,
    model_freshness,
    output_freshness,
    tonights_odds,
)
from nba_props.process.clock import Clock
from nba_props.settings import Settings
from nba_props.sources import registry
from nba_props.sources.base import EXPECTED_FROM, Feed, Odds
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.base import Warehouse

#: the check that a feed's payloads are as new as expected
FRESHNESS = "feed_is_fresh"
#: the check that tonight's games have odds at all
TONIGHT = "tonight_has_odds"
#: the check that a table has the date, or a system's models the week, that is expected by now
IS_FRESH = "is_fresh"


def freshness_keys() -> list[dg.AssetCheckKey]:
    """The key of every check against the clock."""
    feeds = registry.feeds()
    return [
        *(dg.AssetCheckKey(landing_key(feed), FRESHNESS) for feed in feeds),
        *(dg.AssetCheckKey(landing_key(feed), TONIGHT) for feed in feeds if feed.odds),
        *(dg.AssetCheckKey(asset_key(output.table), IS_FRESH) for output in OUTPUTS),
        *(dg.AssetCheckKey(model_key(system_id), IS_FRESH) for system_id in TRAINED),
    ]


def build_freshness_checks() -> list[dg.AssetChecksDefinition]:
    """The checks of feeds, tonight's odds, the tables of ``OUTPUTS`` and the models of each system."""
    feeds = registry.feeds()
    return [
        *(_feed_check(feed) for feed in feeds),
        *(_tonight_check(feed, feed.odds) for feed in feeds if feed.odds),
        *(_output_check(output) for output in OUTPUTS),
        *(_model_check(system_id) for system_id in TRAINED),
    ]


def _feed_check(feed: Feed) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=landing_key(feed),
        name=FRESHNESS,
        description=f"The newest payload of {feed.name} is as new as the time of day requires.",
    )
    def feed_is_fresh(
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.AssetCheckResult:
        return _result(feeds_freshness(settings, landing, warehouse, clock())[feed.name])

    return feed_is_fresh


def _tonight_check(feed: Feed, odds: Odds) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=landing_key(feed),
        name=TONIGHT,
        description=f"Tonight's games have odds: a warning from {EXPECTED_FROM:%H:%M} Eastern on, an error from an "
        "hour before the first tip-off.",
    )
    def tonight_has_odds(
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.AssetCheckResult:
        now = clock()
        found = tonights_odds(settings, landing, warehouse, now, feed, odds)
        return result(found, {"game_date": game_date_of(now).isoformat()})

    return tonight_has_odds


def _output_check(output: Output) -> dg.AssetChecksDefinition:
    of = "last night's" if output.back else "today's"

    @dg.asset_check(
        asset=asset_key(output.table),
        name=IS_FRESH,
        description=f"It has {of} partition by {output.by:%H:%M} Eastern, whichever others were materialized since.",
    )
    def is_fresh(
        landing: dg.ResourceParam[LandingZone],
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.AssetCheckResult:
        return _result(output_freshness(settings, landing, warehouse, output, clock()))

    return is_fresh


def _model_check(system_id: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=model_key(system_id),
        name=IS_FRESH,
        description="The current week is trained by Monday noon Eastern, whichever others were trained since.",
    )
    def is_fresh(inputs: dg.ResourceParam[Inputs], clock: dg.ResourceParam[Clock]) -> dg.AssetCheckResult:
        return _result(model_freshness(inputs.settings, inputs.landing, inputs.models, system_id, clock()))

    return is_fresh


def _result(found: Finding) -> dg.AssetCheckResult:
    return result(found, {"expected_now": not found.nothing, **found.figures})
