"""The inputs of predictions: the slate and the players missing from it, history, features."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from nba_props.domain.finding import Finding, Severity
from nba_props.domain.games import PLAYABLE
from nba_props.domain.history import GAMES_FOUND_SQL
from nba_props.domain.quality.daily import Daily, Figures, known
from nba_props.domain.stored import Stored
from nba_props.domain.systems.base import System
from nba_props.facts.calendar import days as dates_between
from nba_props.facts.calendar import look_back_start, season_start
from nba_props.facts.vocabulary import ABSENT, sql_list
from nba_props.schemas.features import (
    EXPECTED,
    EXPECTED_WITH_FEED,
    FEATURES,
    MARKET_FEATURES,
    MARKET_NAMES,
    PLAYER_FEATURES,
)
from nba_props.schemas.raw import BOX_SCORES, SCHEDULE

#: of players reported out or doubtful, the share that may be on no slate
ABSENT_OFF_SLATE_SHARE = 0.3
#: fewest players of a team on a slate
MIN_PLAYERS_PER_TEAM = 8
#: games of the season after which every feature of a player should be known
SETTLED_GAMES = 5


def _judge_absent(f: Figures) -> Finding:
    off_slate = f["absent"] - f["known"]
    # two-way players who have not appeared for the team yet are in the report and on no slate
    ok = off_slate <= max(2, ABSENT_OFF_SLATE_SHARE * f["absent"])
    text = f"{f['absent']} players reported out or doubtful, {off_slate} of them on no slate"
    if off_slate:
        text += f": {f['examples']}"
    return Finding(ok, text if f["absent"] else "no report before the date's tip-offs", known(f), Severity.WARN)


REPORTED_ABSENT = Daily(
    f"""
        WITH reported AS (
          SELECT r.game_date, r.player_lookup, MAX(r.player_name) AS player_name
          FROM nba_raw.injury_reports AS r
          JOIN (
            SELECT game_date, MAX(injury_reported_at) AS newest
            FROM nba_analytics.upcoming_player_game_context WHERE game_date BETWEEN @first AND @last GROUP BY game_date
          ) AS c ON c.game_date = r.game_date AND r.report_at <= c.newest
          WHERE r.game_date BETWEEN @first AND @last AND r.status IN ({sql_list(ABSENT)})
          GROUP BY r.game_date, r.player_lookup
        )
        SELECT r.game_date, COUNT(*) AS absent, COUNT(s.player_lookup) AS known,
          STRING_AGG(CASE WHEN s.player_lookup IS NULL THEN r.player_name END, ', ') AS examples
        FROM reported AS r
        LEFT JOIN (
          SELECT DISTINCT game_date, player_lookup FROM nba_analytics.slate WHERE game_date BETWEEN @first AND @last
        ) AS s ON s.game_date = r.game_date AND s.player_lookup = r.player_lookup
        GROUP BY r.game_date
        """,
    _judge_absent,
    {"absent": 0, "known": 0, "examples": None},
)


def _judge_slate(f: Figures) -> Finding:
    text = (
        f"{f['players']} players in {f['games']} games; {f['thin_sides']} sides with fewer than {MIN_PLAYERS_PER_TEAM}"
    )
    if f["games"] == 0:
        text = "no games on this date"
    if f["teams"]:
        text += f": {f['teams']}"
    return Finding(f["thin_sides"] == 0, text, known(f))


SLATE = Daily(
    f"""
        WITH sides AS (
          SELECT game_date, game_id, home_team_id AS team_id, home_team AS team FROM nba_raw.schedule
          WHERE game_date BETWEEN @first AND @last AND {PLAYABLE}
          UNION ALL
          SELECT game_date, game_id, away_team_id AS team_id, away_team AS team FROM nba_raw.schedule
          WHERE game_date BETWEEN @first AND @last AND {PLAYABLE}
        ),
        counted AS (
          SELECT s.game_date, s.game_id, s.team, COUNT(c.player_id) AS players
          FROM sides AS s
          LEFT JOIN nba_analytics.upcoming_player_game_context AS c
            ON c.game_date = s.game_date AND c.game_id = s.game_id AND c.team_id = s.team_id
              AND c.game_date BETWEEN @first AND @last
          GROUP BY s.game_date, s.game_id, s.team
        )
        SELECT game_date, COUNT(DISTINCT game_id) AS games, SUM(players) AS players,
          SUM(CASE WHEN players < {MIN_PLAYERS_PER_TEAM} THEN 1 ELSE 0 END) AS thin_sides,
          STRING_AGG(CASE WHEN players < {MIN_PLAYERS_PER_TEAM} THEN team END, ', ') AS teams
        FROM counted GROUP BY game_date
        """,
    _judge_slate,
    {"games": 0, "players": 0, "thin_sides": 0, "teams": None},
)


def history_complete(stored: Stored, days: Sequence[date], look_back_days: int, earliest: date) -> dict[date, Finding]:
    """Every date of the season so far has its partitions, and every game scheduled in the look-back has box scores.

    Of last season, into which the look-back of autumn dates reaches, only loaded dates are judged: a deployment that
    starts in November without last season's payloads forecasts from fewer games.

    Args:
        stored: the tables.
        days: the dates to judge, in order.
        look_back_days: days that a look-back reaches.
        earliest: the first date of the deployment.
    """
    reach = {d: max(min(look_back_start(d, look_back_days), season_start(d)), earliest) for d in days}
    games = stored.query(GAMES_FOUND_SQL, first=min(reach.values()), last=days[-1])
    by_day = games.set_index(games["game_date"].dt.date)
    present = set(stored.partitions(SCHEDULE)) & set(stored.partitions(BOX_SCORES))
    found = {}
    for day in days:
        so_far = dates_between(max(season_start(day), earliest), day - timedelta(1))
        absent = [d for d in so_far if d not in present]
        span = by_day[(by_day.index >= reach[day]) & (by_day.index < day)] if len(by_day) else by_day
        thin = span[span["found"] < span["expected"]]
        holes = sorted({*absent, *thin.index})
        figures = {
            "look_back_from": reach[day].isoformat(),
            "dates_expected": len(so_far),
            "dates_missing": len(holes),
            "games_expected": int(span["expected"].sum()),
            "games_missing": int((span["expected"] - span["found"]).sum()),
        }
        text = f"{figures['games_expected']} games since {reach[day]}, none missing"
        if holes:
            text = (
                f"box scores or schedule are missing on {len(holes)} dates before {day}, from {holes[0]} to "
                f"{holes[-1]}: materialize nba_raw/schedule and nba_raw/box_scores for them, then this date again"
            )
        found[day] = Finding(not holes, text, figures)
    return found


#: the reason for a null, by feature
_WHY_NULL = {f.name: f.null_reason for f in FEATURES if f.null_reason}


def inputs_known(systems: Sequence[System]) -> Daily:
    """Every input that a feed delivers is known for some player; inputs that are null for all are listed with systems.

    It warns of inputs that are null for all although their feed delivered: a missing feed has a check of its own, and
    inputs that no feed has, or that are null because of the player, need no repair.
    """
    names = tuple(_WHY_NULL)
    counts = ", ".join(f"COUNT({n}) AS {n}" for n in names)
    needs = {s.system_id: s.needs() for s in systems}
    users = {n: [s for s, its in needs.items() if n in (*its.required, *its.optional)] for n in names}
    sql = f"""
    SELECT game_date, COUNT(*) AS settled, {counts} FROM {PLAYER_FEATURES.address}
    WHERE game_date BETWEEN @first AND @last AND games_season >= {SETTLED_GAMES} GROUP BY game_date
    """
    return Daily(sql, lambda f: _judge_inputs(f, users), {"settled": 0, **dict.fromkeys(names, 0)})


def _judge_inputs(f: Figures, users: dict[str, list[str]]) -> Finding:
    if not f["settled"]:
        return Finding(True, f"no player has {SETTLED_GAMES} games this season", {"players": 0}, Severity.WARN)
    there = {_WHY_NULL[n] for n in EXPECTED_WITH_FEED if f[n]}
    due = [*EXPECTED, *(n for n in EXPECTED_WITH_FEED if _WHY_NULL[n] in there)]
    unknown = [n for n in _WHY_NULL if not f[n] and users[n]]
    dead = [n for n in unknown if n in due]
    figures = {"players": f["settled"], "unknown_to_all": ", ".join(unknown)}
    texts = [
        f"{n} is unknown for all {f['settled']} players: {', '.join(users[n])} did without"
        + ("" if n in due else f" ({_WHY_NULL[n]})")
        for n in sorted(unknown, key=lambda n: n not in due)
    ]
    if not dead:
        texts.insert(0, f"every expected input is known for some of {f['settled']} players")
    return Finding(not dead, "; ".join(texts), figures, Severity.WARN)


_KNOWN_IN_MARKET_SQL = f"""
    SELECT game_date, market, COUNT(*) AS settled, {", ".join(f"COUNT({n}) AS {n}" for n in MARKET_NAMES)}
    FROM {MARKET_FEATURES.address} WHERE game_date BETWEEN @first AND @last AND avg_season IS NOT NULL
    GROUP BY game_date, market ORDER BY game_date, market
"""


def market_inputs_known(stored: Stored, days: Sequence[date]) -> dict[date, Finding]:
    """Every feature of a market is known for some of its quoted players who have played this season."""
    rows = stored.query(_KNOWN_IN_MARKET_SQL, first=days[0], last=days[-1])
    found: dict[date, Finding] = {}
    for day in days:
        today = rows[rows["game_date"].dt.date == day] if len(rows) else rows
        unknown = (
            [f"{n} of {m}" for n in MARKET_NAMES for m in today.loc[today[n] == 0, "market"]] if len(today) else []
        )
        figures = {"markets": len(today), "unknown_to_all": ", ".join(unknown)}
        text = f"unknown for all players: {', '.join(unknown)}: systems did without"
        ok = "no quoted player has played this season" if today.empty else f"all are known in {len(today)} markets"
        found[day] = Finding(not unknown, text if unknown else ok, figures, Severity.WARN)
    return found
