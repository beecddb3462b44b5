"""Settings from the environment, read once, typed, and refused when they make no sense."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from nba_props.facts.calendar import parse_day
from nba_props.facts.rhythm import FULL, RHYTHMS
from nba_props.process.addresses import why_unsafe
from nba_props.settings.defaults import LOOK_BACK_DAYS, MAX_GAMES, MIN_MINUTES, TRAINING_SEASONS
from nba_props.storage.landing import MOST_BYTES_OF_OURS, LandingZone, PayloadError, read_aliases, read_file

PROFILES = ("local", "gcp")
_DEFAULT_FIRST_DATE = date(2021, 10, 19)
_ADDRESSES = ("NBA_PROPS_ODDS_URL", "NBA_PROPS_STATS_URL", "NBA_PROPS_CDN_URL", "NBA_PROPS_INJURY_URL")
_PROJECT_MARK = "workspace.yaml"
_DATASET_PREFIX = re.compile(r"[A-Za-z0-9_]*")
#: names that Google gives to projects, places and buckets
_CLOUD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_REGIONS = re.compile(r"[a-z0-9]+(,[a-z0-9]+)*")
#: what a browser may call a machine
_HOSTS = re.compile(r"\s*|\s*(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\s*", re.ASCII)
#: what requests can go through; credentials may stand before the host
_PROXY = re.compile(r"https?://(?:[^\s/@]+@)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,15}")
#: no setting that counts something needs more, and dates and durations bear no more
_MOST = 1_000_000
#: a look-back of more days, and a training of more seasons, reach to before there were games
_MOST_DAYS, _MOST_SEASONS = 3650, 50
#: nobody is expected to play longer than a game lasts
_MOST_MINUTES = 48


#: every variable that is read by the package, the deployment's files or the tests
KNOWN = frozenset(
    {
        *_ADDRESSES, "NBA_PROPS_ALERT_COOLDOWN_MINUTES", "NBA_PROPS_ALIASES", "NBA_PROPS_BIGQUERY_STORAGE",
        "NBA_PROPS_BIGQUERY_URL", "NBA_PROPS_BUCKET", "NBA_PROPS_CLOCK", "NBA_PROPS_DATASET_PREFIX",
        "NBA_PROPS_EMULATORS", "NBA_PROPS_EMULATOR_PYTHON", "NBA_PROPS_FIRST_DATE", "NBA_PROPS_GCP_LOCATION",
        "NBA_PROPS_GCP_PROJECT", "NBA_PROPS_HOME", "NBA_PROPS_IMAGE", "NBA_PROPS_KEPT_ENVIRONMENT", "NBA_PROPS_LANDING",
        "NBA_PROPS_LOOK_BACK_DAYS", "NBA_PROPS_MAX_BYTES_BILLED", "NBA_PROPS_MAX_GAMES", "NBA_PROPS_MIN_MINUTES",
        "NBA_PROPS_ODDS_REGIONS",
        "NBA_PROPS_ODDS_RESERVE", "NBA_PROPS_ODDS_RHYTHM", "NBA_PROPS_PROFILE", "NBA_PROPS_REAL_DATA",
        "NBA_PROPS_REQUIRE_EMULATORS", "NBA_PROPS_REVISION",
        "NBA_PROPS_SENSOR_SECONDS", "NBA_PROPS_SMOKE_BUCKET", "NBA_PROPS_SMOKE_LOCATION",
        "NBA_PROPS_SMOKE_PROJECT", "NBA_PROPS_STATS", "NBA_PROPS_TRAINING_SEASONS", "NBA_PROPS_UI_HOSTS",
        "NBA_PROPS_UI_PASSWORD_HASH", "NBA_PROPS_UI_USER", "ODDS_API_KEY", "SLACK_WEBHOOK_URL_ERROR",
        "SLACK_WEBHOOK_URL_WARNING",
    }
)  # fmt: skip
#: how names begin that nobody else has a use for
_OURS = ("NBA_PROP", "ODDS_API", "SLACK_WEBHOOK_URL")


class SettingsError(ValueError):
    """What was asked for doesn't go with the settings; the message names the one that matters."""


class BadSetting(SettingsError):
    """An environment variable has a value that cannot be used; the message names it."""


@dataclass(frozen=True)
class Live:
    """Where live payloads come from and alerts go to; secrets are left out of its text.

    Environment: ``ODDS_API_KEY``, ``NBA_PROPS_ODDS_RESERVE`` (credits never spent), ``NBA_PROPS_ODDS_REGIONS``,
    ``NBA_PROPS_ODDS_RHYTHM`` (full or thrifty), ``NBA_PROPS_STATS`` (on or off), ``NBA_API_PROXY``,
    ``SLACK_WEBHOOK_URL_WARNING``, ``SLACK_WEBHOOK_URL_ERROR``, ``NBA_PROPS_ALERT_COOLDOWN_MINUTES``;
    ``NBA_PROPS_ODDS_URL``, ``NBA_PROPS_STATS_URL``, ``NBA_PROPS_CDN_URL`` and ``NBA_PROPS_INJURY_URL`` name other
    servers than the real ones.
    """

    odds_key: str | None = field(default=None, repr=False)
    odds_reserve: int = 50
    odds_regions: str = "us"
    odds_rhythm: str = FULL
    #: whether stats.nba.com and the injury report are asked at all
    stats: bool = False
    proxy: str | None = field(default=None, repr=False)
    #: webhook URL by severity, WARN or ERROR
    webhooks: Mapping[str, str] = field(default_factory=dict, repr=False)
    alert_cooldown: timedelta = timedelta(hours=6)
    odds_url: str | None = None
    stats_url: str | None = None
    cdn_url: str | None = None
    injury_url: str | None = None


@dataclass(frozen=True)
class Gcp:
    """Where tables, payloads and models are in Google Cloud; credentials are found by Google's default chain.

    Environment: ``NBA_PROPS_GCP_PROJECT``, ``NBA_PROPS_GCP_LOCATION`` (of datasets and jobs), ``NBA_PROPS_BUCKET``,
    ``NBA_PROPS_DATASET_PREFIX`` (put before every dataset, such as ``staging_``), ``NBA_PROPS_MAX_BYTES_BILLED`` (by
    one statement); ``NBA_PROPS_BIGQUERY_URL`` and ``NBA_PROPS_BIGQUERY_STORAGE`` (host:port) name an emulator, and
    ``STORAGE_EMULATOR_HOST``, which Google's client reads by itself, another of the bucket.
    """

    project: str
    location: str
    bucket: str
    prefix: str = ""
    maximum_bytes: int = 20 * 1024**3
    bigquery_url: str | None = None
    bigquery_storage: str | None = None

    @property
    def deployment(self) -> str:
        """The name of what stands beside other deployments in the same bucket."""
        return self.prefix.strip("_") or "main"


@dataclass(frozen=True)
class Settings:
    """Where things are and how far history reaches.

    Environment: ``NBA_PROPS_PROFILE`` (local, or gcp: see :class:`Gcp`), ``NBA_PROPS_HOME`` (lake, Dagster instance,
    reports), ``NBA_PROPS_LANDING`` (payloads), ``NBA_PROPS_FIRST_DATE`` (first partition),
    ``NBA_PROPS_LOOK_BACK_DAYS``, ``NBA_PROPS_MAX_GAMES``, ``NBA_PROPS_TRAINING_SEASONS`` (seasons a model learns from),
    ``NBA_PROPS_MIN_MINUTES`` (projected minutes from which on a player matters), ``NBA_PROPS_ALIASES`` (CSV of
    ``alias,player_name``). For live feeds and alerts: see :class:`Live`. ``NBA_PROPS_SENSOR_SECONDS`` is how often
    sensors look; ``NBA_PROPS_CLOCK`` names a file that holds the time, for rehearsals with a simulated league and for
    nothing else.
    """

    profile: str
    home: Path
    landing: str
    first_date: date
    look_back_days: int = LOOK_BACK_DAYS
    max_games: int = MAX_GAMES
    #: fewest minutes that a player is expected to play for his line to matter
    min_minutes: int = MIN_MINUTES
    training_seasons: int = TRAINING_SEASONS
    aliases_file: Path | None = None
    live: Live = field(default_factory=Live)
    #: seconds between two looks of a sensor
    sensor_seconds: int = 30
    gcp: Gcp | None = None
    #: a file that holds the time, for rehearsals with a simulated league
    rehearsal_clock: Path | None = None

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def models(self) -> str:
        if self.gcp is not None:
            return f"gs://{self.gcp.bucket}/models/{self.gcp.deployment}"
        return str(self.home / "models")

    @property
    def reports(self) -> str:
        if self.gcp is not None:
            return f"gs://{self.gcp.bucket}/reports/{self.gcp.deployment}"
        return str(reports_of(self.home))

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    def aliases(self) -> tuple[tuple[str, str], ...]:
        """Further spellings of players: the landing zone's and the user's own; an added one counts in the next run."""
        return LandingZone(self.landing).aliases() + self._own_aliases()[0]

    def bad_aliases(self) -> tuple[str, ...]:
        """The lines of the same files that are no aliases and are left out, with the reason."""
        own = tuple(f"{self.aliases_file}, {line}" for line in self._own_aliases()[1])
        return LandingZone(self.landing).bad_aliases() + own

    def _own_aliases(self) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
        if self.aliases_file is None:
            return (), ()
        try:
            data = read_file(str(self.aliases_file), str(self.aliases_file), MOST_BYTES_OF_OURS)
        except (OSError, PayloadError) as error:
            raise SettingsError(f"NBA_PROPS_ALIASES names {self.aliases_file}, which can't be read: {error}") from error
        return read_aliases(data, str(self.aliases_file))


def project_root(start: Path | None = None) -> Path:
    """The checkout the process runs in (the folder with workspace.yaml above it), else the working directory."""
    here = (start or Path.cwd()).resolve()
    return next((p for p in (here, *here.parents) if (p / _PROJECT_MARK).exists()), here)


def home_of(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of lake, Dagster instance and reports, whether or not it is there."""
    return Path(environ.get("NBA_PROPS_HOME") or project_root() / ".nba_props").absolute()


def reports_of(home: Path) -> Path:
    """The folder of the scoreboard's pages in a home."""
    return home / "reports"


def strangers(environ: Mapping[str, str] = os.environ) -> list[str]:
    """What is wrong with names of variables that look like ours and are read by nobody, one sentence each.

    A warning and no error: going back a release must not stop at a setting of the newer one.
    """
    names = sorted(n for n in environ if n.startswith(_OURS) and n not in KNOWN)
    nearest = {n: difflib.get_close_matches(n, KNOWN, 1, 0.8) for n in names}
    return [
        f"{name} is no setting and changes nothing{': is ' + found[0] + ' meant?' if found else ''}"
        for name, found in nearest.items()
    ]


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from environment variables.

    Raises:
        BadSetting: a variable has a value that cannot be used.
        SettingsError: one that the profile needs is not set.
    """
    profile = environ.get("NBA_PROPS_PROFILE", "local")
    if profile not in PROFILES:
        raise BadSetting(f"NBA_PROPS_PROFILE is {profile!r}; it can be {' or '.join(PROFILES)}")
    home = home_of(environ)
    if home.exists() and not home.is_dir():
        raise BadSetting(f"NBA_PROPS_HOME is {home}, which is a file and no folder")
    gcp = _gcp(environ) if profile == "gcp" else None
    landing = environ.get("NBA_PROPS_LANDING") or (f"gs://{gcp.bucket}/landing" if gcp else str(home / "landing"))
    if "://" not in landing:
        landing = str(Path(landing).expanduser().absolute())
    else:
        _require_scheme(landing)
    aliases = environ.get("NBA_PROPS_ALIASES")
    hosts = environ.get("NBA_PROPS_UI_HOSTS", "")
    if wrong := [h for h in hosts.split(",") if not _HOSTS.fullmatch(h)]:
        raise BadSetting(f"NBA_PROPS_UI_HOSTS has {wrong[0]!r}, which is not the plain name of a host")
    return Settings(
        profile=profile,
        home=home,
        landing=landing,
        first_date=_first_date(environ, landing),
        look_back_days=_positive(environ, "NBA_PROPS_LOOK_BACK_DAYS", LOOK_BACK_DAYS, _MOST_DAYS),
        max_games=_positive(environ, "NBA_PROPS_MAX_GAMES", MAX_GAMES),
        min_minutes=_positive(environ, "NBA_PROPS_MIN_MINUTES", MIN_MINUTES, _MOST_MINUTES),
        training_seasons=_positive(environ, "NBA_PROPS_TRAINING_SEASONS", TRAINING_SEASONS, _MOST_SEASONS),
        aliases_file=Path(aliases).expanduser().absolute() if aliases else None,
        live=_live(environ),
        sensor_seconds=_positive(environ, "NBA_PROPS_SENSOR_SECONDS", Settings.sensor_seconds),
        gcp=gcp,
        rehearsal_clock=_rehearsal(environ, landing),
    )


def _gcp(environ: Mapping[str, str]) -> Gcp:
    names = ("NBA_PROPS_GCP_PROJECT", "NBA_PROPS_GCP_LOCATION", "NBA_PROPS_BUCKET")
    missing = [n for n in names if not environ.get(n)]
    if missing:
        raise SettingsError(f"the profile gcp needs {', '.join(missing)}: see docs/production.md")
    prefix = environ.get("NBA_PROPS_DATASET_PREFIX", "")
    if not _DATASET_PREFIX.fullmatch(prefix):
        raise BadSetting(f"NBA_PROPS_DATASET_PREFIX is {prefix!r}; it can have letters, digits and underscores")
    project, location, bucket = (environ[n] for n in names)
    for name in names:
        if not _CLOUD_NAME.fullmatch(environ[name]):
            raise BadSetting(f"{name} is {environ[name]!r}, not the plain name of a {name.rsplit('_', 1)[-1].lower()}")
    return Gcp(
        project=project,
        location=location,
        bucket=bucket,
        prefix=prefix,
        maximum_bytes=_positive(environ, "NBA_PROPS_MAX_BYTES_BILLED", Gcp.maximum_bytes, 10**15),
        bigquery_url=environ.get("NBA_PROPS_BIGQUERY_URL") or None,
        bigquery_storage=environ.get("NBA_PROPS_BIGQUERY_STORAGE") or None,
    )


def _require_scheme(landing: str) -> None:
    """Refuse a URL of a kind of storage that nothing here can open."""
    import fsspec

    try:
        fsspec.get_filesystem_class(landing.partition("://")[0])
    except (ImportError, ValueError) as error:
        raise BadSetting(f"NBA_PROPS_LANDING is {landing}, which can't be opened: {error}") from error


def _rehearsal(environ: Mapping[str, str], landing: str) -> Path | None:
    text = environ.get("NBA_PROPS_CLOCK")
    if not text:
        return None
    if not LandingZone(landing).is_simulated:
        raise BadSetting("NBA_PROPS_CLOCK is for rehearsals with a simulated league; real data has the real time")
    return Path(text)


def _live(environ: Mapping[str, str]) -> Live:
    switch = environ.get("NBA_PROPS_STATS") or "off"
    if switch not in ("on", "off"):
        raise BadSetting(f"NBA_PROPS_STATS is {switch!r}; it can be on or off")
    _all_https(environ)
    proxy = environ.get("NBA_API_PROXY") or None
    if proxy and not _PROXY.fullmatch(proxy):  # it may hold a password, and is not shown
        raise BadSetting("NBA_API_PROXY is no address of a proxy, such as http://user:password@host:8080")
    regions = environ.get("NBA_PROPS_ODDS_REGIONS") or Live.odds_regions
    if not _REGIONS.fullmatch(regions):
        raise BadSetting(f"NBA_PROPS_ODDS_REGIONS is {regions!r}; it can be regions with commas between, such as us,eu")
    rhythm = environ.get("NBA_PROPS_ODDS_RHYTHM") or Live.odds_rhythm
    if rhythm not in RHYTHMS:
        raise BadSetting(f"NBA_PROPS_ODDS_RHYTHM is {rhythm!r}; it can be {' or '.join(RHYTHMS)}")
    hooks = {s: environ.get(f"SLACK_WEBHOOK_URL_{n}") for s, n in (("WARN", "WARNING"), ("ERROR", "ERROR"))}
    cooldown = int(Live.alert_cooldown.total_seconds()) // 60
    return Live(
        odds_key=environ.get("ODDS_API_KEY") or None,
        odds_reserve=_positive(environ, "NBA_PROPS_ODDS_RESERVE", Live.odds_reserve),
        odds_regions=regions,
        odds_rhythm=rhythm,
        stats=switch == "on",
        proxy=proxy,
        webhooks={s: url for s, url in hooks.items() if url},
        alert_cooldown=timedelta(minutes=_positive(environ, "NBA_PROPS_ALERT_COOLDOWN_MINUTES", cooldown)),
        odds_url=environ.get("NBA_PROPS_ODDS_URL") or None,
        stats_url=environ.get("NBA_PROPS_STATS_URL") or None,
        cdn_url=environ.get("NBA_PROPS_CDN_URL") or None,
        injury_url=environ.get("NBA_PROPS_INJURY_URL") or None,
    )


def _all_https(environ: Mapping[str, str]) -> None:
    """Refuse addresses to which nothing would be sent (sources/http.py)."""
    for name in (*_ADDRESSES, *(f"SLACK_WEBHOOK_URL_{n}" for n in ("WARNING", "ERROR"))):
        if environ.get(name) and (problem := why_unsafe(environ[name])):
            raise SettingsError(f"{name}: {problem}")


def _first_date(environ: Mapping[str, str], landing: str) -> date:
    text = environ.get("NBA_PROPS_FIRST_DATE")
    if not text:
        return LandingZone(landing).first_date or _DEFAULT_FIRST_DATE
    try:
        return parse_day(text)
    except ValueError as error:
        raise BadSetting(f"NBA_PROPS_FIRST_DATE is {error}") from error


def _positive(environ: Mapping[str, str], name: str, default: int, most: int = _MOST) -> int:
    text = environ.get(name)
    if not text:
        return default
    if not _WHOLE.fullmatch(text) or not 0 < int(text) <= most:
        raise BadSetting(f"{name} is {text!r}, not a positive whole number of at most {most}")
    return int(text)
