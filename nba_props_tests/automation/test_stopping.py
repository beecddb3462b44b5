"""Ctrl-C, SIGTERM and a run cancelled in the UI, pressed at random moments of real processes."""

from __future__ import annotations

import os
import pty
import random
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import pytest

from nba_props.automation.instance import open_instance
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.process import stopping
from nba_props.warehouse.lake import LakeWarehouse
from nba_props.warehouse.lake.queries import Queries
from nba_props_tests.conftest import DAY, in_front, make_settings
from nba_props_tests.copies import copied

#: a stop takes at most this long, wherever it falls
LIMIT = 5.0
#: seconds within which the small league's date is predicted, process start included
WHOLE_RUN = 14.0


@pytest.fixture
def home(landed_history: Path, tmp_path: Path) -> Path:
    copied(landed_history, tmp_path / "platform")
    return tmp_path / "platform"


def environment(folder: Path) -> dict[str, str]:
    settings = make_settings(folder)
    return {
        **os.environ, "NBA_PROPS_HOME": str(settings.home), "NBA_PROPS_LANDING": settings.landing,
        "NBA_PROPS_FIRST_DATE": str(settings.first_date), "DAGSTER_HOME": str(settings.dagster_home),
    }  # fmt: skip


@contextmanager
def instance_of(folder: Path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(make_settings(folder).dagster_home))
        with open_instance(make_settings(folder)) as instance:
            yield instance


def press(folder: Path, after: float, number: int = signal.SIGINT, seen: bytes = b"") -> tuple[int, str, float]:
    """Exit status, what the terminal showed and seconds to the end of `nba-props run` when a key is pressed.

    It is pressed ``after`` seconds after the terminal shows what matches ``seen``, whatever the speed of the machine.
    """
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nba_props", "run", str(DAY), "--force"], stdin=slave, stdout=slave, stderr=slave,
        env=environment(folder), start_new_session=True,
        preexec_fn=in_front,  # noqa: PLW1509
    )  # fmt: skip
    os.close(slave)
    began, shown, pressed = 0.0, b"", 0.0
    os.set_blocking(master, False)
    while process.poll() is None:
        if not began and re.search(seen, shown):
            began = time.monotonic()
        if began and not pressed and time.monotonic() - began > after:
            os.killpg(process.pid, number)  # what a terminal does: every process of the group gets it
            pressed = time.monotonic()
        try:
            shown += os.read(master, 65536)
        except (BlockingIOError, OSError):
            time.sleep(0.02)
        if pressed and time.monotonic() - pressed > 30:
            process.kill()
            pytest.fail(f"no end within 30 s after {after:.1f} s: {shown.decode()[-2000:]}")
    ended = time.monotonic()
    with suppress(BlockingIOError, OSError):
        shown += os.read(master, 65536)
    os.close(master)
    return process.returncode, plain(shown.decode(errors="replace")), ended - pressed if pressed else 0.0


def plain(shown: str) -> str:
    """What a terminal showed, without colours, cursor movements and bars."""
    return re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]|[━╸╺]", "", shown)


def judge(folder: Path, status: int, shown: str, seconds: float) -> str:
    """Check all that a stopped run promises; returns where it fell."""
    ledger = LakeWarehouse(make_settings(folder).lake)
    rows = ledger.query(
        "SELECT run_id, COUNT(DISTINCT system_id) AS systems FROM nba_predictions.ledger "
        "WHERE game_date BETWEEN @first AND @last GROUP BY run_id",
        first=DAY,
        last=DAY,
    )
    assert (rows["systems"] == len(SYSTEM_TABLES)).all(), "a slate was published with a system missing"
    assert "Traceback" not in shown, shown
    if not seconds or "nba-props dev" in shown:  # what a run prints last: it was over
        return "after the end"
    assert seconds < LIMIT, f"{seconds:.1f} s to the end: {shown[-500:]}"
    assert status == stopping.EXIT_STATUS, f"{status}: {shown[-6000:]}"
    last = shown.strip().splitlines()[-1]
    assert last.startswith("stopped: "), shown[-500:]
    with instance_of(folder) as instance:
        runs = instance.get_runs(limit=1)
        if runs and runs[0].run_id in shown and runs[0].status is dg.DagsterRunStatus.SUCCESS:
            assert last == "stopped: nothing was running", "only the printing of the board was stopped"
            return "after the end"
        if runs and runs[0].run_id in shown:
            assert runs[0].status is dg.DagsterRunStatus.CANCELED
            assert runs[0].tags.get("dagster/will_retry") != "true"
            published = runs[0].run_id in set(rows["run_id"])
            assert ("already published" in last) == published
        else:
            assert all(r.status.value != "STARTED" for r in runs)
    return (
        "before a run" if "recorded" not in last else "after publishing" if "already published" in last else "in a run"
    )


@pytest.mark.slow
def test_a_signal_at_any_moment_stops_a_run_that_publishes_nothing_and_is_reported(home: Path):
    dice = random.Random(15)  # noqa: S311
    judge(home, *press(home, dice.uniform(0.5, 3), signal.SIGINT))
    assert judge(home, *press(home, dice.uniform(0, 1.5), signal.SIGTERM, seen=rb"predict \S+  \w")) == "in a run"


@pytest.mark.long
def test_thirty_signals_at_random_moments(home: Path):
    dice = random.Random(30)  # noqa: S311
    fell = [
        judge(home, *press(home, dice.uniform(0.3, WHOLE_RUN), dice.choice([signal.SIGINT, signal.SIGTERM])))
        for _ in range(30)
    ]
    assert fell.count("in a run") >= 10, fell


WORKER = """
import sys
from datetime import date
from pathlib import Path
from nba_props_tests.faults import opened
from nba_props_tests.conftest import DAY
with opened(Path(sys.argv[1])) as platform:
    print("ready", flush=True)
    platform.predict(DAY)
"""


def cancel(folder: Path, after: float) -> tuple[dg.DagsterRun | None, float]:
    """The run and the seconds to its process's end when it is cancelled as the UI does: a state, then a signal."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment(folder),
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    with instance_of(folder) as instance:
        run = None
        while run is None and process.poll() is None:  # the UI can cancel a run only once there is one
            run = next(iter(instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]), limit=1)), None)
            time.sleep(0.05)
        time.sleep(after)
        if run is None or instance.get_run_by_id(run.run_id).is_finished:
            process.wait(30)
            return None, 0.0
        instance.report_run_canceling(run)
        process.send_signal(signal.SIGINT)
        pressed = time.monotonic()
        process.wait(30)
        return instance.get_run_by_id(run.run_id), time.monotonic() - pressed


def check_cancelled(folder: Path, moments: list[float]) -> int:
    caught = 0
    for after in moments:
        run, seconds = cancel(folder, after)
        assert seconds < LIMIT
        rows = LakeWarehouse(make_settings(folder).lake).query(
            "SELECT run_id, COUNT(DISTINCT system_id) AS systems FROM nba_predictions.ledger "
            "WHERE game_date BETWEEN @first AND @last GROUP BY run_id",
            first=DAY,
            last=DAY,
        )
        assert (rows["systems"] == len(SYSTEM_TABLES)).all(), "a slate was published with a system missing"
        if run is not None:
            caught += 1
            assert run.status is dg.DagsterRunStatus.CANCELED
            assert run.tags.get("dagster/will_retry") != "true"
    return caught


@pytest.mark.slow
@pytest.mark.long
def test_a_run_cancelled_in_the_ui_ends_as_cancelled_and_is_not_a_systems_failure(home: Path):
    assert check_cancelled(home, [2.5])


@pytest.mark.long
def test_runs_cancelled_in_the_ui_at_random_moments(home: Path):
    dice = random.Random(31)  # noqa: S311
    assert check_cancelled(home, [dice.uniform(0.2, 8) for _ in range(15)]) >= 5


def test_a_system_that_fails_because_of_a_stop_is_not_a_failing_system(slated, monkeypatch):
    platform = slated

    def interrupted(*_: object) -> None:
        stopping._asked.set()
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr("nba_props.assets.predictions._rows", interrupted)
    monkeypatch.setattr(stopping, "_LIMIT", 0)  # no thread ends this process: there is nothing to wait for
    try:
        outcome = platform.publish(DAY, ("moving_average",))
    finally:
        stopping._asked.clear()
    assert not outcome.success
    assert not outcome.failures
    assert platform.query(
        "SELECT COUNT(*) AS n FROM nba_predictions.ledger WHERE game_date = @day", day=DAY
    )["n"].iloc[0] == 0  # fmt: skip


@pytest.mark.parametrize("in_a_terminal", [True, False])
def test_a_stop_in_a_terminal_is_recorded_before_any_step_can_fail_because_of_it(monkeypatch, in_a_terminal):
    """The thread that ends the process needs its seconds; a step that raised first would end the run as FAILURE."""
    waited: list[float] = []
    monkeypatch.setattr(stopping.time, "sleep", waited.append)
    if in_a_terminal:
        monkeypatch.setattr(stopping._listening, "is_set", lambda: True)
    stopping.check()
    assert waited == []
    monkeypatch.setattr(stopping._asked, "is_set", lambda: True)
    with pytest.raises(stopping.Stopped):
        stopping.check()
    assert [seconds > stopping._LIMIT for seconds in waited] == ([True] if in_a_terminal else [])


def test_a_cancelled_run_ends_though_its_state_can_be_neither_read_nor_written(monkeypatch):
    monkeypatch.setattr(stopping, "_POLL", 0.01)
    monkeypatch.setattr(stopping, "_GRACE", 0.01)
    ended = threading.Event()
    monkeypatch.setattr(os, "_exit", lambda _status: ended.set())
    looks = iter([OSError("the database is away"), OSError("still"), True])

    def is_canceling() -> bool:
        found = next(looks)
        if isinstance(found, OSError):
            raise found
        return found

    def give_up() -> None:
        raise OSError("away for good")

    try:
        stopping.watch("a run of its own", is_canceling, give_up)
        assert ended.wait(5)
        assert stopping._asked.is_set()
    finally:
        stopping._asked.clear()


def test_duckdbs_error_for_an_interrupt_is_a_stop(lake: LakeWarehouse, monkeypatch):
    """DuckDB raises RuntimeError or InterruptException when a signal arrives within a query."""
    import duckdb

    for error in (RuntimeError("Query interrupted"), duckdb.InterruptException("INTERRUPT Error: Interrupted!")):

        class Interrupted:
            def execute(self, *_: object, error: Exception = error) -> None:
                raise error

        monkeypatch.setattr(Queries, "_connection", lambda self: Interrupted())
        lake._queries._own.views = {}
        with pytest.raises(stopping.Stopped):
            lake.query("SELECT 1 AS one")


IN_THE_BACKGROUND = """
import signal
from nba_props.process import stopping
signal.signal(signal.SIGINT, signal.SIG_IGN)
stopping.listen()
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
print("continued" if input() else "", flush=True)
"""


def test_a_background_job_continues_after_ctrl_c_in_the_foreground():
    """A shell has it ignore the key, and Dagster, which has a handler for the signal in every run, must not undo that."""
    process = subprocess.Popen(
        [sys.executable, "-c", IN_THE_BACKGROUND], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate("and on\n", timeout=LIMIT)
    assert (process.returncode, said) == (0, "continued\n"), errors
