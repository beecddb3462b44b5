"""What makes a line valid, reason by reason: each claim differs from an honest one in what is named, and in no more."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from nba_props.domain import lines
from nba_props.facts import markets
from nba_props.facts.books import SPORTSBOOKS
from nba_props.schemas.analytics import BETTING_LINES
from nba_props.schemas.predictions import LEDGER_AS_FOUND
from nba_props.schemas.raw import ODDS_QUOTES, SCHEDULE
from nba_props.schemas.reference import RESOLVED_NAMES
from nba_props_tests.domain.test_gate import CUTOFF, DAY, NO_LINE, honest, quotes, resolved
from nba_props_tests.domain.test_lines import game
from nba_props_tests.frames import Frames

SECOND = pd.Timedelta(seconds=1)
NEXT_DAY = DAY + pd.Timedelta(days=1)
LATE = {"cutoff_at": CUTOFF + SECOND}


def said(claim=None, quote=None, name=None, start=None, problem=None):
    """What differs in the claim, in its quote, in how its name was resolved; the start in the schedule; what is found."""
    return claim or {}, quote or {}, name or {}, start, problem


def both(**values: object) -> tuple[dict, dict]:
    return values, values


CASES = {
    "an honest row": said(),
    "a genuine line of 20": said(*both(line=20.0)),
    "a whole number": said(*both(line=22.0)),
    "the lowest line": said(*both(line=0.5)),
    # no source
    "20 from nowhere": said({"line": 20.0, "line_source": None}, problem="PLACEHOLDER_LINE"),
    "15.5 from nowhere": said({"line": 15.5, "line_source": None}, problem="PLACEHOLDER_LINE"),
    "a line from nowhere": said({"line_source": None}, problem="NO_SOURCE"),
    "nothing from nowhere": said({"line": None, "line_source": None}, problem="NO_SOURCE"),
    "20 from a guess": said({"line": 20.0, "line_source": "ESTIMATED"}, problem="PLACEHOLDER_LINE"),
    "a line from a guess": said({"line_source": "ESTIMATED"}, problem="UNKNOWN_SOURCE"),
    "nothing from a guess": said({"line": None, "line_source": "ESTIMATED"}, problem="UNKNOWN_SOURCE"),
    # no line
    "no line": said(NO_LINE),
    "no line and 10": said({**NO_LINE, "line": 10.0}, problem="PLACEHOLDER_LINE"),
    "no line and a line": said({**NO_LINE, "line": 21.5}, problem="CONTRADICTORY_LINE"),
    "no line and its quote": said({**NO_LINE, "quote_id": "q0"}, problem="CONTRADICTORY_LINE"),
    "no line and one": said({**NO_LINE, "has_prop_line": True}, problem="CONTRADICTORY_LINE"),
    "no line, perhaps": said({**NO_LINE, "has_prop_line": None}, problem="CONTRADICTORY_LINE"),
    "no line and a book": said({**NO_LINE, "sportsbook": "fanduel"}, problem="CONTRADICTORY_LINE"),
    "no line and an over": said({**NO_LINE, "over_price": -110}, problem="CONTRADICTORY_LINE"),
    "no line and an under": said({**NO_LINE, "under_price": -110}, problem="CONTRADICTORY_LINE"),
    "no line after the start": said({**NO_LINE, **LATE}, problem="CUTOFF_MISMATCH"),
    "no line and no cut-off": said({**NO_LINE, "cutoff_at": None}),
    "no line until a later start": said({**NO_LINE, **LATE}, start=CUTOFF + SECOND),
    # a line that lacks something
    "a missing line": said({"line": None}, problem="MISSING_LINE"),
    "20 without a quote": said({"line": 20.0, "quote_id": None}, problem="PLACEHOLDER_LINE"),
    "20 with a made-up quote": said({"line": 20.0, "quote_id": "made-up"}, problem="PLACEHOLDER_LINE"),
    "a line without a quote": said({"quote_id": None}, problem="NO_QUOTE"),
    "the quote of another date": said(quote={"game_date": NEXT_DAY}, problem="NO_QUOTE"),
    "a line that is said to be none": said({"has_prop_line": False}, problem="CONTRADICTORY_LINE"),
    "a line, perhaps": said({"has_prop_line": None}, problem="CONTRADICTORY_LINE"),
    "no book": said({"sportsbook": None}, problem="BOOK_MISMATCH"),
    "another book": said({"sportsbook": "fanduel"}, problem="BOOK_MISMATCH"),
    "another sportsbook": said({"sportsbook": SPORTSBOOKS[-1]}, {"bookmaker": SPORTSBOOKS[-1]}),
    "no sportsbook": said({"sportsbook": "prizepicks"}, {"bookmaker": "prizepicks"}, problem="BOOK_NOT_ALLOWED"),
    # somebody else's
    "a name that nobody resolved": said(name={"source_name": "Somebody"}, problem="QUOTE_OF_ANOTHER"),
    "a name of another game": said(name={"game_id": "0022500099"}, problem="QUOTE_OF_ANOTHER"),
    "a name of another feed": said(name={"source": "SIMULATED"}, problem="QUOTE_OF_ANOTHER"),
    "a name of another date": said(name={"game_date": NEXT_DAY}, problem="QUOTE_OF_ANOTHER"),
    "a name of another player": said(name={"player_id": 4242}, problem="QUOTE_OF_ANOTHER"),
    "a name of no player": said(name={"player_id": None}, problem="QUOTE_OF_ANOTHER"),
    "another player": said({"player_id": 4242}, problem="QUOTE_OF_ANOTHER"),
    "another game": said({"game_id": "0022500098"}, problem="QUOTE_OF_ANOTHER"),
    "another market": said({"market": "assists"}, problem="QUOTE_OF_ANOTHER"),
    "no market": said({"market": None}, problem="QUOTE_OF_ANOTHER"),
    "a quote of no market of ours": said(quote={"market": "player_dunks"}, problem="QUOTE_OF_ANOTHER"),
    "an alternate line": said(quote={"market": "player_points_alternate"}),
    "assists by their quote": said({"market": "assists"}, {"market": "player_assists"}),
    # not as quoted
    "20 beside its quote": said({"line": 20.0}, problem="PLACEHOLDER_LINE"),
    "a moved line": said({"line": 22.0}, problem="LINE_MISMATCH"),
    "no over": said({"over_price": None}, problem="PRICE_MISMATCH"),
    "no under": said({"under_price": None}, problem="PRICE_MISMATCH"),
    "no over in the quote": said(quote={"over_price": None}, problem="PRICE_MISMATCH"),
    "no under in the quote": said(quote={"under_price": None}, problem="PRICE_MISMATCH"),
    "no over at all": said(*both(over_price=None), problem="PRICE_MISMATCH"),
    "no under at all": said(*both(under_price=None), problem="PRICE_MISMATCH"),
    "a better over": said({"over_price": 150}, problem="PRICE_MISMATCH"),
    "a better under": said({"under_price": 150}, problem="PRICE_MISMATCH"),
    # not in time
    "no cut-off": said({"cutoff_at": None}, problem="NO_CUTOFF"),
    "a cut-off after the start": said(LATE, problem="CUTOFF_MISMATCH"),
    "a cut-off at the later start of the schedule": said(LATE, start=CUTOFF + SECOND),
    "a cut-off after both starts": said({"cutoff_at": CUTOFF + 2 * SECOND}, start=CUTOFF + SECOND, problem="CUTOFF_MISMATCH"),
    "an earlier start in the schedule": said(start=CUTOFF - pd.Timedelta(hours=1)),
    "a start that nobody knew": said(LATE, {"commence_at": None}),
    "a quote at the cut-off": said(quote={"snapshot_at": CUTOFF}, problem="IN_PLAY_QUOTE"),
    "a quote just before it": said(quote={"snapshot_at": CUTOFF - SECOND}),
    "a quote in play": said(quote={"is_in_play": True}, problem="IN_PLAY_QUOTE"),
    # no line that a book would have
    "between the halves": said(*both(line=21.25), problem="OFF_GRID_LINE"),
    "beside a half": said(*both(line=21.51), problem="OFF_GRID_LINE"),
    "zero": said(*both(line=0.0), problem="OFF_GRID_LINE"),
    "below zero": said(*both(line=-1.5), problem="OFF_GRID_LINE"),
}  # fmt: skip


def frames() -> tuple[pd.DataFrame, dict]:
    """A claim of each case, with the rows that it is judged by; each in a game of its own."""
    n = len(CASES)
    q = quotes(n).assign(
        game_id=[f"00{22500100 + k}" for k in range(n)], bookmaker="draftkings", line=21.5, is_in_play=False,
        snapshot_at=CUTOFF - pd.Timedelta(hours=2),
    )  # fmt: skip
    claims, names = honest(q).assign(quote_id=q["quote_id"]), resolved(q)
    # a game has the same id on another date, to which it may have been moved
    planned = [game("2025-11-07T00:00Z").assign(game_id="0022500100", game_date=NEXT_DAY)]
    for k, (claim, quote, name, start, _) in enumerate(CASES.values()):
        claims, q, names = (_changed(f, k, values) for f, values in ((claims, claim), (q, quote), (names, name)))
        if start is not None:
            planned.append(game(str(start)).assign(game_id=f"00{22500100 + k}"))
    return claims, {ODDS_QUOTES: q, RESOLVED_NAMES: names, SCHEDULE: pd.concat(planned, ignore_index=True)}


def _changed(frame: pd.DataFrame, k: int, values: dict) -> pd.DataFrame:
    for column, value in values.items():
        cells = frame[column].astype(object)
        cells.iloc[k] = value
        frame = frame.assign(**{column: cells})
    return frame


def judged(claims: pd.DataFrame, stored: dict, **more: bool) -> pd.DataFrame:
    lake, days = Frames(), [DAY.date(), NEXT_DAY.date()]
    for table, rows in stored.items():
        lake.put(replace(table, key=()), table.conform(rows), days)
    blank = LEDGER_AS_FOUND.empty().reindex(range(len(claims)))
    ledger = LEDGER_AS_FOUND.conform(blank.assign(**{c: claims[c] for c in claims}))
    lake.put(LEDGER_AS_FOUND, ledger, days)
    sql = lines.claimed_lines_sql(f"(SELECT * FROM {LEDGER_AS_FOUND.address})", **more)
    found = lake.query(sql, **({"first": days[0], "last": days[-1]} if more.get("bounded", True) else {}))
    return found.sort_values("feature_hash", ignore_index=True)


def test_a_placeholder_has_no_quote_or_no_known_source():
    assert set(lines.PLACEHOLDER_REASONS) == {"PLACEHOLDER_LINE", "NO_SOURCE", "UNKNOWN_SOURCE"}


@pytest.mark.parametrize("bounded", [True, False])
def test_each_claim_has_its_problem_and_no_other(bounded):
    claims, stored = frames()
    found = judged(claims.assign(feature_hash=[f"{k:03d}" for k in range(len(claims))]), stored, bounded=bounded)
    problems = dict(
        zip(CASES, found["line_problem"].astype(object).where(found["line_problem"].notna(), None), strict=True)
    )
    assert problems == {name: case[-1] for name, case in CASES.items()}
    assert set(filter(None, problems.values())) == set(lines.LINE_PROBLEMS), "a reason is not shown"


def test_only_the_rows_of_the_dates_are_looked_at():
    """Bounded to the claims' dates, which is all that a warehouse has to read."""
    claims, stored = frames()
    sql = lines.claimed_lines_sql("nba_predictions.ledger")
    assert sql.count("BETWEEN @first AND @last") == 4
    assert "@first" not in lines.claimed_lines_sql("nba_predictions.ledger", bounded=False)
    assert len(claims) == len(judged(claims, stored))


def test_a_market_may_have_sentinels_of_its_own(monkeypatch):
    own = [replace(m, placeholders=(0.5, 7.5)) if m.key in ("steals", "blocks") else m for m in markets.MARKETS]
    monkeypatch.setattr(markets, "MARKETS", tuple(own))
    rows = [
        ("points", 20.0, True), ("points", 7.5, False), ("steals", 7.5, True), ("steals", 0.5, True), ("blocks", 7.5, True),
        ("steals", 20.0, False), (None, 20.0, True), (None, 7.5, False),
    ]  # fmt: skip
    values = " UNION ALL ".join(
        f"SELECT {k} AS n, {f'{m!r}' if m else 'CAST(NULL AS STRING)'} AS market, {line} AS line"
        for k, (m, line, _) in enumerate(rows)
    )
    found = Frames().query(f"SELECT n, {lines._placeholder_sql()} AS is_one FROM ({values}) AS p ORDER BY n")
    assert found["is_one"].tolist() == [is_one for *_, is_one in rows]


def test_the_markets_of_a_date_are_named_once(lake):
    line = BETTING_LINES.empty().reindex(range(3)).assign(game_date=DAY, market=["points", "points", "assists"])
    later = line.tail(1).assign(game_date=NEXT_DAY)
    whole = pd.concat([line, later]).assign(has_prop_line=False, player_id=range(4))
    lake.put(BETTING_LINES, BETTING_LINES.conform(whole), [DAY.date(), NEXT_DAY.date()])
    found = lake.query(lines.MARKETS_SQL, first=DAY.date(), last=DAY.date())
    assert sorted(found["market"]) == ["assists", "points"]


@pytest.mark.parametrize(
    ("asked", "stored", "kept"),
    [
        (["points"], [], "ad"),
        (["points"], [(DAY, "assists")], "abd"),
        (["assists"], [(DAY, "assists"), (NEXT_DAY, "points")], "bde"),
        ([], [(DAY, "points")], "a"),
    ],
)
def test_a_date_keeps_the_markets_that_it_has_beside_those_that_are_asked_for(asked, stored, kept):
    rows = pd.DataFrame(
        [(DAY, "points", "a"), (DAY, "assists", "b"), (DAY, "threes", "c"), (NEXT_DAY, "points", "d"), (NEXT_DAY, "assists", "e")],
        columns=["game_date", "market", "row"],
    )  # fmt: skip
    found = lines.of_markets(rows, asked, pd.DataFrame(stored, columns=["game_date", "market"]))
    assert "".join(found["row"]) == kept
    assert found.index.equals(pd.RangeIndex(len(kept)))
