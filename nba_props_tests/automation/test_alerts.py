"""One alert for each cause, to Slack or a file; what fires each."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import dagster as dg
import pytest

from nba_props.assets.tables import asset_key
from nba_props.automation.alerts import Alert, Alerts
from nba_props.automation.ranges import RANGE_END, RANGE_START
from nba_props.automation.reconcile import RECONCILE_JOB, missing_outputs
from nba_props.automation.sensors import failures
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.process.revision import COMMAND_TAG
from nba_props.schemas.predictions import LEDGER, QUARANTINED_PREDICTIONS
from nba_props.settings import Live
from nba_props.simulator.incidents import second_writer
from nba_props_tests import league
from nba_props_tests.conftest import DAY, NEXT, utc
from nba_props_tests.sources.fake_server import Answer, serve

NOW = utc(2025, 11, 10, 17)


class Clock:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_cause_is_alerted_once_per_cool_down(tmp_path, clock, caplog):
    alerts = Alerts(Live(), tmp_path, clock)
    with caplog.at_level(logging.WARNING):
        assert alerts.send(Alert("ERROR", "check failed: x", "three rows"))
    assert "check failed: x: three rows" in caplog.text
    assert not alerts.send(Alert("ERROR", "check failed: x", "four rows"))
    assert alerts.send(Alert("WARN", "another", "y"))
    clock.now += timedelta(hours=7)
    assert alerts.send(Alert("ERROR", "check failed: x", "still"))
    assert [(s["cause"], s["delivered"]) for s in alerts.sent()] == [
        ("check failed: x", "file: no webhook is set"),
        ("another", "file: no webhook is set"),
        ("check failed: x", "file: no webhook is set"),
    ]
    again = Alerts(Live(), tmp_path, clock)
    assert not again.send(Alert("ERROR", "check failed: x", "after a restart")), "remembered over restarts"


def test_an_error_is_alerted_even_after_its_warning(tmp_path, clock):
    alerts = Alerts(Live(), tmp_path, clock)
    assert alerts.report("WARN", "no odds: 2025-11-10", "they may come")
    assert alerts.report("ERROR", "no odds: 2025-11-10", "they did not")
    assert not alerts.report("ERROR", "no odds: 2025-11-10", "they did not")
    assert not alerts.report("WARN", "no odds: 2025-11-10", "they may come")


def test_each_severity_has_its_webhook_and_no_url_is_logged(tmp_path, clock, caplog):
    with serve() as slack:
        slack.on("/services/warn", lambda _: Answer(b"ok"))
        slack.on("/services/error", Answer(b"no_service", 404))
        live = Live(webhooks={"WARN": slack.url + "/services/warn", "ERROR": slack.url + "/services/error"})
        alerts = Alerts(live, tmp_path, clock)
        with caplog.at_level(logging.DEBUG):
            alerts.send(Alert("WARN", "w", "text"))
            alerts.send(Alert("ERROR", "e", "text"))
        said = [s["delivered"] for s in alerts.sent()]
        assert said == ["slack", "file: the webhook answered 404"]
        assert slack.posted[0] == {"text": ":warning: *w*\ntext"}
        assert slack.paths() == ["/services/warn", "/services/error"]
    dead = Alerts(Live(webhooks={"ERROR": slack.url + "/services/error"}), tmp_path / "b", clock)
    dead.send(Alert("ERROR", "e", "text"))
    assert dead.sent()[0]["delivered"] == "file: the webhook could not be reached (is this machine online?)"
    assert "services" not in repr(live)
    assert "/services/***" in caplog.text, "the library logs the path"
    assert "services/warn" not in caplog.text
    assert "services/error" not in caplog.text


def test_no_alert_contains_a_secret_of_the_settings(tmp_path, clock, caplog):
    with serve() as slack:
        slack.on("/hook/s3cret-path", Answer(b"ok"))
        live = Live(
            odds_key="k3y-s3cret", proxy="http://me:pr0xy-pass@p:1", webhooks={"ERROR": slack.url + "/hook/s3cret-path"}
        )
        alerts = Alerts(live, tmp_path, clock)
        with caplog.at_level(logging.DEBUG):
            alerts.report(
                "ERROR", "feed k3y-s3cret", "at http://me:pr0xy-pass@p:1 and /hook/s3cret-path?apiKey=other-s3cret"
            )
    said = alerts.path.read_text() + caplog.text + str(slack.posted)
    assert "feed ***" in said
    for secret in ("s3cret", "pr0xy-pass"):
        assert secret not in said


def test_a_redirect_of_a_webhook_is_not_followed(tmp_path, clock):
    with serve() as other, serve() as slack:
        slack.on("/services/error", Answer(b"", 307, {"Location": other.url + "/services/error"}))
        alerts = Alerts(Live(webhooks={"ERROR": slack.url + "/services/error"}), tmp_path, clock)
        alerts.report("ERROR", "e", "text")
        assert (len(slack.posted), other.posted, other.asked) == (1, [], [])
    assert alerts.sent()[0]["delivered"] == (
        "file: the webhook could not be reached (a redirect, which is never followed, status 307)"
    )


def test_a_line_that_a_killed_process_cut_off_is_skipped(tmp_path, clock):
    alerts = Alerts(Live(), tmp_path, clock)
    alerts.send(Alert("WARN", "a", "b"))
    with alerts.path.open("a") as file:
        file.write('{"at": "2025-')
        file.write(
            "\n7\n[]\n{}\n" + '{"at": "soon", "cause": "x"}\n{"at": "0001-01-01T00:00:00+00:00", "cause": "x"}\n'
        )
    with alerts.path.open("ab") as raw:
        raw.write(b"\xff\xfe\n")
    assert [s["cause"] for s in alerts.sent()] == ["a"]
    assert alerts.send(Alert("WARN", "c", "d"))


def alerts_of(platform, run_id: str) -> list[Alert]:
    return list(failures.check_alerts(platform.instance, platform.instance.get_run_by_id(run_id)))


def test_a_folder_in_the_place_of_the_file_stops_no_alert(tmp_path, clock, caplog):
    alerts = Alerts(Live(), tmp_path, clock)
    alerts.path.mkdir()
    assert alerts.send(Alert("ERROR", "ledger audit", "three rows"))
    assert "ledger audit: three rows" in caplog.text
    assert f"{alerts.path} can't be written" in caplog.text


def test_a_placeholder_in_the_ledger_is_an_alert(two_dates):
    platform = two_dates
    clean = platform.publish(DAY)
    assert [a.cause for a in alerts_of(platform, clean.run_id)] == []
    second_writer(platform.warehouse, [DAY])
    bad = platform.publish(DAY)
    causes = [a.cause for a in alerts_of(platform, bad.run_id)]
    assert f"check failed: nba_predictions/ledger no_placeholder_lines {DAY}" in causes
    assert all(a.severity == "ERROR" for a in alerts_of(platform, bad.run_id))
    span = platform.publish(DAY, last=NEXT)
    assert alerts_of(platform, span.run_id) == [], "a backfill prints its findings to the user"


def gate_of(platform, change, others: int = 0):
    """The gate's run over a system's rows of which two with a line are changed, and what it logged.

    They are the first two, or so many ``others`` after them.
    """
    table = SYSTEM_TABLES["moving_average"]
    rows = platform.warehouse.read(table, [DAY])
    at = rows.index[rows["line"].notna()][slice(2, 2 + others) if others else slice(2)]
    for column, value in change.items():
        rows.loc[at, column] = value
    platform.warehouse.write_unchecked(table, rows, DAY)
    run = platform.run("predict", DAY, select=[asset_key(t) for t in (LEDGER, QUARANTINED_PREDICTIONS)])
    return run, [e.user_message for e in platform.instance.all_logs(run.run_id)]


def sent_by(platform) -> list[tuple[str, str, str]]:
    alerts = Alerts(platform.settings.live, platform.settings.home, lambda: platform.now)
    return [(s["severity"], s["cause"], s["text"]) for s in alerts.sent()]


def test_the_gate_reports_what_it_holds_back_and_why(published):
    platform = published
    gate_of(platform, {})
    assert sent_by(platform) == [], "it has nothing to say of honest rows"
    run, said = gate_of(platform, {"line": 20.0, "quote_id": None})
    (line,) = [s for s in said if s.startswith("PLACEHOLDER LINE DETECTED")]
    assert line.startswith("PLACEHOLDER LINE DETECTED: 2 rows, PLACEHOLDER_LINE: a known placeholder value")
    assert "(moving_average 2)" in line
    assert f" 20.0 ACTUAL_PROP on {DAY}" in line
    assert run.run_id in line
    ((severity, cause, text),) = sent_by(platform)
    assert (severity, cause[:-11]) == ("ERROR", f"gate held rows back: PLACEHOLDER_LINE 2 {DAY}")
    assert text == line
    gate_of(platform, {})
    assert len(sent_by(platform)) == 1, "the same rows again are not reported"
    gate_of(platform, {"line": 11.5, "quote_id": "made-up"})
    assert [(s, c[:-11]) for s, c, _ in sent_by(platform)[1:]] == [("WARN", f"gate held rows back: NO_QUOTE 2 {DAY}")]


def test_more_or_other_rows_held_back_for_the_same_reason_are_reported(published):
    platform = published
    bad = {"line": 20.0, "quote_id": None}
    gate_of(platform, bad)
    gate_of(platform, bad, others=3)
    gate_of(platform, {})
    causes = [cause for _, cause, _ in sent_by(platform)]
    assert [c[:-11] for c in causes] == [f"gate held rows back: PLACEHOLDER_LINE {n} {DAY}" for n in (2, 5)]
    table = SYSTEM_TABLES["moving_average"]
    rows = platform.warehouse.read(table, [DAY])
    held = rows["line"].eq(20.0) & rows["quote_id"].isna()
    rows.loc[held, "player_id"] = rows.loc[held, "player_id"] + 1_000_000
    platform.warehouse.write_unchecked(table, rows, DAY)
    gate_of(platform, {})
    causes = [cause for _, cause, _ in sent_by(platform)]
    assert len(causes) == len(set(causes)) == 3, "as many others are news"


def test_the_gate_publishes_though_its_alert_can_not_be_written(published):
    (published.settings.home / "alerts.lock").mkdir()
    run, said = gate_of(published, {"line": 20.0, "quote_id": None})
    assert run.success
    assert any("could not be written" in s for s in said)


def test_a_warning_worth_a_look_is_one_alert_for_the_run(published):
    platform = published
    game = next(g for g in league.games() if g.day == DAY)
    unknown = {league.player(game.home, n)[1]: f"Nobody{'abcdef'[n]} Known" for n in range(6)}
    platform.zone.land(*league.capture(game, 45, names=unknown))
    run = platform.slate(DAY)
    (alert,) = alerts_of(platform, run.run_id)
    assert (alert.severity, alert.cause) == ("WARN", f"checks warn: names_resolved {DAY}")
    assert "quotes resolve" in alert.text
    assert platform.failed(run) == {"resolved_names.names_resolved": "WARN"}


def test_the_failure_sensors_send(published):
    platform = published
    second_writer(platform.warehouse, [DAY])
    run, _ = gate_of(platform, {})
    alerts = Alerts(Live(), platform.settings.home, lambda: platform.now)
    record = platform.instance.get_run_by_id(run.run_id)
    events = platform.instance.all_logs(run.run_id)
    by_name = {s.name: s for s in platform.definitions.sensors}
    failure = next(e.dagster_event for e in reversed(events) if e.dagster_event and e.dagster_event.is_run_failure)
    context = dg.build_run_status_sensor_context(
        sensor_name="run_failure_alert", dagster_event=failure, dagster_instance=platform.instance, dagster_run=record,
        resources={"alerts": alerts},
    ).for_run_failure()  # fmt: skip
    by_name["run_failure_alert"](context)
    causes = [s["cause"] for s in alerts.sent()]
    assert causes[0] == f"run failed: predict {DAY}"
    assert any("no_placeholder_lines" in c for c in causes)


def failed(platform, job: str, tags: dict[str, str]) -> None:
    """What the sensor on failures makes of a run that failed."""
    run = dg.DagsterRun(job_name=job, tags=tags)
    event = dg.DagsterEvent("PIPELINE_FAILURE", job, message="it failed")
    alerts = Alerts(Live(), platform.settings.home, lambda: platform.now)
    context = dg.build_run_status_sensor_context(
        sensor_name="run_failure_alert", dagster_event=event, dagster_instance=platform.instance, dagster_run=run,
        resources={"alerts": alerts},
    ).for_run_failure()  # fmt: skip
    next(s for s in platform.definitions.sensors if s.name == "run_failure_alert")(context)


def test_a_failed_past_date_does_not_suppress_the_alert_of_tonight(platform):
    span = {RANGE_START: "2025-11-01", RANGE_END: "2025-11-03"}
    for tags in ({"dagster/partition": "2025-11-08"}, {"dagster/partition": str(DAY)}, span, {}):
        for _ in range(2):
            failed(platform, "predict", tags)
    causes = [cause for _, cause, _ in sent_by(platform)]
    assert causes == [
        "run failed: predict 2025-11-08", f"run failed: predict {DAY}",
        "run failed: predict 2025-11-01..2025-11-03", "run failed: predict",
    ]  # fmt: skip


def test_a_fetch_that_fails_is_an_alert(platform):
    with serve() as server:
        server.on("/sports/basketball_nba/events", Answer({"message": "no", "error_code": "INVALID_KEY"}, 401))
        live = Live(odds_key="k3y", odds_url=server.url)
        rebuilt = platform.with_live(live)
        job = rebuilt.definitions.resolve_job_def("capture_odds")
        result = job.execute_in_process(
            instance=platform.instance, raise_on_error=False,
            run_config={"ops": {"land_odds": {"config": {"day": str(DAY)}}}},
        )  # fmt: skip
        assert not result.success
        failure = next(e for e in result.all_events if e.is_step_failure)
        assert "INVALID_KEY" in str(failure.step_failure_data.error)
        assert "k3y" not in json.dumps([e.message for e in result.all_events])


def test_a_missing_scheduled_output_is_an_alert(platform):
    two_games = DAY - timedelta(2)
    found = missing_outputs(platform.warehouse, [two_games], platform.now)
    missing = {key: finding.text for key, finding in found.items()}
    assert missing == {(two_games, "expected_outputs"): "2 games were scheduled and nothing was ever published"}
    platform.now = league.tipoff(DAY) + timedelta(hours=20)
    job = platform.definitions.resolve_job_def(RECONCILE_JOB)
    assert job.execute_in_process(instance=platform.instance).success
    sent = Alerts(platform.settings.live, platform.settings.home, lambda: platform.now).sent()
    assert f"reconcile: expected_outputs {two_games}" in [s["cause"] for s in sent]
    assert "nba-props backfill" in sent[0]["text"]


def test_only_a_missing_output_is_reported(predicted):
    platform = predicted
    assert missing_outputs(platform.warehouse, [DAY], platform.now) == {}
    rows = platform.warehouse.read(LEDGER, [DAY])
    kept = rows[rows["system_id"] != next(iter(SYSTEM_TABLES))]
    platform.warehouse.write_unchecked(LEDGER, kept, DAY)
    platform.materialize(DAY, DAY, job="grade")
    found = missing_outputs(platform.warehouse, [DAY], platform.now)
    assert f"absent: {next(iter(SYSTEM_TABLES))}" in found[DAY, "expected_outputs"].text


def test_a_failed_command_raises_no_alert(published):
    """The person at the terminal has seen it: there is no alert."""
    platform = published
    second_writer(platform.warehouse, [DAY])
    run, _ = gate_of(platform, {})
    record = platform.instance.get_run_by_id(run.run_id)
    assert list(failures.check_alerts(platform.instance, record))
    failed(platform, "predict", {"dagster/partition": str(DAY), COMMAND_TAG: "run"})
    assert sent_by(platform) == []
    typed = record.with_tags({**record.tags, COMMAND_TAG: "run"})
    assert list(failures.check_alerts(platform.instance, typed)) == []


@pytest.mark.long
def test_each_date_of_a_span_that_a_sensor_graded_has_its_own_alert(two_dates):
    platform, last = two_dates, DAY + timedelta(2)
    second_writer(platform.warehouse, [DAY])
    run = platform.run("predict", DAY, last, select=platform.publication([]))
    record = platform.instance.get_run_by_id(run.run_id)
    assert list(failures.check_alerts(platform.instance, record)) == [], "of a span by hand its author reads the checks"
    asked = record.with_tags({**record.tags, "dagster/sensor_name": "new_results_sensor"})
    causes = [a.cause for a in failures.check_alerts(platform.instance, asked)]
    assert causes, "there has to be an alert"
    assert all(str(DAY) in cause and ".." not in cause for cause in causes)
