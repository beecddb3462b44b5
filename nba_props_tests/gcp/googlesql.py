"""What BigQuery would say of a statement: Google's own analyzer for its meaning, and whether it asks for partitions.

The analyzer is GoogleSQL's with every feature on, so it lets some things through that BigQuery has not; it knows no
results either. It is a strong filter, and no proof.
"""

from __future__ import annotations

import functools
import hashlib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import filelock
import sqlglot
from sqlglot import exp

from nba_props.catalog import TABLES, VIEWS
from nba_props.warehouse.sql import qualified, reads

_CACHE_LOCK = Path(__file__).with_name(".analyzer.lock")


def plain_name(address: str) -> str:
    """The analyzer's catalogs are flat."""
    return address.replace(".", "__")


@functools.cache
def service() -> Any:
    """Google's analyzer; the first start on a machine compiles it for some ten seconds."""
    from zetasql.core import local_service, wasm_client

    plain = wasm_client.Config

    def cached() -> Any:
        config = plain()
        config.cache = True
        return config

    wasm_client.Config = cached
    with filelock.FileLock(_CACHE_LOCK):
        return local_service.ZetaSqlLocalService.get_instance()


def _catalog() -> int:
    """The analyzer's number for a catalog of every table and view; a test may have added a table."""
    return _catalog_of(tuple(TABLES))


@functools.cache
def _catalog_of(_: tuple[str, ...]) -> int:
    columns: dict[str, Mapping[str, Any]] = {a: {c.name: c.type.value for c in t.columns} for a, t in TABLES.items()}
    for views in _views_in_order():
        known = _registered(columns)
        for address in views:
            found = _analysed(VIEWS[address].sql, known)
            columns[address] = {c.name: c.column.type.type_kind for c in found}
    return _registered(columns)


def _analysed(sql: str, catalog: int) -> Any:
    """The output columns of a statement; its answer stays as it came, since making objects of it takes longer."""
    analyzer = service()  # first: what is imported next would start it without its cache
    from zetasql.core.local_service import local_service_pb2

    request = local_service_pb2.AnalyzeRequest(
        options=_options(), registered_catalog_id=catalog, sql_statement=qualified(sql, plain_name)
    )
    answer = analyzer.wasm_client.call_grpc_func(
        "ZetaSqlLocalService_Analyze", request, local_service_pb2.AnalyzeResponse
    )
    return answer.resolved_statement.resolved_query_stmt_node.output_column_list


@functools.cache
def _language() -> Any:
    from zetasql.types import LanguageOptions

    return LanguageOptions.maximum_features()


@functools.cache
def _options() -> Any:
    from zetasql.types import AnalyzerOptions

    return AnalyzerOptions(language_options=_language(), allow_undeclared_parameters=True).to_proto()


def _views_in_order() -> list[list[str]]:
    """Views that read none, views that read those, and so on: a catalog is made for each of them."""

    @functools.cache
    def depth(address: str) -> int:
        return max((depth(read) + 1 for read in reads(VIEWS[address].sql) if read in VIEWS), default=0)

    by_depth: dict[int, list[str]] = {}
    for address in VIEWS:
        by_depth.setdefault(depth(address), []).append(address)
    return [by_depth[n] for n in sorted(by_depth)]


def _registered(tables: Mapping[str, Mapping[str, Any]]) -> int:
    analyzer = service()  # first: what is imported next would start it without its cache
    from zetasql.api import CatalogBuilder, TableBuilder
    from zetasql.types import TypeKind, ZetaSQLBuiltinFunctionOptions

    kinds = {
        "INT64": TypeKind.TYPE_INT64, "FLOAT64": TypeKind.TYPE_DOUBLE, "STRING": TypeKind.TYPE_STRING,
        "BOOL": TypeKind.TYPE_BOOL, "DATE": TypeKind.TYPE_DATE, "TIMESTAMP": TypeKind.TYPE_TIMESTAMP,
    }  # fmt: skip
    catalog = CatalogBuilder("core")
    for address, columns in tables.items():
        table = TableBuilder(plain_name(address))
        for name, kind in columns.items():
            table = table.add_column(name, kinds.get(kind) or TypeKind(kind))
        catalog = catalog.add_table(table.build())
    functions = ZetaSQLBuiltinFunctionOptions(language_options=_language())
    built = catalog.with_builtin_functions(functions).build()
    return analyzer.register_catalog(simple_catalog=built).registered_id


def analyse(sql: str) -> None:
    """Raise what Google's analyzer says against a statement."""
    _analysed(sql, _catalog())


def unbounded(sql: str) -> list[str]:
    """The tables and views that a statement reads without naming the dates, sorted.

    Bounded is a scan whose own SELECT compares its ``game_date`` with something that is not a column: BigQuery reads only
    those partitions then.
    """
    tree = sqlglot.parse_one(sql, read="bigquery")
    found = []
    for scan in tree.find_all(exp.Table):
        address = f"{scan.db}.{scan.name}"
        if address in TABLES or address in VIEWS:
            select = scan.find_ancestor(exp.Select)
            conditions = [select.args.get("where"), *(j.args.get("on") for j in select.args.get("joins") or ())]
            alone = len(list(_sources(select))) == 1
            if not any(_bounds(c, scan.alias_or_name, alone) for c in conditions if c is not None):
                found.append(address)
    return sorted(set(found))


def _sources(select: exp.Select) -> list[exp.Expression]:
    first = select.args.get("from_") or select.args.get("from")
    return [first.this, *(j.this for j in select.args.get("joins") or ())]


def _bounds(condition: exp.Expression, alias: str, alone: bool) -> bool:
    plain = condition.this if isinstance(condition, exp.Where) else condition
    parts = list(plain.flatten()) if isinstance(plain, exp.And) else [plain]
    return any(_is_bound(part, alias, alone) for part in parts)


def _is_bound(part: exp.Expression, alias: str, alone: bool) -> bool:
    part = part.unnest()
    if not isinstance(part, exp.EQ | exp.GT | exp.GTE | exp.LT | exp.LTE | exp.Between | exp.In):
        return False
    column = next((c for c in part.find_all(exp.Column) if c.name == "game_date"), None)
    if column is None or not (column.table == alias or (alone and not column.table)):
        return False
    others = [c for c in part.find_all(exp.Column) if c is not column and not isinstance(c.this, exp.Star)]
    return not others and part.find(exp.Select) is None


#: grow by incidents only, so that they are read whole
_SMALL = {"nba_predictions.archived_predictions", "nba_predictions.remediations"}
#: functions that look at every date: which batches and which run there were
_WHOLE = {"batches", "latest_run"}


class Gate:
    """Judges each statement of the package the first time that any worker of a test session runs it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[str] = set()
        folder.mkdir(exist_ok=True)

    def judge(self, sql: str, caller: types.FrameType) -> None:
        """Raise AssertionError for a statement that BigQuery would refuse, or that scans every date."""
        place = Path(caller.f_code.co_filename)
        if sql in self._seen or place.parent.name == "gcp" or "nba_props_tests" in place.parts:
            return
        self._seen.add(sql)
        where = f"{place.name}, {caller.f_code.co_name}"
        try:
            (self._folder / hashlib.blake2b(sql.encode(), digest_size=12).hexdigest()).touch(exist_ok=False)
        except FileExistsError:
            return
        try:
            analyse(sql)
        except Exception as error:
            raise AssertionError(f"BigQuery would refuse a statement of {where}: {error}\n{sql}") from error
        whole = caller.f_code.co_name in _WHOLE
        scanned = [a for a in unbounded(sql) if not whole and a not in _SMALL and not a.startswith("nba_monitoring.")]
        assert not scanned, f"a statement of {where} scans every date of {', '.join(scanned)}:\n{sql}"
