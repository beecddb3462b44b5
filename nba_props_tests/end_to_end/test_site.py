"""The site's job and sensor: pages after what they show, with a link and a picture in the UI."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from nba_props.assets.site import GATHERED_PAGES, SLATE_PAGE
from nba_props.automation.jobs import SITE_JOB, build_jobs
from nba_props.automation.ranges import RANGE_END, RANGE_START
from nba_props.automation.sensors.pages import build_pages_sensor
from nba_props.cli import main
from nba_props_tests.automation.test_conditions import Evening
from nba_props_tests.conftest import DAY, NEXT

pytestmark = pytest.mark.slow


def metadata(platform, key: dg.AssetKey, day: date | None = DAY) -> dict:
    asked = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[str(day)] if day else None)
    records = platform.instance.fetch_materializations(asked, limit=1).records
    return records[0].asset_materialization.metadata if records else {}


def test_the_job_makes_the_pages_and_the_partition_links_to_them(predicted):
    evening = Evening(predicted)
    outcome = predicted.run(SITE_JOB, DAY)
    assert outcome.success
    assert evening.tick() == [], "a run that makes both needs no second one"
    found = metadata(predicted, SLATE_PAGE)
    assert found["page"].value == f"/site/{DAY}/index.html"
    assert Path(found["file"].value).exists()
    assert found["props"].value > 20
    gathered = metadata(predicted, GATHERED_PAGES, None)
    assert gathered["index_page"].value == "/site/index.html"
    assert gathered["record_page"].value == "/site/record/index.html"


@pytest.mark.long
def test_a_range_makes_each_date_and_what_gathers_them_once(two_dates, monkeypatch):
    from nba_props.presentation.site import build

    made = []
    write = build.write_index
    monkeypatch.setattr(build, "write_index", lambda *a: made.append(a) or write(*a))
    assert two_dates.run(SITE_JOB, DAY, NEXT).success
    assert len(made) == 1
    for day in (DAY, NEXT):
        assert metadata(two_dates, SLATE_PAGE, day)["page"].value == f"/site/{day}/index.html"


def asked(job: str, tags: dict[str, str]) -> list[dg.RunRequest]:
    jobs = build_jobs()
    sensor = build_pages_sensor(dg.DefaultSensorStatus.RUNNING, 30, jobs)

    @dg.op
    def nothing() -> None:
        """Nothing."""

    @dg.job(name=job)
    def done() -> None:
        nothing()

    with dg.DagsterInstance.ephemeral() as instance:
        result = done.execute_in_process(instance=instance, tags=tags)
        context = dg.build_run_status_sensor_context(
            sensor_name="pages_sensor", dagster_event=result.get_run_success_event(), dagster_instance=instance,
            dagster_run=result.dagster_run,
        )  # fmt: skip
        found = sensor(context)
    return [found] if isinstance(found, dg.RunRequest) else []


def test_pages_follow_a_run_and_a_long_one_has_its_newest_fortnight():
    (request,) = asked("predict", {"dagster/partition": "2026-01-09"})
    assert (request.job_name, request.partition_key) == ("site", "2026-01-09")
    assert request.tags["dagster/priority"] == "-1", "no slate waits for a page"
    assert request.asset_selection == [SLATE_PAGE], "what gathers dates has a condition"
    (request,) = asked("grade", {RANGE_START: "2025-11-01", RANGE_END: "2026-01-09"})
    assert (request.tags[RANGE_START], request.tags[RANGE_END]) == (str(date(2026, 1, 9) - timedelta(13)), "2026-01-09")
    assert not asked("predict", {})


def test_the_command_writes_the_pages_and_says_where(predicted, monkeypatch):
    for name, value in (("NBA_PROPS_HOME", predicted.settings.home), ("NBA_PROPS_LANDING", predicted.settings.landing)):
        monkeypatch.setenv(name, str(value))
    shown = []
    monkeypatch.setattr("webbrowser.open", lambda url: shown.append(url) or True)
    done = CliRunner().invoke(main, ["open"])
    assert done.exit_code == 0, done.output
    assert shown == [(Path(predicted.settings.site) / f"{DAY}" / "index.html").as_uri()]
    assert "props with a line on" in done.output
    shown.clear()
    assert CliRunner().invoke(main, ["open", str(DAY), "--no-browser"]).exit_code == 0
    assert not shown
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    done = CliRunner().invoke(main, ["open"])
    assert (done.exit_code, "no browser could be started here: open" in done.output) == (1, True)
    done = CliRunner().invoke(main, ["open", "2020-01-01"])
    assert (done.exit_code, "nothing is published for 2020-01-01: nba-props run 2020-01-01" in done.output) == (1, True)
