"""Tables as assets: their definition, how their frames are stored, and the metadata of each partition.

The metadata of a materialization is of its own partition, in a run over many dates as in a run of one. The cost of a
step belongs to the run, and is an observation of the asset without a partition.
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, Protocol

import dagster as dg
import pandas as pd

from nba_props.assets.figures import preview
from nba_props.assets.inputs import MODELS, Inputs
from nba_props.assets.losses import ALLOW_LOSS, refuse_loss
from nba_props.assets.publishing import PUBLICATION
from nba_props.assets.versions import code_version, contract
from nba_props.assets.windows import WINDOWS
from nba_props.catalog import TABLES
from nba_props.process import stopping
from nba_props.process.revision import REVISION_TAG, revision
from nba_props.schemas import Table, WriteMode, raw
from nba_props.schemas.predictions import LEDGER
from nba_props.warehouse import usage
from nba_props.warehouse.base import PartitionState, Warehouse

IO_MANAGER = "warehouse_io"


class Preparer(Protocol):
    """Loads the earlier dates that a run without a plan needs (``automation/preparing.py``)."""

    def before(self, context: dg.AssetExecutionContext, days: Sequence[date]) -> None:
        """Load what the dates of a run need."""

    def before_training(self, context: dg.AssetExecutionContext, weeks: Sequence[date]) -> None:
        """Load what the models of some weeks learn from."""


GROUPS = {
    "nba_raw": "raw",
    "nba_reference": "reference",
    "nba_analytics": "analytics",
    "nba_predictions": "predictions",
    MODELS: "models",
    "nba_monitoring": "monitoring",
}


def asset_key(table: Table) -> dg.AssetKey:
    """The asset key is the table's address."""
    return dg.AssetKey(table.path)


def table_of(key: dg.AssetKey) -> Table:
    """The table of an asset key."""
    return TABLES[".".join(key.path)]


class WarehouseIOManager(dg.IOManager):
    """Stores and loads frames through the warehouse, by partition."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def handle_output(self, context: dg.OutputContext, obj: pd.DataFrame) -> None:
        """Store a step's frame with the digest of its inputs."""
        table = table_of(context.asset_key)
        days = [date.fromisoformat(k) for k in context.asset_partition_keys]
        usage.resume(context.op_def.name)
        made_from = inputs_digest(context)
        try:
            if table.guarded and context.step_context.dagster_run.tags.get(ALLOW_LOSS) != "true":
                refuse_loss(self._warehouse, table, obj, days)
            if table.write_mode is WriteMode.APPEND:
                result = self._warehouse.append(table, obj, days, made_from)
                # the partition also has the rows of other runs and of imports
                counted = self._warehouse.row_counts(table, list(result))
                undo = {"undo": f"nba-props rollback {context.run_id}"} if table.address == LEDGER.address else {}
                for day, (added, known) in result.items():
                    context.step_context.add_asset_metadata(
                        {
                            "rows_added": added,
                            "rows_already_published": known,
                            **(undo if added else {}),
                            "dagster/partition_row_count": counted.get(day, 0),
                        },
                        asset_key=context.asset_key,
                        partition_key=day.isoformat(),
                    )
            else:
                self._warehouse.write(table, obj, days, made_from)
        finally:
            if cost := usage.leave().billed():
                context.log_event(cost_of(context.asset_key, cost))

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """The stored rows of a table on a step's dates."""
        usage.enter(context.op_def.name)
        table = table_of(context.asset_key)
        # before the rows: what changes between the two makes the step's partitions stale
        seen = _seen.setdefault((context.step_context.run_id, context.op_def.name), {})
        seen.setdefault(table.address, self._warehouse.states(table))
        return self._warehouse.read(table, [date.fromisoformat(k) for k in context.asset_partition_keys])


def warehouse_io(warehouse: Warehouse) -> dg.IOManagerDefinition:
    """The IO manager of a warehouse; what it stores is published when the run has succeeded."""

    def manager(_: dg.InitResourceContext) -> WarehouseIOManager:
        return WarehouseIOManager(warehouse)

    return dg.IOManagerDefinition(manager, required_resource_keys={PUBLICATION})


def cost_of(key: dg.AssetKey, cost: Mapping[str, int]) -> dg.AssetObservation:
    """The cost of a step as an observation without a partition."""
    return dg.AssetObservation(key, metadata={"cost_of_the_run": True, **cost})


@contextmanager
def costed(context: dg.AssetExecutionContext, key: dg.AssetKey, step: str) -> Iterator[None]:
    """Attribute what a warehouse bills inside to a step, and log it as the asset's cost in the end."""
    with usage.within(step) as cost:
        yield
    if billed := cost.billed():
        context.log_event(cost_of(key, billed))


def definition_metadata(table: Table) -> dict[str, Any]:
    """The metadata of an asset before any materialization: the contract and its column lineage."""
    lineage = {
        c.name: [
            dg.TableColumnDep(asset_key=dg.AssetKey(s.split(".")[:2]), column_name=s.split(".")[2]) for s in c.source
        ]
        for c in table.columns
        if c.source
    }
    metadata: dict[str, Any] = {
        "dagster/table_name": table.address,
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(
                    c.name,
                    c.type.value,
                    c.full_description,
                    constraints=dg.TableColumnConstraints(nullable=c.nullable, unique=table.key == (c.name,)),
                )
                for c in table.columns
            ]
        ),
    }
    if lineage:
        metadata["dagster/column_lineage"] = dg.TableColumnLineage(lineage)
    return metadata


def table_out(table: Table, version: str) -> dg.AssetOut:
    """The output of a step that becomes a table's asset."""
    return dg.AssetOut(
        key=asset_key(table),
        description=table.description,
        metadata=definition_metadata(table),
        io_manager_key=IO_MANAGER,
        group_name=GROUPS[table.dataset],
        kinds={"python", "parquet"},
        code_version=version,
    )


def table_assets(
    *tables: Table,
    partitions: dg.PartitionsDefinition | None = None,
    name: str,
    ins: dict[str, Table] | None = None,
    deps: Sequence[Table | dg.AssetKey] = (),
) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: one step that makes one or more tables, for any number of dates.

    The function returns the outputs of :func:`emit`. ``ins`` are loaded as frames; ``deps`` only order the steps,
    because they are read by query. Without ``partitions`` the result is a function of them, so that a step can be
    defined at the top level of its module.
    """

    def decorate(compute: Callable[..., Any]) -> Any:
        def define(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
            return dg.multi_asset(
                name=name,
                outs={t.name: table_out(t, code_version(compute, contract(t))) for t in tables},
                ins={k: dg.AssetIn(key=asset_key(t)) for k, t in (ins or {}).items()},
                deps=[d if isinstance(d, dg.AssetKey) else asset_key(d) for d in deps],
                partitions_def=partitions,
                backfill_policy=dg.BackfillPolicy.single_run(),
            )(_step(compute, name, tables, deps))

        return define(partitions) if partitions is not None else define

    return decorate


def _step(
    compute: Callable[..., Any], name: str, tables: Sequence[Table], deps: Sequence[Table | dg.AssetKey]
) -> Callable[..., Any]:
    """The function of a step, after preparation and a note of its inputs' digests."""

    @functools.wraps(compute)
    def step(
        context: dg.AssetExecutionContext,
        *args: Any,
        inputs: Inputs,
        preparation: Preparer | None = None,
        **kwargs: Any,
    ):
        watch(context.instance, context.run.run_id)
        if preparation is not None:
            preparation.before(context, [date.fromisoformat(key) for key in context.partition_keys])
        usage.enter(name)
        # before it computes: inputs that change meanwhile make these partitions stale
        note(context, tables, inputs.fresh())
        return compute(context, *args, **kwargs)

    # Dagster reads a step's resources from its function's parameters
    asked = inspect.signature(compute)
    resources: dict[str, Any] = {"inputs": dg.ResourceParam[Inputs]}
    if _reads_the_past(tables, deps):
        resources["preparation"] = dg.ResourceParam[Preparer]
    parameters = dict(asked.parameters)
    for key, kind in resources.items():
        parameters[key] = inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=kind)
    step.__signature__ = asked.replace(parameters=list(parameters.values()))  # type: ignore[attr-defined]
    return step


def _reads_the_past(tables: Sequence[Table], deps: Sequence[Table | dg.AssetKey]) -> bool:
    """Whether a step reads payloads of earlier dates, or a model that was made from them."""
    windows = [w for t in tables for w in WINDOWS.get(t.address, ())]
    models = any(isinstance(d, dg.AssetKey) and d.path[0] == MODELS for d in deps)
    return models or any(w.table.dataset == raw.SCHEDULE.dataset for w in windows)


#: digests of the inputs of the running steps, by run, table and date
_noted: dict[tuple[str, str], Mapping[date, str]] = {}
#: states of the tables that a step of a run has loaded, from before their rows were read
_seen: dict[tuple[str, str], dict[str, dict[date, PartitionState]]] = {}


def note(context: dg.AssetExecutionContext, tables: Sequence[Table], inputs: Inputs) -> None:
    """Keep the digests of the inputs of a step's partitions until these are written."""
    days = [date.fromisoformat(key) for key in context.partition_keys]
    inputs = inputs.knowing(_seen.get((context.run.run_id, context.op_def.name), {}))
    for table in tables:
        parents = context.assets_def.asset_deps[asset_key(table)]
        _noted[context.run.run_id, table.address] = inputs.digests(table, parents, days)


def made_from(context: dg.AssetExecutionContext, table: Table) -> Mapping[date, str]:
    """The digest of the inputs of each date of a running step's table."""
    return _noted[context.run.run_id, table.address]


def inputs_digest(context: dg.OutputContext) -> Mapping[date, str] | None:
    """The digest of each date's inputs from when the output's step began."""
    _seen.pop((context.run_id, context.op_def.name), None)
    return _noted.pop((context.run_id, ".".join(context.asset_key.path)), None)


#: runs of this process that have the tag of their revision
_signed: set[str] = set()


def watch(instance: dg.DagsterInstance, run_id: str) -> None:
    """Tag a run with the revision of this code, and end it within seconds of its cancellation in the UI."""
    if run_id not in _signed:
        _signed.add(run_id)
        instance.add_run_tags(run_id, {REVISION_TAG: revision()})
    if not instance.is_persistent:
        return

    def is_canceling() -> bool | None:
        run = instance.get_run_by_id(run_id)
        if run is not None and run.status in (dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED):
            return True
        return None if run is None or run.is_finished else False

    def give_up() -> None:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_canceled(run, "cancelled; partitions written before that are kept")

    stopping.watch(run_id, is_canceling, give_up)


def emit(
    context: dg.AssetExecutionContext,
    tables: Sequence[Table],
    frames: Sequence[pd.DataFrame],
    figures: Callable[..., Mapping[str, Any]] | None = None,
    games: Mapping[str, str] | None = None,
    of_date: Callable[[date], Mapping[str, Any]] | None = None,
) -> Any:
    """The outputs of one step, whose dates have their own row count, figures and preview each.

    Args:
        context: the step's context.
        tables: the tables, in the order of the step's outputs.
        frames: the rows of each table, for all dates of the run.
        figures: computes the figures of a date from its rows, a frame for each table; every output of the date has
            them.
        games: ``BOS @ LAL`` by ``game_id``, for the previews.
        of_date: further figures of a date, which are not computed from its rows.
    """
    days = [pd.Timestamp(key) for key in context.partition_keys]
    whole = [frame if len(frame.columns) else table.empty() for table, frame in zip(tables, frames, strict=True)]
    by_day = [dict(tuple(rows.groupby(rows["game_date"].astype("datetime64[ns]"), sort=False))) for rows in whole]
    for table, rows in zip(tables, whole, strict=True):
        context.log.info(f"{table.address}: {len(rows)} rows for {len(days)} dates")
    for day in days:
        pieces = [own.get(day, rows.iloc[:0]) for own, rows in zip(by_day, whole, strict=True)]
        found = {**(figures(*pieces) if figures else {}), **(of_date(day.date()) if of_date else {})}
        shown = {k: v for k, v in found.items() if v is not None and v not in ([], {})}
        for table, piece in zip(tables, pieces, strict=True):
            rows_shown = as_markdown(preview(table, piece, games))
            context.add_asset_metadata(
                {"preview": rows_shown, "dagster/partition_row_count": len(piece), **shown},
                asset_key=asset_key(table),
                partition_key=day.date().isoformat(),
            )
    outputs = [dg.Output(rows, output_name=table.name) for table, rows in zip(tables, whole, strict=True)]
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


def as_markdown(frame: pd.DataFrame) -> dg.MarkdownMetadataValue:
    """Rows as a table in Markdown, or ``no rows``."""
    return dg.MetadataValue.md("no rows" if frame.empty else frame.to_markdown(index=False))
