"""Grading: the result of every published prediction.

Every row is graded, whatever its line. The outcome of a row is, in this order:

* VOID: its game is postponed or was moved to another date, which needs no finished game, or it is finished and the
  player did not enter it;
* PENDING: its game is not finished (``results``), or the player's row of its box score is in quarantine;
* NO_BET: it has no side or no line, or is about a market that nobody knows;
* PUSH: the result equals the line; WIN or LOSS otherwise.

A player has a box-score row if he entered the game: 0 minutes without any statistic are a few seconds of play, and his
0 points are a result (270 of 126,741 real rows have nothing counted at all).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from nba_props.domain.odds import over_probability, payout
from nba_props.domain.results import counted, finished
from nba_props.facts import markets
from nba_props.facts.digest import digest
from nba_props.facts.keys import GAME, PLAYER_DAY, PLAYER_GAME, PROP
from nba_props.facts.vocabulary import DECIDED, SIDES, Outcome, Recommendation, VoidReason, words
from nba_props.schemas.predictions import GRADE_COLUMNS, NOT_GRADED

#: the columns of a grade: when one changes, the history gets a new entry
GRADE = [c.name for c in GRADE_COLUMNS]


class FanOut(ValueError):
    """A join would give more rows than there are predictions."""


def grade(
    predictions: pd.DataFrame,
    schedule: pd.DataFrame,
    box_scores: pd.DataFrame,
    lines: pd.DataFrame,
    averages: pd.DataFrame,
    now: pd.Timestamp,
    refused: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row per prediction, in the columns of ``nba_predictions.prediction_accuracy``.

    Args:
        predictions: rows of ``nba_predictions.judged_predictions``.
        schedule: rows of ``nba_raw.schedule`` for their dates.
        box_scores: rows of ``nba_raw.box_scores`` for their dates.
        lines: rows of ``nba_analytics.betting_lines``: best prices, where the quote is still the chosen one.
        averages: ``game_date, player_id, market, avg_last_10``.
        now: when the grades are given.
        refused: result of ``nba_stats.refused_players`` for their dates: the players whose box-score row is in
            quarantine.

    Raises:
        FanOut: a join would change the number of rows.
    """
    rows = predictions.reset_index(drop=True)
    own = _joined(rows, box_scores[[*PLAYER_GAME, *markets.stats(), "minutes"]], PLAYER_GAME)
    is_over = _joined(rows, finished(schedule, box_scores), GAME)["is_finished"].astype("boolean").fillna(False)
    played = is_over.astype(bool) & own["minutes"].notna()
    result = _results(own, rows["market"]).where(played)
    void = _void_reasons(rows, schedule, box_scores, is_over.astype(bool) & ~played, refused)
    outcome = _outcomes(rows, result, void, played & ~rows["market"].isin(markets.keys()))
    result = result.where(void == "")
    correct = pd.Series(outcome == Outcome.WIN, index=rows.index).astype("boolean")
    return rows.drop(columns=list(NOT_GRADED)).assign(
        outcome=outcome,
        void_reason=pd.Series(void, index=rows.index, dtype=object).where(void != "", None),
        result=result.astype("Int64"),
        minutes_played=own["minutes"].where(result.notna()).astype("Int64"),
        prediction_correct=correct.where(np.isin(outcome, words(DECIDED))),
        **_errors(rows, result, _joined(rows, averages, [*PLAYER_DAY, "market"])["avg_last_10"].astype("float64")),
        confidence_decile=np.minimum(10, np.floor(10 * rows["confidence_score"].astype("float64").round(9)) + 1),
        **_profits(rows, outcome, lines),
        market_over_probability=over_probability(rows["over_price"], rows["under_price"]),
        graded_at=now,
    )


def _results(own: pd.DataFrame, market: pd.Series) -> pd.Series:
    """What each prediction's market counts of its player's row of the box score; null without one."""
    place = pd.Index(markets.keys()).get_indexer(market)
    found = counted(own)[np.arange(len(own)), place]
    return pd.Series(np.where(place < 0, np.nan, found), index=own.index)


def _outcomes(rows: pd.DataFrame, result: pd.Series, void: np.ndarray, uncounted: pd.Series) -> np.ndarray:
    """The outcome of each prediction; results are null while they are not known, and ever of what nobody counts."""
    line, side = rows["line"].astype("float64"), _sides(rows)
    no_bet = side.isna() | line.isna() | uncounted
    above = result > line
    return np.select(
        [void != "", result.isna() & ~uncounted, no_bet, result == line, above == side.eq(Recommendation.OVER)],
        words((Outcome.VOID, Outcome.PENDING, Outcome.NO_BET, Outcome.PUSH, Outcome.WIN)),
        default=Outcome.LOSS.value,
    )


def _sides(rows: pd.DataFrame) -> pd.Series:
    """The side of each prediction, null for one without a bet."""
    return rows["recommendation"].where(rows["recommendation"].isin(SIDES))


def _errors(rows: pd.DataFrame, result: pd.Series, last_10: pd.Series) -> dict[str, pd.Series]:
    """How far forecast, line and last-10 average are from the result, and from each other."""
    line, forecast = rows["line"].astype("float64"), rows["forecast"].astype("float64")
    error = forecast - result
    return {
        "absolute_error": error.abs(),
        "signed_error": error,
        "line_absolute_error": (line - result).abs(),
        "last_10_absolute_error": (last_10 - result).abs(),
        "predicted_margin": forecast - line,
        "actual_margin": result - line,
        "within_3": error.abs().le(3).astype("boolean").where(error.notna()),
        "within_5": error.abs().le(5).astype("boolean").where(error.notna()),
    }


def _void_reasons(
    rows: pd.DataFrame,
    schedule: pd.DataFrame,
    box_scores: pd.DataFrame,
    absent: pd.Series,
    refused: pd.DataFrame | None,
) -> np.ndarray:
    """Why each prediction is void; empty for the others. ``absent`` players have no row in a game's final box score."""
    games = schedule[[*GAME, "is_postponed"]].assign(is_scheduled=True)
    game = _joined(rows, games, GAME)
    has_box = _joined(rows, box_scores[GAME].drop_duplicates().assign(has_box=True), GAME)["has_box"].notna()
    seen = box_scores[PLAYER_DAY].drop_duplicates().assign(seen=True)
    elsewhere = _joined(rows, seen, PLAYER_DAY)["seen"].notna()
    if refused is not None and len(refused):
        absent = absent & (elsewhere | ~_is_held_back(rows, box_scores, refused))
    postponed = game["is_postponed"].astype("boolean").fillna(False).astype(bool)
    return np.select(
        [postponed, game["is_scheduled"].isna() & ~has_box, absent & elsewhere, absent],
        words((VoidReason.POSTPONED, VoidReason.GAME_MOVED, VoidReason.PLAYED_ELSEWHERE, VoidReason.DID_NOT_PLAY)),
        default="",
    )


def _is_held_back(rows: pd.DataFrame, box_scores: pd.DataFrame, refused: pd.DataFrame) -> pd.Series:
    """Whether each prediction's player may have a row of the game in quarantine: then it is unknown whether he played.

    A row whose player or game can't be read may be any player's. Only the payload that a game's box score was made from
    counts: errors of older captures are superseded.
    """
    counted = box_scores[[*GAME, "payload"]].drop_duplicates()
    in_a_game = refused["game_id"].notna()
    mine = pd.concat(
        [
            refused[in_a_game].merge(counted, on=[*GAME, "payload"]),
            refused[~in_a_game].drop(columns="game_id").merge(counted, on=["game_date", "payload"]),
        ]
    )
    is_known = mine["player_id"].notna()
    people = mine.loc[is_known, PLAYER_GAME].drop_duplicates().assign(held=True)
    games = mine.loc[~is_known, GAME].drop_duplicates().assign(held=True)
    return _joined(rows, people, PLAYER_GAME)["held"].notna() | _joined(rows, games, GAME)["held"].notna()


def _joined(rows: pd.DataFrame, other: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """``other`` aligned to ``rows`` by keys, null where it has no row; never more or fewer rows."""
    doubled = other.duplicated(keys)
    if doubled.any():
        first = other.loc[doubled, keys].iloc[0].to_dict()
        raise FanOut(f"{int(doubled.sum())} rows repeat {', '.join(keys)}, the first {first}: grades would multiply")
    return rows[keys].merge(other, on=keys, how="left")


def _profits(rows: pd.DataFrame, outcome: np.ndarray, lines: pd.DataFrame) -> dict[str, pd.Series]:
    """The profit of one unit at the quoted price, and at the best one where the quote is still the chosen one."""
    key, side = [*PROP, "quote_id"], _sides(rows)
    best = _joined(rows, lines[[*key, "best_over_price", "best_under_price"]], key)
    return {
        "profit": _profit(outcome, side, rows["over_price"], rows["under_price"]),
        "best_profit": _profit(outcome, side, best["best_over_price"], best["best_under_price"]),
    }


def _profit(outcome: np.ndarray, side: pd.Series, over_price: pd.Series, under_price: pd.Series) -> pd.Series:
    won = payout(over_price).where(side.eq(Recommendation.OVER), payout(under_price))
    returned = np.isin(outcome, words((Outcome.PUSH, Outcome.VOID)))
    profit = np.select([outcome == Outcome.WIN, outcome == Outcome.LOSS, returned], [won, -1.0, 0.0], np.nan)
    # null without a price, and without a side, where nothing was staked
    return pd.Series(profit, index=side.index).where(side.notna() & won.notna())


def settle(graded: pd.DataFrame, history: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The grades, each with the instant it was first given, and the new or changed ones as ``grade_history`` rows.

    A grade's id depends on the id of the grade it replaces, so a grade that returns is a new entry, and two runs that
    find the same change write the same row.
    """
    heads = history[~history["grade_id"].isin(history["replaces"])]
    newest = heads.sort_values("graded_at", kind="stable").drop_duplicates("prediction_id", keep="last")
    known = graded[["prediction_id"]].merge(newest, on="prediction_id", how="left", validate="one_to_one")
    now = _as_text(graded[GRADE])
    before = _as_text(known[GRADE])
    differs = known["grade_id"].isna().to_numpy() | (now != before)
    settled = graded.copy()
    settled["graded_at"] = graded["graded_at"].where(differs, known["graded_at"])
    out = graded.loc[differs, ["game_date", "prediction_id", *GRADE, "graded_at"]].copy()
    out["replaces"] = known.loc[differs, "grade_id"].to_numpy(dtype=object)
    out["replaces"] = out["replaces"].astype(object).where(out["replaces"].notna(), None)
    parts = zip(out["prediction_id"], now[differs], out["replaces"], strict=True)
    out["grade_id"] = [digest("|".join(map(str, p))) for p in parts]
    return settled, out


def _as_text(frame: pd.DataFrame) -> np.ndarray:
    plain = frame.astype(object).where(frame.notna(), "")
    if plain.empty:
        return np.array([], dtype=object)
    return plain.astype(str).agg("|".join, axis=1).to_numpy(dtype=object)
