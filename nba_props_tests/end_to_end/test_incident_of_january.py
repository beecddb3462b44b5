"""Phases 2 to 4 of the old team's repair as one story: 24,033 rows of 20.0 over 53 dates, and the way back.

What happened then: docs/legacy-systems.md. ``docs/runbooks/bad-rows.md`` is the same story as commands.
"""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pandas as pd
import pandas.testing as pdt
import pytest

from nba_props.automation import planning
from nba_props.automation.jobs import RELINE_JOB
from nba_props.domain import quality
from nba_props.domain.finding import Finding
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts.calendar import days as dates_between
from nba_props.operations import ledger, remediation
from nba_props.operations.selection import Selection
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, LEDGER
from nba_props.simulator.incidents import second_writer
from nba_props_tests import league
from nba_props_tests.conftest import Platform, open_platform

pytestmark = [pytest.mark.slow, pytest.mark.long]

FIRST, LAST = date(2025, 11, 19), date(2026, 1, 10)
SPAN = dates_between(FIRST, LAST)
BAD_ROWS = 24_033
SYSTEMS = ("moving_average", "zone_matchup_v1", "shrunk_rate_v1")
#: odds that the capture missed and the history endpoint delivers later
LATE = [date(2025, 11, 30), date(2025, 12, 10), date(2026, 1, 7)]


@pytest.fixture
def platform(tmp_path):
    with dg.DagsterInstance.ephemeral() as instance:
        made = open_platform(tmp_path / "platform", instance, now=league.tipoff(LAST) + timedelta(days=2))
        league.land(made.zone, days=84)
        assert made.ingest(league.FIRST, FIRST - timedelta(1)).success
        yield made


class Story:
    """The platform with the accounts that must add up at every step."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.warehouse = platform.warehouse
        #: every prediction that was ever in the ledger
        self.published: set[str] = set()

    def ledger(self) -> pd.DataFrame:
        rows = self.warehouse.read(LEDGER, self.warehouse.partitions(LEDGER))
        return rows.sort_values("prediction_id", ignore_index=True)

    def account(self) -> tuple[int, int]:
        """Rows in the ledger and rows that are in the archive alone; nothing is lost and nothing is there twice."""
        ledger = self.ledger()["prediction_id"]
        archive = self.warehouse.read(ARCHIVED_PREDICTIONS, self.warehouse.partitions(ARCHIVED_PREDICTIONS))
        assert ledger.is_unique
        self.published |= set(ledger)
        out = set(archive["prediction_id"]) - set(ledger)
        assert len(ledger) + len(out) == len(self.published), "a row is lost"
        return len(ledger), len(out)

    def current(self) -> pd.DataFrame:
        return self.platform.query(
            "SELECT game_date, player_id, system_id, line, prediction_id FROM nba_predictions.current_predictions "
            "ORDER BY game_date, system_id, player_id"
        )

    def select(self, *names: str) -> list[dg.AssetKey]:
        return planning.resolve(self.platform.definitions, names)

    def grade(self) -> None:
        """What every remediation command does afterwards."""
        keys = [k for k in self.select(*SYSTEMS) if k.path[-1] in ("prediction_accuracy", "grade_history")]
        self.platform.materialize(FIRST, LAST, keys, "grade")

    def finding(self, name: str) -> Finding:
        published = quality.Published(self.warehouse.query, SYSTEMS, FIRST, LAST)
        return quality.VALIDATION[name](published, FIRST, LAST)


def test_24033_rows_are_removed_regenerated_rolled_back_and_restored(platform, tmp_path):
    story = Story(platform)
    aside = tmp_path / "not-yet-delivered"
    captures = Path(platform.zone.root) / "the_odds_api" / "player_points"
    aside.mkdir()
    for day in LATE:
        shutil.move(captures / str(day), aside)

    # the season as it was published: 27 game dates of 36 players
    upstream = [
        k
        for k in platform.definitions.resolve_asset_graph().materializable_asset_keys
        if k.path[0] in ("nba_raw", "nba_reference", "nba_analytics")
    ]
    whole = sorted({*upstream, *story.select("player_features", *SYSTEMS)})
    platform.materialize(FIRST, LAST, whole)
    honest = story.ledger()
    game_days = honest["game_date"].nunique()
    assert len(honest) == game_days * 36 * len(SYSTEMS)
    assert story.account() == (len(honest), 0)

    # the incident
    assert second_writer(platform.warehouse, SPAN, BAD_ROWS) == BAD_ROWS
    assert story.account() == (len(honest) + BAD_ROWS, 0)
    story.grade()
    assert not story.finding("validation_no_placeholders").passed
    alerts = platform.query("SELECT COUNT(*) AS n FROM nba_monitoring.placeholder_alerts WHERE severity = 'CRITICAL'")
    assert alerts["n"][0] == game_days

    # phase 2: quarantined, with a backup
    batch = remediation.quarantine(platform.warehouse, Selection("placeholder", FIRST, LAST), platform.now)
    assert batch.total == BAD_ROWS
    assert batch.rows["rows"].sum() == BAD_ROWS
    assert story.account() == (len(honest), BAD_ROWS)
    pdt.assert_frame_equal(story.ledger(), honest)
    story.grade()
    assert story.finding("validation_no_placeholders").passed

    # phase 3: the missing lines arrive, are chosen, and what changes is published as new rows
    for day in LATE:
        shutil.move(aside / str(day), captures)
        for landed in (captures / str(day)).iterdir():
            landed.touch()
    quotes = story.select("odds_quotes", "resolved_names")
    asked = planning.pending(platform.definitions, platform.inputs, quotes, SPAN)
    assert asked == LATE, "only the dates whose odds are new"
    platform.now += timedelta(minutes=5)
    for day in asked:
        assert platform.run("predict", day, select=quotes).success
    changed = [k for k in whole if k.path[-1] not in ("schedule", "box_scores")]
    reline = platform.definitions.resolve_job_def(RELINE_JOB)
    relined = platform.run(RELINE_JOB, FIRST, LAST, sorted(set(changed) & reline.asset_layer.executable_asset_keys))
    assert relined.success
    after_lines = story.ledger()
    quoted = len(LATE) * 24 * len(SYSTEMS)
    assert story.account() == (len(honest) + quoted, BAD_ROWS)
    current = story.current()
    assert len(current) == len(honest), "one current row for each player and system"
    assert current[current["game_date"].isin(pd.to_datetime(LATE))]["line"].notna().sum() == quoted
    assert story.finding("validation_lines_are_real").passed

    # phase 4: one system is regenerated; the others' rows do not change by a bit
    others = {
        system: [platform.warehouse._file(SYSTEM_TABLES[system], d).read_bytes() for d in SPAN]
        for system in SYSTEMS
        if system != "moving_average"
    }
    of_system = Selection("system", FIRST, LAST, system_id="moving_average")
    taken = remediation.quarantine(platform.warehouse, of_system, platform.now)
    assert story.account() == (len(after_lines) - taken.total, BAD_ROWS + taken.total)
    platform.now += timedelta(minutes=5)
    regenerated = platform.run("predict", FIRST, LAST, story.select("moving_average"))
    assert regenerated.success
    mine = game_days * 36
    again = taken.total - mine  # the rows that had been superseded stay in the archive
    assert story.account() == (len(after_lines) - again, BAD_ROWS + again)
    for system, content in others.items():
        assert [platform.warehouse._file(SYSTEM_TABLES[system], d).read_bytes() for d in SPAN] == content
    before, after = (
        f[f["system_id"] != "moving_average"].reset_index(drop=True) for f in (after_lines, story.ledger())
    )
    pdt.assert_frame_equal(before, after)
    assert all(story.finding(n).passed for n in ("validation_no_placeholders", "validation_lines_are_real"))
    assert story.current()[["game_date", "player_id", "system_id", "line"]].equals(
        current[["game_date", "player_id", "system_id", "line"]]
    )

    # and back: the run is rolled back, then what it had replaced is restored
    assert ledger.latest_run(platform.warehouse) == regenerated.run_id
    rolled = remediation.rollback(platform.warehouse, regenerated.run_id, platform.now)
    assert rolled.total == mine
    assert story.account() == (len(after_lines) - taken.total, BAD_ROWS + taken.total)
    platform.now += timedelta(minutes=5)
    back = remediation.restore(platform.warehouse, taken.batch_id, platform.now)
    assert back.total == taken.total
    assert story.account() == (len(after_lines), BAD_ROWS)
    pdt.assert_frame_equal(story.ledger(), after_lines)
    pdt.assert_frame_equal(story.current(), current)

    # the bad rows themselves could come back too: nothing was deleted
    assert remediation.restore(platform.warehouse, batch.batch_id, platform.now, dry_run=True).total == BAD_ROWS
    listed = ledger.batches(platform.warehouse).set_index("batch_id")
    assert listed.loc[batch.batch_id, ["archived", "in_the_ledger"]].tolist() == [BAD_ROWS, 0]
    assert listed.loc[taken.batch_id, ["archived", "in_the_ledger"]].tolist() == [taken.total, taken.total]
