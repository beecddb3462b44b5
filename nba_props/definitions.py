"""Everything Dagster loads, and nothing else."""

import logging
import os
import warnings
from functools import partial

from nba_props.process.loading import without_collecting

with without_collecting():
    import dagster as dg

    from nba_props.assets import (
        analytics,
        distributions,
        external,
        minutes,
        models,
        monitoring,
        predictions,
        raw,
        reference,
        site,
    )  # fmt: skip
    from nba_props.assets.inputs import Inputs
    from nba_props.assets.labels import labelling
    from nba_props.assets.partitions import daily_partitions, weekly_partitions
    from nba_props.assets.publishing import PUBLICATION, publication_of
    from nba_props.assets.tables import IO_MANAGER, warehouse_io
    from nba_props.automation.alerts import Alerts
    from nba_props.automation.audit import audit_job
    from nba_props.automation.fetching import build_fetch_jobs
    from nba_props.automation.first_day import first_job
    from nba_props.automation.importing import import_job
    from nba_props.automation.jobs import build_jobs
    from nba_props.automation.preparing import Preparation
    from nba_props.automation.reconcile import reconcile_job
    from nba_props.automation.remediation import REMEDIATION_JOBS
    from nba_props.automation.sensors import build_schedules, build_sensors
    from nba_props.automation.upstream.partitioned_checks import PartitionEvaluations
    from nba_props.checks.freshness import build_freshness_checks
    from nba_props.checks.partitioned import build_checks
    from nba_props.checks.rules import all_rules
    from nba_props.deployment import Deployment, deployed, load_settings
    from nba_props.domain.systems import SYSTEMS
    from nba_props.settings import env_file
    from nba_props.settings.variables import misspelt

_LOG = logging.getLogger("nba_props")

# backfill_policy (beta) and partitioned check specs (preview) may change between versions: the version is pinned
for _category in (dg.BetaWarning, dg.PreviewWarning):
    warnings.filterwarnings("ignore", category=_category)


def build_defs(deployment: Deployment) -> dg.Definitions:
    """The definitions over the objects of a deployment; tests pass objects of their own."""
    settings, zone, clock = deployment.settings, deployment.landing, deployment.clock
    partitions = daily_partitions(settings.first_date, zone.last_date)
    weeks = weekly_partitions(settings.first_date, zone.last_date)
    rules = all_rules(SYSTEMS)
    jobs = build_jobs()
    inputs = Inputs(deployment.warehouse, zone, deployment.models, settings)
    again = partial(build_defs, deployment)
    assets = [
        *raw.build(partitions),
        *reference.build(partitions),
        *analytics.build(partitions),
        *models.build(weeks),
        *predictions.build(partitions),
        *minutes.build(partitions),
        *distributions.build(partitions),
        *monitoring.build(partitions),
        *site.build(partitions),
        *external.build(),
    ]
    definitions = dg.Definitions(
        assets=assets,
        asset_checks=[*build_checks(rules, partitions, PartitionEvaluations), *build_freshness_checks()],
        jobs=[*jobs, *REMEDIATION_JOBS, import_job, *build_fetch_jobs(), first_job, reconcile_job, audit_job],
        # a simulated league has no current day: sensors follow what is landed, and schedules stay off
        sensors=build_sensors(dg.DefaultSensorStatus.RUNNING, settings.sensor_seconds, jobs),
        schedules=build_schedules(
            dg.DefaultScheduleStatus.STOPPED if zone.is_simulated else dg.DefaultScheduleStatus.RUNNING
        ),
        resources={
            "warehouse": deployment.warehouse,
            "landing": zone,
            "model_store": deployment.models,
            "inputs": inputs,
            "preparation": Preparation(inputs, again, clock),
            "settings": settings,
            "clock": clock,
            "feeds": deployment.feeds,
            "alerts": Alerts(settings.live, settings.home, clock),
            IO_MANAGER: warehouse_io(deployment.warehouse),
            PUBLICATION: publication_of(deployment.warehouse),
        },
        executor=dg.in_process_executor,
    )
    label = labelling(assets, simulated=zone.is_simulated, bigquery=settings.gcp is not None)
    return definitions.map_asset_specs(func=label)


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of this deployment, from its environment and its file ``.env``."""
    env_file.load()
    for text in misspelt(os.environ):
        _LOG.warning(text)
    return build_defs(deployed(load_settings()))
