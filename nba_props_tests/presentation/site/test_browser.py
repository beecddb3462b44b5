"""The site in a real browser: every page at three widths, light and dark, by mouse and by keyboard alone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import dagster as dg
import pytest

from nba_props.presentation.site import build, player, slate
from nba_props.schemas.analytics import BETTING_LINES
from nba_props_tests.conftest import DAY, LADDER, NEXT, copied, open_platform
from nba_props_tests.presentation.site.scale import of_players
from nba_props_tests.presentation.site.test_pages import gather, write

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if not CHROMIUM and not os.environ.get("NBA_PROPS_REQUIRE_BROWSER"):
    pytest.skip("needs Chromium: apt-get install chromium", allow_module_level=True)
pytestmark = pytest.mark.slow

#: odd names of players: markup, right to left, and sixty letters
NAMES = (
    "<script>alert(1)</script>",
    "\u05de\u05e9\u05d4 \u05db\u05d4\u05df",
    "Maximilian-Alexander van der Wolfeschlegelsteinhausenberger",
)
WIDTHS = (390, 768, 1280)
#: those that CI has time for
SHORT = {(390, "light"), (1280, "dark")}


@pytest.fixture(scope="module")
def site(rung, tmp_path_factory) -> Path:
    """The pages of two dates, with three odd names."""
    folder = copied(rung("many_predicted"), tmp_path_factory.mktemp("site") / "home")
    with dg.DagsterInstance.ephemeral() as instance:
        platform = open_platform(folder, instance, asked=LADDER["many_predicted"].asked)
        rows = platform.warehouse.read(BETTING_LINES, [DAY])
        who = rows.loc[rows["line"].notna(), "player_id"].unique()[: len(NAMES)]
        names = rows["player_id"].map(dict(zip(who, NAMES, strict=True))).fillna(rows["player_name"])
        platform.warehouse.write(BETTING_LINES, rows.assign(player_name=names), [DAY], {})
        for day in (DAY, NEXT):
            write(platform, day)
        gather(platform)
        small = slate.read(platform.warehouse, DAY, platform.now)
        found, beside = of_players(small, player.read(platform.warehouse, small), 454)
        large = Path(platform.settings.site) / "large"
        large.mkdir()
        common = build._common(build.open_path(platform.settings.site), platform.warehouse, "../", "", platform.now)
        for name, text in build.files_of_date(
            found, beside, {}, **common, record=[], empty="", before=None, after=None
        ):
            if not name[0].isdigit():
                (large / name).write_text(text)
        return Path(platform.settings.site)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    flags = [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ]  # fmt: skip
    with sync_playwright() as running:
        found = running.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield found
        found.close()


@pytest.fixture
def opened(browser, site):
    """Opens a page of the site from its folder; at the end nothing may have been written to its console."""
    said, made = [], []

    def open_page(name: str, width: int = 1280, scheme: str = "light"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", lambda m: said.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda e: said.append(str(e)))
        page.on("dialog", lambda d: (said.append(d.message), d.dismiss()))
        page.on("request", lambda r: said.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
        file, mark, fragment = name.partition("#")
        page.goto(f"{(site / file).as_uri()}{mark}{fragment}")
        made.append(page)
        return page

    yield open_page
    for page in made:
        page.close()
    assert not said


@pytest.fixture(scope="module")
def every(browser, site) -> str:
    """How many props a slate says that it shows at its plain address."""
    page = browser.new_page()
    page.goto((site / f"{DAY}" / "index.html").as_uri())
    said = page.inner_text("#count")
    page.close()
    return said


def every_page(site: Path) -> list[str]:
    one = next(
        p for p in sorted((site / f"{DAY}").glob("*.html")) if p.name != "index.html" and NAMES[2] in p.read_text()
    )
    return [
        f"{DAY}/index.html",
        f"{NEXT}/index.html",
        f"{DAY}/{one.name}",
        "index.html",
        "record/index.html",
        "health.html",
    ]


def problems(page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    return [f"{v['impact']} {v['id']}: {n['html'][:90]} {n['failureSummary'][:200]}" for v in found for n in v["nodes"]]


@pytest.mark.parametrize(
    ("width", "scheme"),
    [pytest.param(w, s, marks=[] if (w, s) in SHORT else pytest.mark.long) for w in WIDTHS for s in ("light", "dark")],
)
def test_every_page_fits_and_anyone_can_read_it(opened, site, width, scheme):
    for name in every_page(site):
        page = opened(name, width, scheme)
        page.eval_on_selector_all("details", "folds => folds.forEach(fold => { fold.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert problems(page) == [], name


def names(page) -> list[str]:
    return page.eval_on_selector_all("#props tbody th a", "all => all.map(a => a.textContent)")


def cells(page, column: int) -> list[str]:
    return page.eval_on_selector_all(
        f"#props tbody tr > :nth-child({column})", "all => all.map(c => c.innerText.split('\\n')[0])"
    )


def test_the_slate_is_sorted_by_what_one_clicks(opened):
    page = opened(f"{DAY}/index.html")
    page.click("button[data-sort=player]")
    found = names(page)
    assert found == page.evaluate("all => all.slice().sort((a, b) => a.localeCompare(b))", found)
    assert len(set(found)) > 10
    assert page.get_attribute("#props th:first-child", "aria-sort") == "ascending"
    page.click("button[data-sort=player]")
    assert page.get_attribute("#props th:first-child", "aria-sort") == "descending"
    assert page.url.endswith("#sort=-player")
    page.check("input[name=all]")
    page.click("button[data-sort=price]")
    prices = cells(page, 3)
    known = [int(price) for price in prices if price]
    assert len(known) > 20
    assert known == sorted(known, reverse=True)
    assert prices[len(known) :] == [""] * (len(prices) - len(known)), "what is not known is last"


def test_what_one_asks_for_stands_in_the_address(opened):
    page = opened(f"{DAY}/index.html")
    page.select_option("select[name=market]", "rebounds")
    page.check("input[name=picks]")
    assert cells(page, 2)
    assert all(text.startswith(("OVER", "UNDER")) for text in cells(page, 2))
    kept, count, address = names(page), page.inner_text("#count"), page.url
    assert set(address.partition("#")[2].split("&")) == {"market=rebounds", "picks=1"}
    again = opened(f"{DAY}/index.html#{address.split('#')[1]}")
    assert (names(again), again.inner_text("#count")) == (kept, count)
    assert again.input_value("select[name=market]") == "rebounds"
    again.click("button[type=reset]")
    assert again.input_value("select[name=market]") == ""
    assert len(names(again)) > len(kept)
    again.fill("input[name=q]", "wolfeschlegel")
    assert set(names(again)) == {NAMES[2]}
    again.fill("input[name=q]", "nobody at all")
    assert names(again) == []
    assert again.inner_text("#count").startswith("0 props")


def test_the_odds_of_all_books_are_shown_when_they_are_asked_for(opened, site):
    page = opened(f"{DAY}/index.html#market=points")
    page.locator("button.open").first.click()
    page.wait_for_selector(".detail table >> nth=1")
    text = page.inner_text(".detail")
    assert "Main lines of the books" in text
    assert "market_consensus_v1" in text
    rows = page.locator(".detail table").nth(1).locator("tbody tr").count()
    assert rows >= 3
    link = page.get_attribute(".detail p a", "href")
    page.locator("button.open").first.click()
    assert page.locator(".detail").count() == 0
    page.goto(f"{(site / f'{DAY}').as_uri()}/{link}")
    assert page.locator("h1").count() == 1
    assert page.locator("#points details[open] code").count() >= 10, "a number is two clicks from its row and its quote"


@pytest.mark.parametrize(
    "fragment",
    ["sort=constructor", "sort=__proto__", "market=x&side=9", "book=zzz&game=a@b", "content", "%zz", "__proto__=1"],
)
def test_an_odd_address_shows_everything(opened, every, fragment):
    assert opened(f"{DAY}/index.html#{fragment}").inner_text("#count") == every


def test_an_opened_row_fits_a_phone(opened):
    page = opened(f"{DAY}/index.html#market=points", 390)
    before = page.evaluate("document.querySelector('#props table').scrollWidth")
    page.locator("button.open").first.click()
    page.wait_for_selector(".detail table >> nth=1")
    assert page.evaluate("document.querySelector('.detail .box').getBoundingClientRect().right") <= 390
    assert page.evaluate("document.querySelector('#props table').scrollWidth") <= max(before, 390)
    assert "last 5, 10, 20" in page.inner_text(".summary")


def test_markup_in_a_name_is_text(opened):
    page = opened(f"{DAY}/index.html#q=script")
    assert set(names(page)) == {NAMES[0]}
    page.locator("button.open").first.click()
    page.wait_for_selector(".detail table >> nth=1")
    page.locator("#props tbody th a").first.click()
    assert page.inner_text("h1") == NAMES[0]


def test_a_slate_can_be_used_by_keyboard_alone(opened):
    page = opened(f"{DAY}/index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("(e => e.name || e.dataset.sort || e.className || e.tagName)(document.activeElement)")
        )
        if reached[-1] == "open":
            break
    assert page.url.endswith("index.html"), "the skip link filters nothing"
    assert reached[:3] == ["SUMMARY", "q", "market"]
    assert {"game", "team", "book", "side", "all", "player", "EV", "open"} <= set(reached)
    page.keyboard.press("Enter")
    page.wait_for_selector(".detail")
    whose = page.locator(".open[aria-expanded=true]").get_attribute("aria-label")
    page.locator("button[data-sort=player]").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.sort") == "player", "the focus stays where it was"
    page.wait_for_selector(".detail table >> nth=1")
    assert page.locator(".open[aria-expanded=true]").get_attribute("aria-label") == whose, "what was opened stays open"
    assert page.locator(".detail").count() == 1
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_the_index_finds_dates_and_players(opened, site):
    page = opened("index.html")
    page.fill("input[name=q]", "wolfe")
    assert page.inner_text("#people a").startswith(NAMES[2])
    page.click("#people a")
    assert page.inner_text("h1") == NAMES[2]
    page = opened("index.html")
    page.fill("input[name=q]", str(NEXT))
    assert page.locator("#dates tbody tr:visible").count() == 1


@pytest.mark.long
def test_four_and_a_half_thousand_props_are_one_page_of_bounded_size(opened, site):
    """454 players in ten markets: see benchmarks/site.py for the times."""
    page_file = site / "large" / "index.html"
    text = page_file.read_bytes()
    page = opened("large/index.html")
    assert len(text) / page.evaluate("JSON.parse(document.getElementById('data').textContent).rows.length") < 400
    assert len(names(page)) == 60, "the rest is drawn when it is asked for"
    first = names(page)[0]
    page.locator("button.open").first.click()
    page.click("button[data-sort=player]")
    page.click("button[data-sort=player]")
    assert first not in names(page)
    assert page.locator(".detail").count() == 0, "the opened row is beyond the first 60"
    page.click("button[data-sort=EV]")
    assert names(page)[0] == first
    assert page.locator(".detail").count() == 1, "and still open"
    page.click("#more")
    assert len(names(page)) == 300
    page.click("button[data-sort=player]")
    assert len(names(page)) == 300, "what was asked for stays in another order"
    page.fill("input[name=q]", f"{names(page)[0]}")
    assert page.inner_text("#count").startswith(f"{len(names(page))} prop")
