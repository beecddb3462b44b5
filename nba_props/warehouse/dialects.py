"""SQL that a person types: GoogleSQL as on BigQuery or, over a lake, DuckDB's own.

The rule over a lake: what DuckDB can read is DuckDB's SQL. What it can't, because it does not parse, or has a function,
a project or a text in double quotes that DuckDB does not know, is GoogleSQL and is translated. Names in backticks are
GoogleSQL, and so are ``COUNTIF``, ``EXTRACT`` of weeks, days of the week and parts of a second, and ``FORMAT`` with a
percent sign. Any other statement that both can read has DuckDB's meaning over a lake (``LOG`` is of base 10), and
GoogleSQL's on BigQuery.

A project before a dataset is ignored, whatever it is called: there is one warehouse.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from nba_props.warehouse.base import UnreadableError
from nba_props.warehouse.translation import translated

if TYPE_CHECKING:
    from sqlglot import exp

#: the project before a dataset, with its dot
_PROJECT = re.compile(r"(?:`[^`]+`|[A-Za-z][\w-]*)\.$")
_NAME = re.compile(r"[A-Za-z_]\w*")
#: DuckDB has it as well, and returns null where GoogleSQL returns 0
_COUNTIF = re.compile(r"\bCOUNTIF\s*\(", re.IGNORECASE)
_TEXT_OR_COMMENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
#: DuckDB has these as well, but counts weeks by ISO, days of the week from 0 and parts of a second within the minute
_PART = re.compile(r"\bEXTRACT\s*\(\s*(WEEK|ISOWEEK|DAYOFWEEK|MILLISECOND|MICROSECOND)\b", re.IGNORECASE)
#: DuckDB has it as well, but it fills braces
_FORMAT = re.compile(r"""\bFORMAT\s*\(\s*['"][^'"{]*%""", re.IGNORECASE)


def has_backticks(sql: str) -> bool:
    """Whether a name is in backticks, which DuckDB can't read."""
    return "`" in _TEXT_OR_COMMENT.sub("", sql)


def is_likely_googlesql(sql: str) -> bool:
    """Whether a statement is read as GoogleSQL first, though DuckDB may be able to read it."""
    plain = _TEXT_OR_COMMENT.sub("", sql)
    likely = _COUNTIF.search(plain) or _PART.search(plain) or _FORMAT.search(sql)
    return likely is not None and double_quotes_are_text(sql)


def named(sql: str, known: Collection[str], write: Callable[[str], str]) -> tuple[str, list[str]]:
    """A GoogleSQL statement with other names for its tables and views, and their addresses.

    Names may have a project before them, and backticks around them or their parts; texts and comments are left alone.

    Args:
        sql: the statement.
        known: the addresses that are names of tables and views.
        write: gives the name for an address.

    Raises:
        UnreadableError: a text or a comment has no end.
    """
    import sqlglot
    from sqlglot import TokenType
    from sqlglot.errors import TokenError

    try:
        tokens = sqlglot.tokenize(sql, read="bigquery")
    except TokenError as error:
        raise UnreadableError(str(error)) from error
    datasets = {address.split(".")[0] for address in known}
    pieces, read, done = [], set(), 0
    for n, token in enumerate(tokens):
        is_quoted = token.token_type == TokenType.IDENTIFIER
        if token.start < done or not (is_quoted or sql[token.start : token.end + 1] == token.text):
            continue
        parts, end = token.text.split(".") if is_quoted else [token.text], token.end + 1
        is_dotted = len(tokens) > n + 2 and tokens[n + 1].token_type == TokenType.DOT
        if is_dotted and parts[-1].lower() in datasets:
            parts, end = [*parts, tokens[n + 2].text], tokens[n + 2].end + 1
        address = ".".join(parts[-2:]).lower()
        if len(parts) not in (2, 3) or parts[-2].lower() not in datasets:
            continue
        project = _PROJECT.search(sql, done, token.start) if len(parts) == 2 else None
        start = project.start() if project else token.start
        # an unknown name stays, without its project, for the engine to reject
        pieces += [sql[done:start], write(address) if address in known else address]
        read.add(address)
        done = end
    return "".join([*pieces, sql[done:]]), sorted(read)


def from_googlesql(sql: str, known: Collection[str]) -> str | None:
    """A query in GoogleSQL as DuckDB's; None if the text is not one query.

    Raises:
        RefusedError: DuckDB has no equivalent of a part of it.
        UnreadableError: it does not parse, or sqlglot can't translate it.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import ErrorLevel, ParseError, UnsupportedError

    plain, _ = named(sql, known, str)
    logger = logging.getLogger("sqlglot")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it warns when it parses something unknown as another kind of statement
    try:
        trees = [tree for tree in sqlglot.parse(plain, read="bigquery") if tree is not None]
        if len(trees) != 1 or not isinstance(trees[0], exp.Query):
            return None
        return translated(trees[0]).sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise UnreadableError(str(error)) from error
    except ParseError as error:
        (first, *_) = error.errors or [{}]
        where = f"line {first.get('line')}, column {first.get('col')}"
        reason = str(first.get("description", error))
        raise UnreadableError(f"{'something is missing' if '<class' in reason else reason} at {where}") from error
    finally:
        logger.setLevel(level)


def double_quotes_are_text(sql: str) -> bool:
    """Whether double quotes may enclose GoogleSQL's texts in a statement that DuckDB parses.

    DuckDB takes them for names, and a mistyped name must not become a text that equals nothing: what looks like a name
    is a text only where it is compared with a column.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import ParseError, TokenError

    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
    except (ParseError, TokenError):
        return False
    quoted = [c for c in tree.find_all(exp.Column) if c.this.args.get("quoted")]
    return all(not _NAME.fullmatch(c.name) or _is_compared(c) for c in quoted)


def _is_compared(column: exp.Column) -> bool:
    """Whether a quoted name is compared with a column that is not quoted."""
    from sqlglot import exp

    comparison = column.parent
    if column.table or not isinstance(comparison, exp.Predicate):
        return False
    others = (c for c in comparison.find_all(exp.Column) if not c.this.args.get("quoted"))
    return any(True for _ in others)
