"""The sensor of declarative automation: it evaluates the conditions that assets state of themselves."""

import dagster as dg

from nba_props.automation.sensors.asking import AFTER_TONIGHT


def build_condition_sensor(
    default_status: dg.DefaultSensorStatus, seconds: int
) -> dg.AutomationConditionSensorDefinition:
    """The sensor of every asset that has a condition (``automation_condition=``); it needs no cursor of ours."""
    return dg.AutomationConditionSensorDefinition(
        "automation_conditions",
        target=dg.AssetSelection.all(),
        minimum_interval_seconds=seconds,
        default_status=default_status,
        run_tags=AFTER_TONIGHT,
        description="Assets that are made again by conditions of their own, such as the pages that gather dates.",
    )
