from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_props.domain import lines, odds
from nba_props.domain.book_lines import book_lines, judged_quotes
from nba_props.domain.lines import betting_lines, chosen_lines
from nba_props.domain.prices import prices
from nba_props.domain.quotes import match_games
from nba_props.facts import markets
from nba_props.facts.books import SPORTSBOOKS, book_kind, in_order
from nba_props.facts.keys import PROP
from nba_props.schemas import analytics, raw, reference

DAY = pd.Timestamp("2025-11-05")
CUTOFF = pd.Timestamp("2025-11-06T00:00Z")


def slate(*players: int, cutoff=CUTOFF) -> pd.DataFrame:
    n = len(players)
    frame = analytics.SLATE.empty().reindex(range(n))
    return analytics.SLATE.conform(
        frame.assign(game_date=DAY, game_id="0022500001", player_id=list(players), player_name="A", player_lookup="a",
                     season="2025-26", season_type="Regular Season", tipoff_at=cutoff, cutoff_at=cutoff, is_quoted=True)
    )  # fmt: skip


def quotes(*rows: tuple) -> pd.DataFrame:
    """Rows of (book, line, over, under, minutes before the cut-off) for player 1."""
    made = []
    for i, (book, line, over, under, minutes, *rest) in enumerate(rows):
        at = CUTOFF - pd.Timedelta(minutes=minutes)
        made.append(
            {"game_date": DAY, "quote_id": f"q{i}", "game_id": "0022500001", "event_id": "e", "bookmaker": book,
             "book_kind": book_kind(book), "market": "player_points", "source_name": f"Player {rest[0] if rest else 1}",
             "player_lookup": "x", "line": line, "over_price": over, "under_price": under, "snapshot_at": at,
             "last_update_at": at, "commence_at": CUTOFF, "cutoff_at": CUTOFF, "minutes_before_game": float(minutes),
             "is_in_play": minutes <= 0, "payload": "p", "data_source": "THE_ODDS_API"}
        )  # fmt: skip
    return raw.ODDS_QUOTES.conform(pd.DataFrame(made)) if made else raw.ODDS_QUOTES.empty()


def resolved(*players: int) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"game_date": DAY, "game_id": "0022500001", "source": "THE_ODDS_API", "source_name": [f"Player {p}" for p in players],
         "player_id": list(players), "player_name": "A", "player_lookup": "a", "method": "EXACT", "score": float("nan"), "quotes": 1}
    )  # fmt: skip
    return reference.RESOLVED_NAMES.conform(frame)


def choose(*rows: tuple, books=SPORTSBOOKS) -> pd.Series:
    out = analytics.BETTING_LINES.validate(betting_lines(slate(1), quotes(*rows), resolved(1), books=books))
    assert len(out) == 1
    return out.iloc[0]


def test_books_are_preferred_in_a_fixed_order():
    line = choose(
        ("bovada", 20.5, -110, -110, 60), ("fanduel", 21.5, -110, -110, 60), ("draftkings", 22.5, -110, -110, 60)
    )
    assert (line["sportsbook"], line["line"], line["books"], line["consensus_line"]) == ("draftkings", 22.5, 3, 21.5)
    assert line["line_range"] == 2.0
    assert line["line_source_api"] == "ODDS_API"


THREE_BOOKS = (
    ("draftkings", 20.5, -110, -110, 60), ("fanduel", 21.5, -105, -115, 60), ("bovada", 22.5, -110, -110, 60),
)  # fmt: skip


@pytest.mark.parametrize(
    ("named", "book"),
    [
        ((), "draftkings"),
        (("draftkings",), "draftkings"),
        (("bovada",), "bovada"),
        (("fanduel", "bovada"), "fanduel"),
        (("wynnbet", "bovada"), "bovada"),
        (("wynnbet",), "draftkings"),
    ],
)
def test_another_order_of_books_chooses_another_line(named, book):
    """Books that quote nobody are passed over; those that are not named follow in the house order."""
    line = choose(*THREE_BOOKS, books=in_order(named))
    (own,) = (row for row in THREE_BOOKS if row[0] == book)
    assert (line["sportsbook"], line["line"], line["over_price"], line["under_price"]) == own[:4]
    assert line[["consensus_line", "books", "line_range"]].tolist() == [21.5, 3, 2.0], "they are of all books"


@pytest.mark.parametrize(
    "unusable", [(20.5, -110, None, 60), (20.5, -110, -110, -5)], ids=["with one side only", "in play"]
)
def test_a_first_book_without_a_usable_line_is_passed_over(unusable):
    line = choose(("bovada", *unusable), ("fanduel", 21.5, -110, -110, 60), books=in_order(["bovada"]))
    assert (line["sportsbook"], line["line"]) == ("fanduel", 21.5)


def test_the_best_price_depends_on_the_order_of_books_in_ties_only():
    rows = [
        ("draftkings", 20.5, -115, -105, 60), ("fanduel", 20.5, 102, -105, 60), ("bovada", 20.5, -120, -110, 60),
    ]  # fmt: skip
    for order, tied in (
        (SPORTSBOOKS, "draftkings"),
        (in_order(["fanduel"]), "fanduel"),
        (in_order(["bovada"]), "draftkings"),
    ):
        line = choose(*rows, books=order)
        assert (line["best_over_price"], line["best_over_book"]) == (102, "fanduel")
        assert (line["best_under_price"], line["best_under_book"]) == (-105, tied)
        priced = prices(book_lines(judged_quotes(slate(1), quotes(*rows), resolved(1))), order)
        assert set(priced["best_over_book"]) == {"fanduel"}
        assert set(priced["best_under_book"]) == {tied}, "prices and lines name the same book"


def test_a_line_is_its_quote_with_where_it_opened_and_what_the_market_says():
    first = ("fanduel", 19.5, -120, 100, 300)
    out = betting_lines(
        slate(1, 2), quotes(first, ("fanduel", 20.5, -115, -105, 60), ("bovada", 22.5, -110, -110, 45)), resolved(1, 2)
    )
    line, none = (analytics.BETTING_LINES.conform(out)[out["player_id"] == n].iloc[0].to_dict() for n in (1, 2))
    assert line == {
        "game_date": DAY, "game_id": "0022500001", "player_id": 1, "player_name": "A", "player_lookup": "a",
        "market": "points", "cutoff_at": CUTOFF, "has_prop_line": True, "line_source": "ACTUAL_PROP",
        "line_source_api": "ODDS_API", "sportsbook": "fanduel", "quote_id": "q1", "line": 20.5, "over_price": -115,
        "under_price": -105, "line_minutes_before_game": 60.0, "quoted_at": CUTOFF - pd.Timedelta(minutes=60),
        "consensus_line": 21.5, "books": 2, "line_range": 2.0, "opening_line": 19.5,
        "opening_at": CUTOFF - pd.Timedelta(minutes=300), "line_movement": 1.0, "best_over_price": -115,
        "best_over_book": "fanduel", "best_under_price": -105, "best_under_book": "fanduel", "no_line_reason": None,
    }  # fmt: skip
    said = {name for name, value in none.items() if not pd.isna(value)}
    assert said == {
        "game_date", "game_id", "player_id", "player_name", "player_lookup", "market", "cutoff_at", "has_prop_line",
        "line_source", "books", "no_line_reason",
    }  # fmt: skip
    assert (none["has_prop_line"], none["line_source"], none["books"]) == (False, "NO_PROP_LINE", 0)
    simulated = quotes(first).assign(data_source="SIMULATED"), resolved(1).assign(source="SIMULATED")
    assert betting_lines(slate(1), *simulated)["line_source_api"].tolist() == ["SIMULATED"]


def test_the_chosen_quote_has_a_price_after_its_book_withdrew_a_side():
    line = choose(
        ("fanduel", 20.5, -105, -115, 60), ("fanduel", 20.5, None, -130, 30), ("bovada", 20.5, -110, -110, 60)
    )
    assert (line["quote_id"], line["best_over_price"], line["best_over_book"]) == ("q0", -105, "fanduel")
    assert (line["best_under_price"], line["best_under_book"]) == (-110, "bovada")


def test_everyone_has_a_row_of_points_and_who_is_quoted_one_of_another_market():
    q = quotes(
        ("fanduel", 20.5, -110, -110, 60), ("fanduel", 5.5, -110, -110, 60, 2), ("fanduel", 6.5, -110, -110, 50, 2)
    )
    q = q.assign(market=["player_points", "player_assists", "player_assists"])
    asked = {
        ("points", "assists"): [(1, "points", 20.5), (2, "points", None), (2, "assists", 6.5)],
        ("assists",): [(2, "assists", 6.5)],
        ("points",): [(1, "points", 20.5), (2, "points", None)],
        None: [(1, "points", 20.5), (2, "points", None), (2, "assists", 6.5)],
    }
    for markets_asked, expected in asked.items():
        out = betting_lines(slate(1, 2), q, resolved(1, 2), markets_asked)
        rows = (
            out[["player_id", "market", "line"]]
            .astype(object)
            .where(out[["player_id", "market", "line"]].notna(), None)
        )
        assert [tuple(r) for r in rows.to_numpy().tolist()] == expected
        assert set(out["player_name"]) == {"A"}


def test_lines_of_many_dates_are_those_of_each_and_their_quotes_are_read_a_week_at_a_time():
    days = [DAY + pd.Timedelta(days=n) for n in range(9)]
    tables = [
        [f.assign(game_date=d) for d in days]
        for f in (slate(1, 2), quotes(("fanduel", 20.5, -110, -110, 60), ("bovada", 5.5, -110, -110, 60, 2)), resolved(1, 2))
    ]  # fmt: skip
    people, q, names = (pd.concat(f, ignore_index=True) for f in tables)
    q.loc[q["source_name"] == "Player 2", "market"] = "player_assists"
    asked = []

    def query(sql, first, last):
        asked.append((first, last))
        return q[q["game_date"].between(pd.Timestamp(first), pd.Timestamp(last))]

    dates = [d.date() for d in days]
    offers, chosen = lines.read_lines(query, people, names, dates, ["points"], ("bovada", "fanduel"))
    assert asked == [(dates[0], dates[6]), (dates[7], dates[8])]
    assert offers["game_date"].tolist() == days
    assert chosen["game_date"].value_counts().to_dict() == dict.fromkeys(days, 2)
    assert chosen["line"].dropna().tolist() == [20.5] * 9
    analytics.BETTING_LINES.validate(chosen)
    analytics.BOOK_LINES.validate(offers)
    _, both = lines.read_lines(query, people, names, dates[:1], ["points", "assists"], ("bovada", "fanduel"))
    assert both["market"].tolist() == ["points", "points", "assists"]
    for table, none in zip(
        (analytics.BOOK_LINES, analytics.BETTING_LINES), lines.read_lines(query, people, names, [], []), strict=True
    ):
        pd.testing.assert_frame_equal(none, table.empty())


BOOKS_OF_A_LEAGUE = ("draftkings", "fanduel", "betmgm", "bovada", "wynnbet")


#: an example has the quotes of four groups of players, and there are a fourth of the examples
GROUPS = 4
A_FEW = settings(max_examples=settings().max_examples // GROUPS)


def quoted(books: list[str], players: int, at_most: int) -> st.SearchStrategy[list[tuple]]:
    """Rows for ``quotes`` about groups of so many players."""
    price = st.one_of(st.none(), st.integers(100, 300), st.integers(-300, -100))
    row = st.tuples(
        st.sampled_from(books), st.integers(1, 80).map(lambda n: n / 2), price, price, st.integers(-60, 600),
        st.integers(1, players),
    ).filter(lambda q: q[2] is not None or q[3] is not None)  # fmt: skip
    groups = st.lists(st.lists(row, max_size=at_most), min_size=GROUPS, max_size=GROUPS)
    return groups.map(lambda found: [(*q[:5], q[5] + n * players) for n, rows in enumerate(found) for q in rows])


@A_FEW
@given(quoted([*BOOKS_OF_A_LEAGUE, "prizepicks"], 2, 15), st.lists(st.sampled_from(SPORTSBOOKS), unique=True))
def test_the_chosen_line_is_the_main_line_of_the_first_book_in_the_order_that_has_one(rows, named):
    everyone = range(1, 2 * GROUPS + 1)
    people, asked, order = slate(*everyone), [markets.market(markets.POINTS)], in_order(named)
    judged = judged_quotes(people, quotes(*rows), resolved(*everyone), asked)
    offers = book_lines(judged)
    out, usual = (chosen_lines(people, judged, offers, asked, books) for books in (order, SPORTSBOOKS))
    assert out["player_id"].tolist() == [*everyone]
    for line in out.itertuples():
        main = offers[offers["is_main"].astype(bool) & (offers["player_id"] == line.player_id)].set_index("bookmaker")
        first = next((book for book in order if book in main.index), None)
        assert line.has_prop_line == (first is not None)
        assert [line.quote_id] == [main.loc[first, "quote_id"]] if first else pd.isna(line.quote_id)
    # what is of all books does not depend on the order, nor does who has a line
    same = [*PROP, "has_prop_line", "no_line_reason", "consensus_line", "books", "line_range"]
    pd.testing.assert_frame_equal(out[same], usual[same])
    equal = (out["quote_id"] == usual["quote_id"]).to_numpy()
    best = ["best_over_price", "best_under_price"]
    pd.testing.assert_frame_equal(out.loc[equal, best], usual.loc[equal, best])


def test_the_main_line_is_the_most_even_two_sided_one():
    line = choose(
        ("draftkings", 18.5, -220, 170, 60), ("draftkings", 21.5, -112, -108, 60), ("draftkings", 24.5, 180, -240, 60),
        ("draftkings", 20.0, -110, None, 60),
    )  # fmt: skip
    assert line["line"] == 21.5


def test_the_last_capture_before_the_cutoff_counts_and_the_first_is_the_opening():
    line = choose(
        ("draftkings", 19.5, -110, -110, 600), ("draftkings", 20.5, -110, -110, 60), ("draftkings", 21.5, -115, -105, 5),
        ("draftkings", 30.5, -110, -110, 0), ("draftkings", 35.5, -110, -110, -40),
    )  # fmt: skip
    assert (line["line"], line["line_minutes_before_game"], line["opening_line"], line["line_movement"]) == (
        21.5,
        5,
        19.5,
        2.0,
    )


def test_best_prices_are_at_the_chosen_line_only():
    line = choose(
        ("draftkings", 20.5, -115, -105, 60), ("fanduel", 20.5, 102, -130, 60), ("bovada", 20.5, -120, -101, 60),
        ("betmgm", 19.5, 200, 200, 60), ("prizepicks", 20.5, 300, 300, 60),
    )  # fmt: skip
    assert (line["best_over_price"], line["best_over_book"]) == (102, "fanduel")
    assert (line["best_under_price"], line["best_under_book"]) == (-101, "bovada")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ((), "NOT_QUOTED"),
        ((("prizepicks", 20.0, -110, -110, 60), ("somebook", 20.5, -110, -110, 60)), "NO_SPORTSBOOK"),
        ((("draftkings", 20.5, -110, -110, -5),), "ONLY_IN_PLAY"),
        ((("draftkings", 20.5, -110, None, 60),), "ONE_SIDED"),
        # the first condition that none of his quotes meets, whatever the others meet
        ((("prizepicks", 20.0, -110, -110, 60), ("draftkings", 20.5, -110, -110, -5)), "ONLY_IN_PLAY"),
        ((("draftkings", 20.5, -110, None, 60), ("draftkings", 20.5, -110, -110, -5)), "ONE_SIDED"),
        ((("draftkings", 20.5, -110, -110, -5), ("fanduel", 20.5, -110, None, 60)), "ONE_SIDED"),
        ((("draftkings", 20.5, -110, -110, -5, 1), ("prizepicks", 20.0, -110, -110, 60, 1)), "ONLY_IN_PLAY"),
    ],
)
def test_no_line_has_a_reason_and_no_number(rows, reason):
    line = choose(*rows)
    assert line["line_source"] == "NO_PROP_LINE"
    assert not line["has_prop_line"]
    assert line["no_line_reason"] == reason
    assert line[["line", "over_price", "under_price", "quote_id", "sportsbook", "consensus_line"]].isna().all()


def test_a_player_whose_quotes_were_stale_has_no_line():
    q = quotes(
        ("draftkings", 20.5, -110, -110, 60), ("fanduel", 20.5, -110, -110, 50), ("prizepicks", 20.5, -110, -110, 50)
    )
    stale = q["snapshot_at"] - pd.Timedelta(hours=6, seconds=1)
    for fresh, reason in ((["prizepicks"], "ONLY_STALE"), (["fanduel", "prizepicks"], None), ([], "ONLY_STALE")):
        seen = q.assign(last_update_at=q["last_update_at"].where(q["bookmaker"].isin(fresh), stale))
        out = betting_lines(slate(1), seen, resolved(1))
        assert out["no_line_reason"].tolist() == [reason]
    just = q.assign(last_update_at=q["snapshot_at"] - pd.Timedelta(hours=6))
    assert betting_lines(slate(1), just, resolved(1))["sportsbook"].tolist() == ["draftkings"]
    mixed = raw.ODDS_QUOTES.conform(
        q.head(2).assign(under_price=[None, -110], last_update_at=[q["snapshot_at"][0], stale[1]])
    )
    assert betting_lines(slate(1), mixed, resolved(1))["no_line_reason"].tolist() == ["ONE_SIDED"]


def test_an_unknown_cutoff_gives_no_line():
    out = betting_lines(slate(1, cutoff=pd.NaT), quotes(("draftkings", 20.5, -110, -110, 60)), resolved(1))
    assert out["no_line_reason"].tolist() == ["NO_CUTOFF"]


@A_FEW
@given(quoted(["draftkings", "fanduel", "betmgm", "bovada", "prizepicks", "nobook"], 3, 25))
def test_a_chosen_line_is_always_a_real_pregame_quote(rows):
    q, everyone = quotes(*rows), range(1, 3 * GROUPS + 1)
    out = betting_lines(slate(*everyone), q, resolved(*everyone))
    assert out["player_id"].tolist() == [*everyone]
    for line in out[out["has_prop_line"].astype(bool)].itertuples():
        quote = q[q["quote_id"] == line.quote_id].iloc[0]
        assert quote["source_name"] == f"Player {line.player_id}"
        assert (quote["line"], quote["over_price"], quote["under_price"]) == (
            line.line,
            line.over_price,
            line.under_price,
        )
        assert quote["book_kind"] == "SPORTSBOOK"
        assert quote["snapshot_at"] < CUTOFF
        for side in ("over", "under"):
            best, own = (
                odds.implied_probability(pd.Series([getattr(line, f"{k}{side}_price")]))[0] for k in ("best_", "")
            )
            assert best <= own
    for line in out[~out["has_prop_line"].astype(bool)].itertuples():
        own = q[(q["source_name"] == f"Player {line.player_id}") & ~q["is_in_play"].astype(bool)]
        two_sided = own[own["over_price"].notna() & own["under_price"].notna() & own["book_kind"].eq("SPORTSBOOK")]
        assert two_sided.empty


def test_a_number_off_the_grid_is_the_same_in_python_and_in_sql(lake):
    numbers = (-0.5, 0.0, 0.25, 0.5, 1.0, 20.5, 20.49)
    values = " UNION ALL ".join(f"SELECT CAST({n} AS FLOAT64) AS line" for n in numbers)
    rows = lake.query(f"SELECT p.line, {lines._OFF_GRID_SQL} AS is_off FROM ({values}) AS p").set_index("line")
    assert rows["is_off"].to_dict() == {n: lines.is_off_grid(n) for n in numbers}


@pytest.mark.parametrize(
    ("price", "probability"), [(-110, 110 / 210), (100, 0.5), (-100, 0.5), (150, 0.4), (-250, 5 / 7)]
)
def test_implied_probability(price, probability):
    assert odds.implied_probability(pd.Series([price]))[0] == pytest.approx(probability)


def game(tipoff: str | None) -> pd.DataFrame:
    row = {
        "game_date": DAY, "game_id": "0022500001", "season": "2025-26", "season_type": "Regular Season",
        "tipoff_at": pd.Timestamp(tipoff) if tipoff else pd.NaT, "status": 1, "is_postponed": False, "home_team_id": 1,
        "home_team": "LAC", "home_team_name": "LA Clippers", "away_team_id": 2, "away_team": "OKC",
        "away_team_name": "Oklahoma City Thunder", "home_score": pd.NA, "away_score": pd.NA, "is_neutral": False,
        "arena": None, "payload": "p", "data_source": "NBA_STATS",
    }  # fmt: skip
    return raw.SCHEDULE.conform(pd.DataFrame([row]))


@pytest.mark.parametrize(
    ("scheduled", "in_play"),
    [("2025-11-06T00:00Z", True), ("2025-11-06T00:30Z", True), ("2025-11-05T23:30Z", True), (None, True)],
)
def test_the_cutoff_is_the_earlier_of_schedule_and_feed(scheduled, in_play):
    parsed = quotes(("draftkings", 20.5, -110, -110, 0)).drop(
        columns=["game_id", "cutoff_at", "minutes_before_game", "is_in_play"]
    )
    parsed = parsed.assign(home_team_name="Los Angeles Clippers", away_team_name="Oklahoma City Thunder")
    matched, unknown = match_games(parsed, game(scheduled))
    assert unknown.empty
    assert matched["is_in_play"].tolist() == [in_play]
    assert matched["cutoff_at"][0] == min(filter(None, [CUTOFF, pd.Timestamp(scheduled) if scheduled else None]))
    raw.ODDS_QUOTES.validate(matched)


def test_a_game_in_no_schedule_is_set_aside_and_not_dropped():
    parsed = quotes(("draftkings", 20.5, -110, -110, 60)).drop(
        columns=["game_id", "cutoff_at", "minutes_before_game", "is_in_play"]
    )
    parsed = parsed.assign(home_team_name="Seattle SuperSonics", away_team_name="Oklahoma City Thunder")
    matched, unknown = match_games(parsed, game("2025-11-06T00:00Z"))
    assert matched.empty
    assert len(unknown) == 1


def parsed_quotes(commence_at: str, *minutes: int) -> pd.DataFrame:
    rows = quotes(*(("draftkings", 20.5, -110, -110, m) for m in minutes)).drop(
        columns=["game_id", "cutoff_at", "minutes_before_game", "is_in_play"]
    )
    return rows.assign(
        home_team_name="Los Angeles Clippers",
        away_team_name="Oklahoma City Thunder",
        commence_at=pd.Timestamp(commence_at),
    )


MIDNIGHT = "2025-11-05T05:00Z"


def test_a_start_to_be_decided_is_used_as_soon_as_it_is_known():
    """Midnight Eastern is not a start: the schedule's counts, or another capture's; if neither has one, no line counts."""
    early = parsed_quotes(MIDNIGHT, 400)
    by_schedule, _ = match_games(early, game("2025-11-06T00:00Z"))
    assert by_schedule["cutoff_at"].tolist() == [pd.Timestamp("2025-11-06T00:00Z")]
    later = parsed_quotes("2025-11-05T23:30Z", 60).assign(quote_id="later")
    by_feed, _ = match_games(pd.concat([early, later]), game(None))
    assert by_feed["cutoff_at"].tolist() == [pd.Timestamp("2025-11-05T23:30Z")] * 2
    assert by_feed["is_in_play"].tolist() == [False, False]
    nobody, _ = match_games(early, game(None))
    assert nobody["is_in_play"].tolist() == [True]
    assert nobody["cutoff_at"].tolist() == [pd.Timestamp(MIDNIGHT)]


def test_quotes_of_games_that_are_not_predicted_are_neither_loaded_nor_held_back():
    pre_season = game("2025-11-06T00:00Z").assign(season_type="Pre Season")
    matched, unknown = match_games(parsed_quotes("2025-11-06T00:00Z", 60), pre_season)
    assert (len(matched), len(unknown)) == (0, 0)


def test_quotes_of_a_postponed_game_stay_its_quotes():
    """Lines that were published before the game was postponed were real, and stay so."""
    parsed, planned = parsed_quotes("2025-11-06T00:00Z", 60), game("2025-11-06T00:00Z")
    before, _ = match_games(parsed, planned)
    after, unknown = match_games(parsed, planned.assign(is_postponed=True))
    assert unknown.empty
    pd.testing.assert_frame_equal(after, before)


def test_a_game_that_is_played_is_preferred_to_a_cancelled_one_of_the_same_teams():
    planned = game("2025-11-06T00:00Z")
    both = pd.concat([planned.assign(is_postponed=True), planned.assign(game_id="0022509999")])
    matched, _ = match_games(parsed_quotes("2025-11-06T00:00Z", 60), both)
    assert matched["game_id"].tolist() == ["0022509999"]
