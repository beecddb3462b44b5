"""Rows that bypassed the gate: each one in the ledger is found and can be removed, without any valid row."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nba_props.assets.tables import asset_key
from nba_props.domain import digests
from nba_props.facts.vocabulary import RemediationStep
from nba_props.operations import audit, remediation, selection
from nba_props.operations.ledger import batches
from nba_props.operations.selection import Selection
from nba_props.schemas.predictions import (
    ARCHIVED_PREDICTIONS,
    GRADE_HISTORY,
    LEDGER,
    LEDGER_AS_FOUND,
    PREDICTION_ACCURACY,
)
from nba_props.schemas.raw import ODDS_QUOTES, SCHEDULE
from nba_props.sources import registry
from nba_props.storage.landing import LandingZone
from nba_props.warehouse.entries import Written
from nba_props_tests.conftest import DAY, Platform, utc
from nba_props_tests.warehouse.samples import D1, D2, ledger

pytestmark = pytest.mark.slow

WRONG = Selection("invalid_line", DAY, DAY)
FAR = pd.Timestamp("9999-12-31T00:00Z")
NOW = utc(2026, 2, 10, 17)


def rows_of(platform: Platform) -> pd.DataFrame:
    return platform.warehouse.read(LEDGER, [DAY])


def resealed(rows: pd.DataFrame) -> pd.DataFrame:
    """What a writer does that knows how digests are made."""
    return rows.assign(row_digest=digests.row_digests(LEDGER, LEDGER_AS_FOUND.conform(rows)))


def replaced(lake, rows: pd.DataFrame, statement: str | None = None, day=D1) -> None:
    """Put rows in the ledger's place as a writer does that knows how to state them."""
    statement = statement or digests.statement(digests.content(LEDGER, rows, day), "")
    lake._replace(LEDGER, rows, {day: Written(rows=len(rows), statement=statement)})


def one(rows: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """The first row with a line, with other values."""
    found = rows[rows["line"].notna() & rows["forecast"].notna()].head(1).assign(**values)
    return LEDGER_AS_FOUND.conform(found).set_axis(found.index)


#: what a second writer puts beside honest rows, who knows how digests are made, and what is found
BESIDE = {
    "a placeholder without a source": ({"line": 20.0, "line_source": None, "quote_id": None}, "PLACEHOLDER_LINE"),
    "a placeholder said to be a line": ({"line": 20.0, "quote_id": None}, "PLACEHOLDER_LINE"),
    "a placeholder beside a quote": ({"line": 15.5}, "PLACEHOLDER_LINE"),
    "a line that is not its quote's": ({"line": 37.5, "recommendation": "UNDER"}, "LINE_MISMATCH"),
    "a price that is not its quote's": ({"over_price": 250}, "PRICE_MISMATCH"),
    "no price": ({"under_price": None}, "PRICE_MISMATCH"),
    "another book": ({"sportsbook": "somebook"}, "BOOK_MISMATCH"),
    "an unknown quote": ({"quote_id": "0" * 32}, "NO_QUOTE"),
    "another player's quote": ({"player_id": 424242}, "QUOTE_OF_ANOTHER"),
    "another game": ({"game_id": "0022599999"}, "QUOTE_OF_ANOTHER"),
    "another source": ({"line_source": "ESTIMATED"}, "UNKNOWN_SOURCE"),
    "a line that is said to be none": ({"line_source": "NO_PROP_LINE"}, "CONTRADICTORY_LINE"),
    "a line and no line": ({"has_prop_line": False}, "CONTRADICTORY_LINE"),
    "a cut-off after the game": ({"cutoff_at": pd.Timestamp("2199-01-01T00:00Z")}, "CUTOFF_MISMATCH"),
    "a cut-off in the year 9999": ({"cutoff_at": FAR}, "CUTOFF_MISMATCH"),
    "no cut-off": ({"cutoff_at": None}, "NO_CUTOFF"),
    "a cut-off before the quote": ({"cutoff_at": pd.Timestamp("2020-01-01T00:00Z")}, "IN_PLAY_QUOTE"),
    "no points and a side": ({"forecast": np.nan, "recommendation": "OVER"}, "INVALID_PREDICTION"),
    "a million points": ({"forecast": 1e6, "recommendation": "OVER"}, "INVALID_PREDICTION"),
    "negative points": ({"forecast": -1.0, "recommendation": "UNDER"}, "INVALID_PREDICTION"),
    "more than certain": ({"confidence_score": 1.5}, "INVALID_CONFIDENCE"),
    "a probability of two": ({"over_probability": 2.0}, "INVALID_CONFIDENCE"),
    "an unknown side": ({"recommendation": "MAYBE"}, "INVALID_RECOMMENDATION"),
    "no system": ({"system_id": None}, "MISSING_KEY"),
    "no version": ({"model_version": None}, "MISSING_KEY"),
    "no name": ({"player_name": None}, "MISSING_KEY"),
    "no id": ({"prediction_id": None}, "NO_ID"),
    "no id either": ({"prediction_id": None}, "NO_ID"),
    "a copy of an honest row": ({}, "SAME_ID"),
    "its twin": ({}, "SAME_ID"),
    "an honest row's id": ({"created_at": FAR}, "SAME_ID"),
}
#: what a second writer puts in the place of honest rows, who knows nothing of digests
INSTEAD = {
    "a better forecast": ({"forecast": 33.0, "recommendation": "OVER"}, "ROW_ALTERED"),
    "another side": ({"recommendation": "PASS"}, "ROW_ALTERED"),
    "published earlier": ({"created_at": pd.Timestamp("2025-01-01T00:00Z")}, "ROW_ALTERED"),
    "published in the year 9999": ({"created_at": FAR}, "ROW_ALTERED"),
    "a backfill": ({"is_backfill": True}, "ROW_ALTERED"),
    "another run's": ({"run_id": "me"}, "ROW_ALTERED"),
    "no digest": ({"row_digest": None}, "NO_DIGEST"),
}


def beside(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``BESIDE``, each of a run of its own, so that none is wrong for another."""
    found = []
    for name, (values, kind) in BESIDE.items():
        bad = (
            one(rows, **values) if kind == "SAME_ID" else one(rows, **{"prediction_id": name, "run_id": name, **values})
        )
        found.append(bad if name in ("a copy of an honest row", "its twin") else resealed(bad.assign(run_id=name)))
    return pd.concat(found, ignore_index=True)


def instead(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The honest rows that are left, and the rows of ``INSTEAD``, each of which was one before."""
    with_line = rows[rows["line"].notna() & rows["forecast"].notna() & rows["recommendation"].ne("PASS")]
    bad = [one(with_line.iloc[n:], **values) for n, (values, _) in enumerate(INSTEAD.values())]
    return rows.drop(index=with_line.index[: len(INSTEAD)]), pd.concat(bad)


@pytest.mark.long
def test_smuggled_rows_are_found_taken_out_and_put_back_one_by_one(predicted: Platform):
    store, rows = predicted.warehouse, rows_of(predicted)
    honest, replaced = instead(rows)
    smuggled = pd.concat([beside(honest), replaced], ignore_index=True)
    store.write_unchecked(LEDGER_AS_FOUND, pd.concat([smuggled, honest]), DAY)
    ids = sorted(digests.row_ids(LEDGER, rows_of(predicted)))
    found = selection.selected(store, WRONG)
    kinds = [kind for _, kind in [*BESIDE.values(), *INSTEAD.values()]]
    assert sorted(found["problem"]) == sorted(kinds)
    of_run = found.set_index("run_id")["problem"]
    for name, (_, kind) in BESIDE.items():
        assert kind == "SAME_ID" or of_run[name] == kind, name

    account = remediation.quarantine(store, WRONG, predicted.now)
    assert account.total == len(smuggled)
    pd.testing.assert_frame_equal(_in_order(rows_of(predicted)), _in_order(honest))
    assert len(store.read(ARCHIVED_PREDICTIONS, [DAY])) == len(smuggled)
    assert remediation.quarantine(store, WRONG, predicted.now).total == 0
    assert remediation.restore(store, account.batch_id, predicted.now).total == len(smuggled)
    assert remediation.restore(store, account.batch_id, predicted.now).total == 0
    assert sorted(digests.row_ids(LEDGER, rows_of(predicted))) == ids, "what was wrong is wrong again"
    predicted.materialize(DAY, DAY, [asset_key(t) for t in (PREDICTION_ACCURACY, GRADE_HISTORY)], "grade")
    grades = store.read(PREDICTION_ACCURACY, [DAY])
    assert len(grades) == len(ids) - sum(kind in ("NO_ID", "SAME_ID") for kind in kinds)
    assert set(grades.loc[grades["line_problem"].isna(), "prediction_id"]) == set(honest["prediction_id"])
    assert remediation.quarantine(store, WRONG, predicted.now).total == len(smuggled)


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values("prediction_id", ignore_index=True)


def test_a_quote_that_no_payload_has_does_not_make_a_line_valid(predicted: Platform):
    store, rows = predicted.warehouse, rows_of(predicted)
    zone = registry.with_odds(LandingZone(predicted.settings.landing))
    assert zone is not None
    assert selection.selected(store, WRONG, zone).empty
    quotes = store.read(ODDS_QUOTES, [DAY])
    honest = one(rows)
    quote = quotes[quotes["quote_id"] == honest["quote_id"].iloc[0]]
    forged = quote.assign(quote_id="forged", line=quote["line"] + 3)
    bad = one(rows, quote_id="forged", line=honest["line"] + 3, prediction_id="smuggled", recommendation="PASS")
    store.write_unchecked(ODDS_QUOTES, pd.concat([quotes, forged]), DAY)
    store.write_unchecked(LEDGER, pd.concat([rows, resealed(bad.assign(run_id="x"))]), DAY)
    assert selection.selected(store, WRONG).empty, "it fits what is stored"
    found = selection.selected(store, WRONG, zone)
    assert found[["prediction_id", "problem"]].values.tolist() == [["smuggled", "NOT_LANDED"]]


def test_a_moved_start_does_not_make_a_valid_row_late(predicted: Platform):
    store = predicted.warehouse
    games = store.read(SCHEDULE, [DAY])
    store.write_unchecked(SCHEDULE, games.assign(tipoff_at=games["tipoff_at"] + timedelta(hours=2)), DAY)
    assert selection.selected(store, WRONG).empty
    store.write_unchecked(SCHEDULE, games.iloc[1:], DAY)
    assert selection.selected(store, WRONG).empty, "and a game that left the date has no start to be later than"


def generated(rows: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Honest rows, each changed in one column or two by a writer who does not know how digests are made."""
    random = np.random.default_rng(seed)
    picked = rows.iloc[random.integers(len(rows), size=count)].reset_index(drop=True)
    columns = [c for c in LEDGER.column_names if c not in ("game_date", "row_digest")]
    chosen = random.integers(len(columns), size=count)
    bad = picked.copy()
    for n, name in enumerate(columns):
        mine = np.flatnonzero(chosen == n)
        kind, values = bad[name].dtype.kind, rows[name].iloc[random.integers(len(rows), size=len(mine))]
        values = values.set_axis(mine)
        if kind in "fiu" or str(bad[name].dtype) == "Int64":
            values = values + random.integers(1, 9, size=len(mine))
        elif kind == "M":
            values = values + pd.to_timedelta(random.integers(1, 10**6, size=len(mine)), unit="s")
        elif str(bad[name].dtype) == "boolean":
            values = ~picked.loc[mine, name]
        else:
            values = values.astype(object).where(random.random(len(mine)) < 0.5, None)
        bad.loc[mine, name] = values
    stripped = random.random(count) < 0.2
    bad["row_digest"] = bad["row_digest"].mask(stripped, None)
    now = digests.row_digests(LEDGER, LEDGER_AS_FOUND.conform(bad))
    return bad[now.ne(digests.row_digests(LEDGER, LEDGER_AS_FOUND.conform(picked))) | stripped]


@pytest.mark.parametrize(
    ("batches", "size"), [(2, 500), pytest.param(100, 1_000, marks=pytest.mark.long)], ids=["some", "100,000"]
)
def test_every_generated_row_and_no_valid_row_is_selected(predicted: Platform, batches: int, size: int):
    store, rows = predicted.warehouse, rows_of(predicted)
    honest = set(digests.row_ids(LEDGER, rows))
    for seed in range(batches):
        bad = generated(rows, size, seed)
        store.write_unchecked(LEDGER_AS_FOUND, pd.concat([bad, rows]).sample(frac=1, random_state=seed), DAY)
        found = selection.selected(store, WRONG)
        assert len(found) == len(bad)
        assert honest.isdisjoint(found["row_id"])


def before_digests(store, ids: list[str], day=D1) -> None:
    """A partition as a release before digests wrote it, with that release's statement."""
    rows = LEDGER_AS_FOUND.conform(ledger(ids).assign(row_digest=None, game_date=pd.Timestamp(day)))
    replaced(store, rows, digests.statement({"": digests.content(LEDGER, rows, day)[""]}, ""), day)


RUN = Selection("run", D1, D1, run_id="r")


def test_a_killed_quarantine_of_old_rows_is_completed_after_they_got_digests(lake, monkeypatch):
    before_digests(lake, ["a", "b"])
    with monkeypatch.context() as patch:
        patch.setattr(lake, "remove", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            remediation.quarantine(lake, RUN, NOW)
    lake.append(LEDGER, ledger(["d"]).assign(run_id="later"), [D1])
    assert remediation.quarantine(lake, RUN, NOW).total == 2
    assert lake.read(LEDGER, [D1])["prediction_id"].tolist() == ["d"]
    archived = lake.read(ARCHIVED_PREDICTIONS, [D1])
    assert sorted(archived["prediction_id"]) == ["a", "b"]


def test_restored_old_rows_are_valid_and_restored_once(lake):
    before_digests(lake, ["a"])
    batch = remediation.rollback(lake, "r", NOW)
    lake.append(LEDGER, ledger(["d"]).assign(run_id="later"), [D1])
    assert remediation.restore(lake, batch.batch_id, NOW).total == 1
    assert selection.judged(lake, D1, D1)["problem"].isna().all()
    lake.seal(LEDGER, D1)
    assert remediation.restore(lake, batch.batch_id, NOW).total == 0
    assert sorted(lake.read(LEDGER, [D1])["prediction_id"]) == ["a", "d"]


@pytest.mark.parametrize("then", ["sealed", "another batch"])
def test_a_batch_of_an_earlier_release_is_restored_whatever_was_archived_since(lake, then):
    published(lake, "a")
    batch = remediation.rollback(lake, "r", NOW)
    old = lake.read(ARCHIVED_PREDICTIONS, [D1]).assign(archived_id=None, archive_digest=None)
    lake.write_unchecked(ARCHIVED_PREDICTIONS, old, D1)
    if then == "sealed":
        lake.seal(ARCHIVED_PREDICTIONS, D1)
        lake.mark_sealed()
    else:
        published(lake, "c", run="later")
        remediation.rollback(lake, "later", NOW + timedelta(minutes=1))
    assert remediation.restore(lake, batch.batch_id, NOW + timedelta(minutes=2)).total == 1


def test_an_archived_row_is_restored_beside_a_forged_one_of_its_id(lake):
    lake.append(LEDGER, ledger(["a"]), [D1])
    batch = remediation.rollback(lake, "r", NOW)
    forged = ledger(["a"], points=33.0).assign(run_id="second writer", row_digest=None)
    lake.write_unchecked(LEDGER_AS_FOUND, forged, D1)
    assert remediation.restore(lake, batch.batch_id, NOW).total == 1
    assert sorted(lake.read(LEDGER, [D1])["forecast"]) == [10.0, 33.0]


def test_a_record_alone_does_not_keep_rows_from_being_removed(lake):
    lake.append(LEDGER, ledger(["a", "b"]), [D1])
    batch = remediation.quarantine(lake, RUN, NOW, dry_run=True).batch_id
    remediation._record(lake, batch, RemediationStep.REMOVED, RUN.action, D1, 2, NOW)
    assert remediation.quarantine(lake, RUN, NOW).total == 2
    assert lake.read(LEDGER, [D1]).empty


def test_only_the_rows_of_the_named_run_are_meant_by_any_predicate(lake):
    lake.append(LEDGER, ledger(["a"]), [D1])
    lake.append(LEDGER, ledger(["b"]).assign(run_id="later", player_id=2), [D1])
    asked = Selection("system", D1, D1, run_id="later", system_id="s")
    assert selection.selected(lake, asked)["prediction_id"].tolist() == ["b"]


def test_two_quarantines_of_the_same_rows_at_once_agree(lake, monkeypatch):
    lake.append(LEDGER, ledger(["a", "b"]), [D1])
    plain = remediation._recorded

    def meanwhile(*args):
        monkeypatch.undo()
        assert remediation.quarantine(lake, RUN, NOW).total == 2
        return plain(*args)

    monkeypatch.setattr(remediation, "_recorded", meanwhile)
    assert remediation.quarantine(lake, RUN, NOW).total == 2
    assert len(lake.read(ARCHIVED_PREDICTIONS, [D1])) == 2
    assert lake.read(LEDGER, [D1]).empty


def test_a_row_that_is_published_again_during_its_restore_is_stored_once(lake, monkeypatch):
    lake.append(LEDGER, ledger(["a"]), [D1])
    batch = remediation.rollback(lake, "r", NOW)
    plain = remediation._record

    def meanwhile(*args):
        lake.append(LEDGER, ledger(["a"]).assign(run_id="later"), [D1])
        return plain(*args)

    monkeypatch.setattr(remediation, "_record", meanwhile)
    remediation.restore(lake, batch.batch_id, NOW)
    assert lake.read(LEDGER, [D1])["run_id"].tolist() == ["later"]


def test_rows_that_return_with_an_older_copy_of_a_partition_are_found(lake):
    lake.append(LEDGER, ledger(["a"]), [D1])
    older = lake.read(LEDGER, [D1])
    batch = remediation.rollback(lake, "r", NOW)
    replaced(lake, older)
    assert lake.damaged() == []
    assert selection.judged(lake, D1, D1)["problem"].tolist() == ["RETURNED"]
    assert remediation.quarantine(lake, Selection("invalid_line", D1, D1), NOW).total == 1
    # restored on purpose it is as good as before, whichever batch has it
    assert remediation.restore(lake, batch.batch_id, NOW).total == 1
    assert selection.judged(lake, D1, D1)["problem"].isna().all()


def test_a_restored_row_that_was_removed_again_may_not_return_by_itself(lake):
    lake.append(LEDGER, ledger(["a"]), [D1])
    older = lake.read(LEDGER, [D1])
    first = remediation.rollback(lake, "r", NOW)
    remediation.restore(lake, first.batch_id, NOW + timedelta(minutes=1))
    remediation.rollback(lake, "r", NOW + timedelta(minutes=2))
    replaced(lake, older)
    assert selection.judged(lake, D1, D1)["problem"].tolist() == ["RETURNED"]
    remediation.restore(lake, first.batch_id, NOW + timedelta(minutes=3))
    assert selection.judged(lake, D1, D1)["problem"].isna().all()


@pytest.mark.parametrize("stated", ["0" * 16, None])
def test_an_altered_archive_does_not_make_a_valid_row_suspect(lake, stated):
    lake.append(LEDGER, ledger(["a"]), [D1])
    remediation.rollback(lake, "r", NOW)
    lake.append(LEDGER, ledger(["b"]).assign(run_id="later"), [D1])
    honest = digests.row_ids(LEDGER, lake.read(LEDGER, [D1]))[0]
    archive = lake.read(ARCHIVED_PREDICTIONS, [D1])
    lake.write_unchecked(ARCHIVED_PREDICTIONS, archive.assign(archived_id=honest, archive_digest=stated), D1)
    assert selection.judged(lake, D1, D1)["problem"].isna().all()


@pytest.mark.parametrize("version", [0, 2])
def test_a_sealed_lake_does_not_accept_a_forged_row(lake, version):
    """Rows without digests, and a statement of a form that no release had."""
    lake.claim("SIMULATED")
    lake.append(LEDGER, ledger(["a"]), [D1])
    forged = LEDGER_AS_FOUND.conform(ledger(["x"]).assign(row_digest=None))
    text = json.dumps({"version": version, "content": {"": ""}, "made_from": ""})
    replaced(lake, forged, text)
    assert lake.damaged()
    lake.append(LEDGER, ledger(["b"]).assign(player_id=2), [D1])
    assert lake.damaged(), "and stays on record"
    assert selection.judged(lake, D1, D1).set_index("prediction_id")["problem"].to_dict() == {
        "x": "NO_DIGEST",
        "b": None,
    }


def published(lake, *ids: str, run: str = "r") -> None:
    """Rows of as many players."""
    rows = ledger(list(ids)).assign(run_id=run)
    lake.append(LEDGER, rows.assign(player_id=[ord(i) for i in ids]), [D1])


def smuggled_into(lake, table, rows: pd.DataFrame) -> None:
    """Rows added to what a table has, with the partition's own statement."""
    whole = pd.concat([lake.read(table, [D1]), rows] if lake.partitions(table) else [rows], ignore_index=True)
    lake.write_unchecked(table, whole, D1)


def test_forged_rows_in_the_archive_remove_and_restore_nothing(lake):
    lake.claim("SIMULATED")
    published(lake, "a", "b")
    published(lake, "c", run="later")
    wanted = Selection("run", D1, D1, run_id="later")
    batch = remediation.quarantine(lake, wanted, NOW, dry_run=True).batch_id
    honest = lake.read(LEDGER, [D1]).iloc[:2]
    names = digests.row_ids(LEDGER, honest)
    marks = {"batch_id": batch, "deletion_reason": "x", "deleted_at": pd.Timestamp(NOW), "archive_digest": None}
    forged = ARCHIVED_PREDICTIONS.conform(honest.assign(**marks, line_problem=None, archived_id=names))
    smuggled_into(lake, ARCHIVED_PREDICTIONS, forged)
    remediation._record(lake, batch, RemediationStep.REMOVED, "x", D1, 2, NOW)
    assert selection.judged(lake, D1, D1)["problem"].isna().all()
    assert remediation.quarantine(lake, wanted, NOW).total == 1
    assert sorted(lake.read(LEDGER, [D1])["prediction_id"]) == ["a", "b"]
    own = forged.head(1).assign(forecast=33.0, row_digest=None, archived_id=None)
    smuggled_into(lake, ARCHIVED_PREDICTIONS, own)
    with pytest.raises(selection.RemediationError, match="not as they were archived"):
        remediation.restore(lake, batch, NOW)


def test_rollback_and_restore_hide_no_alteration(lake):
    """A second writer takes an honest row; an unrelated batch of the date is restored, then taken out."""
    lake.claim("SIMULATED")
    published(lake, "a", "b")
    published(lake, "q", run="later")
    batch = remediation.rollback(lake, "later", NOW)
    lake.write_unchecked(LEDGER_AS_FOUND, lake.read(LEDGER, [D1]).iloc[1:], D1)
    assert lake.damaged()
    remediation.restore(lake, batch.batch_id, NOW + timedelta(minutes=1))
    assert lake.damaged()
    remediation.rollback(lake, "later", NOW + timedelta(minutes=2))
    assert lake.damaged()


@pytest.mark.parametrize("rows", [[], ["x"]], ids=["emptied", "replaced"])
def test_a_sealed_partition_that_another_program_replaced_stays_reported_as_altered(lake, rows):
    lake.claim("SIMULATED")
    published(lake, "a", "b")
    lake.write_unchecked(LEDGER_AS_FOUND, ledger(rows).assign(row_digest=None), D1)
    assert "has no statement of its rows" in lake.damaged()[0].reason
    remediation.quarantine(lake, Selection("invalid_line", D1, D1), NOW)
    assert lake.damaged() or not rows
    if not rows:
        published(lake, "c")
        assert lake.damaged(), "and what is published since does not hide it"


def test_a_quarantine_that_was_killed_and_then_restored_removes_all_rows_again(lake, monkeypatch):
    published(lake, "a")
    lake.append(LEDGER, ledger(["b"]).assign(game_date=pd.Timestamp(D2)), [D2])
    both, plain = Selection("run", D1, D2, run_id="r"), lake.remove

    def dies(table, ids, day):
        if day == D2:
            raise KeyboardInterrupt
        return plain(table, ids, day)

    monkeypatch.setattr(lake, "remove", dies)
    with pytest.raises(KeyboardInterrupt):
        remediation.quarantine(lake, both, NOW)
    monkeypatch.undo()
    (batch,) = batches(lake)["batch_id"]
    assert remediation.restore(lake, batch, NOW + timedelta(minutes=1)).total == 1
    assert remediation.quarantine(lake, both, NOW + timedelta(minutes=2)).total == 2
    assert lake.read(LEDGER, [D1, D2]).empty


def test_a_row_that_had_returned_is_valid_once_it_is_restored(lake):
    lake.append(LEDGER, ledger(["a"]), [D1])
    older = lake.read(LEDGER, [D1])
    batch = remediation.rollback(lake, "r", NOW)
    replaced(lake, older)
    assert remediation.restore(lake, batch.batch_id, NOW).total == 0
    assert selection.judged(lake, D1, D1)["problem"].isna().all()


def test_a_date_that_was_rewritten_without_digests_is_not_taken_for_an_earlier_releases(lake):
    lake.claim("SIMULATED")
    lake.append(LEDGER, ledger(["a"]), [D1])
    lake.write_unchecked(LEDGER_AS_FOUND, ledger(["a"], points=33.0).assign(row_digest=None), D1)
    assert selection.judged(lake, D1, D1)["problem"].tolist() == ["NO_DIGEST"]
    assert "has no statement of its rows" in lake.damaged()[0].reason


@dataclass
class Forgery:
    """An honest row that an audit has seen, and an older one of its id by a writer who knows how digests are made."""

    platform: Platform
    memory: audit.Memory
    rows: pd.DataFrame
    honest: pd.DataFrame
    forged: pd.DataFrame

    def put(self, *parts: pd.DataFrame) -> None:
        self.platform.warehouse.write_unchecked(LEDGER_AS_FOUND, pd.concat(parts), DAY)

    def audited(self) -> list[str]:
        return [f.kind for f in audit.audit(self.platform.warehouse, self.memory).found]

    def selected(self) -> pd.DataFrame:
        return selection.selected(self.platform.warehouse, WRONG, seen=self.memory.known_valid)


@pytest.fixture
def forgery(predicted: Platform, tmp_path) -> Forgery:
    rows, memory = rows_of(predicted), audit.Memory(str(tmp_path / "audit"))
    audit.audit(predicted.warehouse, memory)
    honest = one(rows)
    own = honest.assign(confidence_score=honest["confidence_score"] / 2)
    forged = resealed(own.assign(created_at=honest["created_at"] - timedelta(minutes=5)))
    return Forgery(predicted, memory, rows, honest, forged)


def test_a_row_that_an_audit_has_seen_is_valid_and_its_forged_copy_is_not(forgery: Forgery):
    forgery.put(forgery.rows, forgery.forged)
    for _ in range(2):  # at first sight, and when the audit has seen the forged one as well
        found = forgery.selected()
        assert found["problem"].tolist() == ["SAME_ID"]
        assert found["confidence_score"].tolist() == forgery.forged["confidence_score"].tolist()
        assert forgery.audited() in (["SAME_ID"], [])
    store = forgery.platform.warehouse
    assert remediation.quarantine(store, WRONG, forgery.platform.now, seen=forgery.memory.known_valid).total == 1
    pd.testing.assert_frame_equal(_in_order(rows_of(forgery.platform)), _in_order(forgery.rows))


def test_a_row_that_replaced_another_is_not_valid_because_an_audit_saw_it(forgery: Forgery):
    forgery.put(forgery.rows.drop(index=forgery.honest.index), forgery.forged)
    assert forgery.audited() == ["ROWS_CHANGED"]
    forgery.put(forgery.rows, forgery.forged)
    for _ in range(2):
        assert forgery.selected()["confidence_score"].tolist() == forgery.forged["confidence_score"].tolist()
        forgery.audited()


def test_a_memory_without_the_wrong_rows_makes_no_row_valid(predicted: Platform, tmp_path):
    store = predicted.warehouse
    memory = audit.Memory(str(tmp_path / "audit"))
    audit.audit(store, memory)
    assert len(memory.known_valid(DAY, DAY)) == len(rows_of(predicted))
    kept = memory.of(LEDGER)[DAY]
    memory.of(LEDGER)[DAY] = {"fingerprint": kept["fingerprint"], "findings": {"SAME_ID": 1}}
    assert len(memory.known_valid(DAY, DAY)) == 0


def test_rows_of_an_altered_archive_are_not_restored(lake):
    lake.append(LEDGER, ledger(["a", "b"]), [D1])
    batch = remediation.rollback(lake, "r", NOW)
    archive = lake.read(ARCHIVED_PREDICTIONS, [D1])
    for altered in (
        archive.assign(forecast=33.0),
        pd.concat([archive, archive.head(1)]),
        archive.assign(archived_id=archive["archived_id"].iloc[::-1].to_numpy()),
    ):
        lake.write_unchecked(ARCHIVED_PREDICTIONS, altered, D1)
        with pytest.raises(selection.RemediationError, match="not as they were archived"):
            remediation.restore(lake, batch.batch_id, NOW)


@pytest.mark.parametrize(
    "values",
    [{"forecast": 33.0}, {"line": 37.5}, {"quote_id": "0" * 32}, {"forecast": 1e6, "run_id": "own"}],
)
def test_a_forged_row_with_a_valid_id_blocks_neither_publishing_nor_grading(predicted: Platform, values):
    store, rows = predicted.warehouse, rows_of(predicted)
    forged = resealed(one(rows, **{**values, "created_at": rows["created_at"].max() + timedelta(minutes=5)}))
    store.write_unchecked(LEDGER_AS_FOUND, pd.concat([rows, forged]), DAY)
    predicted.materialize(DAY, DAY, predicted.publication(("moving_average",), slate=False))
    predicted.materialize(DAY, DAY, predicted.of("grade", "nba_raw", "nba_predictions"), "grade")
    remediation.quarantine(store, WRONG, predicted.now)
    assert len(rows_of(predicted)) >= len(rows)
    assert set(rows["prediction_id"]) <= set(rows_of(predicted)["prediction_id"])
