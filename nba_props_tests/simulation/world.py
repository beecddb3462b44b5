"""The world of a seed: a small league, a clock, what has landed, and what was ever published."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from nba_props.facts.calendar import days
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, LEDGER
from nba_props_tests import league
from nba_props_tests.conftest import DAY, NEXT, Platform

#: the dates that are predicted: two with games, a day off between them
SPAN = days(DAY, NEXT)
GAMES = [game for game in league.games() if game.day in SPAN]
#: the clock begins in the morning of the first date, when nothing of it has landed, and ends after all is played
MORNING, END = league.tipoff(DAY) - timedelta(hours=9), league.tipoff(NEXT) + timedelta(hours=18)


class Killed(BaseException):
    """The process ends at a write."""


@dataclass
class World:
    """A platform whose surroundings a seed decides; ``rng`` is the event's own, so that events can be left out."""

    platform: Platform
    rng: random.Random = field(default_factory=random.Random)
    #: every row that was ever published, by id, with its digest
    published: dict[str, str] = field(default_factory=dict)
    #: ids of the rows that another writer forged
    forged: set[str] = field(default_factory=set)
    #: how often each event took place
    happened: Counter[str] = field(default_factory=Counter)
    #: the sensors' cursors
    seen: dict[str, dict[str, str]] = field(default_factory=dict)
    #: checks and runs that failed
    reported: list[str] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.platform.now

    def pass_time(self, minutes: float) -> None:
        """The clock never goes back, nor beyond the end."""
        self.platform.now = min(self.platform.now + timedelta(minutes=minutes), END)

    def land(self, path: str, content: Any) -> None:
        """Land a payload, or bytes that no feed should send; a payload that is there is never changed."""
        file = self.platform.zone._path / path
        if file.exists():
            return
        if not isinstance(content, bytes):
            self.platform.zone.land(path, content)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def run(self, job: str, first: Any, last: Any = None, select: Any = None) -> None:
        """Run a job as a sensor or a person asks for it; what it reports is kept."""
        outcome = self.platform.run(job, first, last, select)
        self.reported += [] if outcome.success else [f"{job} of {first} failed"]
        self.reported += [f"{asset} {name}" for asset, name, *_ in outcome.failed_checks]

    @contextmanager
    def killed_at(self, write: int) -> Iterator[None]:
        """The process is killed as it begins its n-th replacement of partitions, if it comes to that many."""
        lake, left = type(self.platform.warehouse), [write]
        plain = lake._replace

        def dying(warehouse: Any, *given: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return plain(warehouse, *given, **named)

        lake._replace = dying
        try:
            yield
        except Killed:
            self.happened["killed"] += 1
        finally:
            lake._replace = plain
            # another process has no memory of this one
            self.platform.rebuild()

    def rows(self, table: Any = LEDGER) -> Any:
        return self.platform.warehouse.read(table, self.platform.warehouse.partitions(table))

    def remember(self) -> None:
        """Note what is published by now."""
        for table in (LEDGER, ARCHIVED_PREDICTIONS):
            rows = self.rows(table)
            for ident, digest in zip(rows["prediction_id"], rows["row_digest"], strict=True):
                if ident not in self.forged:
                    self.published.setdefault(str(ident), str(digest))


def empty(platform: Platform) -> None:
    """Take the payloads of ``SPAN`` out of a landed league: they land when the seed says so."""
    for game in GAMES:
        for minutes in (420, 30, -30):
            (platform.zone._path / league.capture(game, minutes)[0]).unlink(missing_ok=True)
    for day in SPAN:
        (platform.zone._path / league.log_path(day)).unlink(missing_ok=True)
    platform.now = MORNING
