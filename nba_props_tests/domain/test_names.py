from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_props.domain.names import player_lookup, resolve, team_key, without_suffix

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
        {"game_date": DAY, "game_id": "g1", "source": "ODDS", "source_name": list(spellings), "quotes": 1}
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
        ("Cooper Flagg", "NO_CANDIDATE"),
        ("Walter Clayton Jr.", "BELOW_THRESHOLD"),  # a debutant, called like somebody of long ago but for the suffix
        ("", "NO_CANDIDATE"),
    ],
)
def test_an_ambiguous_name_stays_unresolved(spelling, reason):
    resolved, unresolved = ask(spelling)
    assert resolved.empty
    assert unresolved["reason"].tolist() == [reason]


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


def test_the_odds_feed_and_the_league_name_one_team_differently():
    assert team_key("Los Angeles Clippers") == team_key("LA Clippers")
    assert team_key("Los Angeles Lakers") != team_key("Los Angeles Clippers")
