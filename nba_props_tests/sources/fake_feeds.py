"""The Odds API, stats.nba.com and the injury report over the small league and its past seasons, as of a test's clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from nba_props.facts.calendar import EASTERN, game_date_of, season_of
from nba_props.simulator import payloads
from nba_props.sources.injury_report.client import report_instants, url_of
from nba_props_tests import league
from nba_props_tests.sources.fake_server import Answer, FakeServer
from nba_props_tests.sources.injury_report.test_parse import PLACES, pdf
from nba_props_tests.sources.odds_api.test_client import EVENTS, credits

_OVER = timedelta(hours=3)
#: the slot of the players whom the injury report names
OUT = 5


def games_of(season: str) -> list[league.Game]:
    """The small league's games in a season, with ids of the season; of past ones they are the last before May, which the
    look-back of an opening night reaches.
    """
    years = int(league.SEASON[:4]) - int(season[:4])
    back = years * 364 - (145 if years else 0)
    return [
        replace(
            g,
            game_id=f"002{season[2:4]}{g.game_id[5:]}",
            day=(day := g.day - timedelta(back)),
            tipoff_at=league.tipoff(day, g.tipoff_at.astimezone(EASTERN).hour),
        )
        for g in league.games()
    ]


@dataclass
class Feeds:
    """Answers of all feeds at ``now``; ``server.asked`` has what they were asked."""

    server: FakeServer
    now: datetime
    remaining: int = 500

    def open(self) -> None:
        """Answer from here on."""
        on = self.server.on
        on("/stats/leaguegamelog", self.game_log)
        on("/stats/scheduleleaguev2", self.schedule)
        on("/stats/commonallplayers", lambda _: Answer(payloads.rosters(league.SEASON, self.members())))
        on("/stats/boxscorescoringv3", lambda asked: Answer(league.scoring(self.game(asked["GameID"]))))
        on(
            EVENTS,
            lambda asked: Answer([self.listed(g) for g in self.open_games(asked)], headers=credits(self.remaining, 0)),
        )
        for game in games_of(league.SEASON):
            on(f"{EVENTS}/{game.event_id}/odds", lambda asked, game=game: self.odds(game, asked))
        newest = report_instants(self.now)[0]
        on(url_of(newest, ""), Answer(self.report(newest)))

    def environment(self) -> dict[str, str]:
        """What names these servers in the place of the real ones."""
        url = self.server.url
        return {
            "NBA_PROPS_ODDS_URL": url, "NBA_PROPS_STATS_URL": url + "/stats/{endpoint}",
            "NBA_PROPS_CDN_URL": url + "/cdn.json", "NBA_PROPS_INJURY_URL": url,
        }  # fmt: skip

    @property
    def today(self) -> date:
        return game_date_of(self.now)

    def game(self, game_id: str) -> league.Game:
        season = f"20{game_id[3:5]}-{int(game_id[3:5]) + 1}"
        return next(g for g in games_of(season) if g.game_id == game_id)

    def game_log(self, asked: dict[str, str]) -> Answer:
        first, last = (
            datetime.strptime(asked[k], "%m/%d/%Y").replace(tzinfo=UTC).date() for k in ("DateFrom", "DateTo")
        )
        over = [g for g in games_of(asked["Season"]) if first <= g.day <= last and g.tipoff_at + _OVER < self.now]
        regular = over if asked["SeasonType"] == "Regular Season" else []
        rows = [{**r, "SEASON_ID": f"2{asked['Season'][:4]}"} for g in regular for r in league.log_rows(g)]
        return Answer(payloads.game_log(asked["Season"], asked["SeasonType"], first, rows))

    def schedule(self, asked: dict[str, str]) -> Answer:
        content = league.schedule(games_of(asked["Season"]), self.today)
        content["leagueSchedule"]["seasonYear"] = asked["Season"]
        return Answer(content)

    def members(self) -> list[dict[str, Any]]:
        found = [(*league.player(t, slot), t) for t in league.TEAMS for slot in range(league.PLAYERS_PER_TEAM)]
        return [{"player_id": i, "player_name": name, "team_id": t.team_id, "team": t.code} for i, name, t in found]

    def open_games(self, asked: dict[str, str]) -> list[league.Game]:
        season = games_of(season_of(self.today))
        between = asked["commenceTimeFrom"], asked["commenceTimeTo"]
        return [
            g for g in season if between[0] <= payloads.instant(g.tipoff_at) <= between[1] and g.tipoff_at > self.now
        ]

    def report(self, at: datetime) -> bytes:
        """The newest injury report: the last starter of each home team is out."""
        rows = [(40, {"Game Date": f"Injury Report: {at:%m/%d/%y %I:%M %p}"}), (70, {c: c for c in PLACES})]
        for n, game in enumerate(g for g in games_of(season_of(self.today)) if g.day == self.today):
            first, _, last = league.player(game.home, OUT)[1].partition(" ")
            row = {
                "Game Date": f"{game.day:%m/%d/%Y}", "Game Time": f"{game.tipoff_at.astimezone(EASTERN):%I:%M} (ET)",
                "Matchup": f"{game.away.code}@{game.home.code}", "Team": game.home.full,
                "Player Name": f"{last}, {first}", "Current Status": "Out", "Reason": "Illness",
            }  # fmt: skip
            rows.append((95 + 25 * n, row))
        return pdf([*rows, (560, {"Reason": "Page 1 of 1"})])

    def listed(self, game: league.Game) -> dict[str, Any]:
        return {k: v for k, v in league.capture(game, 60)[1]["data"].items() if k != "bookmakers"}

    def odds(self, game: league.Game, asked: dict[str, str]) -> Answer:
        price = len(asked["regions"].split(","))
        self.remaining -= price
        minutes = int((game.tipoff_at - self.now).total_seconds() // 60) + 1
        return Answer(league.capture(game, minutes)[1]["data"], headers=credits(self.remaining, price))
