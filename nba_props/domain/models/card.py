"""The card of a stored model: what the model is, which dates it may serve, and whether it is put in force.

A model belongs to a week, which begins on a Monday, and is trained on games of earlier dates only. It is stored in the
library's own portable format beside its card. A model of another library version or other features is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from nba_props.domain.models.learner import Recipe
from nba_props.facts.calendar import season_year
from nba_props.facts.markets import POINTS

#: a model serves its week and the next: it is refused for later dates
MAX_AGE = timedelta(13)
#: fewest held-out rows that a model is judged on
JUDGED_ROWS = 100
#: a model refused for this reason may still serve the week after; one refused for another reason serves no week
WORSE_THAN_INCUMBENT = "WORSE_THAN_THE_MODEL_IN_FORCE"


@dataclass(frozen=True)
class Card:
    """What a stored model is, and its errors on the newest rows before it was trained on them."""

    #: the name of the recipe's models (``learner.model_id``): the system's, with the market unless it is points
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
    #: hash of everything the model is made from: rows, parameters, library, features and ``chance``
    fingerprint: str
    #: hash of the stored file
    sha256: str
    suffix: str
    metrics: Mapping[str, float]
    importances: Mapping[str, float]
    #: quantiles of the held-out residuals (``chance.residual_quantiles``), at 0.005 .. 0.995
    residuals: tuple[float, ...] = field(default=())
    trained_at: str = ""
    #: digest of the tables it was trained on, as of then
    made_from: str = ""
    #: share of the training rows in which each input was known
    known: Mapping[str, float] = field(default_factory=dict)
    #: how far its P(over) moves the quote's: ``slope``, ``median``, ``rows`` and ``dates``; empty for no P(over)
    chance: Mapping[str, float] = field(default_factory=dict)
    #: dates with landed odds that had no lines in the warehouse when it was trained
    dates_without_lines: int = 0
    #: why it was not put in force; empty if it was
    refused: str = ""
    #: the market that it forecasts
    market: str = POINTS
    #: spread of held-out residuals by band of the forecast (``chance.bands``), where no market counts what it forecasts
    bands: tuple[tuple[float, float, float, float], ...] = field(default=())

    @property
    def version(self) -> str:
        """The model's name in predictions."""
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
        return Card(
            **{
                **raw,
                "inputs": tuple(raw["inputs"]),
                "residuals": tuple(raw["residuals"]),
                "bands": tuple(map(tuple, raw.get("bands", ()))),
            }
        )


@dataclass(frozen=True)
class Model:
    """A card and the bytes it describes."""

    card: Card
    artefact: bytes


def week_of(day: date) -> date:
    """The Monday on or before a date: the key of the model that serves it."""
    return day - timedelta(day.weekday())


def training_start(week: date, seasons: int) -> date:
    """First date that the model of a week is trained on: ``seasons`` seasons, the running one included."""
    return date(season_year(week) - seasons + 1, 10, 1)


def refusal(recipe: Recipe, card: Card, day: date) -> str | None:
    """Why the model may not serve the date; None if it may."""
    if card.trained_through >= day:
        return f"MODEL_KNOWS_THE_FUTURE: trained through {card.trained_through}"
    if card.schema_hash != recipe.schema_hash:
        return f"MODEL_SCHEMA_DIFFERS: trained on features {card.schema_hash}, these are {recipe.schema_hash}"
    running = recipe.learner.version()
    if (card.library, card.library_version) != (recipe.learner.library, running):
        return (
            f"MODEL_LIBRARY_DIFFERS: trained by {card.library} {card.library_version}, "
            f"this is {recipe.learner.library} {running}"
        )
    if day - card.week > MAX_AGE:
        return f"MODEL_TOO_OLD: of the week of {card.week}, {(day - card.week).days} days before"
    return None


def why_not(card: Card, incumbent: Card | None) -> str:
    """Why a new model is not put in force; empty if it is.

    It must beat the last-10 average on its own holdout, and must not be worse than the model of the week before, if
    that one could serve, by more than twice the standard error. Models are compared by their gain over the last-10
    average, since each has a holdout of its own; standard errors are clustered by date.
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
            f"{WORSE_THAN_INCUMBENT}: beats the last-10 average by {gain:.3f}, {incumbent.version} by "
            f"{known_gain:.3f}; noise explains {noise:.3f}"
        )
    return ""


def _could_go_on(incumbent: Card, card: Card) -> bool:
    """Whether the model of the week before could serve the new one's week: if not, a refusal would leave no model."""
    return all(
        getattr(incumbent, name) == getattr(card, name) for name in ("library", "library_version", "schema_hash")
    )
