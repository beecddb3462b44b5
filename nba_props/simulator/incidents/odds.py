"""Incidents of the odds feed: captures that are incomplete, late, damaged, renamed or missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from upath import UPath

from nba_props.facts.calendar import parse_instant
from nba_props.simulator import payloads
from nba_props.simulator.incidents.tools import (
    FREE_DAY,
    NIGHT,
    captures,
    edit_outcomes,
    event_of,
    games_of,
    remove,
    rewrite,
)
from nba_props.sources import odds_api
from nba_props.storage.landing import LandingZone, Payload


def missing(field: str) -> Callable[[LandingZone], str]:
    """Every third outcome of a book comes without the field."""

    def damage(zone: LandingZone) -> str:
        seen = {"n": 0, "cut": 0}

        def change(book: str, outcome: dict[str, Any]) -> None:
            seen["n"] += 1
            if book == "draftkings" and seen["n"] % 3 == 0:
                del outcome[field]
                seen["cut"] += 1

        edit_outcomes(zone, NIGHT, change)
        return f"{seen['cut']} outcomes of draftkings have no {field}"

    return damage


def in_play_latest(zone: LandingZone) -> str:
    """Captures of the last two hours before tip-off are gone, so that in-play ones are the latest."""
    removed = 0
    first_game = games_of(zone, NIGHT)[0]
    only_live = {p.path for p, _ in event_of(zone, NIGHT, first_game)}
    for payload, content in list(captures(zone, NIGHT)):
        before = parse_instant(content["data"]["commence_time"]) - parse_instant(content["timestamp"])
        in_play = before <= timedelta(0)
        if not in_play and (before < timedelta(hours=2) or payload.path in only_live):
            remove(zone, payload)
            removed += 1
    return f"{removed} captures before tip-off are gone; one game has in-play captures only"


def frozen_book(zone: LandingZone) -> str:
    """A book repeats its opening quotes, with their old instants, in every later capture."""
    openings: dict[str, dict[str, Any]] = {}
    for payload, content in captures(zone, NIGHT):
        books = content["data"]["bookmakers"]
        mine = next(b for b in books if b["key"] == "draftkings")
        frozen = openings.setdefault(content["data"]["id"], mine)
        books[books.index(mine)] = frozen
        rewrite(zone, payload, content)
    return "draftkings repeats its opening quotes of the day before in every later capture"


def duplicate_captures(zone: LandingZone) -> str:
    """Every capture is landed again under another name."""
    landed = odds_api.captures(zone, NIGHT)
    for n, payload in enumerate(landed):
        zone.land(f"{_folder(payload)}/again-{n}-{payload.stem}.json.gz", zone.load(payload))
    return f"{len(landed)} captures were delivered twice"


def out_of_order_captures(zone: LandingZone) -> str:
    """Names of captures have no instant and sort in reverse order."""
    landed = list(captures(zone, NIGHT))
    for n, (payload, content) in enumerate(landed):
        rewrite(zone, payload, content, f"{_folder(payload)}/{len(landed) - n:04d}-late-delivery.json.gz")
    return f"{len(landed)} captures have names in reverse order and without an instant"


def _folder(payload: Payload) -> str:
    return payload.path.rpartition("/")[0]


def truncated_json(zone: LandingZone) -> str:
    """Every ninth capture is cut off in the middle."""
    victims = odds_api.captures(zone, NIGHT)[::9]
    for payload in victims:
        place = UPath(zone.root) / payload.path
        data = place.read_bytes()
        place.unlink()
        place.write_bytes(data[: len(data) // 2])
    return f"{len(victims)} captures end in the middle"


def event_id_changes(zone: LandingZone) -> str:
    """The captures of the last two hours give the same events new ids."""
    changed = 0
    for payload, content in list(captures(zone, NIGHT)):
        before = parse_instant(content["data"]["commence_time"]) - parse_instant(content["timestamp"])
        if before < timedelta(hours=2):
            content["data"]["id"] = "f" * 8 + content["data"]["id"][8:]
            rewrite(zone, payload, content, payload.path.replace("/0", "/f", 1))
            changed += 1
    return f"the last {changed} captures have new event ids"


def odds_without_games(zone: LandingZone) -> str:
    """Captures of events on a date without games."""
    landed = list(captures(zone, NIGHT))[:5]
    shift = FREE_DAY - NIGHT
    for payload, content in landed:
        for field in ("commence_time",):
            content["data"][field] = payloads.instant(parse_instant(content["data"][field]) + shift)
        content["timestamp"] = payloads.instant(parse_instant(content["timestamp"]) + shift)
        zone.land(payload.path.replace(NIGHT.isoformat(), FREE_DAY.isoformat(), 1), content)
    return f"{len(landed)} captures of games on {FREE_DAY}, which has none"


def games_without_odds(zone: LandingZone) -> str:
    """No capture of the night."""
    landed = odds_api.captures(zone, NIGHT)
    for payload in landed:
        remove(zone, payload)
    return f"no capture of {NIGHT} was landed ({len(landed)} removed)"
