"""GoogleSQL in DuckDB's SQL, where sqlglot's translation has another meaning or none.

Each rule is a function of one node: it returns an equivalent for DuckDB, or refuses the node in a sentence. Nodes
are visited from the leaves up: a rule finds its operands translated.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nba_props.warehouse.base import RefusedError

if TYPE_CHECKING:
    from sqlglot import exp

_WEEKDAYS = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")
#: DuckDB counts them within the minute
_PARTS_OF_A_SECOND = {"MILLISECOND": 1000, "MICROSECOND": 1_000_000}
#: weeks of a year that begin on a given day of the week (0 is Sunday); days before the first week are in week 0
_WEEK = "CAST((EXTRACT(DOY FROM :x) + 6 - (EXTRACT(DOW FROM :x) + 7 - :first) % 7) // 7 AS BIGINT)"
#: halves are rounded away from zero, where DuckDB rounds them to even
_WHOLE = """
CASE WHEN TYPEOF(:x) IN ('DOUBLE', 'FLOAT') THEN CAST(ROUND(TRY_CAST(:x AS DOUBLE)) AS BIGINT) ELSE :cast END
"""
#: a text is a whole number or a boolean only as GoogleSQL writes these
_WRITTEN = (
    "CASE WHEN TYPEOF(:x) = 'VARCHAR' AND NOT REGEXP_FULL_MATCH(CAST(:x AS VARCHAR), :form) THEN :other ELSE :cast END"
)
_FORMS = {
    "bigint": r"\s*[+-]?(\d+|0[xX][0-9a-fA-F]+)\s*",
    "boolean": r"[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]",
}
#: a whole number has no point as a text
_AS_TEXT = """
CASE WHEN TYPEOF(:x) IN ('DOUBLE', 'FLOAT') THEN REGEXP_REPLACE(:cast, '\\.0$', '') ELSE :cast END
"""
#: an element by its position from 0, where DuckDB counts negative ones from the end
_ELEMENT = """
CASE WHEN :place < 0 OR :place >= LEN(:list) THEN :other ELSE LIST_EXTRACT(:list, CAST(:place AS BIGINT) + 1) END
"""
#: digits before and after the point of a NUMERIC
_NUMERIC = (38, 9)
_NOT_ZERO = "CASE WHEN :divisor = 0 THEN ERROR('division by zero') ELSE :quotient END"
#: format elements of dates and times that both write alike
_SAME_IN_BOTH = set("YmdHMSyjAaBbUWVGuwpIF%")
_SPECIFIER = re.compile(r"%(-.|.)")
#: flags, width and precision, then a whole number or one with a point
_PRINTABLE = re.compile(r"%%|%[-+ 0]*\d*(?:\.\d+)?[sdf]")


def translated(tree: exp.Expr) -> exp.Expr:
    """A statement in GoogleSQL as one whose nodes mean the same in DuckDB.

    Raises:
        RefusedError: a part of it has no equivalent over a lake.
    """
    from sqlglot import exp

    rules: dict[type[exp.Expr], Callable[[Any], exp.Expr]] = {
        exp.CountIf: _count_if, exp.Extract: _extract, exp.TimestampDiff: _timestamp_diff, exp.TimeToStr: _time_to_str,
        exp.StrToTime: _str_to_time, exp.String: _string, exp.Format: _format, exp.ApproxQuantiles: _quantiles,
        exp.Div: _divided, exp.Mod: _divided, exp.IntDiv: _divided, exp.Substring: _substring, exp.Cast: _cast,
        exp.TryCast: _cast, exp.Literal: _literal, exp.Unnest: _unnest, exp.Like: _like, exp.DataType: _type,
        exp.Bracket: _bracket, exp.Select: _select,
    }  # fmt: skip
    tree = tree.copy()
    for node in reversed(list(tree.walk())):
        rule = rules.get(type(node))
        if rule is None:
            continue
        made = rule(node)
        if made is not node:
            tree = made if node is tree else tree
            node.replace(made)
    return tree


def _as(template: str, **operands: exp.Expr | int) -> exp.Expr:
    """A template in DuckDB's SQL with its ``:names`` filled."""
    import sqlglot
    from sqlglot import exp

    filled = {k: exp.Literal.number(v) if isinstance(v, int) else v.copy() for k, v in operands.items()}
    return exp.paren(exp.replace_placeholders(sqlglot.parse_one(template, read="duckdb"), **filled), copy=False)


def _count_if(node: exp.CountIf) -> exp.Expr:
    """Without a row that counts it is 0, not null."""
    from sqlglot import exp

    if isinstance(node.this, exp.Distinct):
        raise RefusedError(
            "COUNTIF(DISTINCT …) is not supported over a lake: use COUNT(DISTINCT IF(condition, x, NULL))"
        )
    return exp.Count(this=exp.Case().when(node.this.copy(), exp.Literal.number(1)))


def _extract(node: exp.Extract) -> exp.Expr:
    """Weeks begin on Sunday or a named day, days of the week count from 1, parts of a second within the second."""
    from sqlglot import exp

    moment = node.expression
    if isinstance(moment, exp.Cast) and moment.is_type("timestamptz"):
        moment = exp.AtTimeZone(this=moment.copy(), zone=exp.Literal.string("UTC"))
    part = node.this.name.upper()
    if isinstance(node.this, exp.WeekStart) or part == "WEEK":
        day = node.this.this.name.upper() if isinstance(node.this, exp.WeekStart) else "SUNDAY"
        if day not in _WEEKDAYS:
            raise RefusedError(f"WEEK({day}): {day} is not a day of the week; use one of {', '.join(_WEEKDAYS)}")
        return _as(_WEEK, x=moment, first=_WEEKDAYS.index(day))
    if part == "DATE":
        return exp.cast(moment.copy(), exp.DataType.Type.DATE)
    own = exp.Extract(this=exp.var({"ISOWEEK": "WEEK"}.get(part, part)), expression=moment.copy())
    if part == "DAYOFWEEK":
        return exp.paren(exp.Add(this=own, expression=exp.Literal.number(1)))
    if part in _PARTS_OF_A_SECOND:
        return exp.paren(exp.Mod(this=own, expression=exp.Literal.number(_PARTS_OF_A_SECOND[part])))
    return own


def _timestamp_diff(node: exp.TimestampDiff) -> exp.Expr:
    """Whole units that have passed, where DuckDB's DATE_DIFF counts the borders between them."""
    from sqlglot import exp

    unit = exp.Literal.string(node.text("unit") or "MICROSECOND")
    return exp.Anonymous(this="DATESUB", expressions=[unit, node.expression.copy(), node.this.copy()])


def _time_to_str(node: exp.TimeToStr) -> exp.Expr:
    """In the given zone, and only with format elements that both write alike."""
    from sqlglot import exp

    form = node.args["format"]
    if not form.is_string:
        raise RefusedError("a FORMAT_ function needs its format as a text in quotes over a lake")
    odd = [mark for mark in _SPECIFIER.findall(form.name) if mark not in _SAME_IN_BOTH]
    if odd:
        raise RefusedError(
            f"%{odd[0].replace('-d', 'e')} (of a FORMAT_ function) is not supported over a lake; there are "
            f"{', '.join('%' + mark for mark in sorted(_SAME_IN_BOTH - {'%'}))}"
        )
    zone = node.args.get("zone")
    if zone is None:
        return node
    moment = exp.cast(node.this.this.copy(), exp.DataType.Type.TIMESTAMPTZ)
    return exp.TimeToStr(this=exp.AtTimeZone(this=moment, zone=zone.copy()), format=form.copy())


def _str_to_time(node: exp.StrToTime) -> exp.Expr:
    """The instant of a text in the given zone."""
    from sqlglot import exp

    zone = node.args.get("zone")
    if zone is None:
        return node
    plain = node.copy()
    plain.set("zone", None)
    return exp.paren(exp.AtTimeZone(this=plain, zone=zone.copy()))


def _string(node: exp.String) -> exp.Expr:
    if node.args.get("zone") is not None:
        raise RefusedError(
            "STRING with a zone is not supported over a lake: use FORMAT_TIMESTAMP(format, instant, zone)"
        )
    return node


def _format(node: exp.Format) -> exp.Expr:
    """As printf does, where DuckDB's FORMAT fills braces."""
    from sqlglot import exp

    form = node.this
    if not form.is_string or "%" in _PRINTABLE.sub("", form.name):
        raise RefusedError("FORMAT is supported over a lake only with a text in quotes that has %s, %d and %f")
    marks = [mark[-1] for mark in _PRINTABLE.findall(form.name) if mark != "%%"]
    kinds = {"s": exp.DataType.Type.TEXT, "d": exp.DataType.Type.BIGINT, "f": exp.DataType.Type.DOUBLE}
    if len(marks) != len(node.expressions):
        raise RefusedError(f"FORMAT has {len(marks)} places for {len(node.expressions)} values")
    values = [exp.cast(v.copy(), kinds[mark]) for mark, v in zip(marks, node.expressions, strict=True)]
    return exp.Anonymous(this="PRINTF", expressions=[form.copy(), *values])


def _quantiles(node: exp.ApproxQuantiles) -> exp.Expr:
    """Values that occur, where DuckDB's APPROX_QUANTILE interpolates."""
    from sqlglot import exp

    values, number = node.this, node.expression
    if isinstance(values, exp.Distinct) and number is None:
        *expressions, number = values.expressions
        values = exp.Distinct(expressions=[e.copy() for e in expressions])
    if not (isinstance(number, exp.Literal) and number.is_int and int(number.name) > 0):
        raise RefusedError("APPROX_QUANTILES needs a whole number of parts")
    parts = int(number.name)
    shares = exp.Array(expressions=[exp.Literal.number(repr(n / parts)) for n in range(parts + 1)])
    return exp.Anonymous(this="QUANTILE_DISC", expressions=[values.copy(), shares])


def _divided(node: exp.Binary) -> exp.Expr:
    """Division by zero is an error, where DuckDB returns infinity or null."""
    from sqlglot import exp

    divisor = node.expression.unnest()
    number = divisor.this if isinstance(divisor, exp.Cast) else divisor
    is_fine = isinstance(number, exp.Literal) and number.is_number and float(number.name) != 0
    if is_fine or isinstance(divisor, exp.Nullif):
        return node
    return _as(_NOT_ZERO, divisor=divisor, quotient=node)


def _substring(node: exp.Substring) -> exp.Expr:
    """Position 0 means the first, as 1 does, and so does one before the first, counted from the end."""
    from sqlglot import exp

    start = node.args.get("start")
    if start is None or (isinstance(start, exp.Literal) and start.is_int and int(start.name) > 0):
        return node
    made = node.copy()
    made.set("start", _as("CASE WHEN :n = 0 OR :n < -LENGTH(:x) THEN 1 ELSE :n END", n=start, x=node.this))
    return made


def _cast(node: exp.Cast) -> exp.Expr:
    """Halves are rounded away from zero; a text must be a whole number or a boolean as GoogleSQL writes it."""
    from sqlglot import exp

    if node.is_type("text", "varchar") and not node.this.is_string:
        return _as(_AS_TEXT, x=node.this, cast=node)
    name = next((n for n in _FORMS if node.is_type(n)), None)
    if name is None:
        return node
    if name == "bigint" and isinstance(node.this, exp.Literal) and node.this.is_int:
        return node
    cast = _as(_WHOLE, x=node.this, cast=node) if name == "bigint" else node
    bad = exp.Null() if isinstance(node, exp.TryCast) else _as("ERROR('a text is not a value of the type')")
    return _as(_WRITTEN, x=node.this, form=exp.Literal.string(_FORMS[name]), other=bad, cast=cast)


def _like(node: exp.Like) -> exp.Expr:
    """A backslash escapes % and _, where DuckDB has no escape character by default."""
    from sqlglot import exp

    if isinstance(node.parent, exp.Escape):
        return node
    return exp.Escape(this=node.copy(), expression=exp.Literal.string("\\"))


def _type(node: exp.DataType) -> exp.Expr:
    """NUMERIC has nine digits after the point, where DuckDB's has three."""
    from sqlglot import exp

    if node.this == exp.DataType.Type.BIGDECIMAL:
        raise RefusedError("BIGNUMERIC is not supported over a lake: use NUMERIC")
    if node.this != exp.DataType.Type.DECIMAL or node.expressions:
        return node
    digits = [exp.DataTypeParam(this=exp.Literal.number(n)) for n in _NUMERIC]
    return exp.DataType(this=node.this, expressions=digits, nested=False)


def _bracket(node: exp.Bracket) -> exp.Expr:
    """A missing element of an array is an error, or null with a SAFE function."""
    from sqlglot import exp

    offset = node.args.get("offset")
    if offset is None or len(node.expressions) != 1:
        return node
    (place,) = node.expressions
    first = exp.Sub(this=exp.paren(place.copy()), expression=exp.Literal.number(offset)) if offset else place
    other = exp.Null() if node.args.get("safe") else _as("ERROR('an array has no such position')")
    return _as(_ELEMENT, list=node.this, place=exp.paren(first.copy()), other=other)


def _select(node: exp.Select) -> exp.Expr:
    """In GROUP BY a name refers to a column of the result first, and to one of a table second."""
    from sqlglot import exp

    named = {e.alias.lower(): e.this for e in node.expressions if isinstance(e, exp.Alias)}
    made = node.copy()
    group = made.args.get("group")
    bare = [e for e in group.expressions if isinstance(e, exp.Column) and not e.table] if group else []
    for column in bare:
        meant = named.get(column.name.lower())
        if meant is not None and not (isinstance(meant, exp.Column) and meant.name.lower() == column.name.lower()):
            column.replace(exp.paren(meant.copy()))
    return made if bare else node


def _literal(node: exp.Literal) -> exp.Expr:
    """A number with a point is binary, where DuckDB's is decimal."""
    from sqlglot import exp

    if node.is_string or node.name.isdigit():
        return node
    return exp.cast(node.copy(), exp.DataType.Type.DOUBLE)


def _unnest(node: exp.Unnest) -> exp.Expr:
    if node.args.get("offset"):
        raise RefusedError(
            "UNNEST … WITH OFFSET is not supported over a lake, where positions count from 1: "
            "use ROW_NUMBER() OVER (…) - 1"
        )
    return node
