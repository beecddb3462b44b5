"""After the games: results come in, predictions are graded, corrected scores regrade, the page and the views show them."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pandas as pd
import pandas.testing as pdt
import pytest

from nba_props.assets.external import view_key
from nba_props.assets.monitoring import REPORT_PAGE
from nba_props.assets.tables import asset_key
from nba_props.automation.webserver import read_page
from nba_props.catalog import TABLES, views
from nba_props.deployment import frozen
from nba_props.domain import quality
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.domain.views.monitoring import MONITORING_VIEWS
from nba_props.domain.views.shopping import SHOPPING_VIEWS
from nba_props.presentation import board, pages, report
from nba_props.schemas import analytics, raw
from nba_props.schemas.monitoring import MARKET_SCORES, SCOREBOARD
from nba_props.schemas.predictions import CLOSING_LINE_VALUE, GRADE_HISTORY, PREDICTION_ACCURACY
from nba_props.sources.nba_stats import SCHEDULE_FOLDER
from nba_props.warehouse.lake import LakeWarehouse
from nba_props_tests import league
from nba_props_tests.conftest import DAY, Platform, open_platform
from nba_props_tests.copies import copied

WITH_CATALOG = True
SYSTEMS = tuple(SYSTEM_TABLES)


@pytest.fixture(scope="module")
def finished(rung, tmp_path_factory):
    """A platform on the morning after and the run that graded it; to be read only."""
    folder = tmp_path_factory.mktemp("finished") / "platform"
    copied(rung("evening"), folder)
    with dg.DagsterInstance.ephemeral() as instance:
        platform = open_platform(folder, instance)
        yield platform, finish(platform)


@pytest.fixture
def morning(finished, tmp_path):
    """A platform of its own on the morning after."""
    done, _ = finished
    copied(done.settings.home.parent, tmp_path / "morning")
    with dg.DagsterInstance.ephemeral() as instance:
        yield open_platform(tmp_path / "morning", instance, done.now)


def grades(platform: Platform) -> pd.DataFrame:
    return platform.warehouse.read(PREDICTION_ACCURACY, [DAY])


def land_results(platform: Platform, change=lambda row: row, suffix: str = "") -> None:
    """The box scores of the date, and the schedule with the final scores that follow from them."""
    changed = [change(r) for g in league.games() if g.day == DAY for r in league.log_rows(g)]
    rows = [r for r in changed if r]
    league.land_log(platform.zone, DAY, rows, suffix)
    content = league.schedule(league.games(), league.FIRST + timedelta(30))
    for game in (g for d in content["leagueSchedule"]["gameDates"] for g in d["games"]):
        mine = [r for r in rows if r["GAME_ID"] == game["gameId"]]
        for team in (game["homeTeam"], game["awayTeam"]) if mine else ():
            team["score"] = sum(r["PTS"] for r in mine if r["TEAM_ID"] == team["teamId"])
    platform.zone.land(f"{SCHEDULE_FOLDER}/{league.SEASON}{suffix or '-20251111T080000Z'}.json.gz", content)


def finish(platform: Platform):
    """The morning after: results landed, grades made and judged."""
    platform.now = league.tipoff(DAY) + timedelta(hours=14)
    land_results(platform)
    outcome = platform.run("grade", DAY)
    assert outcome.success, outcome.errors
    return outcome


def grade(platform: Platform) -> None:
    """Grades made, and not judged."""
    platform.materialize(DAY, DAY, platform.of("grade", "nba_raw", "nba_predictions"), "grade")


def test_before_the_results_everything_is_pending(evening):
    rows = grades(evening)
    assert len(rows) == 36 * len(SYSTEMS)
    assert set(rows["outcome"]) == {"PENDING"}
    assert rows["result"].isna().all()


def test_the_morning_after(finished):
    predicted, outcome = finished
    assert outcome.failed_checks == []
    rows = grades(predicted)
    ledger = predicted.query("SELECT * FROM nba_predictions.ledger")
    assert sorted(rows["prediction_id"]) == sorted(ledger["prediction_id"])
    assert set(rows["outcome"]) <= {"WIN", "LOSS", "NO_BET"}
    points = predicted.warehouse.read(raw.BOX_SCORES, [DAY]).set_index("player_id")["points"]
    assert (rows["result"] == rows["player_id"].map(points)).all()
    bets = rows[rows["recommendation"].isin(["OVER", "UNDER"])]
    won = (bets["result"] > bets["line"]) == (bets["recommendation"] == "OVER")
    assert (bets["outcome"].eq("WIN") == won).all()
    history = predicted.warehouse.read(GRADE_HISTORY, [DAY])
    assert history.groupby("prediction_id").size().eq(2).all(), "pending, then graded"
    scores = predicted.warehouse.read(SCOREBOARD, [DAY])
    assert set(scores["system_id"]) == set(SYSTEMS)
    season = scores[(scores["span"] == "SEASON") & (scores["tier"] == "ALL")].set_index("system_id")
    own = rows[(rows["system_id"] == "xgboost_v1") & rows["line"].notna()]
    assert season.loc["xgboost_v1", "mae"] == pytest.approx(own["absolute_error"].mean())
    assert season.loc["xgboost_v1", "line_mae"] == pytest.approx((own["line"] - own["result"]).abs().mean())


def test_a_pick_is_judged_by_the_close_that_came_after_it(evening):
    predicted = evening
    shown = predicted.query("SELECT * FROM nba_predictions.current_predictions")
    predicted.now = league.tipoff(DAY) - timedelta(minutes=5)
    for game in (g for g in league.games() if g.day == DAY):
        predicted.zone.land(*league.capture(game, 6, shift=1.0))
    predicted.materialize(DAY, DAY, predicted.of("follow"), "follow")
    finish(predicted)
    rows = predicted.warehouse.read(CLOSING_LINE_VALUE, [DAY])
    picks = rows[rows["prediction_id"].notna()]
    sided = shown[shown["recommendation"].isin(["OVER", "UNDER"])]
    late = ~picks["prediction_id"].isin(sided["prediction_id"])
    assert set(picks.loc[late, "no_close_reason"]) == {"NOT_QUOTED_LATER"}, "first shown against the close itself"
    picks = picks[~late]
    assert sorted(picks["prediction_id"]) == sorted(sided["prediction_id"]), "as they were first shown"
    assert picks["is_close"].all()
    assert set(picks["close_minutes"]) == {6}
    assert (picks["clv_points"] == picks["side"].map({"OVER": 1, "UNDER": -1})).all()
    beside = predicted.warehouse.read(MARKET_SCORES, [DAY])
    found = beside[(beside["score"] == "CLV_POINTS") & (beside["span"] == "SEASON")].set_index("system_id")
    own = picks[picks["system_id"] == "xgboost_v1"]
    assert found.loc["xgboost_v1", "basis"] == "CLOSE"
    assert found.loc["xgboost_v1", "value"] == pytest.approx(own["clv_points"].mean())
    assert found.loc["xgboost_v1", "rows"] == len(own)


def test_grading_again_changes_nothing(morning):
    predicted = morning
    before, scores = grades(predicted), predicted.warehouse.read(SCOREBOARD, [DAY])
    history = predicted.warehouse.read(GRADE_HISTORY, [DAY])
    predicted.now += timedelta(hours=5)
    predicted.materialize(DAY, DAY, predicted.of("grade"), "grade")
    pdt.assert_frame_equal(grades(predicted), before)
    pdt.assert_frame_equal(predicted.warehouse.read(SCOREBOARD, [DAY]), scores)
    pdt.assert_frame_equal(predicted.warehouse.read(GRADE_HISTORY, [DAY]), history)


def test_a_corrected_box_score_changes_the_grade_and_the_old_one_can_be_read(morning):
    predicted = morning
    scorer = league.player(league.games()[-1].home, 3)[0]
    before = grades(predicted).set_index("prediction_id")

    def corrected(row):
        return league.scoring_more(row, 9) if row["PLAYER_ID"] == scorer else row

    predicted.now += timedelta(days=1)
    land_results(predicted, corrected, "-20251112T120000Z")
    grade(predicted)
    after = grades(predicted).set_index("prediction_id")
    changed = after.index[after["result"] != before["result"].reindex(after.index)]
    assert len(changed) == len(SYSTEMS)
    assert set(after.loc[changed, "player_id"]) == {scorer}
    history = predicted.warehouse.read(GRADE_HISTORY, [DAY])
    story = history[history["prediction_id"] == changed[0]].sort_values("graded_at")
    assert story["result"].tolist()[1:] == [
        before.loc[changed[0], "result"],
        after.loc[changed[0], "result"],
    ]
    assert len(history) == 2 * len(after) + len(changed)


def test_a_player_who_did_not_play_is_void_and_a_late_game_stays_pending(evening):
    predicted = evening
    games = [g for g in league.games() if g.day == DAY]
    absent = league.player(games[0].home, 2)[0]

    def first_game_only(row):
        return None if row["GAME_ID"] == games[1].game_id or row["PLAYER_ID"] == absent else row

    predicted.now = league.tipoff(DAY) + timedelta(hours=14)
    land_results(predicted, first_game_only)
    grade(predicted)
    rows = grades(predicted)
    late = rows["game_id"] == games[1].game_id
    assert set(rows.loc[late, "outcome"]) == {"PENDING"}
    assert set(rows.loc[rows["player_id"] == absent, "outcome"]) == {"VOID"}
    assert set(rows.loc[rows["player_id"] == absent, "void_reason"]) == {"DID_NOT_PLAY"}
    land_results(predicted, lambda r: None if r["PLAYER_ID"] == absent else r, "-20251111T200000Z")
    grade(predicted)
    assert "PENDING" not in set(grades(predicted)["outcome"])


@pytest.mark.long
def test_two_graders_at_once_leave_one_correct_partition(evening):
    predicted = evening
    land_results(predicted)
    predicted.now = league.tipoff(DAY) + timedelta(hours=14)
    with dg.DagsterInstance.ephemeral() as other:
        second = open_platform(predicted.settings.home.parent, other, predicted.now)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(grade, [predicted, second]))
    rows, history = grades(predicted), predicted.warehouse.read(GRADE_HISTORY, [DAY])
    assert rows["prediction_id"].is_unique
    assert len(rows) == 36 * len(SYSTEMS)
    assert history["grade_id"].is_unique
    assert len(history) == 2 * len(rows)


def test_a_row_written_past_the_gate_is_graded_classified_and_found(evening):
    """The old incident: lines of 20.0 without a quote, straight into the published table."""
    predicted = evening
    ledger = TABLES["nba_predictions.ledger"]
    rows = predicted.warehouse.read(ledger, [DAY])
    fakes = rows[rows["line"].isna()].assign(
        line=20.0, has_prop_line=True, line_source="ACTUAL_PROP", recommendation="UNDER", forecast=9.0,
        abstain_reason=None, confidence_score=0.5, created_at=rows["created_at"].max() + pd.Timedelta(minutes=1),
    )  # fmt: skip
    fakes["prediction_id"] = [f"fake{i}" for i in range(len(fakes))]
    predicted.warehouse.append(ledger, fakes, [DAY])
    outcome = finish(predicted)
    graded = grades(predicted)
    bad = graded[graded["prediction_id"].str.startswith("fake")]
    assert set(bad["line_problem"]) == {"PLACEHOLDER_LINE"}
    assert not bad["is_valid_line"].any()
    assert set(bad["outcome"]) <= {"WIN", "LOSS", "PUSH"}
    failed = predicted.failed(outcome)
    assert failed["prediction_accuracy.validation_no_placeholders"] == "ERROR"
    assert failed["prediction_accuracy.validation_lines_are_real"] == "ERROR"
    assert failed["prediction_accuracy.streak_unbroken"] == "ERROR"
    scores = predicted.warehouse.read(SCOREBOARD, [DAY])
    honest = graded[~graded["prediction_id"].str.startswith("fake") & graded["line"].notna()]
    scored = scores[(scores["span"] == "SEASON") & (scores["tier"] == "ALL")]["rows_scored"].sum()
    assert scored == honest["absolute_error"].notna().sum(), "no score counts a line without a quote"
    alerts = predicted.query("SELECT * FROM nba_monitoring.placeholder_alerts WHERE severity = 'CRITICAL'")
    assert alerts["issue_count"].sum() == len(fakes)
    account = board.gate_summary(predicted.warehouse, [DAY])
    assert account["published past the gate: PLACEHOLDER_LINE"].tolist() == [len(fakes)]
    assert account["published with line"].tolist() == [len(honest)], "a line without a quote is not counted"
    slate = board.picks(predicted.warehouse, DAY, DAY)
    assert len(slate) == 24, "a pick is made against a valid line"
    assert 20.0 not in set(slate["line"])


def test_the_share_of_real_lines_among_the_players_that_matter(finished):
    predicted, _ = finished
    lake = predicted.warehouse
    context = lake.read(analytics.CONTEXT, [DAY])
    minutes = context.set_index("player_id")["projected_minutes"]
    assert minutes.notna().all()
    bound = int(minutes.quantile(0.4)) + 1
    assert 0 < (minutes >= bound).sum() < len(minutes)
    own = LakeWarehouse(lake.root, views(bound))
    found = own.query("SELECT * FROM nba_monitoring.line_quality_daily WHERE game_date = @day", day=DAY)
    matter = own.query("SELECT * FROM nba_analytics.rotation_players WHERE game_date = @day", day=DAY)
    assert set(matter["player_id"]) == set(minutes.index[minutes >= bound])
    share = round(100 * matter["has_prop_line"].mean(), 4)
    assert set(found["rotation_predictions"]) == {len(matter)}
    assert set(found["rotation_valid_line_count"]) == {int(matter["has_prop_line"].sum())}
    assert found["rotation_valid_line_pct"].tolist() == [share] * len(SYSTEMS)
    assert set(found["total_predictions"]) == {len(context)}, "a row is counted once"


def test_the_views_are_in_the_catalog_and_the_ui_shows_their_newest_rows(finished):
    import duckdb

    predicted, _ = finished
    with duckdb.connect(str(predicted.warehouse.catalog_path), read_only=True) as catalog:
        for view in MONITORING_VIEWS:
            rows = catalog.execute(f"SELECT * FROM {view.address}").df()
            # the league's books give nothing away
            assert len(rows) or view in SHOPPING_VIEWS, view.address
        seen = predicted.instance.fetch_observations(view_key(view), limit=1).records
        (newest,) = [record.event_log_entry.asset_observation.metadata["newest"].value for record in seen]
        assert "|" in newest or view in SHOPPING_VIEWS, "its newest rows"
        assert not predicted.instance.fetch_materializations(view_key(view), limit=1).records, "it has none of its own"


def page_of(platform, first, last, out=None, home=None):
    """The path of a span's page, in the reports of a ``home`` or as ``out``."""
    settings = replace(platform.settings, home=home or platform.settings.home)
    found = report.read(platform.warehouse, first, last, platform.now, frozen(platform.settings))
    return report.write_report(platform.warehouse, settings, first, last, found, out)


def test_a_prediction_writes_no_page(evening):
    assert not (evening.settings.home / "reports").exists()


def test_the_page_is_self_contained_and_explains_its_counts(finished, tmp_path, pictures):
    predicted, _ = finished
    page = page_of(predicted, DAY, DAY, tmp_path / "page.html")
    text = Path(page).read_text()
    pictures = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="', text)
    assert len(pictures) >= 5, "by night, beside the line, P(over), lines"
    assert "http" not in text.replace("http-equiv", "")
    for system in SYSTEMS:
        assert system in text
    assert "Every error is shown beside" in text
    assert "SIMULATED" not in text
    assert '<meta name="viewport"' in text
    assert "<script" not in text
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", text), "a page elsewhere links to no list"
    sentences = re.findall(r"<li><b>(\w+)</b> (won|has no decided bet)", text)
    assert [system for system, _ in sentences] == sorted(SYSTEMS)
    assert "1 night: too few to tell skill from luck, 10 are needed." in text
    nights = text[text.index("Night by night") : text.index("Forecasts beside the line")]
    assert nights.count(f"<td>{DAY}</td>") == nights.count("<details>") == sum(said == "won" for _, said in sentences)
    assert "1 night: too few for an interval (10 are needed)." in text
    cells = re.findall(r"<td>([^<]*)</td>", text)
    assert len(cells) > 10 * len(SYSTEMS)
    assert not [cell for cell in cells if "[" in cell], "no score of one night has an interval"
    (materialization,) = predicted.instance.fetch_materializations(page_record(), limit=1).records
    metadata = materialization.asset_materialization.metadata
    assert metadata["as_of"].value == str(DAY)
    season = Path(metadata["report"].value)
    assert season.parent == predicted.settings.home / "reports"
    assert "too few for an interval" in season.read_text()
    assert metadata["page"].value == f"/reports/{season.name}", "where the UI's own server has it"
    assert read_page(season.parent, season.name) == season.read_bytes()
    assert 'href="index.html"' in season.read_text()


#: opens a page at a phone's width, every fold of it, and names what does not fit or show
FRAME = """<!doctype html><iframe width=390 height=844 style="border:0" srcdoc="{page}"></iframe><script>
const frame = document.querySelector("iframe");
frame.onload = () => {{
  const page = frame.contentDocument;
  page.querySelectorAll("details").forEach((fold) => (fold.open = true));
  const wide = [...page.body.querySelectorAll("*")].filter(
    (e) => !e.closest(".wide") && e.getBoundingClientRect().right > frame.contentWindow.innerWidth);
  const nights = [...page.querySelectorAll("[aria-label$='by night']")].filter((e) => e.scrollWidth > e.clientWidth);
  const blank = [...page.images].filter((i) => !i.naturalWidth);
  document.title = JSON.stringify({{
    shown: page.querySelectorAll("table").length, pictures: page.images.length,
    sideways: Math.max(page.documentElement.scrollWidth - frame.contentWindow.innerWidth, 0),
    wide: wide.map((e) => e.outerHTML.slice(0, 80)), cut: nights.length, blank: blank.length,
  }});
}};
</script>"""


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("chromium"), reason="needs Chromium")
def test_on_a_phone_the_page_fits_the_screen(finished, tmp_path, pictures):
    predicted, _ = finished
    page = Path(page_of(predicted, DAY, DAY, tmp_path / "page.html"))
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.format(page=html.escape(page.read_text())))
    chromium = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=10000", "--dump-dom", frame.as_uri(),
    ]  # fmt: skip
    shown = subprocess.run(chromium, capture_output=True, text=True, timeout=120, check=True).stdout
    (title,) = re.findall("<title>(.*?)</title>", shown)
    found = json.loads(html.unescape(title))
    assert found.pop("shown") >= 4 * 3 + 1, "every tier's tables and the checks"
    assert found.pop("pictures") >= 5
    assert found == {"sideways": 0, "wide": [], "cut": 0, "blank": 0}


@pytest.mark.long
def test_every_page_is_listed_the_newest_first(finished, tmp_path):
    predicted, _ = finished
    settings = replace(predicted.settings, home=tmp_path)
    folder = tmp_path / "reports"
    before = DAY - timedelta(3)
    spans = [(DAY, DAY), (before, before), (before, DAY)]
    for n, (first, last) in enumerate(spans, 1):
        page = page_of(predicted, first, last, home=tmp_path)
        assert page == str(folder / f"{first}_{last}.html")
        assert pages.address(settings, page) == f"/reports/{first}_{last}.html"
        assert (folder / "index.html").read_text().count("<li>") == n
    (folder / "notes.html").write_text("no page of a span")
    listed = (folder / "index.html").read_text()
    assert re.findall(r'<a href="([^"]+)">([^<]+)</a>', listed) == [
        (f"{DAY}_{DAY}.html", str(DAY)),
        (f"{before}_{DAY}.html", f"{before} to {DAY}"),
        (f"{before}_{before}.html", str(before)),
    ]
    elsewhere = page_of(predicted, DAY, DAY, tmp_path / "page.html", home=tmp_path)
    assert pages.address(settings, elsewhere) is None
    assert (folder / "index.html").read_text() == listed
    assert {p.name for p in folder.iterdir()} == {"index.html", "notes.html", *(f"{a}_{b}.html" for a, b in spans)}


def test_a_page_that_is_added_while_the_list_is_written_is_listed(tmp_path, monkeypatch, evening):
    settings = replace(evening.settings, home=tmp_path)
    folder = tmp_path / "reports"
    write = pages.replace

    def meanwhile(path, data):
        write(path, data)
        (folder / "2025-01-01_2025-01-02.html").touch()

    monkeypatch.setattr(pages, "replace", meanwhile)
    folder.mkdir()
    pages.write_index(settings, simulated=True)
    text = (folder / "index.html").read_text()
    assert "2025-01-01 to 2025-01-02" in text
    assert "SIMULATED LEAGUE" in text


def test_every_page_of_a_simulated_league_is_marked(evening, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "is_simulated", lambda _: True)
    page = Path(page_of(evening, DAY - timedelta(3), DAY - timedelta(3), home=tmp_path))
    for path in (page, page.with_name("index.html")):
        assert "SIMULATED LEAGUE: players, teams, scores and lines are invented." in path.read_text()


def test_the_page_and_the_command_agree(morning, tmp_path):
    """The season behind the span counts, what is overdue is an error, and a schedule that was never loaded is not a day off."""
    platform, free = morning, DAY + timedelta(1)
    platform.warehouse.write(raw.BOX_SCORES, raw.BOX_SCORES.empty(), [DAY])
    platform.now = league.tipoff(DAY) + timedelta(days=3)
    for first, last, loud in ((DAY, DAY, "gradable_are_graded"), (free, free, "expected_outputs")):
        page = page_of(platform, first, last, tmp_path / f"{first}.html")
        rows = re.findall(
            r'<tr><td>(\w+)</td>\n<td class="\w+">(\w+)</td><td class="text">(.*?)</td>', Path(page).read_text()
        )
        shown = {name: (mark, html.unescape(text)) for name, mark, text in rows}
        published = quality.published(platform.warehouse, SYSTEMS, first, last, platform.now)
        found = quality.findings(published, first, last)
        marks = {n: "passes" if f.passed else "warns" if f.warns else "fails" for n, f in found.items()}
        assert shown == {n: (marks[n], f.text) for n, f in found.items()}
        assert shown[loud][0] == "fails"
    assert "never loaded" in shown["expected_outputs"][1]


@pytest.mark.parametrize("late", [True, False])
def test_the_page_shows_which_bets_were_too_late_to_be_placed(morning, tmp_path, late):
    rows = grades(morning).assign(is_backfill=late)
    morning.warehouse.write(PREDICTION_ACCURACY, rows, [DAY])
    bets = int((rows["outcome"].isin(["WIN", "LOSS"]) & rows["is_valid_line"].astype(bool)).sum())
    page = page_of(morning, DAY, DAY, tmp_path / "page.html")
    said = f"{bets} of {bets} bets were published after tip-off (backfill), when they could no longer be placed"
    assert (said in Path(page).read_text()) == late


def page_record():
    return dg.AssetRecordsFilter(asset_key=REPORT_PAGE, asset_partitions=[str(DAY)])


def test_an_empty_span_makes_a_page_that_says_so(evening, tmp_path):
    predicted = evening
    before = DAY - timedelta(3)
    page = page_of(predicted, before, before, tmp_path / "page.html")
    assert "Nothing is graded" in Path(page).read_text()


def test_no_query_depends_on_the_number_of_players_or_dates(finished):
    predicted, _ = finished
    counts = []
    for first in (DAY, DAY - timedelta(20)):
        start = predicted.warehouse.query_count
        published = quality.Published(predicted.warehouse.query, SYSTEMS, first, DAY)
        for find in quality.DETECTORS.values():
            find(published, DAY)
        for check in quality.VALIDATION.values():
            check(published, first, DAY)
        counts.append(predicted.warehouse.query_count - start)
    assert counts[0] == counts[1] == 6


def test_a_run_does_not_fail_for_the_catalog_alone_and_says_so(published, catalogued):
    (published.warehouse.catalog_path / "x").mkdir(parents=True)
    outcome = published.run("grade", DAY, select=[asset_key(SCOREBOARD), asset_key(MARKET_SCORES)])
    assert outcome.success, outcome.errors
    assert published.warehouse.row_counts(SCOREBOARD, [DAY])
    assert any(
        text.startswith("nba_monitoring/scoreboard: cannot write the catalog of views") for text in outcome.failures
    )
