"""What holds after every event, whatever has happened."""

from __future__ import annotations

from datetime import date

import pandas as pd

from nba_props.catalog import TABLES
from nba_props.domain.lines import claimed_lines_sql
from nba_props.domain.stored import span_sql
from nba_props.schemas.predictions import LEDGER
from nba_props.schemas.raw import ODDS_QUOTES, QUARANTINED_QUOTES
from nba_props.warehouse.lake.manifests import Manifest
from nba_props.warehouse.sql import reads
from nba_props_tests import league
from nba_props_tests.simulation.world import USUAL, World

_ODDS = league.capture(USUAL.games[0], 0)[0].split("/")[0] + "/"


def check(world: World) -> list[str]:
    """What is broken."""
    _forget_what_is_made_again(world)
    found, world.broken = world.broken, []
    found += [*_nothing_lost(world), *_whole(world), *_versions(world)]
    judged = f"SELECT * FROM ({claimed_lines_sql(span_sql(LEDGER))}) AS j"
    if {ODDS_QUOTES.address, *reads(judged)} & {address for address, _ in world.damaged}:
        return found  # a line can't be compared with a quote or a game that can't be read
    rows = world.platform.query(judged, first=world.span[0], last=world.span[-1])
    ours = rows[~rows["prediction_id"].isin(world.forged)]
    return [*found, *_lines(ours, world), *_in_time(ours), *_forged_is_seen(rows, world)]


def nothing_dropped(world: World) -> list[str]:
    """Every payload of odds has rows, or a reason why it has none."""
    used = {p for table in (ODDS_QUOTES, QUARANTINED_QUOTES) for p in world.rows(table)["payload"]}
    return [
        f"{path}: neither rows nor a reason"
        for path in sorted(world.landed - used - world.repeated)
        if path.startswith(_ODDS)
    ]


def _forget_what_is_made_again(world: World) -> None:
    now = {key: world.lake._layout.located(TABLES[key[0]], key[1]) for key in world.damaged}
    world.damaged = {key: file for key, file in world.damaged.items() if now[key] == file}


def _lines(ours: pd.DataFrame, world: World) -> list[str]:
    """No line is invented: each equals its quote."""
    bad = ours[ours["line_problem"].notna()]
    quotes = world.platform.query(
        f"SELECT * FROM {span_sql(ODDS_QUOTES)} AS q", first=world.span[0], last=world.span[-1]
    ).set_index("quote_id")
    lined = ours[ours["line"].notna()]
    own = quotes.reindex(lined["quote_id"])
    same = (own["line"].to_numpy() == lined["line"].to_numpy()) & (
        own["bookmaker"].to_numpy() == lined["sportsbook"].to_numpy()
    )
    return [
        *(f"{row.prediction_id}: {row.line_problem}" for row in bad.itertuples()),
        *(f"{ident}: the line is another than its quote's" for ident in lined["prediction_id"][~same]),
    ]


def _in_time(ours: pd.DataFrame) -> list[str]:
    """Nothing is published as a bet after the cut-off."""
    late = ours[~ours["is_backfill"].astype(bool) & (ours["created_at"] >= ours["cutoff_at"])]
    return [f"{ident}: published after its cut-off" for ident in late["prediction_id"]]


def _nothing_lost(world: World) -> list[str]:
    """Ledger and archive have everything that was ever published, unchanged, and the ledger has each id once."""
    kept, ledger = world.kept(), world.rows()
    ids = {ident for ident, _ in kept}
    repeated = ledger["prediction_id"][ledger["prediction_id"].duplicated()]
    return [
        *(f"{ident}: {'changed' if ident in ids else 'lost'}" for ident, _ in sorted(world.published - kept)),
        *(f"{ident}: twice in the ledger" for ident in repeated),
    ]


def _whole(world: World) -> list[str]:
    """Every partition can be read and has the rows that were stated for it; those that changed are read."""
    broken = []
    for table in TABLES.values():
        states = {day: state for day, state in world.lake.states(table).items() if day in world.span}
        changed = [day for day, state in states.items() if world.looked_at.get((table.address, day)) != state]
        if not changed:  # to read nothing costs as much as a partition
            continue
        read = world.lake.read(table, changed)
        counts = read["game_date"].dt.date.value_counts() if len(read) else {}
        broken += [
            f"{table.address} of {day}: {counts.get(day, 0)} rows for {states[day].rows}"
            for day in changed
            if counts.get(day, 0) != states[day].rows
        ]
        world.looked_at |= {(table.address, day): states[day] for day in changed}
    return broken


def _versions(world: World) -> list[str]:
    """The newest version of each date has every file that it names and all that its run wrote, and no run that is over is
    taken for one at work.
    """
    manifests = world.lake._versions.manifests
    broken = []
    for day in world.span:
        known = manifests.instants(day)
        manifest = manifests.read(day, known[max(known)]) if known else None
        newest = manifest.tables if manifest else {}
        broken += _torn(world, day, manifest) if manifest else []
        files = {name: manifests.file(day, kept.name) for name, kept in newest.items()}
        broken += [
            f"{name} of {day}: its version has lost its file" for name, file in files.items() if not file.exists()
        ]
    at_work = list((manifests.root / "open").glob("*.journal"))
    return broken + [f"{journal.name}: a run that is over" for journal in at_work]


def _torn(world: World, day: date, manifest: Manifest) -> list[str]:
    """What a run wrote of a date and its version lacks: all tables of a run appear together, or as written later."""
    broken = []
    for name, wrote in world.wrote.get((manifest.run_id, day), {}).items():
        kept = manifest.tables.get(name)
        if kept is None or (kept.digest != wrote.digest and kept.written < wrote.written):
            broken.append(f"{name} of {day}: not in the version of the run that wrote it")
    return broken


def _forged_is_seen(rows: pd.DataFrame, world: World) -> list[str]:
    """A forged row that is in the ledger is named by the view of placeholders."""
    there = rows[rows["prediction_id"].isin(world.forged)]
    unseen = there[there["line_problem"].isna()]
    return [f"{ident}: a made-up line that nothing names" for ident in unseen["prediction_id"]]
