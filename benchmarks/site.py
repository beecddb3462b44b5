"""``python -m benchmarks.site``: what the pages of a slate cost, for 45 and for 454 players, in one run.

The slate of a stored date (``make run`` makes two) is scaled up by copies of its players. In Chromium, where there is
one, the time until the table stands and that of a filter are measured.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from nba_props.deployment import clock_of, load_settings
from nba_props.presentation.site import build, player, slate
from nba_props.storage.files import open_path
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests.presentation.site.scale import of_players

FEW, MANY = 45, 454
#: of these the median counts
TRIES = 5
_FILTER = """() => {
  const input = document.querySelector("input[name=q]"), began = performance.now();
  input.value = "a"; input.dispatchEvent(new Event("input", { bubbles: true }));
  document.body.getBoundingClientRect();
  return performance.now() - began;
}"""


def pages(folder: Path, day: date, players: int) -> dict[str, Any]:
    """Seconds and bytes of a date's pages with so many players."""
    settings = load_settings()
    warehouse, now = open_warehouse(settings), clock_of(settings)()
    small = slate.read(warehouse, day, now)
    found, beside = of_players(small, player.read(warehouse, small), players)
    common = build._common(open_path(str(folder)), warehouse, "../", "", now)
    (folder / str(players)).mkdir(parents=True, exist_ok=True)
    began, sizes = time.perf_counter(), {}
    for name, text in build.files_of_date(
        found, beside, {}, **common, record=["No record."], empty="", before=None, after=None
    ):
        (folder / str(players) / name).write_text(text)
        sizes[name] = len(text.encode())
    seconds = time.perf_counter() - began
    slates = {n: s for n, s in sizes.items() if not n[0].isdigit()}
    return {
        "props": int(found.props["line"].notna().sum()), "seconds": round(seconds, 2), "files": len(sizes),
        "slate_mb": round(sizes["index.html"] / 1e6, 3), "largest_mb": round(max(slates.values()) / 1e6, 3),
        "all_mb": round(sum(sizes.values()) / 1e6, 1),
    }  # fmt: skip


def browser(page_file: Path) -> dict[str, float]:
    """Milliseconds until the table of a page stands, and of a filter over it: medians of some tries."""
    from playwright.sync_api import sync_playwright

    painted, filtered = [], []
    with sync_playwright() as running:
        found = running.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for _ in range(TRIES):
            page = found.new_page(viewport={"width": 1280, "height": 900})
            began = time.perf_counter()
            page.goto(page_file.as_uri())
            page.wait_for_selector("#props tbody tr")
            painted.append(1000 * (time.perf_counter() - began))
            filtered.append(page.evaluate(_FILTER))
            page.close()
        found.close()
    return {"table_ms": round(sorted(painted)[TRIES // 2]), "filter_ms": round(sorted(filtered)[TRIES // 2], 1)}


def main() -> None:
    """Print both sizes and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("day", type=date.fromisoformat, nargs="?", default=date(2026, 1, 10))
    day = parser.parse_args().day
    with tempfile.TemporaryDirectory() as made:
        few, many = (pages(Path(made), day, players) for players in (FEW, MANY))
        for players, found in ((FEW, few), (MANY, many)):
            print(f"{players} players: {found}")
        grown = many["props"] / few["props"]
        print(f"seconds grow by {many['seconds'] / few['seconds']:.1f}, props by {grown:.1f}")
        if shutil.which("chromium"):
            print(f"in Chromium, {MANY} players: {browser(Path(made) / str(MANY) / 'index.html')}")


if __name__ == "__main__":
    main()
