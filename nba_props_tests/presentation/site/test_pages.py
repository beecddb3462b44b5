"""The site's files: every prop with its numbers, links that lead somewhere, and nothing of the future."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from nba_props.facts import markets
from nba_props.facts.vocabulary import SIDES
from nba_props.presentation import shopping
from nba_props.presentation.site import build, player, slate
from nba_props.schemas.analytics import BETTING_LINES, BOOK_LINES, CONSENSUS, PRICES
from nba_props.schemas.predictions import LEDGER, PREDICTION_ACCURACY, QUARANTINED_PREDICTIONS
from nba_props.settings import Gcp
from nba_props.sources import registry
from nba_props_tests.conftest import DAY, NEXT

pytestmark = pytest.mark.slow
_LINK = re.compile(r'(?:href|src)="([^"]*)"')


def write(platform, day: date = DAY) -> dict:
    return build.write_slate(platform.warehouse, platform.settings, day, platform.now)


def gather(platform, day: date = DAY) -> dict:
    return build.write_gathered(platform.warehouse, platform.settings, platform.zone, day, platform.now)


def site(platform) -> Path:
    return Path(platform.settings.site)


def data_of(page: Path) -> dict:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.S)
    return json.loads(text)


def rows_of(page: Path) -> pd.DataFrame:
    data = data_of(page)
    rows = pd.DataFrame(data["rows"], columns=data["fields"])
    return rows.assign(
        player_id=[data["players"][n][0] for n in rows["player"]],
        market=[data["markets"][n][0] for n in rows["market"]],
    )


def content(folder: Path) -> dict[str, str]:
    """The text of every page, but for the line that says when it was made."""
    return {
        str(p.relative_to(folder)): re.sub(r"Made \d.*", "", p.read_text()) for p in folder.rglob("*") if p.is_file()
    }


@pytest.fixture
def written(many_written):
    """The pages of a date are there."""
    return many_written


def test_every_prop_with_a_line_is_on_the_page_as_it_was_published(written):
    shown = rows_of(site(written) / f"{DAY}" / "index.html").set_index(["player_id", "market"])
    lines = written.warehouse.read(BETTING_LINES, [DAY])
    lined = lines[lines["line"].notna()].set_index(["player_id", "market"])
    assert set(shown.index[shown["line"].notna()]) == set(lined.index)
    current = written.query(
        "SELECT * FROM nba_predictions.current_predictions WHERE game_date BETWEEN @first AND @last AND line IS NOT NULL",
        first=DAY, last=DAY,
    )  # fmt: skip
    usual = current["market"].map(build.board.usual_system)
    picks = current[current["system_id"].eq(usual) & current["forecast"].notna()].set_index(["player_id", "market"])
    assert len(picks) > 30
    same = shown.loc[picks.index]
    assert same["line"].tolist() == picks["line"].tolist()
    assert same["forecast"].tolist() == picks["forecast"].round(1).tolist()
    assert same["pick"].tolist() == picks["recommendation"].isin(SIDES).astype(int).tolist()
    assert set(shown.loc[shown["line"].isna(), "why"].str.partition(": ")[0]) <= {"no line"}


def test_a_prop_without_a_pick_says_why(written):
    warehouse = written.warehouse
    held = warehouse.read(LEDGER, [DAY])
    row = held[held["system_id"].eq("xgboost_v1") & held["market"].eq("rebounds")].iloc[0]
    claim = {c: row[c] for c in QUARANTINED_PREDICTIONS.column_names if c in held} | {
        "quarantine_id": "q", "reason": "PLACEHOLDER_LINE", "detail": "a placeholder", "quarantined_at": row["created_at"],
    }  # fmt: skip
    found = slate.read(warehouse, DAY, written.now)
    lines = warehouse.query(slate._LINES_SQL, first=DAY, last=DAY)
    sides = shopping.best_sides(warehouse, DAY, DAY, markets.keys(), written.now, alternates=True)
    warehouse.append(QUARANTINED_PREDICTIONS, QUARANTINED_PREDICTIONS.conform(pd.DataFrame([claim])), [DAY], {})
    why = warehouse.query(slate._WHY_SQL, first=DAY, last=DAY)
    mine = lambda f: f[f["player_id"].eq(row["player_id"]) & f["market"].eq("rebounds")]
    without = slate.props_of(lines, found.systems[found.systems["system_id"] != "xgboost_v1"], sides, why)
    assert mine(without)["why"].tolist() == ["quarantined: placeholder line"]
    assert mine(slate.props_of(lines, found.systems, sides, why))["why"].tolist() == [""], "it has a published row"
    without = slate.props_of(lines, found.systems.head(0), sides, why.head(0))
    assert set(without["why"].str.partition(":")[0]) <= {"not predicted", "no line"}


def test_every_link_leads_to_a_page(written):
    write(written, NEXT)
    gather(written, NEXT)
    folder = site(written)
    pages = list(folder.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        text = page.read_text()
        ids = set(re.findall(r' id="([^"]+)"', text))
        for link in map(html.unescape, _LINK.findall(text)):
            if link.startswith("data:"):
                continue
            assert "://" not in link, "no page needs a network"
            assert not link.startswith("/"), "pages open from a folder"
            where, _, part = link.partition("#")
            target = (page.parent / where).resolve() if where else page
            assert target.exists(), f"{page.name}: {link}"
            if part and target == page:
                assert part in ids, f"{page.name}: {link}"


def test_a_players_page_has_every_published_row_with_its_quote(written):
    ledger = written.warehouse.read(LEDGER, [DAY])
    player_id = int(ledger["player_id"].mode().iloc[0])
    text = (site(written) / f"{DAY}" / f"{player_id}.html").read_text()
    mine = ledger[
        ledger["player_id"].eq(player_id) & ledger["market"].isin(set(re.findall(r'<section id="(\w+)"', text)))
    ]
    assert len(mine) >= 10
    for row in mine.to_dict("records"):
        assert row["prediction_id"][:12] in text
        if row["quote_id"]:
            assert row["quote_id"][:12] in text
    offers = written.query(
        "SELECT quote_id FROM nba_analytics.prices WHERE game_date BETWEEN @first AND @last AND is_current AND player_id = @p",
        first=DAY, last=DAY, p=player_id,
    )  # fmt: skip
    assert len(offers)
    assert all(quote[:12] in text for quote in offers["quote_id"])


def test_a_row_without_a_real_line_is_marked_and_no_pick(written):
    """A forged row is in the ledger: the page shows it as what it is, and the slate does not have it."""
    warehouse = written.warehouse
    rows = warehouse.read(LEDGER, [DAY])
    forged = rows[rows["system_id"] == "ensemble_v1_1"].head(1).assign(
        prediction_id="f" * 32, line=20.0, quote_id="made up", forecast=55.0, row_digest=None, run_id="forger"
    )  # fmt: skip
    warehouse.append(LEDGER, forged, [DAY], {})
    player_id = int(forged["player_id"].iloc[0])
    before = rows_of(site(written) / f"{DAY}" / "index.html")
    write(written)
    after = rows_of(site(written) / f"{DAY}" / "index.html")
    pd.testing.assert_frame_equal(before.drop(columns="age"), after.drop(columns="age"))
    text = (site(written) / f"{DAY}" / f"{player_id}.html").read_text()
    (cells,) = re.findall(r"<tr>(?:(?!</tr>).)*f{12}.*?</tr>", text)
    assert "not valid: " in cells


def test_the_future_changes_nothing(written):
    """Rows of later dates do not change a date's page."""
    before = content(site(written) / f"{DAY}")
    lake = written.warehouse
    for table in (BETTING_LINES, PRICES, BOOK_LINES, CONSENSUS):
        rows = lake.read(table, [DAY])
        later = rows.assign(game_date=pd.Timestamp(DAY + timedelta(2)), **{c: 99.5 for c in ("line",) if c in rows})
        lake.write(table, later, [DAY + timedelta(2)], {})
    write(written)
    assert content(site(written) / f"{DAY}") == before


def test_another_run_makes_the_same_files_and_removes_those_that_are_no_more(written):
    folder = site(written) / f"{DAY}"
    before = content(folder)
    (folder / "9999.html").write_text("a player who is no longer on it")
    (folder / "deeper").mkdir()
    (folder.parent / ".tmp-1").mkdir()
    (folder.parent / ".tmp-1" / "index.html").write_text("of a writer that was killed")
    write(written)
    assert content(folder) == before
    assert not [p for p in folder.parent.iterdir() if p.name.startswith(".tmp-")]
    assert set(content(site(written))) >= {f"{DAY}/index.html"}


def test_a_date_of_its_own_changes_no_other(written):
    write(written, NEXT)
    before = content(site(written) / f"{DAY}")
    write(written, NEXT)
    assert content(site(written) / f"{DAY}") == before
    write(written)
    assert f'href="../{NEXT}/index.html"' in (site(written) / f"{DAY}" / "index.html").read_text()


def test_a_write_that_fails_leaves_the_old_slate(written, monkeypatch):
    page = site(written) / f"{DAY}" / "index.html"
    before = page.read_text()
    monkeypatch.setattr(slate, "odds", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(written)
    assert page.read_text() == before


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "'\"&<b>", "\u202eמשה\u202c"]
)
def test_names_are_text_wherever_they_stand(written, name):
    rows = written.warehouse.read(BETTING_LINES, [DAY])
    who = rows.loc[rows["line"].notna(), "player_id"].iloc[0]
    written.warehouse.write(
        BETTING_LINES, rows.assign(player_name=rows["player_name"].mask(rows["player_id"] == who, name)), [DAY], {}
    )
    write(written)
    for page in (site(written) / f"{DAY}").glob("*.html"):
        text = page.read_text()
        assert name not in text or "<" not in name
        assert "<img" not in text
    assert name in {p[1] for p in data_of(site(written) / f"{DAY}" / "index.html")["players"]}
    assert f"<h1>{html.escape(name, quote=False)}" in (site(written) / f"{DAY}" / f"{who}.html").read_text().replace(
        "&#34;", '"'
    ).replace("&#39;", "'")


@pytest.mark.long
def test_only_pages_of_a_simulated_league_are_marked(written, monkeypatch):
    gather(written)
    assert not [p for p in site(written).rglob("*.html") if "SIMULATED" in p.read_text()]
    monkeypatch.setattr(build, "is_simulated", lambda _: True)
    monkeypatch.setattr(build.report, "is_simulated", lambda _: True)
    write(written)
    gather(written)
    pages = list(site(written).rglob("*.html"))
    assert all(
        p.read_text().count("SIMULATED LEAGUE: players, teams, scores and lines are invented.") == 1 for p in pages
    )


@pytest.mark.parametrize("day", [DAY + timedelta(1), NEXT], ids=["no games", "not predicted"])
def test_a_date_without_lines_says_so(platform, day):
    made = write(platform, day)
    text = (site(platform) / f"{day}" / "index.html").read_text()
    assert made["props"] == 0
    assert ("No games on this date." in text) != ("nothing is predicted yet" in text)
    assert "<script" not in text


def test_a_slate_of_one_player(written):
    lake = written.warehouse
    rows = lake.read(BETTING_LINES, [DAY])
    who = rows.loc[rows["line"].notna(), "player_id"].iloc[0]
    lake.write(BETTING_LINES, rows[rows["player_id"] == who], [DAY], {})
    assert write(written)["players"] == 1
    assert {p.name for p in (site(written) / f"{DAY}").glob("*.html")} == {"index.html", "prices.html", f"{who}.html"}


def test_the_number_of_statements_depends_on_neither_players_nor_markets(written, monkeypatch):
    asked = []
    query = type(written.warehouse).query

    def counted(self, sql, /, **parameters):
        asked.append(sql)
        return query(self, sql, **parameters)

    monkeypatch.setattr(type(written.warehouse), "query", counted)
    write(written)
    many = len(asked)
    rows = written.warehouse.read(BETTING_LINES, [DAY])
    written.warehouse.write(BETTING_LINES, rows[rows["market"] == "points"].head(3), [DAY], {})
    asked.clear()
    write(written)
    assert len(asked) == many <= 16


def test_the_record_and_health_have_what_the_report_has(written):
    grades = written.warehouse.partitions(PREDICTION_ACCURACY)
    made = gather(written)
    assert made["dates"] == 1
    text = (site(written) / "record" / "index.html").read_text()
    assert ("Nothing is graded on a verified line" in text) == (not grades)
    health = (site(written) / "health.html").read_text()
    assert "validation_no_placeholders" in health
    assert all(feed.name in health for feed in registry.feeds())
    index = (site(written) / "index.html").read_text()
    assert f'<a href="{DAY}/index.html">{DAY}</a>' in index


def test_a_season_of_dates_is_one_index_of_bounded_size(written):
    for n in range(170):
        folder = site(written) / f"{date(2024, 10, 22) + timedelta(n)}"
        folder.mkdir()
        (folder / "index.html").write_text("a page")
    made = build.write_index(written.warehouse, written.settings, written.now)
    assert made["dates"] == 171
    assert Path(made["index"]).stat().st_size < 200_000


def test_past_games_are_those_before_the_date(written):
    found = slate.read(written.warehouse, DAY, written.now)
    beside = player.read(written.warehouse, found)
    assert (beside.games["played_on"] < pd.Timestamp(DAY)).all()
    assert set(markets.keys()) <= set(beside.games)
    some = beside.splits.set_index(["player_id", "split"])
    whole = some.xs("all", level="split")
    home, away = (some.xs(s, level="split")["games"].reindex(whole.index).fillna(0) for s in ("at home", "away"))
    assert (home + away == whole["games"]).all()
    rested, tired = (some.xs(s, level="split")["games"].reindex(whole.index).fillna(0) if s in some.index.get_level_values(1) else 0
                     for s in ("rested", "back-to-back"))  # fmt: skip
    assert (rested + tired == whole["games"] - 1).all(), "the rest before the oldest game is not known"


def test_a_bucket_has_no_address_on_the_uis_host(written):
    path = str(site(written) / f"{DAY}" / "index.html")
    from nba_props.presentation.pages import address

    assert address(written.settings, path) == f"/site/{DAY}/index.html"
    assert address(replace(written.settings, home=Path("/elsewhere")), path) is None
    cloud = Gcp(project="p", location="US", bucket="b")
    assert address(replace(written.settings, gcp=cloud), path) is None
