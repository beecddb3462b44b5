"""Comparison of rows, column by column."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from functools import reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def alike(both: pd.DataFrame, columns: Iterable[str], suffix: str) -> pd.Series:
    """Whether each row has equal values in every column and its counterpart with the suffix; null equals null only.

    There must be at least one column.
    """
    pairs = ((both[column], both[f"{column}{suffix}"]) for column in columns)
    same = ((left == right).fillna(False).astype(bool) | (left.isna() & right.isna()) for left, right in pairs)
    return reduce(operator.and_, same)
