"""Systems whose forecast is a trained model: how one is made, described, chosen for a date and asked.

A model belongs to a week, which begins on a Monday, and has seen only games of earlier dates. What is stored is the
library's own portable format and a card that says what it is; a model whose features or library are not the running
ones is refused, never guessed at.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import numpy as np
import pandas as pd

from nba_props.domain.odds import over_probability as market_probability
from nba_props.domain.systems.base import MAX_POINTS, System, side_of
from nba_props.facts.calendar import season_year
from nba_props.schemas import Table
from nba_props.schemas.features import SCHEMA_HASH
from nba_props.schemas.predictions import SYSTEM_TABLES

#: a model that is older than this when a date is served is refused: it serves its week and the next
MAX_AGE = timedelta(13)
#: threads of training and of serving; a fixed number, because sums depend on how they are split
THREADS = 2
#: fewer rows than this make no model
MIN_ROWS = 1_000
#: share of the newest rows that a model is judged on before it is fitted to all of them
HOLDOUT = 0.15
#: points are noisier the more are expected: residuals are measured in units of sqrt(forecast + this)
_SPREAD_FLOOR = 4.0
_QUANTILES = np.linspace(0.005, 0.995, 199)
#: a model is not judged on fewer held-out rows than this
JUDGED_ROWS = 100
#: fewest held-out rows with a quote, and dates of them, that P(over) is fitted on
CHANCE_ROWS, CHANCE_DATES = 1_000, 10


class Learner(Protocol):
    """A library that makes models; a model travels as bytes in the library's own format."""

    library: str
    #: suffix of the stored file
    suffix: str
    parameters: Mapping[str, Any]

    def version(self) -> str:
        """Version of the library."""

    def fit(self, inputs: pd.DataFrame, points: pd.Series) -> bytes:
        """A model fitted to the rows; the same rows give the same model."""

    def ask(self, artefact: bytes, inputs: pd.DataFrame) -> np.ndarray:
        """The model's forecast for each row."""

    def importances(self, artefact: bytes) -> dict[str, float]:
        """Each input's share in the model, by the library's own measure; they sum to 1."""


@dataclass(frozen=True)
class Trained:
    """A system that is a model: its learner, inputs and betting rule."""

    system_id: str
    learner: Learner
    inputs: tuple[str, ...]
    #: inputs without which it abstains; any other may be null
    required: tuple[str, ...]
    #: confidence before quality of inputs and spread of points are added, 0-100 (docs/legacy-systems.md#xgboost_v1)
    base_confidence: float
    #: least distance from the line for a side
    min_edge: float

    @property
    def system_table(self) -> Table:
        """Where its predictions are stored."""
        return SYSTEM_TABLES[self.system_id]


@dataclass(frozen=True)
class Card:
    """What a stored model is, and how it did on the newest rows before it saw them."""

    system_id: str
    week: date
    library: str
    library_version: str
    schema_hash: str
    inputs: tuple[str, ...]
    parameters: Mapping[str, Any]
    trained_from: date
    trained_through: date
    rows: int
    #: hash of everything the model is made from: rows, parameters, library, features, and how it moves P(over)
    fingerprint: str
    #: hash of the stored file
    sha256: str
    suffix: str
    metrics: Mapping[str, float]
    importances: Mapping[str, float]
    #: quantiles of the held-out residuals in units of sqrt(forecast + 4), at 0.005 .. 0.995
    residuals: tuple[float, ...] = field(default=())
    trained_at: str = ""
    #: digest of the tables it learned from, as they stood
    made_from: str = ""
    #: share of the training rows in which each input was known
    known: Mapping[str, float] = field(default_factory=dict)
    #: how its P(over) is drawn towards the quote's: ``slope``, ``median``, ``rows`` and ``dates``; empty withholds it
    chance: Mapping[str, float] = field(default_factory=dict)
    #: dates with landed odds whose lines did not exist when it was trained
    dates_without_lines: int = 0
    #: why it was not put in force; empty when it was
    refused: str = ""

    @property
    def version(self) -> str:
        """How predictions name the model."""
        return f"{self.library}-{self.library_version}/{self.week}/{self.fingerprint[:10]}"

    @property
    def file_name(self) -> str:
        return f"{self.fingerprint}.{self.suffix}"

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str, indent=1, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Card:
        raw = json.loads(text)
        for name in ("week", "trained_from", "trained_through"):
            raw[name] = date.fromisoformat(raw[name])
        return Card(**{**raw, "inputs": tuple(raw["inputs"]), "residuals": tuple(raw["residuals"])})


@dataclass(frozen=True)
class Model:
    """A card and the bytes it describes."""

    card: Card
    artefact: bytes


class TooFewRows(ValueError):
    """There is not enough history before a week to train on."""


def week_of(day: date) -> date:
    """The Monday on or before a date: the key of the model that serves it."""
    return day - timedelta(day.weekday())


def training_start(week: date, seasons: int) -> date:
    """First date that the model of a week learns from: ``seasons`` seasons, its own included."""
    return date(season_year(week) - seasons + 1, 10, 1)


def refusal(trained: Trained, card: Card, day: date) -> str | None:
    """Why the model may not serve the date; null when it may."""
    if card.trained_through >= day:
        return f"MODEL_KNOWS_THE_FUTURE: trained through {card.trained_through}"
    if card.schema_hash != SCHEMA_HASH:
        return f"MODEL_SCHEMA_DIFFERS: trained on features {card.schema_hash}, these are {SCHEMA_HASH}"
    running = trained.learner.version()
    if (card.library, card.library_version) != (trained.learner.library, running):
        return (
            f"MODEL_LIBRARY_DIFFERS: trained by {card.library} {card.library_version}, "
            f"this is {trained.learner.library} {running}"
        )
    if day - card.week > MAX_AGE:
        return f"MODEL_TOO_OLD: of the week of {card.week}, {(day - card.week).days} days before"
    return None


def train(
    trained: Trained,
    frame: pd.DataFrame,
    week: date,
    seasons: int,
    now: datetime,
    incumbent: Card | None = None,
    made_from: str = "",
    dates_without_lines: int = 0,
) -> Model:
    """The model of a week; its card says in ``refused`` when it has not earned its place.

    Args:
        trained: the system.
        frame: result of ``training.frame``; rows of the week and after are ignored.
        week: the Monday it begins on.
        seasons: how many seasons to learn from.
        now: recorded in the card.
        incumbent: the card of the model of the week before.
        made_from: recorded in the card.
        dates_without_lines: recorded in the card.

    Raises:
        TooFewRows: fewer than ``MIN_ROWS`` rows remain.
    """
    rows = eligible(trained, frame, week, seasons)
    if len(rows) < MIN_ROWS:
        raise TooFewRows(f"{len(rows)} games of players before {week}, {MIN_ROWS} are needed")
    inputs, points = rows[list(trained.inputs)], rows["points"].astype("float64")
    learner = trained.learner
    cut = max(1, int(len(rows) * (1 - HOLDOUT)))
    newest = rows["game_date"] >= rows["game_date"].iloc[cut]
    judge = learner.fit(inputs[~newest], points[~newest])
    forecast = np.clip(learner.ask(judge, inputs[newest]), 0, MAX_POINTS)
    residuals = (points[newest] - forecast) / np.sqrt(forecast + _SPREAD_FLOOR)
    quantiles = tuple(round(float(q), 5) for q in np.quantile(residuals, _QUANTILES))
    artefact = learner.fit(inputs, points)
    hashed = pd.util.hash_pandas_object(rows[["player_id", *trained.inputs, "points"]].astype("float64"), index=False)
    chance = _anchor(rows[newest], forecast, quantiles)
    recipe = [trained.system_id, learner.library, learner.version(), SCHEMA_HASH, trained.inputs, learner.parameters]
    recipe.append(chance)  # made from prices, which need not be among the inputs
    substance = json.dumps(recipe, default=dict).encode() + hashed.to_numpy().tobytes()
    card = Card(
        system_id=trained.system_id,
        week=week,
        library=learner.library,
        library_version=learner.version(),
        schema_hash=SCHEMA_HASH,
        inputs=trained.inputs,
        parameters=dict(learner.parameters),
        trained_from=rows["game_date"].iloc[0].date(),
        trained_through=rows["game_date"].iloc[-1].date(),
        rows=len(rows),
        fingerprint=hashlib.blake2b(substance, digest_size=16).hexdigest(),
        sha256=hashlib.sha256(artefact).hexdigest(),
        suffix=learner.suffix,
        metrics=_metrics(rows[newest], forecast),
        importances=dict(sorted(learner.importances(artefact).items(), key=lambda item: -item[1])),
        residuals=quantiles,
        trained_at=now.isoformat(timespec="seconds"),
        made_from=made_from,
        known={n: round(float(v), 4) for n, v in inputs.notna().mean().items()},
        chance=chance,
        dates_without_lines=dates_without_lines,
    )
    return Model(replace(card, refused=why_not(card, incumbent)), artefact)


#: where a model is refused for another reason it is no model at all
WORSE_THAN_INCUMBENT = "WORSE_THAN_THE_MODEL_IN_FORCE"


def why_not(card: Card, incumbent: Card | None) -> str:
    """Why a new model is not put in force; empty when it is.

    It must beat the last-10 average on its own holdout, and must not be worse than the model of the week before by more
    than twice the standard error, where that one could serve. Both are compared by what they gain on the last-10
    average, since each was judged on a holdout of its own; errors of one date belong together.
    """
    own = card.metrics
    if own["holdout_rows"] < JUDGED_ROWS:
        return ""
    if own["holdout_mae"] >= own["holdout_last_10_mae"]:
        return (
            f"WORSE_THAN_LAST_10: MAE {own['holdout_mae']:.3f} on its holdout of {own['holdout_rows']:.0f} rows, "
            f"the last-10 average {own['holdout_last_10_mae']:.3f}"
        )
    if incumbent is None or "holdout_gain_se" not in incumbent.metrics or not _could_go_on(incumbent, card):
        return ""
    gain, known_gain = (m["holdout_last_10_mae"] - m["holdout_mae"] for m in (own, incumbent.metrics))
    noise = 2 * float(np.hypot(own["holdout_gain_se"], incumbent.metrics["holdout_gain_se"]))
    if known_gain - gain > noise:
        return (
            f"{WORSE_THAN_INCUMBENT}: beats the last-10 average by {gain:.3f} points, {incumbent.version} by "
            f"{known_gain:.3f}; noise explains {noise:.3f}"
        )
    return ""


def _could_go_on(incumbent: Card, card: Card) -> bool:
    """Whether the model of the week before could serve the new one's: where it can't, a refusal would leave none."""
    return all(
        getattr(incumbent, name) == getattr(card, name) for name in ("library", "library_version", "schema_hash")
    )


def _anchor(rows: pd.DataFrame, forecast: np.ndarray, residuals: Sequence[float]) -> dict[str, float]:
    """The slope by which the model's P(over) moves the quote's, fitted on held-out rows with a quote.

    logit p = logit p_quote + slope (logit p_model - logit p_quote - median), slope between 0 and 1. Nothing is fitted
    with fewer than ``CHANCE_ROWS`` rows or ``CHANCE_DATES`` dates: P(over) is then withheld.
    """
    from scipy.optimize import minimize_scalar

    line = rows["line"].to_numpy(dtype="float64")
    points = rows["points"].to_numpy(dtype="float64")
    market = market_probability(rows["over_price"], rows["under_price"]).to_numpy()
    used = ~np.isnan(line) & ~np.isnan(market) & (points != line)
    dates = int(rows.loc[used, "game_date"].nunique())
    if used.sum() < CHANCE_ROWS or dates < CHANCE_DATES:
        return {}
    base = logit(market[used])
    gap = logit(over_probability(residuals, forecast[used], line[used])) - base
    median = float(np.median(gap))
    over = points[used] > line[used]

    def loss(slope: float) -> float:
        chance = base + slope * (gap - median)
        return float(np.logaddexp(0, np.where(over, -chance, chance)).mean())

    slope = float(minimize_scalar(loss, bounds=(0, 1), method="bounded", options={"xatol": 1e-4}).x)
    return {"slope": round(slope, 3), "median": round(median, 4), "rows": int(used.sum()), "dates": dates}


def logit(chance: np.ndarray) -> np.ndarray:
    """Log-odds of probabilities, kept away from 0 and 1."""
    safe = np.clip(chance, 1e-6, 1 - 1e-6)
    return np.log(safe / (1 - safe))


def eligible(trained: Trained, frame: pd.DataFrame, week: date, seasons: int) -> pd.DataFrame:
    """The rows a week's model may learn from, in an order that depends on nothing but the rows."""
    before = frame["game_date"] < pd.Timestamp(week)
    recent = frame["game_date"] >= pd.Timestamp(training_start(week, seasons))
    known = frame[list(trained.required)].notna().all(axis=1)
    rows = frame[before & recent & known]
    return rows.sort_values(["game_date", "game_id", "player_id"], kind="stable", ignore_index=True)


def _metrics(rows: pd.DataFrame, forecast: np.ndarray) -> dict[str, float]:
    """Error on held-out rows, beside the last-10 average's and, where there are lines, the line's on the same rows."""
    points = rows["points"].astype("float64").to_numpy()
    line = rows["vegas_points_line"].to_numpy(dtype="float64")
    lined = ~np.isnan(line)
    found = {
        "holdout_rows": len(rows),
        "holdout_mae": np.abs(forecast - points).mean(),
        "holdout_bias": (forecast - points).mean(),
        "holdout_last_10_mae": np.abs(rows["points_avg_last_10"].to_numpy() - points).mean(),
        "holdout_rows_with_line": int(lined.sum()),
        "holdout_gain_se": _clustered_se(
            np.abs(rows["points_avg_last_10"].to_numpy(dtype="float64") - points) - np.abs(forecast - points),
            rows["game_date"],
        ),
    }
    if lined.any():
        found["holdout_mae_with_line"] = np.abs(forecast - points)[lined].mean()
        found["holdout_line_mae"] = np.abs(line - points)[lined].mean()
    return {k: v if isinstance(v, int) else round(float(v), 4) for k, v in found.items()}


def _clustered_se(values: np.ndarray, dates: pd.Series) -> float:
    """Standard error of the mean of values that belong together by date."""
    sums = pd.Series(values - values.mean()).groupby(dates.to_numpy()).sum()
    groups = len(sums)
    return float(np.sqrt((sums**2).sum() * groups / max(groups - 1, 1)) / len(values))


def anchored_probability(
    card: Card, forecast: np.ndarray, line: np.ndarray, over_price: pd.Series, under_price: pd.Series
) -> np.ndarray:
    """P(points > line) given that they are not equal: the quote's, moved by the model as far as it proved right.

    Null without both prices, and for a model that had too few quotes to prove anything: a model's own chance loses to
    a coin (log-loss .70 to .72).
    """
    market = market_probability(over_price, under_price).to_numpy()
    if not card.chance:
        return np.full(len(forecast), np.nan)
    base = logit(market)
    gap = logit(over_probability(card.residuals, forecast, line)) - base
    moved = base + card.chance["slope"] * (gap - card.chance["median"])
    return np.where(np.isnan(market), np.nan, 1 / (1 + np.exp(-moved)))


def over_probability(residuals: Sequence[float], forecast: np.ndarray, line: np.ndarray) -> np.ndarray:
    """A model's own P(points > line) given that they are not equal, from quantiles of its residuals; null without a
    line. Overconfident by itself: see :func:`anchored_probability`."""
    unit = np.sqrt(forecast + _SPREAD_FLOOR)
    whole = np.where(np.mod(line, 1) == 0, 0.5, 0.0)  # a whole line can be hit exactly: leave half a point either side

    def below(bound: np.ndarray) -> np.ndarray:
        return np.interp((bound - forecast) / unit, residuals, _QUANTILES)

    over, under = 1 - below(line + whole), below(line - whole)
    return np.where(np.isnan(line), np.nan, over / (over + under))


def bind(system: System, trained: Trained, models: Mapping[date, Model | str]) -> System:
    """The system with a model, or the reason for having none, for each date it is asked for."""

    def forecast(features: pd.DataFrame, past: pd.DataFrame | None = None) -> pd.DataFrame:
        return _forecast(trained, features, models)

    return replace(system, forecast=forecast)


def _forecast(trained: Trained, features: pd.DataFrame, models: Mapping[date, Model | str]) -> pd.DataFrame:
    days = features["game_date"].dt.date
    chosen = {d: models[d] for d in days.unique()}
    out = pd.DataFrame(index=features.index)
    out["predicted_points"] = np.nan
    out["over_probability"] = np.nan
    out["model_version"] = "none"
    out["reason"] = pd.Series(
        [m if isinstance(m, str) else None for m in (chosen[d] for d in days)], index=features.index, dtype=object
    )
    distinct = {m.card.fingerprint: m for m in chosen.values() if isinstance(m, Model)}
    for fingerprint, model in distinct.items():
        mine = features.index[[_made_by(chosen[d], fingerprint) for d in days]]
        asked = features.loc[mine]
        points = np.clip(trained.learner.ask(model.artefact, asked[list(trained.inputs)]), 0, MAX_POINTS)
        out.loc[mine, "predicted_points"] = points
        out.loc[mine, "over_probability"] = anchored_probability(
            model.card, points, asked["line"].to_numpy("float64"), asked["over_price"], asked["under_price"]
        )
        out.loc[mine, "model_version"] = model.card.version
    line = features["line"].astype("float64")
    bets = (out["predicted_points"] - line).round(9).abs() >= trained.min_edge
    return out.assign(
        confidence_score=legacy_confidence(trained, features).where(out["predicted_points"].notna()),
        side=side_of(out["predicted_points"], line, bets),
        term_model=out["predicted_points"],
    )


def _made_by(model: Model | str, fingerprint: str) -> bool:
    return isinstance(model, Model) and model.card.fingerprint == fingerprint


def legacy_confidence(trained: Trained, features: pd.DataFrame) -> pd.Series:
    """The legacy confidence of the model systems (docs/legacy-systems.md#xgboost_v1), not a probability.

    Quality is the share of inputs that are known, which is what is left of the legacy score once nothing is defaulted.
    """
    quality = 100 * features[list(trained.inputs)].notna().mean(axis=1)
    spread = features["points_std_last_10"].astype("float64")
    bonus = np.where(quality >= 90, 10, np.where(quality >= 80, 7, np.where(quality >= 70, 5, 2)))
    steady = np.where(spread < 4, 10, np.where(spread < 6, 7, np.where(spread < 8, 5, 2)))
    return pd.Series((trained.base_confidence + bonus + steady) / 100, index=features.index).clip(0, 1).round(9)


def system_of(trained: Trained) -> System:
    """The system before a model is bound to it: it abstains everywhere."""

    def unbound(features: pd.DataFrame, past: pd.DataFrame | None = None) -> pd.DataFrame:
        raise ValueError(f"{trained.system_id} has no model: bind one first")

    optional: Sequence[str] = [*dict.fromkeys([*trained.inputs, "points_std_last_10"])]
    return System(
        system_id=trained.system_id,
        model_version="none",
        required=trained.required,
        optional=tuple(n for n in optional if n not in trained.required),
        forecast=unbound,
        trained=trained,
    )
