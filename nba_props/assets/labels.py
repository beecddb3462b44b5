"""The labels of every asset, from one place: owner, layer, criticality, and what the deployment adds.

``layer`` is where an asset stands between payloads and pages. ``criticality`` is what its loss or failure costs:

* ``irreplaceable``: it can't be computed again from anything stored, so it needs a backup;
* ``tonight``: the night's predictions wait for it;
* ``afterwards``: it is made from what was published, and can be made at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import dagster as dg

from nba_props.assets.inputs import LANDING, MODELS
from nba_props.catalog import TABLES
from nba_props.schemas import WriteMode
from nba_props.schemas.predictions import LEDGER

OWNERS = ["team:nba_props"]
LAYER, CRITICALITY = "layer", "criticality"
IRREPLACEABLE, TONIGHT, AFTERWARDS = "irreplaceable", "tonight", "afterwards"
#: the layer of an asset by the first part of its key
LAYERS: Mapping[str, str] = {
    LANDING: "raw",
    "nba_raw": "raw",
    "nba_reference": "analytics",
    "nba_analytics": "analytics",
    MODELS: "predictions",
    "nba_predictions": "predictions",
    "nba_monitoring": "monitoring",
    "nba_presentation": "presentation",
}


def labelling(
    assets: Iterable[dg.AssetsDefinition | dg.AssetSpec], *, simulated: bool, bigquery: bool
) -> Callable[[dg.AssetSpec], dg.AssetSpec]:
    """A function that gives a spec its labels.

    Args:
        assets: all assets, from whose dependencies it follows what the night's predictions wait for.
        simulated: whether the league is simulated, which a tag says as the code location's name does.
        bigquery: whether the files and views of a lake are tables and views of BigQuery.
    """
    specs = [spec for a in assets for spec in (a.specs if isinstance(a, dg.AssetsDefinition) else [a])]
    tonight = _needed_for(dg.AssetKey(LEDGER.path), {s.key: [d.asset_key for d in s.deps] for s in specs})
    more = {"data_source": "simulated"} if simulated else {}

    def label(spec: dg.AssetSpec) -> dg.AssetSpec:
        own = {LAYER: LAYERS[spec.key.path[0]], CRITICALITY: criticality(spec.key, tonight), **more}
        kinds = {"bigquery" if bigquery and kind in ("parquet", "view") else kind for kind in spec.kinds}
        plain = {name: value for name, value in spec.tags.items() if not name.startswith("dagster/kind/")}
        return spec.replace_attributes(owners=OWNERS, tags={**plain, **own}, kinds=kinds)

    return label


def criticality(key: dg.AssetKey, tonight: set[dg.AssetKey]) -> str:
    """The criticality of an asset, given what the night's predictions wait for."""
    table = TABLES.get(".".join(key.path))
    if key.path[0] == LANDING or (table is not None and table.write_mode is WriteMode.APPEND):
        return IRREPLACEABLE
    return TONIGHT if key in tonight else AFTERWARDS


def _needed_for(key: dg.AssetKey, deps: Mapping[dg.AssetKey, Iterable[dg.AssetKey]]) -> set[dg.AssetKey]:
    """An asset and all that it is made from."""
    found: set[dg.AssetKey] = set()
    pending = [key]
    while pending:
        one = pending.pop()
        if one not in found:
            found.add(one)
            pending += deps.get(one, ())
    return found
