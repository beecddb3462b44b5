"""The gate between the systems and the ledger: it publishes or holds back each row, and lets no unverified line pass.

``lines.line_problem_sql`` judges the line; this module judges the rest of the prediction, and splits the rows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nba_props.domain.alike import alike
from nba_props.domain.lines import LINE_PROBLEMS, PLACEHOLDER_REASONS
from nba_props.facts import markets
from nba_props.facts.digest import digest
from nba_props.facts.vocabulary import REPORTED_ABSENT, SIDES, LineSource, Recommendation
from nba_props.schemas.predictions import LEDGER, LEDGER_KEY, SYSTEM_COLUMNS

_PREDICTION_PROBLEMS = {
    "INVALID_PREDICTION": "a forecast below 0 or above its market's ceiling, or none without a reason to abstain",
    "INVALID_CONFIDENCE": "confidence or probability outside 0-1, or no confidence beside a forecast",
    "INVALID_RECOMMENDATION": "the recommendation is unknown, or does not fit the row's line or forecast",
    "MISSING_KEY": "game, player, system, model version or feature hash is missing, or no market has the name",
    "WRONG_SYSTEM": "the row is in the table of another system than it names",
    "CONFLICTING_ANSWER": "the same claim is published with another forecast: model_version should have been raised",
    "DUPLICATE": "the system gave this player, game and market more than one row",
}
REASONS = {**LINE_PROBLEMS, **_PREDICTION_PROBLEMS}
#: what ids of the quarantine are made from where it was worded otherwise, in releases that had points only
_IN_IDS = REASONS | {
    "INVALID_PREDICTION": "points outside 0-60, or none without a reason to abstain",
    "MISSING_KEY": "game, player, system, model version or feature hash is missing",
    "DUPLICATE": "the system gave this player-game more than one row",
}

#: the words to search the log for
PLACEHOLDER_DETECTED = "PLACEHOLDER LINE DETECTED"
_EXAMPLES = 3
#: the columns of a system's row
CLAIM = [c.name for c in SYSTEM_COLUMNS]

#: the columns that identify a forecast: a system has one per player, game and market
_FORECAST = ["system_id", "game_id", "player_id", "market"]
_NEVER_NULL = ["game_id", "player_id", "player_name", "player_lookup", "system_id", "model_version", "feature_hash"]


def prediction_problem(judged: pd.DataFrame) -> pd.Series:
    """The first reason code that holds for each row, null for none; ``line_problem`` comes first."""
    forecast, confidence = judged["forecast"], judged["confidence_score"]
    ceiling = judged["market"].map({m.key: m.ceiling for m in markets.MARKETS})
    abstains = judged["abstain_reason"].notna()
    rec = judged["recommendation"]
    no_line = judged["line_source"].eq(LineSource.NO_PROP_LINE)
    bets = rec.isin(SIDES)
    margin = forecast - judged["line"]
    against = (rec.eq(Recommendation.OVER) & (margin < 0)) | (rec.eq(Recommendation.UNDER) & (margin > 0))
    duplicated = judged.duplicated(_FORECAST, keep=False)
    stands_in = judged["stands_in"] if "stands_in" in judged else judged["system_id"]
    problem = np.select(
        [
            judged["line_problem"].notna(),
            judged[_NEVER_NULL].isna().any(axis=1) | ceiling.isna(),
            stands_in.ne(judged["system_id"]),
            duplicated,
            (forecast.isna() & ~abstains)
            | (forecast.notna() & abstains)
            | (forecast.notna() & ~forecast.between(0, ceiling)),
            (forecast.notna() & ~confidence.between(0, 1))
            | (forecast.isna() & confidence.notna())
            | (judged["over_probability"].notna() & ~judged["over_probability"].between(0, 1)),
            ~rec.isin(list(Recommendation)) | (no_line != rec.eq(Recommendation.NO_LINE)) | (abstains & bets) | against,
        ],
        [
            judged["line_problem"],
            "MISSING_KEY",
            "WRONG_SYSTEM",
            "DUPLICATE",
            "INVALID_PREDICTION",
            "INVALID_CONFIDENCE",
            "INVALID_RECOMMENDATION",
        ],
        default="",
    )
    found = pd.Series(problem, index=judged.index, dtype=object)
    return found.where(found != "", None)


#: a line that moved by less is the same line
LINE_MOVE = 0.5
_ANSWER = list(LEDGER.content)
_STANDING = [*_FORECAST, "line", "sportsbook", "abstain_reason"]


def moved(current: pd.DataFrame, fresh: pd.DataFrame) -> pd.Series:
    """Which rows to publish again: those of a game and market in which a chosen line moved by half a point or more,
    appeared, disappeared or changed book, or a system has no prediction yet; and all of a game with a player who is
    reported absent, or no longer.

    Args:
        current: the published rows that count now.
        fresh: the rows that would be published.

    Returns:
        A boolean for each of the fresh rows.
    """
    both = fresh[_STANDING].merge(current[_STANDING], on=_FORECAST, how="left", suffixes=("", "_old"), indicator=True)
    came_or_left = both["line"].isna() != both["line_old"].isna()
    other_line = (both["line"] - both["line_old"]).abs() >= LINE_MOVE
    book = both["sportsbook"].fillna("") != both["sportsbook_old"].fillna("")
    absent = both["abstain_reason"].eq(REPORTED_ABSENT) != both["abstain_reason_old"].eq(REPORTED_ABSENT)
    new = both["_merge"].eq("left_only")
    in_market = (came_or_left | other_line | book | new).groupby([both["game_id"], both["market"]]).transform("any")
    again = in_market | absent.groupby(both["game_id"]).transform("any")
    return pd.Series(again.to_numpy("bool"), index=fresh.index)


def split(judged: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows to publish, with ``prediction_id``, and the rows held back, with ``quarantine_id, reason, detail``.

    Args:
        judged: rows of system tables with ``line_problem`` (the result of ``lines.claimed_lines_sql``), and where it
            is known, with the system whose table the row ``stands_in``.
    """
    problem = prediction_problem(judged)
    claims = judged.drop(columns=["line_problem", "stands_in"], errors="ignore")
    good = claims[problem.isna()].reset_index(drop=True)
    good.insert(0, "prediction_id", _ids(good[[*LEDGER_KEY, "market"]]))
    return good, held_back(claims[problem.notna()], problem.dropna())


def held_back(claims: pd.DataFrame, reasons: pd.Series) -> pd.DataFrame:
    """Claims as rows of the quarantine, without repeats."""
    bad = claims.reset_index(drop=True)
    reasons = reasons.reset_index(drop=True)
    bad.insert(0, "detail", reasons.map(_IN_IDS))
    bad.insert(0, "reason", reasons)
    bad.insert(0, "quarantine_id", _ids(bad))
    bad["detail"] = reasons.map(REASONS)
    return bad.drop_duplicates("quarantine_id").reset_index(drop=True)


def without_conflicts(published: pd.DataFrame, known: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows to publish whose ids are new, or have the same answer in the ledger; and the others, held back.

    Args:
        published: rows with ``prediction_id``.
        known: ``prediction_id`` and the answer's columns of every row of these dates in the ledger.
    """
    if known.empty:  # an empty column has no dtype to merge on
        return published, held_back(published.iloc[:0][CLAIM], pd.Series([], dtype=object))
    both = published[["prediction_id", *_ANSWER]].merge(known, on="prediction_id", suffixes=("", "_old"))
    # one row with the id and the same answer is enough, even beside a forged one
    agrees = alike(both, _ANSWER, "_old").groupby(both["prediction_id"]).any()
    conflict = published["prediction_id"].isin(agrees.index[~agrees.astype(bool)]).to_numpy()
    claims = published.loc[conflict, CLAIM]
    return published[~conflict], held_back(claims, pd.Series("CONFLICTING_ANSWER", index=claims.index, dtype=object))


def renewed(published: pd.DataFrame, current: pd.DataFrame, known: Collection[str]) -> pd.DataFrame:
    """The rows to publish, with ids under which the newest answer becomes the current one.

    An answer that was published, superseded and is right again (a withdrawn report, a corrected mistake) is published
    a second time: its id then also depends on the row that it replaces. An answer that is current keeps its id, so
    nothing is appended. So do rows published after the fact, which never replace one from before the cut-off, and rows
    in conflict with the current one of the same key, which go to quarantine.

    Args:
        published: rows with ``prediction_id`` (the first part of :func:`split`) and ``is_backfill``.
        current: the current rows of these dates in the ledger.
        known: the id of every row of these dates in the ledger.
    """
    columns = [*dict.fromkeys([*_FORECAST, *LEDGER_KEY, *_ANSWER]), "prediction_id", "is_backfill"]
    both = published[columns].merge(
        current[columns], on=_FORECAST, how="left", suffixes=("", "_old"), validate="many_to_one"
    )
    has_current = both["prediction_id_old"].notna()
    same_key = alike(both, [c for c in LEDGER_KEY if c not in _FORECAST], "_old")
    late = both["is_backfill"].astype("boolean") & ~both["is_backfill_old"].astype("boolean").fillna(True)
    again = has_current & ~same_key & ~late & both["prediction_id"].isin(list(known))
    ids = both["prediction_id"].mask(same_key & alike(both, _ANSWER, "_old"), both["prediction_id_old"])
    ids[again] = _ids(both.loc[again, [*LEDGER_KEY, "prediction_id_old", "market"]])
    return published.assign(prediction_id=ids.to_numpy())


@dataclass(frozen=True)
class HeldBack:
    """The rows that the gate held back in one run for one reason, and a message about them."""

    reason: str
    rows: int
    is_placeholder: bool
    text: str


def messages(held: pd.DataFrame, run_id: str) -> list[HeldBack]:
    """A message about the rows that were held back for each reason, placeholders first.

    Args:
        held: rows with ``reason`` (the second part of :func:`split`).
        run_id: the run that held them back.
    """
    found = []
    for reason, rows in held.groupby("reason"):
        is_placeholder = reason in PLACEHOLDER_REASONS
        systems = ", ".join(f"{s} {n}" for s, n in rows["system_id"].fillna("no system").value_counts().items())
        examples = "; ".join(
            f"{r.player_name}{'' if r.market == markets.POINTS else f' {r.market}'} "
            f"{'without a line' if pd.isna(r.line) else f'{r.line:.1f}'} "
            f"{'without a source' if pd.isna(r.line_source) else r.line_source} on {r.game_date:%Y-%m-%d}"
            for r in rows.sort_values(["game_date", "player_name"]).head(_EXAMPLES).itertuples()
        )
        what = PLACEHOLDER_DETECTED if is_placeholder else "held back"
        text = f"{what}: {len(rows)} rows, {reason}: {REASONS[reason]} ({systems}); e.g. {examples}; run {run_id}"
        found.append(HeldBack(str(reason), len(rows), is_placeholder, text))
    return sorted(found, key=lambda h: (not h.is_placeholder, -h.rows, h.reason))


def _ids(frame: pd.DataFrame) -> list[str]:
    """A stable hash of each row's text; points have the ids of releases that had no other market."""
    if frame.empty:
        return []
    parts = frame.drop(columns="market")
    text = parts.astype(object).where(parts.notna(), "").astype(str).agg("\x1f".join, axis=1)
    market = frame["market"].fillna(markets.POINTS)
    return [digest(t) for t in text.where(market == markets.POINTS, text + "\x1f" + market)]
