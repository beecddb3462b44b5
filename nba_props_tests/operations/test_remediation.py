"""Remediation on handwritten ledgers: what is selected, what is moved, what is recorded, and what stops it."""

from __future__ import annotations

import itertools
import shlex
from datetime import date, timedelta

import pandas as pd
import pandas.testing as pdt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_props.domain import digests
from nba_props.facts.digest import digest
from nba_props.facts.vocabulary import RemediationStep
from nba_props.operations import remediation, selection
from nba_props.operations.archive import archived_rows, removed, stored_rows
from nba_props.operations.selection import PREDICATES, RemediationError, Selection, command_of
from nba_props.schemas.predictions import ARCHIVED_PREDICTIONS, LEDGER, LEDGER_AS_FOUND, REMEDIATIONS
from nba_props_tests.warehouse.memory import MemoryWarehouse
from nba_props_tests.warehouse.samples import D1, D2, ledger

NOW = pd.Timestamp("2026-02-10T17:00Z").to_pydatetime()
D3 = D2 + timedelta(40)
OLD_SYSTEM = Selection("placeholder", D1, D2)


def rows(ids: str, day: date = D1, **values: object) -> pd.DataFrame:
    """Valid rows, of a player each."""
    return ledger(list(ids)).assign(**{"game_date": pd.Timestamp(day), "player_id": [ord(i) for i in ids], **values})


def poisoned(store: MemoryWarehouse, ids: str, day: date) -> None:
    """What another program wrote beside the rows of a date: 20.0 without a source."""
    fakes = rows(
        ids, day, line=20.0, has_prop_line=True, line_source=None, run_id="old", system_id="t", row_digest=None
    )
    store.write_unchecked(LEDGER_AS_FOUND, pd.concat([store.read(LEDGER, [day]), fakes]), day)


def ids(store: MemoryWarehouse, table=LEDGER) -> str:
    found = store.read(table, store.partitions(table))
    return "".join(sorted(found["prediction_id"]))


def steps(store: MemoryWarehouse) -> list[tuple[str, date, int]]:
    found = store.read(REMEDIATIONS, store.partitions(REMEDIATIONS)).sort_values(["recorded_at", "step", "game_date"])
    return [(r.step, r.game_date.date(), r.row_count) for r in found.itertuples()]


@pytest.fixture(scope="module")
def written() -> MemoryWarehouse:
    """Rows a to d of two dates by two runs, of another date e, and beside them the placeholders x, y and z."""
    made = MemoryWarehouse()
    for run, day, of in (("r", D1, "ab"), ("later", D1, "c"), ("r", D2, "d"), ("r", D3, "e")):
        made.append(LEDGER, rows(of, day, run_id=run), [day])
    poisoned(made, "xy", D1)
    poisoned(made, "z", D2)
    return made


@pytest.fixture
def store(written: MemoryWarehouse) -> MemoryWarehouse:
    """The same for one test: its partitions are replaced, never changed."""
    made = MemoryWarehouse()
    made._parts = {address: dict(parts) for address, parts in written._parts.items()}
    made._versions = itertools.count(100)
    return made


def test_exactly_what_is_selected_moves_and_comes_back(store):
    before = {day: store.read(LEDGER, [day]) for day in (D1, D2, D3)}
    preview = remediation.quarantine(store, OLD_SYSTEM, NOW, dry_run=True)
    assert (ids(store), store.partitions(ARCHIVED_PREDICTIONS), store.partitions(REMEDIATIONS)) == ("abcdexyz", [], [])

    account = remediation.quarantine(store, OLD_SYSTEM, NOW)
    assert (ids(store), ids(store, ARCHIVED_PREDICTIONS)) == ("abcde", "xyz")
    for made in (preview, account):
        assert (made.total, made.days, made.standing) == (3, (D1, D2), 0)
        assert (made.batch_id, made.action) == (account.batch_id, f"quarantine placeholder/1 {D1}..{D2}")
        assert made.undo == f"nba-props restore {account.batch_id}"
        assert made.rows["game_date"].dt.date.tolist() == [D1, D2]
        assert made.rows[["system_id", "rows"]].to_numpy().tolist() == [["t", 2], ["t", 1]]
    assert steps(store) == [("DONE", D2, 3), ("REMOVED", D1, 2), ("REMOVED", D2, 1)]
    archived = store.read(ARCHIVED_PREDICTIONS, [D1, D2])
    assert set(archived["line_problem"]) == {"PLACEHOLDER_LINE"}
    assert set(archived["deletion_reason"]) == {account.action}
    assert set(archived["deleted_at"]) == {pd.Timestamp(NOW)}

    soon = NOW + timedelta(minutes=1)
    would = remediation.restore(store, account.batch_id, soon, dry_run=True)
    assert (would.total, ids(store), len(steps(store))) == (3, "abcde", 3)
    back = remediation.restore(store, account.batch_id, soon)
    for made in (would, back):
        assert (made.total, made.standing, made.days) == (3, 0, (D1, D2))
        assert made.action == f"restore {account.batch_id}"
        assert made.undo == f"nba-props quarantine placeholder {D1}..{D2}"
    for day, rows_of_day in before.items():
        same = store.read(LEDGER, [day])
        pdt.assert_frame_equal(*(f.sort_values("prediction_id", ignore_index=True) for f in (same, rows_of_day)))
    assert steps(store)[3:] == [("RESTORED", D1, 2), ("RESTORED", D2, 1)]

    again = remediation.restore(store, account.batch_id, soon + timedelta(minutes=1))
    assert (again.total, again.standing, again.days, ids(store)) == (0, 3, (), "abcdexyz")
    assert [count for _, _, count in steps(store)[5:]] == [0, 0]
    second = remediation.quarantine(store, OLD_SYSTEM, soon + timedelta(minutes=2))
    assert second.batch_id != account.batch_id
    assert (second.total, ids(store)) == (3, "abcde")


def test_rows_without_a_system_are_counted_as_well(store):
    nameless = rows("n", D2, system_id=None, line=20.0, has_prop_line=True, line_source=None, row_digest=None)
    store.write_unchecked(LEDGER_AS_FOUND, pd.concat([store.read(LEDGER, [D2]), nameless]), D2)
    account = remediation.quarantine(store, OLD_SYSTEM, NOW)
    assert account.total == 4
    assert account.rows["system_id"].isna().sum() == 1


def test_nothing_to_move_makes_no_batch(store):
    nothing = Selection("in_play", D1, D2)
    first, second = (remediation.quarantine(store, nothing, NOW) for _ in range(2))
    assert first.batch_id == second.batch_id
    assert (first.total, first.days, steps(store)) == (0, (), [])
    one = remediation.quarantine(store, Selection("placeholder", D2, D2), NOW)
    assert one.total == 1
    assert remediation.restore(store, one.batch_id, NOW + timedelta(minutes=1)).total == 1


def killed_at(store: MemoryWarehouse, write: int, monkeypatch):
    """The store dies in the place of its write with this number."""
    plain, count = store._replace, iter(range(write + 1))

    def replace(*arguments):
        if next(count, write) == write:
            raise KeyboardInterrupt
        plain(*arguments)

    monkeypatch.setattr(store, "_replace", replace)


@pytest.mark.parametrize("write", [1, 2, 6])
def test_the_same_command_completes_what_was_killed(store, monkeypatch, write):
    with monkeypatch.context() as patch:
        killed_at(store, write, patch)
        with pytest.raises(KeyboardInterrupt):
            remediation.quarantine(store, OLD_SYSTEM, NOW)
    assert set(ids(store)) | set(ids(store, ARCHIVED_PREDICTIONS)) == set("abcdexyz"), "a row is in neither place"
    soon = NOW + timedelta(minutes=1)
    account = remediation.quarantine(store, OLD_SYSTEM, soon)
    assert (account.total, account.days) == (3, (D1, D2))
    assert (ids(store), ids(store, ARCHIVED_PREDICTIONS)) == ("abcde", "xyz")
    counted = pd.DataFrame(steps(store), columns=["step", "day", "rows"]).groupby("step")["rows"].agg(list).to_dict()
    assert counted == {"REMOVED": [2, 1], "DONE": [3]}
    with monkeypatch.context() as patch:
        killed_at(store, min(write, 3), patch)
        with pytest.raises(KeyboardInterrupt):
            remediation.restore(store, account.batch_id, soon)
    remediation.restore(store, account.batch_id, soon + timedelta(minutes=1))
    assert ids(store) == "abcdexyz"


def test_what_was_killed_restored_and_removed_again_is_on_record_each_time(store, monkeypatch):
    with monkeypatch.context() as patch:
        killed_at(store, 3, patch)  # before the second date
        with pytest.raises(KeyboardInterrupt):
            remediation.quarantine(store, OLD_SYSTEM, NOW)
    batch = remediation.quarantine(store, OLD_SYSTEM, NOW, dry_run=True).batch_id
    assert remediation.restore(store, batch, NOW + timedelta(minutes=1)).total == 2
    assert removed(store, D1, D2).empty
    assert remediation.quarantine(store, OLD_SYSTEM, NOW + timedelta(minutes=2)).batch_id == batch
    assert removed(store, D1, D2).groupby("game_date").size().tolist() == [2, 1]
    assert [step for step, day, _ in steps(store) if day == D1] == ["REMOVED", "RESTORED", "REMOVED"]


def test_a_row_leaves_by_its_content_and_not_by_its_id(store):
    """Another program's row has the id of a valid one, which is not touched."""
    poisoned(store, "a", D1)
    assert ids(store) == "aabcdexyz"
    account = remediation.quarantine(store, OLD_SYSTEM, NOW)
    assert account.total == 4
    assert ids(store) == "abcde"
    assert store.read(LEDGER, [D1]).set_index("prediction_id").loc["a", "run_id"] == "r"
    back = remediation.restore(store, account.batch_id, NOW + timedelta(minutes=1))
    assert (back.total, ids(store)) == (4, "aabcdexyz"), "nor is it taken for the valid one"


@pytest.mark.parametrize(
    ("asked", "moved"),
    [
        (Selection("placeholder", D1, D1), "xy"),
        (Selection("no_source", D1, D3), ""),
        (Selection("not_its_quote", D1, D3), "l"),
        (Selection("in_play", D1, D3), ""),
        (Selection("invalid_line", D1, D3), "lxyz"),
        (Selection("invalid_line", D2, D2, system_id="t"), "z"),
        (Selection("invalid_line", D1, D3, system_id="s"), "l"),
        (Selection("invalid_line", D1, D3, run_id="old"), "xyz"),
        (Selection("run", D1, D1, run_id="r"), "ab"),
        (Selection("run", D1, D3, run_id="r"), "abde"),
        (Selection("run", D1, D3, run_id="r", system_id="t"), ""),
        (Selection("system", D1, D3, system_id="s"), "abcdel"),
        (Selection("system", D2, D3, system_id="s", run_id="r"), "de"),
        (Selection("system", D3 + timedelta(1), D3 + timedelta(2), system_id="s"), ""),
    ],
)
def test_a_predicate_means_these_rows(store, asked, moved):
    line = {"line": 21.5, "has_prop_line": True, "line_source": "ACTUAL_PROP", "recommendation": "PASS"}
    store.append(LEDGER, rows("l", D1, run_id="later", quote_id="q", **line), [D1])
    assert "".join(sorted(selection.selected(store, asked)["prediction_id"])) == moved


PROBLEMS = {
    "placeholder": {"PLACEHOLDER_LINE", "NO_SOURCE", "UNKNOWN_SOURCE"},
    "no_source": {"NO_SOURCE", "UNKNOWN_SOURCE"},
    "not_its_quote": {"NO_QUOTE", "NOT_LANDED", "LINE_MISMATCH", "PRICE_MISMATCH", "BOOK_MISMATCH", "QUOTE_OF_ANOTHER"},
    "in_play": {"IN_PLAY_QUOTE"},
    "invalid_line": set(selection.rules.KINDS),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_predicate_means_these_problems(name):
    judged = pd.DataFrame({"problem": [*selection.rules.KINDS, None]})
    chosen = PREDICATES[name][1](judged, Selection(name, D1, D1))
    assert set(judged.loc[chosen, "problem"]) == PROBLEMS[name]


TEXT = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=8) | st.sampled_from(
    ["a system_id=b", " system_id=", "x run_id=y", "it's", "a 'b", 'a"b', "a\\b"]
)


@given(st.sampled_from(list(PREDICATES)), TEXT, TEXT)
def test_an_action_is_the_command_that_repeats_it(name, run, system):
    if (name == "run" and not run) or (name == "system" and not system):
        with pytest.raises(RemediationError, match=f"the predicate {name} needs {name}_id"):
            Selection(name, D1, D2, run, system)
        return
    command = shlex.split(command_of(Selection(name, D1, D2, run, system).action))
    options = [*(["--run", run] if run else []), *(["--system", system] if system else [])]
    assert command == ["nba-props", "quarantine", name, f"{D1}..{D2}", *options]


@pytest.mark.parametrize(
    ("action", "options"),
    [
        ("run_id=abc system_id=s", ["--run", "abc", "--system", "s"]),
        ("run_id=a b system_id=s t", ["--run", "a b", "--system", "s t"]),
        ("run_id=it's", ["--run", "it's"]),
    ],
)
def test_an_action_of_an_earlier_release_is_read(action, options):
    command = shlex.split(command_of(f"quarantine run/1 {D1}..{D2} {action}"))
    assert command == ["nba-props", "quarantine", "run", f"{D1}..{D2}", *options]


def test_a_predicate_whose_meaning_changes_has_a_new_version():
    assert {name: version for name, (version, _, _) in PREDICATES.items()} == {
        "placeholder": 1, "no_source": 1, "not_its_quote": 2, "in_play": 1, "invalid_line": 3, "run": 1, "system": 1,
    }  # fmt: skip


def test_other_texts_have_no_command_and_unknown_predicates_are_refused():
    assert command_of("restore abc") == ""
    assert command_of(f"quarantine run/1 {D1}..{D2} what=ever") == ""
    with pytest.raises(RemediationError, match="there is no predicate 'ugly'; there are placeholder, no_source"):
        Selection("ugly", D1, D2)
    for name, of_other in (("run", {"system_id": "s"}), ("system", {"run_id": "r"})):
        with pytest.raises(RemediationError, match=f"the predicate {name} needs {name}_id"):
            Selection(name, D1, D2, **of_other)


def test_a_run_is_rolled_back_wherever_it_published(store):
    account = remediation.rollback(store, "r", NOW, dry_run=True)
    assert (account.total, ids(store)) == (4, "abcdexyz")
    account = remediation.rollback(store, "r", NOW)
    assert (account.total, account.days, ids(store)) == (4, (D1, D2, D3), "cxyz")
    assert account.action == f"quarantine run/1 {D1}..{D3} run_id=r"
    # it has no rows any more, but had some: what was killed can be completed, and says so
    with pytest.raises(RemediationError, match="run r has no row in the ledger"):
        remediation.rollback(store, "r", NOW + timedelta(minutes=1))
    with pytest.raises(RemediationError, match="run nobody has no row in the ledger"):
        remediation.rollback(store, "nobody", NOW)
    with pytest.raises(RemediationError, match="nothing is published"):
        remediation.rollback(MemoryWarehouse(), "r", NOW)


def test_rows_that_the_archive_did_not_take_stay_in_the_ledger(store, monkeypatch):
    monkeypatch.setattr(store, "append", lambda *_: {})
    message = f"2 of 2 rows of {D1} are not in nba_predictions.archived_predictions unchanged: nothing was removed"
    with pytest.raises(RemediationError, match=message):
        remediation.quarantine(store, OLD_SYSTEM, NOW)
    assert ids(store) == "abcdexyz"


def test_rows_that_the_ledger_keeps_are_an_error_and_not_a_success(store, monkeypatch):
    monkeypatch.setattr(store, "remove", lambda *_: 0)
    with pytest.raises(RemediationError, match=f"2 of 2 archived rows of {D1} are still in the ledger"):
        remediation.quarantine(store, OLD_SYSTEM, NOW)
    assert store.partitions(REMEDIATIONS) == []


def test_a_batch_is_restored_only_where_it_is_as_it_was_archived(store):
    with pytest.raises(RemediationError, match="there is no batch nothing in"):
        remediation.restore(store, "nothing", NOW)
    account = remediation.quarantine(store, OLD_SYSTEM, NOW)
    archive = store.read(ARCHIVED_PREDICTIONS, [D1]).sort_values("prediction_id")
    one_altered, one_twice = archive.assign(forecast=[33.0, 10.0]), pd.concat([archive, archive.tail(1)])
    resealed = digests.sealed(ARCHIVED_PREDICTIONS, one_altered)
    other_reason = archive.assign(deletion_reason=[archive["deletion_reason"].iloc[0], "another"])
    for altered, wrong in ((one_altered, 1), (one_twice, 2), (resealed, 1), (other_reason, 1)):
        store.write_unchecked(ARCHIVED_PREDICTIONS, altered, D1)
        with pytest.raises(RemediationError, match=f"{wrong} of {len(altered) + 1} rows of batch {account.batch_id}"):
            remediation.restore(store, account.batch_id, NOW)
    assert ids(store) == "abcde"
    # an altered row identifies no row of the ledger either
    store.write_unchecked(ARCHIVED_PREDICTIONS, one_altered, D1)
    assert archived_rows(store, account.batch_id, (D1, D2))["prediction_id"].tolist() == ["y", "z"]
    assert len(stored_rows(store, account.batch_id)) == 3
    assert stored_rows(store, account.batch_id, (D2, D2))["prediction_id"].tolist() == ["z"]


@pytest.mark.parametrize("is_sealed", [False, True])
def test_the_batches_of_an_earlier_release_have_no_digests(store, is_sealed):
    account = remediation.quarantine(store, OLD_SYSTEM, NOW)
    for day in (D1, D2):
        old = store.read(ARCHIVED_PREDICTIONS, [day]).assign(archived_id=None, archive_digest=None)
        store.write_unchecked(ARCHIVED_PREDICTIONS, old, day)
    if is_sealed:
        store.mark_sealed()
        with pytest.raises(RemediationError, match="3 of 3 rows"):
            remediation.restore(store, account.batch_id, NOW)
        return
    assert remediation.restore(store, account.batch_id, NOW).total == 3
    assert ids(store) == "abcdexyz"
    assert remediation.restore(store, account.batch_id, NOW + timedelta(minutes=1)).standing == 3


def test_a_valid_row_that_was_published_again_is_not_put_back_beside_itself(store):
    account = remediation.rollback(store, "r", NOW)
    store.append(LEDGER, rows("a", run_id="third"), [D1])
    store.append(LEDGER, rows("b", run_id="third", forecast=11.0), [D1])
    back = remediation.restore(store, account.batch_id, NOW + timedelta(minutes=1))
    assert (back.total, back.standing) == (3, 1)
    found = store.read(LEDGER, [D1])
    assert sorted(found.loc[found["prediction_id"].isin(["a", "b"]), ["prediction_id", "run_id"]].agg("".join, axis=1)) == [
        "athird", "br", "bthird",
    ]  # fmt: skip


def test_a_valid_row_that_was_published_again_and_copied_stands_for_one(store):
    account = remediation.rollback(store, "r", NOW)
    again = digests.sealed(LEDGER, rows("a", run_id="third"))
    store.write_unchecked(LEDGER_AS_FOUND, pd.concat([store.read(LEDGER, [D1]), again, again]), D1)
    assert remediation.restore(store, account.batch_id, NOW + timedelta(minutes=1)).total == 3


def test_the_ids_of_batches_are_those_of_every_release_before(store):
    """A batch of an earlier release that was killed is completed; one that two processes finish is done once."""
    asked = Selection("placeholder", D1, D1)
    expected = [digest(f"{asked.action} #{n}", 6) for n in range(2)]
    assert remediation.quarantine(store, asked, NOW).batch_id == expected[0]
    remediation._record(store, expected[0], RemediationStep.DONE, asked.action, D1, 2, NOW + timedelta(seconds=1))
    assert remediation.quarantine(store, asked, NOW + timedelta(minutes=1), dry_run=True).batch_id == expected[1]


def test_a_forged_row_with_the_answer_of_a_valid_one_does_not_stand_for_it(store):
    account = remediation.rollback(store, "r", NOW)
    forged = rows("a", run_id="forged", row_digest="0" * 16)
    store.write_unchecked(LEDGER_AS_FOUND, pd.concat([store.read(LEDGER, [D1]), forged]), D1)
    assert remediation.restore(store, account.batch_id, NOW + timedelta(minutes=1)).total == 4


def test_valid_rows_from_before_digests_come_back_with_one_and_others_as_they_were(store):
    old = rows("g", D1, run_id="r", row_digest=None)
    bad = rows("h", D1, run_id="r", row_digest=None, line=20.0, line_source=None, has_prop_line=True)
    before = D1 - timedelta(1)
    found = pd.concat([old, bad]).assign(game_date=pd.Timestamp(before))
    store.write_unchecked(LEDGER_AS_FOUND, found, before)
    account = remediation.rollback(store, "r", NOW)
    assert ids(store) == "cxyz"
    remediation.restore(store, account.batch_id, NOW)
    back = store.read(LEDGER, store.partitions(LEDGER)).set_index("prediction_id")["row_digest"]
    assert back[["a", "b", "d", "e", "g"]].notna().all()
    assert pd.isna(back["h"])


def put_back_by_hand(store: MemoryWarehouse, older: pd.DataFrame) -> None:
    """An older copy of a partition in its place, by a program that knows nothing of batches."""
    store.write(LEDGER, older, [D1])


def test_a_row_that_was_removed_and_returned_without_restore_is_found(store):
    older = store.read(LEDGER, [D1]).loc[lambda f: f["run_id"].ne("old")]
    first = remediation.rollback(store, "r", NOW)
    assert sorted(removed(store, D1, D3).groupby("game_date").size()) == [1, 1, 2]
    assert len(removed(store, D2, D3)) == 2
    nothing = removed(store, D1 - timedelta(9), D1 - timedelta(1))
    assert nothing.empty
    assert list(nothing) == ["game_date", "archived_id"]

    def returned() -> dict[str, str]:
        found = selection.judged(store, D1, D1).set_index("prediction_id")["problem"].dropna()
        return {k: v for k, v in found.items() if v == "RETURNED"}

    assert returned() == {}
    put_back_by_hand(store, older)
    assert returned() == {"a": "RETURNED", "b": "RETURNED"}
    assert "".join(selection.selected(store, Selection("invalid_line", D1, D1))["prediction_id"]) == "ab"
    # restored on purpose, at the same instant or later, they are as good as before
    remediation.restore(store, first.batch_id, NOW)
    assert returned() == {}
    assert removed(store, D1, D3).empty
    again = remediation.rollback(store, "r", NOW + timedelta(minutes=2))
    assert again.batch_id != first.batch_id
    put_back_by_hand(store, older)
    assert returned() == {"a": "RETURNED", "b": "RETURNED"}
    remediation.restore(store, again.batch_id, NOW + timedelta(minutes=3))
    assert returned() == {}


def test_what_was_wrong_and_returned_is_wrong_for_what_it_was(store):
    whole = store.read(LEDGER, [D1])
    remediation.quarantine(store, Selection("placeholder", D1, D1), NOW)
    store.write_unchecked(LEDGER_AS_FOUND, whole, D1)
    problems = selection.judged(store, D1, D1).set_index("prediction_id")["problem"].dropna()
    assert problems.to_dict() == {"x": "PLACEHOLDER_LINE", "y": "PLACEHOLDER_LINE"}


@pytest.mark.long
def test_what_counts_as_removed_is_the_last_that_was_done_whichever_batch_did_it(store):
    older = store.read(LEDGER, [D1]).loc[lambda f: f["run_id"].eq("r")]
    names = digests.row_ids(LEDGER, older)
    for n in range(4):
        then = NOW + timedelta(minutes=10 * n)
        batch = remediation.quarantine(store, Selection("run", D1, D1, run_id="r"), then)
        assert sorted(removed(store, D1, D1)["archived_id"]) == sorted(names)
        remediation.restore(store, batch.batch_id, then + timedelta(minutes=1))
        assert removed(store, D1, D1).empty
    remediation.quarantine(store, Selection("run", D1, D1, run_id="later"), NOW + timedelta(hours=1))
    assert len(removed(store, D1, D1)) == 1, "another batch of the date does not count"


@pytest.mark.parametrize("table", [ARCHIVED_PREDICTIONS, REMEDIATIONS])
def test_an_altered_archive_or_record_makes_no_row_of_the_date_suspect(store, table):
    """Otherwise who alters it could have valid rows taken out."""
    store.mark_sealed()
    older = {day: store.read(LEDGER, [day]).loc[lambda f: f["run_id"].ne("old")] for day in (D1, D2)}
    remediation.rollback(store, "r", NOW)
    for day, found in older.items():
        store.write(LEDGER, found, [day])
    store.write_unchecked(table, store.read(table, [D2]).iloc[[0, 0]], D2)
    problems = selection.judged(store, D1, D2).set_index("prediction_id")["problem"].dropna()
    assert problems.to_dict() == {"a": "RETURNED", "b": "RETURNED"}


def test_a_season_is_judged_a_month_at_a_time(store, monkeypatch):
    asked = []
    plain = selection.judged

    def judged(warehouse, first, last, *more):
        asked.append((first, last))
        return plain(warehouse, first, last, *more)

    monkeypatch.setattr(selection, "judged", judged)
    days = [D3 + timedelta(n) for n in range(1, 40)]
    for day in days:
        store.append(LEDGER, rows("k", day, prediction_id=f"k{day}"), [day])
    found = selection.selected(store, Selection("system", D2, days[-2], system_id="s"))
    assert found["game_date"].dt.date.tolist() == [D2, D3, *days[:-1]]
    assert asked == [(D2, D2), (D3, D3 + timedelta(30)), (D3 + timedelta(31), days[-2])]
    assert all((last - first).days < 31 for first, last in asked)


def test_rows_are_judged_by_the_payloads_where_these_are_named(store, monkeypatch):
    asked, zone = [], object()
    monkeypatch.setattr(selection.registry, "not_as_landed", lambda *given: asked.append(given) or set())
    assert selection.judged(store, D3 + timedelta(1), D3 + timedelta(1), zone).empty
    assert len(selection.judged(store, D1, D1)) == 5
    assert asked == [], "there is nothing to ask about, or nobody to ask"
    assert remediation.quarantine(store, OLD_SYSTEM, NOW, zone=zone, dry_run=True).total == 3
    assert [given[0] for given in asked] == [zone]


def test_a_row_that_an_audit_has_seen_is_valid_beside_a_later_copy(store):
    forged = rows("a", run_id="forged", created_at=pd.Timestamp("2025-11-05T19:00Z"))
    honest = store.read(LEDGER, [D1])
    seen = selection.rules.hashed(LEDGER, honest).contents
    store.write_unchecked(LEDGER, pd.concat([honest, digests.sealed(LEDGER, forged)]), D1)
    asked = Selection("invalid_line", D1, D1, system_id="s")
    assert selection.selected(store, asked)["run_id"].tolist() == ["r"], "the earlier one counts"
    spans = []

    def known(first, last):
        spans.append((first, last))
        return seen

    assert selection.selected(store, asked, seen=known)["run_id"].tolist() == ["forged"]
    account = remediation.quarantine(store, asked, NOW, seen=known)
    assert account.total == 1
    assert spans == [(D1, D1)] * 2
    assert store.read(LEDGER, [D1]).set_index("prediction_id").loc["a", "run_id"] == "r"
