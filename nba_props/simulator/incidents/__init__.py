"""Every incident the platform must survive, switched on by name over a simulated landing zone.

Each damages the payloads of one night as has happened or may happen in production. The platform's reaction is shown by
``nba_props_tests/simulator/test_incidents.py`` and by ``nba-props demo --incident NAME``.

Belongs here: damage, a module for each kind, and one registry. Not here: the undamaged league (the rest of the
simulator).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from nba_props.simulator.incidents import games, names, odds
from nba_props.simulator.incidents.ledger import second_writer
from nba_props.simulator.incidents.tools import CLOCK_CHANGE, FREE_DAY, NIGHT
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.partitioned import PartitionedWarehouse


@dataclass(frozen=True)
class Incident:
    """A named incident: ``damage`` changes a landing zone, ``afterwards`` a warehouse; both return what they did."""

    description: str
    damage: Callable[[LandingZone], str] | None = None
    #: the date to predict with it
    day: date = NIGHT
    #: applied once the date is published; the date is then run again
    afterwards: Callable[[PartitionedWarehouse], str] | None = None


INCIDENTS: dict[str, Incident] = {
    "second_writer": Incident(
        "a second writer puts 20.0 without a source beside the published rows",
        afterwards=lambda lake: f"{second_writer(lake, [NIGHT])} rows of 20.0 were written past the gate",
    ),
    "missing_point": Incident("outcomes of one book come without their line", odds.missing("point")),
    "missing_price": Incident("outcomes of one book come without their price", odds.missing("price")),
    "in_play_latest": Incident("the latest captures are all in play", odds.in_play_latest),
    "frozen_book": Incident("a book repeats yesterday's quotes in every capture", odds.frozen_book),
    "duplicate_captures": Incident("every capture is delivered twice", odds.duplicate_captures),
    "out_of_order_captures": Incident("captures arrive in the wrong order", odds.out_of_order_captures),
    "truncated_json": Incident("files end in the middle", odds.truncated_json),
    "empty_rowset": Incident("yesterday's game log has no rows, with status 200", games.empty_rowset),
    "event_id_changes": Incident("the odds feed gives its events new ids during the day", odds.event_id_changes),
    "game_moved": Incident("a game moves to another day after it was quoted", games.game_moved),
    "past_midnight": Incident("a game tips off after midnight Eastern", games.past_midnight),
    "clock_change": Incident("a game is played in the hour that clocks repeat", games.clock_change, CLOCK_CHANGE),
    "traded_today": Incident("a player is quoted for a team he never played for", names.traded_today),
    "same_name": Incident("two players in one game have one name", names.same_name),
    "suffix_dropped": Incident("every book drops Jr., II and III", names.suffix_dropped),
    "book_renames_player": Incident("one book uses an unknown name for a star", names.book_renames_player),
    "corrected_box_scores": Incident("yesterday's points are corrected today", games.corrected_box_scores),
    "odds_without_games": Incident("odds arrive for a day without games", odds.odds_without_games, FREE_DAY),
    "games_without_odds": Incident("a game day has no odds at all", odds.games_without_odds),
}


def apply(name: str, zone: LandingZone) -> str:
    """Damage a zone; returns what was done, or that nothing was, for damage after publication.

    Raises:
        KeyError: no incident has this name.
    """
    damage = INCIDENTS[name].damage
    return damage(zone) if damage else "the payloads stay as they are"


__all__ = ["CLOCK_CHANGE", "FREE_DAY", "INCIDENTS", "NIGHT", "Incident", "apply", "second_writer"]
