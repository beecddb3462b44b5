from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from nba_props.domain.names import is_recent, player_lookup, resolve, team_key, without_suffix, words
from nba_props.schemas.reference import RESOLVED_NAMES, UNRESOLVED_NAMES

DAY = pd.Timestamp("2025-11-05")


@pytest.mark.parametrize(
    ("name", "lookup"),
    [
        ("LeBron James", "lebronjames"),
        ("De'Aaron Fox", "deaaronfox"),
        ("De\u2019Aaron Fox", "deaaronfox"),
        ("Shai Gilgeous-Alexander", "shaigilgeousalexander"),
        ("P.J. Washington", "pjwashington"),
        ("Nikola Jokić", "nikolajokic"),
        ("Luka Dončić", "lukadoncic"),
        ("Robert Williams III", "robertwilliamsiii"),
        ("Jaren Jackson Jr.", "jarenjacksonjr"),
        ("Jaren Jackson Junior", "jarenjacksonjr"),
        ("Nenê", "nene"),
        ("R.J. Barrett", "rjbarrett"),
        ("O'Neale, Royce", "royceoneale"),
        ("Trent Jr., Gary", "garytrentjr"),
        ("Trent, Jr., Gary", "garytrentjr"),
        (" Trent , JR. , Gary ", "garytrentjr"),
        ("Trent, III, Gary", "garytrentiii"),
        ("Trent,, Gary,", "garytrent"),
        ("Ivica Zubac", "ivicazubac"),
        ("Alperen Şengün", "alperensengun"),
        ("Dennis Schröder", "dennisschroder"),
    ],
)
def test_player_lookup(name, lookup):
    assert player_lookup(name) == lookup


@given(st.text(max_size=40))
def test_a_lookup_is_stable_and_plain(text):
    lookup = player_lookup(text)
    assert player_lookup(lookup) == lookup
    assert all(c.isascii() and c.isalnum() for c in lookup)


@given(st.text(alphabet="abcdefgé' -", min_size=1, max_size=20), st.sampled_from(["Jr.", "jr", "III", "Sr", "II"]))
def test_a_suffix_never_changes_the_name_without_it(name, suffix):
    if without_suffix(name):
        assert without_suffix(f"{name} {suffix}") == without_suffix(name)


@pytest.mark.parametrize("suffix", ["Jr.", "Sr", "II", "III", "IV", "V"])
def test_a_suffix_is_known_before_and_after_a_first_name(suffix):
    plain = suffix.lower().rstrip(".")
    assert player_lookup(f"Bagley, {suffix}, Marvin") == f"marvinbagley{plain}"
    assert words(f"Marvin Bagley {suffix}") == ("marvin", "bagley")
    assert words(f"Marvin Bagley {suffix} Jr.") == ("marvin", "bagley")
    assert words(suffix) == (plain,), "a name of nothing but a suffix is one"
    assert words(f" - Marvin . Bagley, {suffix}") == ("marvin", "bagley")


ROSTER = [
    (1, "Nikola Jokić"),
    (2, "Jabari Smith Jr."),
    (3, "Kentavious Caldwell-Pope"),
    (4, "Nic Claxton"),
    (5, "Ronald Holland II"),
    (6, "Bub Carrington"),
    (7, "Jalen Williams"),
    (8, "Jaylin Williams"),
    (9, "Keegan Murray"),
    (10, "Kris Murray"),
    (11, "Dejounte Murray"),
    (12, "Alexandre Sarr"),
    (13, "Giannis Antetokounmpo"),
]
LEAGUE = [(50, "Kevin Durant"), (51, "Marcus Morris"), (52, "Marcus Morris"), (53, "P.J. Washington")]

LONG_AGO = [(90, "Saddiq Bey"), (91, "Walter Clayton"), (92, "Kevin Durant"), (93, "Bol Bol")]


def ask(*spellings, aliases=()):
    names = pd.DataFrame(
        {"game_date": DAY, "game_id": "g1", "source": "ODDS", "source_name": list(spellings), "quotes": 7}
    )
    candidates = pd.DataFrame(
        [(DAY, "g1", i, n) for i, n in ROSTER], columns=["game_date", "game_id", "player_id", "player_name"]
    )
    people = [(DAY, i, n, "2024-25", False) for i, n in ROSTER + LEAGUE] + [
        (DAY, i, n, "2022-23", False) for i, n in LONG_AGO
    ]
    players = pd.DataFrame(people, columns=["game_date", "player_id", "player_name", "last_season", "on_roster"])
    return resolve(names, candidates, players, aliases)


@pytest.mark.parametrize(
    ("spelling", "player_id", "method"),
    [
        ("Nikola Jokić", 1, "EXACT"),
        ("Nikola Jokic", 1, "NORMALISED"),
        ("Jabari Smith", 2, "SUFFIX"),
        ("Jabari Smith II", 2, "SUFFIX"),
        ("Caldwell Pope Kentavious", 3, "REORDERED"),
        ("K. Caldwell-Pope", 3, "INITIAL"),
        ("G. Antetokounmpo", 13, "INITIAL"),
        ("Nicolas Claxton", 4, "ALIAS"),
        ("Ron Holland", 5, "ALIAS"),
        ("Carlton Carrington", 6, "ALIAS"),
        ("Alex Sarr", 12, "ALIAS"),
        ("Jalen Williams", 7, "EXACT"),
        ("Jaylin Williams", 8, "EXACT"),
        ("Murray Dejounte", 11, "REORDERED"),
        ("Kentavius Caldwell-Pope", 3, "FUZZY"),
        ("Giannis Antetokoumpo", 13, "FUZZY"),
        ("Kevin Durant", 50, "LEAGUE"),
        ("PJ Washington Jr.", 53, "LEAGUE"),
        ("Saddiq Bey", 90, "LEAGUE"),  # who missed a whole season is known by his name
        ("Bol, Bol", 93, "LEAGUE"),
    ],
)
def test_hard_names_resolve(spelling, player_id, method):
    resolved, unresolved = ask(spelling)
    assert unresolved.empty
    assert resolved[["player_id", "method"]].values.tolist() == [[player_id, method]]


@pytest.mark.parametrize(
    ("spelling", "reason"),
    [
        ("K. Murray", "AMBIGUOUS"),  # Keegan or Kris
        ("Marcus Morris", "AMBIGUOUS"),  # two in the league
        ("Jaylen Williams", "BELOW_THRESHOLD"),  # Jalen and Jaylin are as close
        ("J. Caldwell-Pope", "BELOW_THRESHOLD"),  # another's initial
        ("Cooper Flagg", "NO_CANDIDATE"),
        ("Walter Clayton Jr.", "BELOW_THRESHOLD"),  # a debutant, called like somebody of long ago but for the suffix
        ("", "NO_CANDIDATE"),
    ],
)
def test_an_ambiguous_name_stays_unresolved(spelling, reason):
    resolved, unresolved = ask(spelling)
    assert resolved.empty
    assert unresolved["reason"].tolist() == [reason]


@given(st.sampled_from(ROSTER), st.lists(st.tuples(st.integers(0, 25), st.sampled_from(["", "x", "aa"])), max_size=6))
def test_a_misspelling_is_taken_for_the_closest_name_if_it_is_close_and_clearly_the_closest(player, slips):
    """At least 88 of 100, and 5 ahead of the second; below 44 nobody is near."""
    spelling = player[1]
    for place, letters in slips:
        spelling = spelling[:place] + letters + spelling[place + 1 :]
    resolved, unresolved = ask(spelling)
    scores = {n: fuzz.token_sort_ratio(" ".join(words(spelling)), " ".join(words(n))) for _, n in ROSTER}
    best, second = sorted(scores.values(), reverse=True)[:2]
    for row in resolved[resolved["method"] == "FUZZY"].itertuples():
        assert (row.score, row.score) == (best, scores[row.player_name])
        assert best >= 88
        assert best - second >= 5
    for row in unresolved[unresolved["reason"] != "AMBIGUOUS"].itertuples():
        assert best < 88 or best - second < 5
        assert row.reason == ("BELOW_THRESHOLD" if best >= 44 else "NO_CANDIDATE")
        assert (row.best_score, row.runner_up_score) == (best, second)
        assert scores[row.best_candidate] == best


@pytest.mark.parametrize(
    ("roster", "spelling", "player_id"),
    [
        (["Keegan Murray"], "Keegae Murry", 1),  # 88 of 100
        (["Isaiah Williams", "Isaiah Williamson"], "Isaiah Wilxiamsx", 1),  # 5.5 more than the second
        (["Jaylin Maxey", "Jalen Maxey"], "Jayn Maxey", 1),  # 5.2 more
        (["Tyrese Maxey", "Tyrese Martin"], "Tyrese Marex", None),  # as close
        (["Tyrese Maxey", "Tyrese Martin"], "Tyrese Martx", None),  # 4.7 more
    ],
)
def test_at_the_limits_of_a_misspelling(roster, spelling, player_id):
    people = pd.DataFrame({"player_id": range(1, len(roster) + 1), "player_name": roster}).assign(
        game_date=DAY, game_id="g"
    )
    names = pd.DataFrame([{"game_date": DAY, "game_id": "g", "source": "O", "source_name": spelling, "quotes": 1}])
    nobody = people.iloc[:0].drop(columns="game_id").assign(last_season=None, on_roster=False)
    resolved, _ = resolve(names, people, nobody)
    assert resolved["player_id"].tolist() == ([player_id] if player_id else [])


def test_what_is_said_of_each_name_fits_its_table():
    resolved, unresolved = ask(
        "Nikola Jokic", "Kentavius Caldwell-Pope", "Kevin Durant", "Jaylen Williams", "K. Murray"
    )
    RESOLVED_NAMES.validate(resolved)
    UNRESOLVED_NAMES.validate(unresolved)
    assert resolved[["source_name", "player_name", "player_lookup", "method"]].to_numpy().tolist() == [
        ["Nikola Jokic", "Nikola Jokić", "nikolajokic", "NORMALISED"],
        ["Kevin Durant", "Kevin Durant", "kevindurant", "LEAGUE"],
        ["Kentavius Caldwell-Pope", "Kentavious Caldwell-Pope", "kentaviouscaldwellpope", "FUZZY"],
    ]
    assert unresolved[["source_name", "player_lookup", "reason"]].to_numpy().tolist() == [
        ["K. Murray", "kmurray", "AMBIGUOUS"],
        ["Jaylen Williams", "jaylenwilliams", "BELOW_THRESHOLD"],
    ]
    assert unresolved["best_candidate"].tolist() == [None, "Jalen Williams"]
    assert set(resolved["quotes"]) | set(unresolved["quotes"]) == {7}


def test_a_name_is_looked_for_in_its_own_game():
    """Two games of a day with a J. Smith each, who are different people; one is on a roster twice."""
    roster = [
        ("g1", 1, "Jabari Smith"),
        ("g1", 1, "Jabari Smith"),
        ("g2", 2, "Jalen Smith"),
        ("g2", 3, "Jabari Walker"),
    ]
    people = pd.DataFrame(roster, columns=["game_id", "player_id", "player_name"]).assign(game_date=DAY)
    asked = [("g1", "J. Smith"), ("g2", "J. Smith"), ("g2", "Jabari Smith"), ("g1", "Jabary Smith")]
    names = pd.DataFrame(asked, columns=["game_id", "source_name"]).assign(game_date=DAY, source="ODDS", quotes=1)
    nobody = people.iloc[:0].drop(columns="game_id").assign(last_season=None, on_roster=False)
    resolved, unresolved = resolve(names, people.drop_duplicates(), nobody)
    assert resolved[["game_id", "source_name", "player_id", "method"]].to_numpy().tolist() == [
        ["g1", "J. Smith", 1, "INITIAL"],
        ["g2", "J. Smith", 2, "INITIAL"],
        ["g1", "Jabary Smith", 1, "FUZZY"],
    ]
    assert unresolved[["game_id", "source_name"]].to_numpy().tolist() == [["g2", "Jabari Smith"]]
    nameless = pd.concat([people, people.head(1).assign(player_id=9, player_name="?")])
    assert resolve(names.iloc[:2], nameless, nobody)[0]["player_id"].tolist() == [1, 2]
    for asked_of, rosters in ((names.head(1), people), (names.head(1).assign(source_name="Jabari Smith Jr."), people)):
        more = [pd.concat([f, f.assign(game_date=DAY + pd.Timedelta(days=1))]) for f in (asked_of, rosters)]
        assert resolve(more[0], more[1], nobody)[0]["player_id"].tolist() == [1, 1]


def test_an_alias_works_both_ways_and_through_a_third_name():
    known = (("Nicolas Claxton", "Nick D. Claxton"), ("The Claw", "Nicolas Claxton"))
    resolved, _ = ask("Nick D. Claxton", "The Claw", "KD", aliases=(*known, ("KD", "Kevin Durant")))
    assert resolved[["player_id", "method"]].to_numpy().tolist() == [[4, "ALIAS"], [4, "ALIAS"], [50, "LEAGUE"]]
    roster = pd.DataFrame({"game_date": [DAY], "game_id": "g1", "player_id": 1, "player_name": "Cam Thomas"})
    names = pd.DataFrame(
        {"game_date": [DAY], "game_id": "g1", "source": "O", "source_name": "Cameron Thomas", "quotes": 1}
    )
    nobody = roster.iloc[:0].drop(columns="game_id").assign(last_season=None, on_roster=False)
    assert resolve(names, roster, nobody)[0]["method"].tolist() == ["ALIAS"]


@pytest.mark.parametrize(
    ("day", "last_season", "on_roster", "recent"),
    [
        ("2025-11-05", "2025-26", False, True),
        ("2025-11-05", "2024-25", False, True),
        ("2025-11-05", "2023-24", False, False),
        ("2025-11-05", "2023-24", True, True),
        ("2025-11-05", None, True, True),
        ("2025-11-05", None, False, False),
        ("2026-02-05", "2024-25", False, True),
        ("2026-11-05", "2024-25", False, False),
    ],
)
def test_who_appeared_in_the_last_season_or_is_on_a_roster_is_recent(day, last_season, on_roster, recent):
    players = pd.DataFrame({"game_date": [pd.Timestamp(day)], "last_season": [last_season], "on_roster": [on_roster]})
    assert is_recent(players).tolist() == [recent]


def test_a_new_alias_resolves_what_was_left():
    assert ask("The Joker")[0].empty
    resolved, unresolved = ask("The Joker", aliases=(("The Joker", "Nikola Jokić"),))
    assert resolved["player_id"].tolist() == [1]
    assert unresolved.empty


@given(
    st.lists(
        st.sampled_from([n for _, n in ROSTER + LEAGUE] + ["Nobody Here", "Nikola Jokic", "K. Murray"]), unique=True
    )
)
def test_no_name_is_dropped_or_doubled(spellings):
    resolved, unresolved = ask(*spellings)
    assert sorted([*resolved["source_name"], *unresolved["source_name"]]) == sorted(spellings)


def test_no_rosters_at_all():
    names = pd.DataFrame({"game_date": [DAY], "game_id": ["g"], "source": ["O"], "source_name": ["A B"], "quotes": [3]})
    nobody = pd.DataFrame({"game_date": pd.Series(dtype="datetime64[ns]"), "game_id": pd.Series(dtype=object),
                           "player_id": pd.Series(dtype="Int64"), "player_name": pd.Series(dtype=object),
                           "last_season": pd.Series(dtype=object), "on_roster": pd.Series(dtype="boolean")})  # fmt: skip
    resolved, unresolved = resolve(names, nobody, nobody.drop(columns="game_id"))
    assert resolved.empty
    assert unresolved["reason"].tolist() == ["NO_CANDIDATE"]
    assert unresolved["best_candidate"].tolist() == [None]


def test_the_odds_feed_and_the_league_name_one_team_differently():
    assert team_key("Los Angeles Clippers") == team_key("LA Clippers")
    assert team_key("Los Angeles Lakers") != team_key("Los Angeles Clippers")
