"""Storage of trained models: files in the library's own format, with a card for each week, in a folder or a bucket.

``<root>/<name>/<week>/<fingerprint>-<sha256>.<suffix>`` holds a model; its name is the system's, followed by the market
unless that is points. Beside it ``card.json`` names the newest
one that beats the last-10 average, and ``refused.json`` has the reason if that one is not in force for its week, or
there is none. A file never changes and the card is written after the model, so that the card always names a complete
model, even if trainings are killed or run at the same time; files of earlier trainings are kept.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from nba_props.domain.models.card import WORSE_THAN_INCUMBENT, Card, Model, refusal, week_of
from nba_props.domain.models.learner import Recipe, model_id
from nba_props.domain.systems import RECIPES, TRAINED
from nba_props.facts.calendar import named_day
from nba_props.process.errors import NbaPropsError
from nba_props.storage.files import TEMPORARY, open_path, replace

if TYPE_CHECKING:
    from upath import UPath

#: begins the reason of a date without a model
NO_MODEL = "NO_MODEL: "
#: the reason if its week was never trained
UNTRAINED = f"{NO_MODEL}none is trained yet"
_LOG = logging.getLogger(__name__)
#: a fingerprint, the file's hash (not in early releases), and a suffix
_MODEL = re.compile(r"[0-9a-f]+(-[0-9a-f]{64})?\.[a-z0-9]+")
_CARD = "card.json"
#: why the newest training of a week has no model in force
_REFUSAL = "refused.json"


class CorruptModel(NbaPropsError):
    """A stored model is not the one its card describes, or can't be read."""


class ModelStore:
    """Models by name (``learner.model_id``) and week under a root folder or bucket URL."""

    def __init__(self, root: str) -> None:
        self.root = root

    @cached_property
    def _path(self) -> UPath:
        return open_path(self.root)

    def put(self, model: Model) -> None:
        """Store a model, in force for its week unless its card was refused: then it may serve the week after."""
        folder = self._path / model.card.system_id / model.card.week.isoformat()
        replace(folder / _file_name(model.card), model.artefact)
        if model.card.refused:
            self._put_refusal(model.card.system_id, model.card.week, model.card.refused, model.card.made_from)
        replace(folder / _CARD, model.card.to_json().encode())
        if not model.card.refused:
            (folder / _REFUSAL).unlink(missing_ok=True)

    def refuse(self, name: str, week: date, reason: str, made_from: str) -> None:
        """Record that the newest training of a week produced no model; an earlier one is withdrawn."""
        self._put_refusal(name, week, reason, made_from)
        (self._path / name / week.isoformat() / _CARD).unlink(missing_ok=True)

    def _put_refusal(self, name: str, week: date, reason: str, made_from: str) -> None:
        record = {"reason": reason, "made_from": made_from}
        replace(self._path / name / week.isoformat() / _REFUSAL, json.dumps(record).encode())

    def refusal(self, name: str, week: date) -> dict[str, str]:
        """``reason`` and ``made_from`` of the newest training of a week, if it produced no model in force; else empty.

        Raises:
            CorruptModel: the record can't be read.
        """
        path = self._path / name / week.isoformat() / _REFUSAL
        try:
            if not path.exists():
                return {}
            record = json.loads(path.read_text())
            return {"reason": str(record["reason"]), "made_from": str(record["made_from"])}
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise CorruptModel(f"{path} can't be read: {error}. {_remedy(name, week)}") from error

    def made_from(self, name: str, week: date) -> str | None:
        """What the newest training of a week was made from, whether or not its model is in force; None without one."""
        try:
            card, refused = self._card_if_any(name, week), self.refusal(name, week)
            if not refused:
                return card.made_from if card else None
            may_serve = refused["reason"].startswith(WORSE_THAN_INCUMBENT)
            # a training that is killed between card and record leaves those of two trainings
            of_one = card is not None and card.made_from == refused["made_from"] if may_serve else card is None
            return refused["made_from"] if of_one else None
        except CorruptModel as error:
            _LOG.warning("%s", error)  # counts as missing: it is trained again
            return None

    def weeks(self, name: str) -> list[date]:
        """The weeks that have a model, in order."""
        place = self._path / name
        if not place.is_dir():
            return []
        named = {day: p for p in place.iterdir() if (day := named_day(p.name))}
        return sorted(day for day, folder in named.items() if (folder / _CARD).is_file())

    def all_weeks(self) -> list[tuple[str, date]]:
        """Name and week of every model, in order."""
        return [(name, week) for name in RECIPES for week in self.weeks(name)]

    def strays(self) -> list[tuple[str, str]]:
        """Files and empty folders under the root that belong to no model, by path, and why: they are never loaded."""
        root = self._path
        if not root.is_dir():
            return []
        files, both = (set(root.fs.find(root.path, withdirs=dirs)) for dirs in (False, True))
        kept = files | (both - files - {path.rpartition("/")[0] for path in both})
        found = {str(path).removeprefix(root.path.rstrip("/")): path for path in kept - {root.path}}
        reasons = ((path, _stray(name.strip("/"), is_file=path in files)) for name, path in sorted(found.items()))
        return [(path, why) for path, why in reasons if why]

    def card(self, name: str, week: date) -> Card:
        """The card of the model that the newest training of a week produced.

        Raises:
            CorruptModel: it can't be read.
        """
        path = self._path / name / week.isoformat() / _CARD
        try:
            card = Card.from_json(path.read_text())
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CorruptModel(f"{path} can't be read: {error}. {_remedy(name, week)}") from error
        if (card.system_id, card.week) != (name, week):
            raise CorruptModel(
                f"{path} is the card of {card.system_id} of {card.week}. {_remedy(name, week)}"
            )  # fmt: skip
        return card

    def incumbent(self, name: str, week: date) -> Card | None:
        """The card of the week before, whose model serves while the week's own is not in force, and against which that
        one is judged; None without a readable one.
        """
        try:
            return self._card_if_any(name, week - timedelta(7))
        except CorruptModel:
            return None

    def in_force(self, name: str, day: date) -> Card | None:
        """The card of the model that serves a date: its week's own, or the week before's if that is not in force."""
        week = week_of(day)
        own = None if self.refusal(name, week) else self._card_if_any(name, week)
        return own or self._card_if_any(name, week - timedelta(7))

    def serving(self, recipe: Recipe, days: Sequence[date]) -> dict[date, Model | str]:
        """For each date the model that serves it, or why it has none.

        Raises:
            CorruptModel: a card, a record or a model's file can't be read, or belongs to another.
        """
        name = model_id(recipe)
        cards = {week: self.in_force(name, week) for week in {week_of(d) for d in days}}
        loaded: dict[str, Model] = {}
        chosen: dict[date, Model | str] = {}
        for day in days:
            card = cards[week_of(day)]
            why = self._why_idle(recipe, card, day)
            if card and not why and card.fingerprint not in loaded:
                loaded[card.fingerprint] = self.load(card)
            chosen[day] = loaded[card.fingerprint] if card and not why else str(why)
        return chosen

    def why_idle(self, recipe: Recipe, day: date) -> str | None:
        """Why no model serves a date; None if one does.

        Raises:
            CorruptModel: a card or a record can't be read.
        """
        return self._why_idle(recipe, self.in_force(model_id(recipe), day), day)

    def _why_idle(self, recipe: Recipe, card: Card | None, day: date) -> str | None:
        if card is not None:
            return refusal(recipe, card, day)
        reason = self.refusal(model_id(recipe), week_of(day)).get("reason")
        return f"{NO_MODEL}{reason}" if reason else UNTRAINED

    def _card_if_any(self, name: str, week: date) -> Card | None:
        return self.card(name, week) if (self._path / name / week.isoformat() / _CARD).is_file() else None

    def load(self, card: Card) -> Model:
        """The model of a card.

        Raises:
            CorruptModel: its file is missing, or not the one that the card describes.
        """
        folder = self._path / card.system_id / card.week.isoformat()
        path, earlier = folder / _file_name(card), folder / card.file_name
        try:
            if not path.exists() and earlier.exists():  # from a release that named models by their inputs alone
                path = earlier
            artefact = path.read_bytes()
        except OSError as error:
            raise CorruptModel(f"{path} can't be read: {error}. {_remedy(card.system_id, card.week)}") from error
        if hashlib.sha256(artefact).hexdigest() != card.sha256:
            raise CorruptModel(f"{path} is not the file its card describes. {_remedy(card.system_id, card.week)}")
        return Model(card, artefact)


def _stray(name: str, *, is_file: bool) -> str:
    """Why a file or folder under the root belongs to no model, by its relative name; empty when it does."""
    system, _, rest = name.partition("/")
    if system not in TRAINED:
        return "is not in the folder of a trained system"
    market, _, below = rest.partition("/")
    if f"{system}/{market}" in RECIPES:
        rest = below
    week, _, file = rest.partition("/")
    if week and named_day(week) is None:
        return "is not in the folder of a week (2026-01-05)"
    if not file and is_file:
        return "is a file in place of a folder"
    if not file or file in (_CARD, _REFUSAL) or _MODEL.fullmatch(file) or file.startswith(TEMPORARY):
        return ""
    return "is not named like a model or its card"


def _file_name(card: Card) -> str:
    return f"{card.fingerprint}-{card.sha256}.{card.suffix}"


def _remedy(name: str, week: date) -> str:
    return f"Materialize nba_models/{name.partition('/')[0]} for {week} again: nba-props train {week}"
