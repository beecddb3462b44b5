"""Statements as of an instant, by BigQuery's time travel: each table as it was then, and views by what they select."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING

from nba_props.catalog import TABLES
from nba_props.schemas import View
from nba_props.warehouse.base import UnreadableError, WarehouseError

if TYPE_CHECKING:
    from sqlglot import exp

#: the longest that BigQuery keeps the past; a dataset may have a shorter time travel window
WINDOW = timedelta(days=7)


def refuse_beyond_window(instant: datetime, now: datetime) -> None:
    """Raise for an instant that no dataset's time travel reaches."""
    if instant < now - WINDOW:
        raise WarehouseError(
            f"{instant.isoformat()} is more than {WINDOW.days} days ago, and BigQuery keeps no older past"
        )


def as_of(sql: str, instant: datetime, views: Mapping[str, View], name: Callable[[str], str]) -> str:
    """A GoogleSQL statement over tables and views as they were at an instant.

    Views are not known to time travel, so that a view becomes what it selects.

    Args:
        sql: the statement, with addresses for tables and views.
        instant: the instant.
        views: the views by their addresses.
        name: gives the full name of a table.

    Raises:
        UnreadableError: the statement does not parse.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import ParseError, TokenError

    then = exp.Literal.string(instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00"))
    version = exp.Version(this="TIMESTAMP", kind="AS OF", expression=exp.cast(then, "TIMESTAMPTZ"))

    def past(node: exp.Expression) -> exp.Expression:
        address = f"{node.db}.{node.name}" if isinstance(node, exp.Table) else ""
        if address in views:
            # a column may be named after the view, as after a table
            inner = expanded(views[address].sql)
            alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name))
            rest = {k: node.args[k] for k in ("joins", "pivots", "sample") if node.args.get(k)}
            return exp.Subquery(this=inner, alias=alias, **rest)
        if address in TABLES:
            parts = [exp.to_identifier(text, quoted=True) for text in name(address).split(".")]
            for part, identifier in zip_longest(("this", "db", "catalog"), reversed(parts)):
                node.set(part, identifier)
            node.set("version", version.copy())
            if not node.alias:
                node.set("alias", exp.TableAlias(this=exp.to_identifier(address.split(".")[1])))
        return node

    def expanded(text: str) -> exp.Expression:
        return sqlglot.parse_one(text, read="bigquery").transform(past)

    try:
        return expanded(sql).sql(dialect="bigquery")
    except (ParseError, TokenError) as error:
        raise UnreadableError(str(error)) from error
