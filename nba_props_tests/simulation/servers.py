"""The feeds' own clients against servers in trouble: too many requests, errors, silence, half an answer; then the answer.

Only the transport is made up. Retries, budget, redaction and landing are the delivered ones.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from nba_props.sources.answers import Answer, Refused
from nba_props.sources.base import Fetched
from nba_props.sources.exchange import Exchange
from nba_props.sources.http import FetchError
from nba_props.sources.nba_stats import capture as stats
from nba_props.sources.nba_stats.client import StatsApi
from nba_props.sources.odds_api import capture as odds
from nba_props.sources.odds_api.client import Budget, OddsApi
from nba_props_tests import league
from nba_props_tests.simulation.world import World
from nba_props_tests.sources.odds_api.test_client import EVENTS, credits

KEY, HOST = "k3y-s3cret", "http://127.0.0.1:9"
#: how often a client asks before it gives up
ATTEMPTS = 4
#: by name, what comes in the place of an answer
TROUBLES: dict[str, Callable[[bytes], Answer | Refused]] = {
    "answer 429": lambda _: Answer(429, {}, b'{"message": "slowly", "error_code": "EXCEEDED_FREQ_LIMIT"}'),
    "answer 500": lambda _: Answer(500, {}, b"{}"),
    "answer 503": lambda _: Answer(503, {}, f"<html>{KEY}</html>".encode()),
    "no answer": lambda _: Refused("NO_ANSWER", "ReadTimeout"),
    "half an answer": lambda whole: Answer(200, {}, whole[: len(whole) // 2]),
}
#: what a server says, by the path and parameters of a request
Say = Callable[[str, dict[str, str]], Any]


class Servers:
    """Servers that are in trouble some times at each path, drawn before anything is asked, since clients have threads."""

    def __init__(self, rng: random.Random, paths: Iterable[str], say: Say) -> None:
        #: the troubles at each path that are still to come
        self.left = {path: rng.choices([*TROUBLES], k=rng.choice([0, 1, 2, 3, 5])) for path in paths}
        self.gives_in = all(len(troubles) < ATTEMPTS for troubles in self.left.values())
        self.met: list[str] = []
        self._say = say

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Inside, every request of this process comes here."""

        def run(exchange: Exchange, _method: str, url: str, parameters: Any, *_: Any) -> None:
            exchange.outcome = self._answer(urlsplit(url).path, dict(parameters))
            exchange.done.set()

        with patch.object(Exchange, "run", run):
            yield

    def _answer(self, path: str, parameters: dict[str, str]) -> Answer | Refused:
        whole = json.dumps(self._say(path, parameters), default=str).encode()
        if not self.left[path]:
            return Answer(200, credits(500), whole)
        self.met.append(self.left[path].pop(0))
        return TROUBLES[self.met[-1]](whole)


def odds_from_the_client(world: World, day: date) -> bool:
    """The client of odds captures the games of a date that have not begun; whether there are any."""
    games = [g for g in world.games if g.day == day and g.tipoff_at > world.now]
    shift = world.rng.choice([-1.0, 0.0, 0.5])
    sent = {g.event_id: _sent(world, g, shift) for g in games}

    def say(path: str, _: dict[str, str]) -> Any:
        if path == EVENTS:
            return [{k: v for k, v in event.items() if k != "bookmakers"} for event in sent.values()]
        return sent[path.split("/")[-2]]

    servers = Servers(world.rng, [EVENTS, *(f"{EVENTS}/{ident}/odds" for ident in sent)], say)
    api = OddsApi(KEY, Budget(), HOST, sleep=lambda _: None)
    _judged(world, servers, len(games), lambda: odds.odds(api, world.platform.zone, day, lambda: world.now, "us"))
    return bool(games)


def _sent(world: World, game: league.Game, shift: float) -> Any:
    minutes = int((game.tipoff_at - world.now).total_seconds() / 60)
    return league.capture(game, minutes, shift)[1]["data"]


def results_from_the_client(world: World, played: list[date]) -> bool:
    """The client of box scores asks for the logs of dates that are over; whether there are any."""
    path = "/stats/leaguegamelog"

    def say(_: str, asked: dict[str, str]) -> Any:
        regular = asked["SeasonType"] == "Regular Season"
        rows = [r for g in world.games if g.day in played and regular for r in league.log_rows(g)]
        return league.log(played[0], rows)

    if not played:
        return False
    servers = Servers(world.rng, [path], say)
    api = StatsApi(base_url=HOST + "/stats/{endpoint}", sleep=lambda _: None)
    zone = world.platform.zone
    _judged(world, servers, len(played), lambda: stats.box_scores(api, zone, played, lambda: world.now, played))
    return True


def _judged(world: World, servers: Servers, wanted: int, fetch: Callable[[], Fetched]) -> None:
    """A client lands what it is sent, gives up only after all its attempts, and then reports it, without the key."""
    with servers.asked():
        try:
            done = fetch()
        except FetchError as error:
            done = Fetched(failures=[str(error)])
    world.happened.update(servers.met)
    world.landed |= set(done.landed)
    got = len(done.landed) + done.present
    if servers.gives_in and (done.failures or got < wanted):
        world.broken.append(f"a client gave up too early: {done.failures}, {got} of {wanted}")
    if got < wanted and not done.failures:
        world.broken.append(f"a client landed {got} of {wanted} and reports nothing")
    if any(KEY in failure for failure in done.failures):
        world.broken.append("a client shows its key")
    world.reported += done.failures


def next_date(world: World) -> date:
    """The date whose odds are asked for: that of the next game, or the last one."""
    return next((g.day for g in world.games if g.tipoff_at > world.now), world.span[-1])
