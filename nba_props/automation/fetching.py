"""Jobs that fetch live payloads into the landing zone, one for each feed; assets read only landed payloads."""

from functools import partial

import dagster as dg

from nba_props.assets.inputs import landing_key
from nba_props.automation.alerts import Alert, Alerts
from nba_props.operations.freshness import tipoffs
from nba_props.process.revision import run_tags
from nba_props.sources import registry
from nba_props.sources.base import Feed, Fetched, LiveFeeds
from nba_props.warehouse.base import Warehouse

#: the names of the numbers of a fetch: the credits that it spent, and those that were left
CREDITS_SPENT, CREDITS_LEFT = "credits", "credits_remaining"


def report(
    context: dg.OpExecutionContext, alerts: Alerts, feed: str, done: Fetched, asset: dg.AssetKey | None = None
) -> None:
    """Record the counts of a fetch as metadata, and send an alert if anything failed.

    The counts are also an observation of the ``asset`` of its payloads: the UI draws them, credits among them.

    Raises:
        dagster.Failure: nothing was landed, nor landed before.
    """
    counts = {
        "landed": len(done.landed), "unchanged": done.present, CREDITS_SPENT: done.credits,
        **({} if done.remaining is None else {CREDITS_LEFT: done.remaining}),
    }  # fmt: skip
    context.add_output_metadata({**counts, "failures": done.failures})
    if asset is not None:
        context.log_event(dg.AssetObservation(asset, metadata={**counts, "failures": len(done.failures)}))
    for failure in done.failures:
        context.log.warning(failure)
    if done.failures:
        text = f"{len(done.landed)} payloads landed; {len(done.failures)} failures, the first: {done.failures[0]}"
        alerts.send(Alert("ERROR" if done.exhausted or not done.landed else "WARN", f"fetch {feed}", text))
    if done.failures and not done.landed and not done.present:
        raise dg.Failure(description=f"{feed}: {done.failures[0]}", allow_retries=False)


def build_fetch_jobs() -> list[dg.JobDefinition]:
    """The job of each feed."""
    return [_job(feed) for feed in registry.feeds()]


def _job(feed: Feed) -> dg.JobDefinition:
    asked = feed.job
    arguments = {
        a.name: dg.Field(str, description=a.help)
        if a.default is None
        else dg.Field(str, is_required=False, default_value=a.default, description=a.help)
        for a in asked.arguments
    }

    @dg.op(name=asked.step, pool=asked.pool, description=asked.about, config_schema=arguments or None)
    def land(
        context: dg.OpExecutionContext,
        feeds: dg.ResourceParam[LiveFeeds],
        alerts: dg.ResourceParam[Alerts],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> None:
        feed.require(feeds)
        done = asked.run(feeds, context.op_config or {}, partial(tipoffs, warehouse))
        report(context, alerts, asked.called, done, landing_key(feed))

    @dg.job(tags=run_tags(), name=asked.name, description=asked.description)
    def fetch() -> None:
        land()

    return fetch
