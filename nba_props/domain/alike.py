"""Whether rows say the same."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from functools import reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def alike(both: pd.DataFrame, columns: Iterable[str], suffix: str) -> pd.Series:
    """Whether each row has in all of ``columns``, one at least, what it has in those with the suffix.

    Null is like null only.
    """
    pairs = ((both[column], both[f"{column}{suffix}"]) for column in columns)
    same = ((left == right).fillna(False).astype(bool) | (left.isna() & right.isna()) for left, right in pairs)
    return reduce(operator.and_, same)
