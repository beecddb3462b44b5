"""The pages of the site as assets: a date's slate and players, and what gathers dates.

They are in no job that publishes, so that no slate waits for a page.
"""

from typing import Any

import dagster as dg

from nba_props.assets.pages import located, page_asset
from nba_props.assets.partitions import partition_days
from nba_props.assets.tables import asset_key, costed
from nba_props.assets.versions import code_version
from nba_props.facts.calendar import game_date_of
from nba_props.operations.ledger import own_dates
from nba_props.presentation import charts
from nba_props.presentation.pages import templates
from nba_props.presentation.site import build as site
from nba_props.process import stopping
from nba_props.process.clock import Clock
from nba_props.schemas import Table, analytics, distributions, minutes, monitoring, predictions, raw, reference
from nba_props.settings import Settings
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.base import Warehouse

GROUP = "presentation"
SLATE_PAGE = dg.AssetKey(["nba_presentation", "slate_page"])
GATHERED_PAGES = dg.AssetKey(["nba_presentation", "gathered_pages"])
#: the tables that the pages of a date show; of scores those of the dates before
SHOWN: tuple[Table, ...] = (
    raw.SCHEDULE, raw.ODDS_QUOTES, reference.RESOLVED_NAMES, analytics.SLATE, analytics.BETTING_LINES,
    analytics.PRICES, analytics.CONTEXT,
    analytics.HISTORICAL_GAMES, distributions.DISTRIBUTIONS, minutes.MINUTES, predictions.LEDGER,
    predictions.QUARANTINED_PREDICTIONS, predictions.PREDICTION_ACCURACY, monitoring.PROMOTIONS, monitoring.SCOREBOARD,
    monitoring.MARKET_SCORES,
)  # fmt: skip


#: a partition of something that it is made from is new since it was made, and none is being made: one run for many
AFTER_ANY_DATE = (
    dg.AutomationCondition.any_deps_updated().since_last_handled()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
).with_label("after any date")


def _slate_page(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @page_asset(
        SLATE_PAGE,
        partitions,
        [asset_key(t) for t in SHOWN],
        GROUP,
        code_version(site.write_slate, templates("site")),
        "The pages of a date: every prop with a line, and a page for each of its players. HTML files with "
        "relative links, which open without a server; made from the lake's tables of the date and before.",
    )
    def slate_page(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ):
        with costed(context, SLATE_PAGE, "slate_page"):
            for day in partition_days(context):
                stopping.check()
                made = site.write_slate(warehouse, settings, day, clock())
                context.add_asset_metadata(
                    _metadata(settings, made), asset_key=SLATE_PAGE, partition_key=day.isoformat()
                )
        return dg.MaterializeResult()

    return slate_page


def _gathered_pages() -> dg.AssetsDefinition:
    @page_asset(
        GATHERED_PAGES,
        None,
        [SLATE_PAGE, asset_key(monitoring.SCOREBOARD), asset_key(monitoring.MARKET_SCORES)],
        GROUP,
        code_version(site.write_gathered, templates("site")),
        "The pages that gather dates: the index with its search, the season's record by market, and health. They are "
        "made again by themselves once pages or scores of any date are, and no run is making more.",
        AFTER_ANY_DATE,
    )
    def gathered_pages(
        context: dg.AssetExecutionContext,
        warehouse: dg.ResourceParam[Warehouse],
        settings: dg.ResourceParam[Settings],
        landing: dg.ResourceParam[LandingZone],
        clock: dg.ResourceParam[Clock],
    ):
        now = clock()
        newest = max(own_dates(warehouse), default=game_date_of(now))
        with costed(context, GATHERED_PAGES, "gathered_pages"):
            made = site.write_gathered(warehouse, settings, landing, newest, now)
        index, record = (located(settings, made[name], f"{name}_page", name) for name in ("index", "record"))
        return dg.MaterializeResult(metadata={**index, **record, "dates": made["dates"]})

    return gathered_pages


def _metadata(settings: Settings, made: dict[str, Any]) -> dict[str, Any]:
    counts = {name: made[name] for name in ("props", "players", "games", "markets", "picks", "bytes", "files")}
    picture = {}
    if len(made["best"]):
        data = charts.data_uri(charts.slate(made["best"]))
        picture = {"picture": dg.MetadataValue.md(f"![the props worth most by the books]({data})")}
    return {**located(settings, made["path"], "page", "file"), **counts, **picture}


def build(partitions: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The assets of pages: those of dates over the given partitions, and those that gather them."""
    return [_slate_page(partitions), _gathered_pages()]
