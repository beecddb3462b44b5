"""What a parser could not use: rows for the quarantine tables of ``nba_raw``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from nba_props.schemas.base import Table

_RAW_LIMIT = 2_000


@dataclass(frozen=True)
class Reject:
    """One piece of a payload that is held back: where, why, and what it was."""

    payload: str
    position: str | None
    reason: str
    detail: str
    raw: Any = None
    game_date: date | None = None


def quarantine_frame(table: Table, rejects: Iterable[Reject], day: date | None = None) -> pd.DataFrame:
    """Rejects as rows of a quarantine table; those that know no date of their own stand under ``day``."""
    rows = []
    for r in rejects:
        raw = None if r.raw is None else json.dumps(r.raw, default=str)[:_RAW_LIMIT]
        text = "\x1f".join([r.payload, r.position or "", r.reason, r.detail, raw or ""])
        rows.append(
            {
                "game_date": r.game_date or day,
                "quarantine_id": hashlib.blake2b(text.encode(), digest_size=16).hexdigest(),
                "payload": r.payload,
                "position": r.position,
                "reason": r.reason,
                "detail": r.detail,
                "raw": raw,
            }
        )
    if not rows:
        return table.empty()
    frame = pd.DataFrame(rows, columns=table.column_names).drop_duplicates(["game_date", "quarantine_id"])
    return table.conform(frame)
