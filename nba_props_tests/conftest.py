from __future__ import annotations

import os

# workers share the cores: a library that spins on its threads starves its neighbours
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# gcsfs asks a new bucket how it stores folders, by a protocol that the emulator has not, and waits 45 s for an answer
os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
# a developer's own keys are not used by tests
os.environ["PYTHON_DOTENV_DISABLED"] = "1"

import gc
import itertools
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import filelock
import hypothesis
import pytest

from nba_props.assets.inputs import Inputs
from nba_props.assets.tables import asset_key
from nba_props.automation.runner import Outcome
from nba_props.definitions import build_defs
from nba_props.deployment import deployed
from nba_props.domain.models import learner, training
from nba_props.domain.models.card import week_of
from nba_props.domain.quality import models
from nba_props.domain.systems import SYSTEM_TABLES, catboost_v8, xgboost_v1
from nba_props.facts.calendar import days
from nba_props.presentation import charts
from nba_props.schemas.predictions import LEDGER, QUARANTINED_PREDICTIONS
from nba_props.settings import Gcp, Live, Settings
from nba_props.storage.landing import LandingZone
from nba_props.storage.models import ModelStore
from nba_props.warehouse.lake import LakeWarehouse, queries
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests import dagster_in_memory, league
from nba_props_tests.copies import contents, copied, spoiled
from nba_props_tests.definitions_once import parts_built_once
from nba_props_tests.frames import Frames
from nba_props_tests.gcp import bootstrap, emulators, googlesql
from nba_props_tests.sources.fake_server import serve

# a loaded machine is not a defect of the code: tests assert counts, not milliseconds
# and `make test-long` draws eight times as many examples of each property
hypothesis.settings.register_profile("quick", deadline=None, max_examples=25)
hypothesis.settings.register_profile("long", deadline=None, max_examples=200)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_EXAMPLES", "quick"))
_LONG = os.environ.get("HYPOTHESIS_EXAMPLES") == "long"

DAY = league.FIRST + timedelta(20)
"""A date with games, twenty days into the small league."""
NEXT = DAY + timedelta(2)
"""The next date with games."""

BEFORE = DAY - timedelta(2)
"""The last date with games before it."""

SOME_SYSTEMS = ("moving_average", "shrunk_rate_v1")
"""What ``Platform.publish`` runs by default."""
BEFORE_SYSTEMS = ("nba_raw", "nba_reference", "nba_analytics")
"""Datasets of what comes before the systems."""


@dataclass
class Platform:
    """A platform over a temporary landing zone and warehouse, on an ephemeral Dagster instance."""

    settings: Settings
    zone: LandingZone
    warehouse: Any
    instance: dg.DagsterInstance
    now: datetime

    @cached_property
    def definitions(self) -> dg.Definitions:
        with parts_built_once():
            return self._built()

    def rebuild(self) -> None:
        """Build the definitions again, of code or a warehouse that the test has exchanged."""
        self.__dict__["definitions"] = self._built()

    def _built(self) -> dg.Definitions:
        return build_defs(deployed(self.settings, self.warehouse, self.zone, clock=lambda: self.now))

    @property
    def models(self) -> ModelStore:
        return ModelStore(self.settings.models)

    @property
    def inputs(self) -> Inputs:
        return Inputs(self.warehouse, self.zone, self.models, self.settings)

    def run(self, job: str, first: date, last: date | None = None, select=None) -> Outcome:
        from nba_props.automation.runner import execute

        return execute(self.definitions, self.instance, job, first, last or first, select=select)

    def predict(self, first: date, last: date | None = None) -> Outcome:
        return self.run("predict", first, last)

    def missing(self, first: date, last: date | None = None) -> Iterator[tuple[str, date, date]]:
        """Job and span of each run that a span needs before it can be predicted, as `nba-props run` plans it: the next
        one once the one before is done.
        """
        from nba_props.automation.jobs import PREDICT_JOB
        from nba_props.automation.planning import plan

        steps = plan(self.definitions, self.inputs, days(first, last or first))
        return (step for step in steps if step[0] != PREDICT_JOB)

    def catch_up(self, first: date, last: date | None = None) -> list[Outcome]:
        """Run what a span needs before it can be predicted."""
        return [self.run(job, start, end) for job, start, end in self.missing(first, last)]

    def materialize(
        self, first: date, last: date, select: Iterable[dg.AssetKey] | None = None, job: str = "predict"
    ) -> None:
        """The assets of a job, or some of them, over a span, without their checks, which are half of the work."""
        from nba_props.automation.ranges import RANGE_END, RANGE_START
        from nba_props.automation.runner import _QUIET, PLANNED_TAG

        chosen = self.definitions.resolve_job_def(job).get_subset(
            asset_selection=set(self.of(job) if select is None else select), asset_check_selection=set()
        )
        tags = {RANGE_START: first.isoformat(), RANGE_END: last.isoformat(), PLANNED_TAG: "true"}
        assert chosen.execute_in_process(run_config=_QUIET, instance=self.instance, tags=tags).success

    def of(self, job: str, *datasets: str) -> list[dg.AssetKey]:
        """The assets of a job; in these datasets, where any is named."""
        from nba_props.automation.planning import assets_of

        return [k for k in assets_of(self.definitions, job) if not datasets or k.path[0] in datasets]

    def slate(self, day: date, last: date | None = None, job: str = "predict") -> Outcome:
        """Everything before the systems."""
        return self.run(job, day, last, select=self.of(job, *BEFORE_SYSTEMS))

    def publish(
        self,
        day: date,
        systems: Iterable[str] = SOME_SYSTEMS,
        last: date | None = None,
        slate: bool = False,
        job: str = "predict",
    ) -> Outcome:
        """Some of the systems and the gate, on the slate as it is stored or, with ``slate``, made again before them.

        The first is a tenth of the work of a whole prediction, the second half of it.
        """
        return self.run(job, day, last, select=self.publication(systems, slate, job))

    def publication(self, systems: Iterable[str], slate: bool = True, job: str = "predict") -> list[dg.AssetKey]:
        """What ``publish`` makes."""
        tables = (LEDGER, QUARANTINED_PREDICTIONS, *(SYSTEM_TABLES[s] for s in systems))
        return [*(self.of(job, *BEFORE_SYSTEMS) if slate else []), *map(asset_key, tables)]

    def ingest(self, first: date, last: date) -> Outcome:
        return self.run("ingest_history", first, last)

    def train(self, week: date) -> Outcome:
        return self.run("train", week)

    def prepare(self) -> None:
        """What ``DAY`` needs: history, the lines that models learn from, and the models of its week."""
        for job, first, last in self.missing(DAY):
            self.materialize(first, last, job=job)

    def with_live(self, live: Live) -> Platform:
        """The same platform with live feeds."""
        return replace(self, settings=replace(self.settings, live=live))

    def query(self, sql: str, **parameters: object):
        return self.warehouse.query(sql, **parameters)

    def failed(self, outcome: Outcome) -> dict[str, str]:
        return {f"{asset.split('/')[-1]}.{name}": severity for asset, name, severity, _ in outcome.failed_checks}


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of a session have."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


def make_settings(
    folder: Path,
    first_date: date = league.FIRST,
    gcp: Gcp | None = None,
    landing: str | None = None,
    asked: Sequence[str] = ("points",),
) -> Settings:
    return Settings(
        live=Live(markets=tuple(asked)),
        profile="gcp" if gcp else "local",
        home=folder / "home",
        landing=landing or (f"gs://{gcp.bucket}/landing" if gcp else str(folder / "landing")),
        first_date=first_date,
        gcp=gcp,
    )


def pytest_collection_finish() -> None:
    """What is imported by now stays: looking for garbage among it costs a tenth of a run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that no worker is left alone with one at the end; each by one worker, but for what
    is in a group of its own.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.location[0]))


#: what says how many trees a model has, and how many that are as delivered
_TREES = {
    kind: (name, kind.parameters[name])
    for kind, name in ((catboost_v8.CatBoost, "iterations"), (xgboost_v1.XGBoost, "num_boost_round"))
}


def few_trees() -> None:
    """Models of a fifth of the trees, from here on."""
    for kind, (name, trees) in _TREES.items():
        kind.parameters = {**kind.parameters, name: trees // 5}


@pytest.fixture
def trees_as_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models as every other process trains them."""
    for kind, (name, trees) in _TREES.items():
        monkeypatch.setattr(kind, "parameters", {**kind.parameters, name: trees})


@pytest.fixture(autouse=True, scope="session")
def few_rows_are_enough():
    """The small league has a few hundred games of players, and a fifth of the trees learns as much from them."""
    training.MIN_ROWS = 150
    learner.THREADS = 1
    few_trees()
    # half of what its models learn from are its first games, of which little is known
    models.KNOWN_SHARE_DIFFERS = 0.6


@pytest.fixture(autouse=True, scope="session")
def no_test_waits_for_the_disk() -> Iterator[None]:
    """What a power cut leaves can't be tested here, only what is flushed and in which order: those tests watch it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def instances_are_cheap() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        dagster_in_memory.keep_connections(patch)
        dagster_in_memory.copy_tables(patch)
        dagster_in_memory.read_migrations_once(patch)
        dagster_in_memory.make_classes_once(patch)
        yield


class _OneDuckDB:
    """Databases in the memory of one instance of DuckDB, each with a name: to start an instance costs as much CPU as
    twenty of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._start = queries.in_memory
        self._instance = self._start()

    def in_memory(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            try:
                connection = self._instance.cursor()
                connection.execute("SELECT 1")
            except duckdb.Error:  # a damaged file that a test read has stopped it for good
                self._instance = self._start()
                connection = self._instance.cursor()
            name = f"memory_{next(self._numbers)}"
            connection.execute(f"ATTACH ':memory:' AS {name}; USE {name}; SET TimeZone = 'UTC'")
            return connection


@pytest.fixture(autouse=True, scope="session")
def duckdb_is_cheap() -> Iterator[None]:
    """Started once and with one thread, since tables have some hundred rows; the long tests have it as delivered."""
    plain = duckdb.connect

    def connect(*arguments: Any, config: dict[str, Any] | None = None, **named: Any) -> duckdb.DuckDBPyConnection:
        return plain(*arguments, config={"threads": 1, **(config or {})}, **named)

    with pytest.MonkeyPatch.context() as patch:
        if not _LONG:
            patch.setattr(duckdb, "connect", connect)
            patch.setattr(queries, "in_memory", _OneDuckDB().in_memory)
        yield


@contextmanager
def no_catalog() -> Iterator[None]:
    """Lakes without their file of views for other programs, in tests that do not read it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LakeWarehouse, "refresh_catalog", lambda self, *_: self.catalog_path)
        yield


_DRAWING = {name: getattr(charts, name) for name in ("_svg", "_png")}
#: of a lake with its file of views
REFRESHING = LakeWarehouse.refresh_catalog


@pytest.fixture(autouse=True, scope="session")
def charts_are_put_together_and_not_drawn() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charts, "_svg", lambda _: b"<svg></svg>")
        patch.setattr(charts, "_png", lambda _: b"PNG")
        yield


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test that looks at drawn charts."""
    for name, plain in _DRAWING.items():
        monkeypatch.setattr(charts, name, plain)


@pytest.fixture
def catalogued(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test that looks at a lake's catalog."""
    monkeypatch.setattr(LakeWarehouse, "refresh_catalog", REFRESHING)


@pytest.fixture(autouse=True, scope="module")
def catalogs_are_made_where_they_are_looked_at(request: pytest.FixtureRequest) -> Iterator[None]:
    """In modules that say so (``WITH_CATALOG``), and for tests that ask for the fixture above."""
    with nullcontext() if getattr(request.module, "WITH_CATALOG", False) else no_catalog():
        yield


@pytest.fixture(autouse=True, scope="session")
def every_statement_is_googlesql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever the package asks of a lake in these tests is analysed as BigQuery would, once."""
    gate = googlesql.Gate(shared_folder(tmp_path_factory) / "statements")

    def judged(plain: Callable[..., Any]) -> Callable[..., Any]:
        def query(self: Any, sql: str, /, **parameters: Any) -> Any:
            answer = plain(self, sql, **parameters)
            gate.judge(sql, sys._getframe(1))
            return answer

        return query

    with pytest.MonkeyPatch.context() as patch:
        for kind in (LakeWarehouse, Frames):
            patch.setattr(kind, "query", judged(kind.query))
        yield


@pytest.fixture(autouse=True, scope="session")
def parts_are_built_before_a_test_exchanges_code(tmp_path_factory: pytest.TempPathFactory) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert open_platform(tmp_path_factory.mktemp("parts"), instance).definitions


@pytest.fixture
def zone(tmp_path: Path) -> LandingZone:
    (tmp_path / "landing").mkdir()
    return LandingZone(str(tmp_path / "landing"))


@pytest.fixture
def lake(tmp_path: Path) -> LakeWarehouse:
    return LakeWarehouse(tmp_path / "lake")


def open_platform(
    folder: Path,
    instance: dg.DagsterInstance,
    now: datetime | None = None,
    gcp: Gcp | None = None,
    landing: str | None = None,
    first_date: date = league.FIRST,
    asked: Sequence[str] = ("points",),
) -> Platform:
    """A platform over ``folder/landing`` and ``folder/home``, or Google's services in their place.

    The clock stands three hours before the day's tip-off.
    """
    settings = make_settings(folder, first_date, gcp, landing, asked)
    (folder / "landing").mkdir(parents=True, exist_ok=True)
    zone, warehouse = LandingZone(settings.landing), open_warehouse(settings)
    return Platform(settings, zone, warehouse, instance, now or league.tipoff(DAY) - timedelta(hours=3))


@pytest.fixture
def make_platform(tmp_path: Path):
    """Makes platforms whose landing zones are filled by the caller; each in a folder of its own."""
    with dg.DagsterInstance.ephemeral() as instance:
        made: list[Platform] = []

        def make(fill: Callable[[LandingZone], object] = league.land, now: datetime | None = None) -> Platform:
            made.append(open_platform(tmp_path / f"platform-{len(made)}", instance, now))
            fill(made[-1].zone)
            return made[-1]

        yield make


@dataclass(frozen=True)
class Rung:
    """A stage of the small league's platform that many tests begin with: what it stands on, and the work on top."""

    below: str | None
    climb: Callable[[Platform], object]
    #: the markets of the deployment
    asked: tuple[str, ...] = ("points",)
    #: the league's first day
    first: date = league.FIRST


def _in_autumn(platform: Platform) -> None:
    day = IN_AUTUMN + (DAY - league.FIRST)
    for job, first, last in platform.missing(day):
        platform.materialize(first, last, job=job)


def _at_dusk(platform: Platform) -> None:
    day = platform.settings.first_date + (DAY - league.FIRST)
    ahead = [g for g in league.games(first=platform.settings.first_date) if g.day >= day]
    for game in ahead:
        for minutes in (420, 30, -30):
            (platform.zone._path / league.capture(game, minutes)[0]).unlink(missing_ok=True)
        (platform.zone._path / league.log_path(game.day)).unlink(missing_ok=True)
    for game in (g for g in ahead if g.day == day):
        platform.zone.land(*league.capture(game, 240, -1.0))
    platform.now = league.tipoff(day) - timedelta(hours=3)
    platform.materialize(day, day)


def _predict_before_the_results(platform: Platform) -> None:
    for day in {g.day for g in league.games() if g.day >= DAY}:
        (platform.zone._path / league.log_path(day)).unlink()
    platform.materialize(DAY, DAY)


def _write_the_slates_pages(platform: Platform) -> None:
    from nba_props.presentation.site import build

    build.write_slate(platform.warehouse, platform.settings, DAY, platform.now)


IN_AUTUMN = date(2025, 10, 12)
"""The first day of the same league nine days earlier: ``DAY`` of it ends with the night in which clocks are set back."""

WEEK = week_of(DAY)
"""The Monday of the week of ``DAY``."""

LADDER = {
    "landed": Rung(None, lambda p: league.land(p.zone)),
    "prepared": Rung("landed", Platform.prepare),
    "before_tipoff": Rung("prepared", lambda p: p.materialize(DAY, DAY, job="ingest_history")),
    "two_weeks": Rung("prepared", lambda p: p.materialize(WEEK, WEEK + timedelta(6), job="ingest_history")),
    "lined": Rung("before_tipoff", lambda p: p.materialize(DAY, DAY, job="ingest_lines")),
    "late": Rung("before_tipoff", lambda p: p.materialize(BEFORE, BEFORE, p.publication(SOME_SYSTEMS))),
    "slated": Rung("prepared", lambda p: p.materialize(DAY, DAY, p.of("predict", *BEFORE_SYSTEMS))),
    "published": Rung("slated", lambda p: p.materialize(DAY, DAY, p.publication(SOME_SYSTEMS, slate=False))),
    "predicted": Rung("prepared", lambda p: p.materialize(DAY, DAY)),
    "evening": Rung("prepared", _predict_before_the_results),
    "two_dates": Rung("predicted", lambda p: p.materialize(DAY + timedelta(1), NEXT)),
    # the same league with odds of several markets
    "many_landed": Rung(None, lambda p: league.land(p.zone, asked=league.MARKETS), league.MARKETS),
    "many_prepared": Rung("many_landed", Platform.prepare, league.MARKETS),
    "many_predicted": Rung("many_prepared", lambda p: p.materialize(DAY, DAY), league.MARKETS),
    "many_written": Rung("many_predicted", _write_the_slates_pages, league.MARKETS),
    # what seeds of the simulation begin with in the evening
    "at_dusk": Rung("prepared", _at_dusk),
    # and the same league as winter time begins
    "autumn_landed": Rung(None, lambda p: league.land(p.zone, first=IN_AUTUMN), first=IN_AUTUMN),
    "autumn_prepared": Rung("autumn_landed", _in_autumn, first=IN_AUTUMN),
    "autumn_at_dusk": Rung("autumn_prepared", _at_dusk, first=IN_AUTUMN),
}


@pytest.fixture(scope="session")
def rung(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """The folder of a rung of the ladder, to be copied; made once for all workers of a session."""
    shared, used = shared_folder(tmp_path_factory), set[Path]()

    def folder(name: str) -> Path:
        place, step = shared / "ladder" / name, LADDER[name]
        below = step.below and folder(step.below)
        with filelock.FileLock(shared / f"{name}.lock"):
            if not place.exists():
                made = shared / f"{name}-in-the-making"
                if below:
                    copied(below, made)
                # a copied catalog would name these files
                with dagster_in_memory.instance_that_forgets() as instance, no_catalog():
                    step.climb(open_platform(made, instance, asked=step.asked, first_date=step.first))
                place.parent.mkdir(exist_ok=True)
                place.with_suffix(".json").write_text(json.dumps(contents(made)))
                made.rename(place)
        used.add(place)
        return place

    yield folder
    for place in used:
        written = spoiled(place, json.loads(place.with_suffix(".json").read_text()))
        assert written == [], "a test wrote into files that others share: replace them, as the platform does"


@pytest.fixture(scope="session")
def landed_history(rung: Callable[[str], Path]) -> Path:
    """The small league, landed, history before ``DAY`` ingested, models of its week trained; tests copy it."""
    return rung("prepared")


def _on(name: str) -> Callable[..., Iterator[Platform]]:
    def platform(rung: Callable[[str], Path], tmp_path: Path) -> Iterator[Platform]:
        folder = copied(rung(name), tmp_path / name)
        with dg.DagsterInstance.ephemeral() as instance:
            yield open_platform(folder, instance, asked=LADDER[name].asked)

    platform.__doc__ = f"A platform of its own on the rung {name!r} of the ladder."
    return platform


platform = pytest.fixture(_on("prepared"), name="platform")
before_tipoff = pytest.fixture(_on("before_tipoff"), name="before_tipoff")
two_weeks = pytest.fixture(_on("two_weeks"), name="two_weeks")
lined = pytest.fixture(_on("lined"), name="lined")
late = pytest.fixture(_on("late"), name="late")
slated = pytest.fixture(_on("slated"), name="slated")
published = pytest.fixture(_on("published"), name="published")
predicted = pytest.fixture(_on("predicted"), name="predicted")
evening = pytest.fixture(_on("evening"), name="evening")
two_dates = pytest.fixture(_on("two_dates"), name="two_dates")
many_prepared = pytest.fixture(_on("many_prepared"), name="many_prepared")
many_predicted = pytest.fixture(_on("many_predicted"), name="many_predicted")
many_written = pytest.fixture(_on("many_written"), name="many_written")


PROJECT = "nba-props-test"


@pytest.fixture(scope="session")
def gcs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a GCS on loopback, which Google's clients take for theirs from here on."""
    with emulators.gcs(tmp_path_factory.mktemp("gcs")) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", url)
        yield url


@pytest.fixture(scope="session")
def bigquery_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[emulators.BigQueryServer]:
    """A BigQuery on loopback, or a skip that says what is missing; in CI that is a failure."""
    if not bootstrap.is_ready():
        if os.environ.get("NBA_PROPS_REQUIRE_EMULATORS"):
            pytest.fail(f"{bootstrap.REASON}, and build it: python -m nba_props_tests.gcp.bootstrap")
        pytest.skip(f"{bootstrap.REASON}, and build it: python -m nba_props_tests.gcp.bootstrap")
    with emulators.bigquery(tmp_path_factory.mktemp("bigquery"), PROJECT) as server:
        yield server


@pytest.fixture(scope="session")
def make_bucket(gcs_server: str) -> Callable[[], str]:
    """Makes new buckets."""
    from dagster_gcp import GCSResource

    numbers = itertools.count(1)

    def make() -> str:
        name = f"nba-props-{next(numbers)}"
        GCSResource(project=PROJECT).get_client().create_bucket(name)
        return name

    return make


@pytest.fixture(scope="session")
def deploy(bigquery_server: emulators.BigQueryServer, make_bucket: Callable[[], str]) -> Callable[[], Gcp]:
    """Makes settings of deployments that share nothing: own datasets, own bucket."""

    def make() -> Gcp:
        bucket = make_bucket()
        return Gcp(
            project=PROJECT,
            location="US",
            bucket=bucket,
            prefix=bucket.replace("-", "_") + "_",
            bigquery_url=bigquery_server.url,
            bigquery_storage=bigquery_server.storage,
        )

    return make


@pytest.fixture
def make_gcp(deploy: Callable[[], Gcp]) -> Iterator[Callable[[], Gcp]]:
    """The same for one test: its tables are gone afterwards, since the emulator goes through all that there are."""
    made: list[Gcp] = []

    def make() -> Gcp:
        made.append(deploy())
        return made[-1]

    yield make
    for gcp in made:
        drop_tables(gcp)


def drop_tables(gcp: Gcp) -> None:
    """Delete the datasets of a deployment."""
    from nba_props.warehouse.bigquery.client import BigQueryAt

    with BigQueryAt(project=PROJECT, location="US", api_endpoint=gcp.bigquery_url).get_client() as client:
        for dataset in client.list_datasets():
            if dataset.dataset_id.startswith(gcp.prefix):
                client.delete_dataset(dataset.reference, delete_contents=True)


@pytest.fixture(scope="session")
def shared_gcp(deploy: Callable[[], Gcp]) -> Gcp:
    """One deployment for tests that only need their own dates or tables."""
    return deploy()


@pytest.fixture
def server():
    """A server on loopback for live clients to ask."""
    with serve() as fake:
        yield fake


@pytest.fixture
def waits() -> list[float]:
    """Takes the seconds that a client would have slept."""
    return []


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real payloads, or a skip that says what to set."""
    folder = Path(os.environ.get("NBA_PROPS_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (folder / "landing").is_dir():
        pytest.skip(f"no real payloads at {folder}: set NBA_PROPS_REAL_DATA")
    return folder


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def in_front() -> None:
    """Hear the keys, though a shell had this suite ignore one in the background, and Dagster in it the other."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
