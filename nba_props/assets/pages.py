"""What assets that are pages have in common: HTML files, made from tables, in a local folder or a bucket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from nba_props.presentation.pages import address
from nba_props.settings import Settings


def page_asset(
    key: dg.AssetKey,
    partitions: dg.PartitionsDefinition | None,
    deps: Sequence[dg.AssetKey],
    group: str,
    version: str,
    text: str,
    condition: dg.AutomationCondition[Any] | None = None,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Decorate a function as an asset of pages, which a run over several dates makes in one step.

    Args:
        key: the asset's key.
        partitions: the dates; None for pages of all dates.
        deps: what the pages are made from.
        group: the asset's group.
        version: that of the code.
        text: the asset's description.
        condition: when they are made by themselves, if they are.
    """
    return dg.asset(
        key=key,
        description=text,
        deps=deps,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run() if partitions else None,
        automation_condition=condition,
        group_name=group,
        kinds={"python"},
        code_version=version,
    )


def located(settings: Settings, path: str, page: str, file: str) -> dict[str, dg.MetadataValue[Any]]:
    """Metadata that name a page: its link as ``page`` where the UI serves it, its path as ``file``."""
    url = address(settings, path)
    return {**({page: dg.MetadataValue.url(url)} if url else {}), file: dg.MetadataValue.path(path)}
