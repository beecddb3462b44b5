"""The Odds API v4: event odds of players' markets, as a live object or in the historical envelope."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from nba_props.domain.alike import alike
from nba_props.domain.lines import is_off_grid
from nba_props.domain.names import player_lookup
from nba_props.facts.books import book_kind
from nba_props.facts.calendar import game_date_of
from nba_props.facts.digest import digest
from nba_props.facts.markets import Market, by_feed_key, market
from nba_props.facts.vocabulary import DataSource
from nba_props.sources.odds_api.landed import captures
from nba_props.sources.rejects import POSITION, Reject
from nba_props.storage import fields, naming
from nba_props.storage.fields import FieldError
from nba_props.storage.landing import LandingZone, Payload, PayloadError, limited

SOURCE = DataSource.THE_ODDS_API.value
#: no book's odds are longer than 1000 to 1; those of real main lines reach 385
MOST_PRICE = 100_000
#: the market of each of the API's keys
_MARKETS = {feed_key: market(key) for feed_key, key in by_feed_key().items()}
#: the content of a quote, and its instant
_QUOTED = ["bookmaker", "market", "source_name", "line", "over_price", "under_price", "snapshot_at"]
#: captures are taken at most this long before a game begins, and this long after
_EARLIEST, _LATEST = timedelta(60), timedelta(1)


def read_day(zone: LandingZone, day: date) -> tuple[list[dict[str, Any]], list[Reject]]:
    """The quotes of every capture landed for a game date, and what could not be used."""
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for payload in zone.ahead(captures(zone, day)):
        try:
            quotes, refused = parse_event_odds(zone.load(payload), payload, day)
        except PayloadError as error:
            rejects.append(Reject.of(payload, error, day))
            continue
        rows += quotes
        rejects += refused
    source = zone.data_source(SOURCE)
    for row in rows:
        row["data_source"] = source
    return rows, rejects


def not_as_landed(zone: LandingZone, quotes: pd.DataFrame) -> set[str]:
    """The ids of stored quotes that their payload does not have, or has with another player, line or price.

    Args:
        zone: the landing zone that they came from.
        quotes: rows of ``nba_raw.odds_quotes``; each payload that they name is read once.
    """
    landed: list[dict[str, Any]] = []
    for day, mine in quotes.groupby("game_date"):
        named = set(mine["payload"])
        for payload in zone.ahead([p for p in captures(zone, day.date()) if p.path in named]):
            try:
                landed += parse_event_odds(zone.load(payload), payload, day.date())[0]
            except PayloadError:
                continue  # a payload that can't be read confirms no quote
    columns = ["payload", *_QUOTED]
    both = quotes[["quote_id", *columns]].merge(
        pd.DataFrame(landed, columns=["quote_id", *columns]).drop_duplicates(["quote_id", "payload"]),
        on=["quote_id", "payload"], how="left", suffixes=("", "_landed"),
    )  # fmt: skip
    return set(both.loc[~alike(both, _QUOTED, "_landed"), "quote_id"])


def parse_event_odds(content: Any, payload: Payload, day: date) -> tuple[list[dict[str, Any]], list[Reject]]:
    """One event's quotes, one per book, market, player and line, with both prices.

    Raises:
        PayloadError: WRONG_SHAPE, BAD_ID, NO_SNAPSHOT_TIME, BAD_TIME, WRONG_DAY or TOO_LARGE: the payload as a whole is
            unusable.
    """
    event, snapshot_at = _unwrap(content, payload)
    commence_at = _instant(event, payload, "commence_time")
    if game_date_of(commence_at) != day:
        raise PayloadError(
            "WRONG_DAY", f"{payload.path}: the event starts on {game_date_of(commence_at)}, its folder is {day}"
        )
    if not -_LATEST <= commence_at - snapshot_at <= _EARLIEST:
        raise PayloadError("BAD_TIME", f"{payload.path}: captured at {snapshot_at}, of a game at {commence_at}")
    limited(_parts(event["bookmakers"]), payload, "books, markets and outcomes")
    who = _who(event, payload)
    shared = {
        "game_date": day,
        "event_id": who["id"],
        "home_team_name": who["home_team"],
        "away_team_name": who["away_team"],
        "commence_at": commence_at,
        "snapshot_at": snapshot_at,
        "payload": payload.path,
    }
    event_quotes = _EventQuotes(payload, day, shared)
    for i, book in enumerate(event["bookmakers"]):
        event_quotes.add_book(book, f"bookmakers[{i}]")
    return event_quotes.rows, event_quotes.rejects


class _EventQuotes:
    """The quotes of an event, and the parts of its books that are held back."""

    def __init__(self, payload: Payload, day: date, shared: dict[str, Any]) -> None:
        self._payload, self._day, self._shared = payload, day, shared
        self.rows: list[dict[str, Any]] = []
        self.rejects: list[Reject] = []

    def _reject(self, position: str, reason: str, detail: str, raw: Any) -> None:
        path = self._payload.path
        self.rejects.append(Reject(path, position, reason, f"{path}: {detail}", raw, self._day))

    def add_book(self, book: Any, at: str) -> None:
        """Read the markets of a book."""
        try:
            key = fields.name(book if isinstance(book, dict) else {}, "key")
            if not naming.is_id(key):
                raise FieldError("key", key, "not a book's")
        except FieldError as error:
            self._reject(at, "WRONG_SHAPE", f"the book has no key: {error}", book)
            return
        markets = book.get("markets")
        if not isinstance(markets, list) or not any(isinstance(m, dict) and m.get("outcomes") for m in markets):
            self._reject(at, "BOOK_WITHOUT_PRICES", f"{key} has no outcomes", book)
            return
        seen: set[str] = set()
        for j, quoted in enumerate(markets):
            own, place = quoted.get("key") if isinstance(quoted, dict) else None, f"{at}.markets[{j}]"
            if isinstance(own, str) and own in seen:
                self._reject(place, "DUPLICATE_MARKET", f"a second {own} of {key}", quoted)
                continue
            seen |= {own} if isinstance(own, str) else set()
            self._add_market(quoted, key, book, place)

    def _add_market(self, quoted: Any, book_key: str, book: dict[str, Any], at: str) -> None:
        key = quoted.get("key") if isinstance(quoted, dict) else None
        asked = _MARKETS.get(key) if isinstance(key, str) else None
        if asked is None:
            reason = "YES_NO_MARKET" if _is_yes_no(quoted) else "UNKNOWN_MARKET"
            self._reject(at, reason, f"market {fields.shown(key)} of {book_key}", quoted)
            return
        try:
            last_update_at = fields.optional_instant(quoted if quoted.get("last_update") else book, "last_update")
        except FieldError as error:
            self._reject(at, "BAD_TIME", f"{error}, of {book_key}; stored as null", quoted.get("last_update"))
            last_update_at = None
        outcomes = quoted.get("outcomes")
        if not isinstance(outcomes, list):
            self._reject(at, "WRONG_SHAPE", f"outcomes of {book_key} is {fields.shown(outcomes)}, not a list", quoted)
            return
        event_id, snapshot_at = self._shared["event_id"], self._shared["snapshot_at"]
        for (name, line), prices in _pair(outcomes, asked, at, self._reject).items():
            over, under = prices.get("Over"), prices.get("Under")
            self.rows.append(
                {
                    **self._shared,
                    "bookmaker": book_key,
                    "book_kind": book_kind(book_key),
                    "market": key,
                    "source_name": name,
                    "player_lookup": player_lookup(name),
                    "line": line,
                    "over_price": over,
                    "under_price": under,
                    "last_update_at": last_update_at,
                    POSITION: f"{at}, {name} {line}",
                    "quote_id": _quote_id(event_id, book_key, key, name, line, over, under, snapshot_at),
                }
            )


def _is_yes_no(quoted: Any) -> bool:
    """Whether a market's outcomes are Yes and No, such as a double-double's: it has no line."""
    outcomes = quoted.get("outcomes") if isinstance(quoted, dict) else None
    if not isinstance(outcomes, list) or not outcomes:
        return False
    return all(isinstance(o, dict) and o.get("name") in ("Yes", "No") for o in outcomes)


def _who(event: dict[str, Any], payload: Payload) -> dict[str, str]:
    """An event's id and teams."""
    if not naming.is_id(event["id"]):
        raise PayloadError("BAD_ID", f"{payload.path}: the event's id is {fields.shown(event['id'])}, not an id")
    try:
        return {"id": event["id"], **{n: fields.name(event, n) for n in ("home_team", "away_team")}}
    except FieldError as error:
        raise PayloadError("WRONG_SHAPE", f"{payload.path}: {error}") from error


def _parts(books: list[Any]) -> list[Any]:
    """Everything in an event's list of books that becomes a row or is held back."""

    def inside(holders: list[Any], name: str) -> list[Any]:
        lists = [h.get(name) for h in holders if isinstance(h, dict)]
        return [x for found in lists if isinstance(found, list) for x in found]

    markets = inside(books, "markets")
    return [*books, *markets, *inside(markets, "outcomes")]


def _unwrap(content: Any, payload: Payload) -> tuple[dict[str, Any], datetime]:
    if not isinstance(content, dict):
        raise PayloadError("WRONG_SHAPE", f"{payload.path}: an object was expected, not {type(content).__name__}")
    if "data" in content:
        event = content["data"]
        snapshot_at = _instant(content, payload, "timestamp")
    else:
        event = content
        if payload.captured_at is None:
            raise PayloadError("NO_SNAPSHOT_TIME", f"{payload.path}: neither the payload nor its name has an instant")
        snapshot_at = payload.captured_at
    needed = ("id", "commence_time", "home_team", "away_team", "bookmakers")
    missing = [k for k in needed if not isinstance(event, dict) or event.get(k) is None]
    if missing or not isinstance(event["bookmakers"], list):
        raise PayloadError("WRONG_SHAPE", f"{payload.path}: the event lacks {missing or ['a list of bookmakers']}")
    return event, snapshot_at


def _instant(holder: dict[str, Any], payload: Payload, field: str) -> datetime:
    try:
        found = fields.optional_instant(holder, field)
        if found is None:
            raise FieldError(field, holder.get(field), "not an instant")
    except FieldError as error:
        raise PayloadError("BAD_TIME", f"{payload.path}: {error}") from error
    return found


def _pair(outcomes: list[Any], asked: Market, at: str, reject: Any) -> dict[tuple[str, float], dict[str, int]]:
    """Outcomes by player and line, each side's price once; what is malformed is rejected, never set to a number."""
    sides: dict[tuple[str, float], dict[str, int]] = {}
    for k, outcome in enumerate(outcomes):
        position = f"{at}.outcomes[{k}]"
        problem = _outcome_problem(outcome, asked)
        if problem:
            reject(position, *problem, outcome)
            continue
        quoted = sides.setdefault((outcome["description"], float(outcome["point"])), {})
        if outcome["name"] in quoted:
            reject(position, "DUPLICATE_OUTCOME", f"a second {outcome['name']} for the same player and line", outcome)
            continue
        quoted[outcome["name"]] = int(outcome["price"])
    return sides


def _outcome_problem(outcome: Any, asked: Market) -> tuple[str, str] | None:
    if not isinstance(outcome, dict) or outcome.get("name") not in ("Over", "Under"):
        return "WRONG_SHAPE", "an outcome is named Over or Under"
    try:
        player = fields.person(outcome, "description")
    except FieldError as error:
        return "MISSING_PLAYER", f"the outcome names no player: {error}"
    for field in ("point", "price"):
        value = outcome.get(field)
        if value is None:
            return f"MISSING_{field.upper()}", f"{player} has no {field}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"BAD_{field.upper()}", f"{player} has {field} {fields.shown(value)}"
    point, price = outcome["point"], outcome["price"]
    if is_off_grid(point) or point > asked.most_line:
        return "BAD_POINT", f"{player} has line {fields.shown(point)}, not a half point up to {asked.most_line}"
    if not 100 <= abs(price) <= MOST_PRICE or price % 1:
        return "BAD_PRICE", f"{player} has price {fields.shown(price)}, which is not American"
    return None


def _quote_id(*parts: Any) -> str:
    text = "\x1f".join("" if p is None else p.isoformat() if isinstance(p, datetime) else str(p) for p in parts)
    return digest(text)
