"""The players with their teams as of a date, and the slate: who may play."""

from __future__ import annotations

import pandas as pd

from nba_props.domain.games import counted, counted_sql, cutoff, playable
from nba_props.facts.calendar import IDENTITY_SEASONS
from nba_props.facts.keys import GAME, PLAYER_DAY
from nba_props.facts.vocabulary import NullReason

#: a player still belongs to the team he last appeared for this many days ago, even across a season's start
ROSTER_DAYS = 30

#: ``nba_reference.players`` for every date with games in @first..@last, from appearances before each date.
#: An appearance is valid from the day after it to the day of the player's next one, so one range join gives each
#: player's last appearance as of every date. One outer join, not a union with an anti-join of the same rows: over some
#: 400 dates DuckDB 1.5 hangs on the latter (its issue 24961).
PLAYERS_SQL = f"""
WITH days AS (
  SELECT game_date AS as_of, MAX(season) AS season,
    -- an undecided start may be the first of the day: then only rosters of the day before count
    COALESCE(MIN(tipoff_at), MIN(CAST(game_date AS TIMESTAMP))) AS first_tipoff_at
  FROM nba_raw.schedule
  -- players quoted for a game that was postponed since have to stay known
  WHERE game_date BETWEEN @first AND @last AND {counted_sql()}
  GROUP BY game_date
),
appearances AS (
  SELECT player_id, player_name, player_lookup, team_id, team, season, game_date,
    LEAD(game_date) OVER (PARTITION BY player_id ORDER BY game_date, game_id) AS next_game_date,
    ROW_NUMBER() OVER (PARTITION BY player_id, season ORDER BY game_date, game_id) AS games
  FROM nba_raw.box_scores
  WHERE game_date >= @identity_from AND game_date < @last AND {counted_sql()}
),
last_seen AS (
  SELECT d.as_of, d.season AS current_season, a.*
  FROM days AS d
  JOIN appearances AS a
    ON a.game_date < d.as_of AND (a.next_game_date IS NULL OR a.next_game_date >= d.as_of)
  WHERE CAST(SUBSTR(a.season, 1, 4) AS INT64) >= CAST(SUBSTR(d.season, 1, 4) AS INT64) - {IDENTITY_SEASONS}
),
openings AS (
  SELECT team_id, season, MIN(game_date) AS opened_on FROM appearances GROUP BY team_id, season
),
landed AS (
  SELECT d.as_of, r.player_id, r.player_name, r.player_lookup, r.team_id, r.team, r.game_date AS rostered_on,
    ROW_NUMBER() OVER (PARTITION BY d.as_of, r.player_id ORDER BY r.captured_at DESC) AS recency
  FROM days AS d
  JOIN nba_raw.rosters AS r
    ON r.game_date <= d.as_of AND r.captured_at < d.first_tipoff_at
  WHERE r.game_date >= @identity_from AND r.game_date <= @last
),
rostered AS (SELECT * FROM landed WHERE recency = 1)
SELECT
  COALESCE(s.as_of, r.as_of) AS game_date,
  COALESCE(s.player_id, r.player_id) AS player_id,
  COALESCE(s.player_name, r.player_name) AS player_name,
  COALESCE(s.player_lookup, r.player_lookup) AS player_lookup,
  CASE WHEN s.player_id IS NULL OR r.rostered_on > s.game_date THEN r.team_id ELSE s.team_id END AS team_id,
  CASE WHEN s.player_id IS NULL OR r.rostered_on > s.game_date THEN r.team ELSE s.team END AS team,
  CASE WHEN s.player_id IS NULL OR r.rostered_on > s.game_date THEN 'ROSTER' ELSE 'LAST_GAME' END AS team_source,
  s.game_date AS last_game_date, s.season AS last_season, COALESCE(s.games, 0) AS games,
  s.player_id IS NULL
    OR COALESCE(r.rostered_on > s.game_date, FALSE)
    OR s.season = s.current_season
    OR s.game_date >= CAST(DATE_SUB(s.as_of, INTERVAL {ROSTER_DAYS} DAY) AS DATE)
    OR (
      (o.opened_on IS NULL OR o.opened_on >= s.as_of)
      AND CAST(SUBSTR(s.season, 1, 4) AS INT64) >= CAST(SUBSTR(s.current_season, 1, 4) AS INT64) - 1
    ) AS on_roster
FROM last_seen AS s
FULL OUTER JOIN rostered AS r ON r.as_of = s.as_of AND r.player_id = s.player_id
LEFT JOIN openings AS o ON o.team_id = s.team_id AND o.season = s.current_season
"""


#: the cut-off of each quoted game of @first..@last by its quotes
FEED_CUTOFFS_SQL = """
SELECT game_date, game_id, MIN(cutoff_at) AS cutoff_at
FROM nba_raw.odds_quotes WHERE game_date BETWEEN @first AND @last
GROUP BY game_date, game_id
"""


def sides(games: pd.DataFrame) -> pd.DataFrame:
    """Two rows per game: each team with its opponent and venue."""
    shared = [*GAME, "season", "season_type", "tipoff_at"]
    frames = []
    for mine, other in (("home", "away"), ("away", "home")):
        frames.append(
            games[shared].assign(
                team_id=games[f"{mine}_team_id"],
                team=games[f"{mine}_team"],
                opponent_team_id=games[f"{other}_team_id"],
                opponent=games[f"{other}_team"],
                is_home=mine == "home",
            )
        )
    return pd.concat(frames, ignore_index=True)


def roster_candidates(schedule: pd.DataFrame, players: pd.DataFrame) -> pd.DataFrame:
    """``game_date, game_id, player_id, player_name`` of everyone on the rosters of each game, played or postponed."""
    games = sides(counted(schedule))[[*GAME, "team_id"]]
    members = players.loc[players["on_roster"].astype(bool), [*PLAYER_DAY, "player_name", "team_id"]]
    return members.merge(games, on=["game_date", "team_id"]).drop(columns="team_id")


def slate(schedule: pd.DataFrame, players: pd.DataFrame, resolved: pd.DataFrame, quotes: pd.DataFrame) -> pd.DataFrame:
    """One row per player who may play on each date.

    Everyone on the two rosters, and everyone quoted. A quote for another game than his roster's means that he changed
    teams: he is then on the slate for the quoted game, with an unknown team unless his last known one plays in it.

    Args:
        schedule: rows of ``nba_raw.schedule``.
        players: rows of ``nba_reference.players``.
        resolved: rows of ``nba_reference.resolved_names``.
        quotes: ``game_date, game_id, cutoff_at`` of their quotes (``FEED_CUTOFFS_SQL``).
    """
    games = sides(playable(schedule))
    known = players[[*PLAYER_DAY, "player_name", "player_lookup", "team_id", "team_source", "on_roster"]]
    mine = resolved[resolved["game_id"].isin(games["game_id"])]  # quotes of a postponed game do not show who plays
    quoted = mine.sort_values("quotes", ascending=False, kind="stable").drop_duplicates(PLAYER_DAY)
    quoted = quoted[["game_id", *PLAYER_DAY]].rename(columns={"game_id": "quoted_game_id"})

    people = known.merge(quoted, on=PLAYER_DAY, how="left", validate="one_to_one")
    people = people[people["on_roster"].astype(bool) | people["quoted_game_id"].notna()]
    placed = people.merge(games, on=["game_date", "team_id"], how="left")
    elsewhere = placed["quoted_game_id"].notna() & (placed["quoted_game_id"] != placed["game_id"])
    at_home = placed[~elsewhere & placed["game_id"].notna()].copy()
    stale = ~at_home["on_roster"].astype(bool)
    at_home["team_source"] = at_home["team_source"].mask(stale, "LAST_SEASON")
    at_home["team_null_reason"] = None

    one_side = games.drop_duplicates("game_id")[[*GAME, "season", "season_type", "tipoff_at"]]
    moved = people.merge(placed.loc[elsewhere, PLAYER_DAY], on=PLAYER_DAY)
    moved = moved.merge(one_side, left_on=["game_date", "quoted_game_id"], right_on=GAME)
    moved = moved.assign(
        team_id=pd.array([pd.NA] * len(moved), dtype="Int64"),
        team=None,
        opponent_team_id=pd.array([pd.NA] * len(moved), dtype="Int64"),
        opponent=None,
        is_home=pd.array([pd.NA] * len(moved), dtype="boolean"),
        team_source=None,
        team_null_reason=NullReason.QUOTED_FOR_A_GAME_OF_OTHER_TEAMS.value,
    )
    rows = [f for f in (at_home, moved) if len(f)] or [at_home]
    out = pd.concat(rows, ignore_index=True)
    out["is_home"] = out["is_home"].astype("boolean")
    out["is_quoted"] = out["quoted_game_id"].notna()
    feed = quotes.groupby(GAME)["cutoff_at"].min().rename("feed_cutoff_at").reset_index()
    out = out.merge(feed, on=GAME, how="left")
    out["cutoff_at"] = cutoff(out["tipoff_at"], out["feed_cutoff_at"])
    return out.drop(columns=["on_roster", "quoted_game_id", "feed_cutoff_at"])
