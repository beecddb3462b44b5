"""Typed settings from the environment, read once; invalid ones are errors. Nothing here opens anything.

Belongs here: what a user may choose, its default (defaults.py) and its variable (variables.py). Not here: the objects
that are made from settings (deployment.py).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from pydantic import SecretStr
from pydantic.dataclasses import dataclass as validated

from nba_props.settings import defaults, variables
from nba_props.settings.errors import BadSetting, SettingsError
from nba_props.settings.paths import home_of, project_root, reports_of, site_of
from nba_props.settings.variables import Variables


def revealed(secret: SecretStr | None) -> str | None:
    """The text of a secret, for the client that sends it."""
    return secret.get_secret_value() if secret is not None else None


@validated(frozen=True)
class Live:
    """Where live payloads come from and alerts go to; its text never shows a secret."""

    odds_key: SecretStr | None = None
    #: credits never spent
    odds_reserve: int = defaults.ODDS_RESERVE
    odds_regions: str = defaults.ODDS_REGIONS
    odds_rhythm: str = defaults.ODDS_RHYTHM
    #: the markets that are fetched and forecast
    markets: tuple[str, ...] = defaults.MARKETS
    #: whether stats.nba.com and the injury report may be requested
    stats: bool = False
    proxy: SecretStr | None = None
    #: webhook URL by severity, WARN or ERROR
    webhooks: Mapping[str, SecretStr] = field(default_factory=dict)
    alert_cooldown: timedelta = timedelta(minutes=defaults.ALERT_COOLDOWN_MINUTES)
    odds_url: str | None = None
    stats_url: str | None = None
    cdn_url: str | None = None
    injury_url: str | None = None


@dataclass(frozen=True)
class Gcp:
    """Where tables, payloads and models are in Google Cloud; credentials are found by Google's default chain.

    ``STORAGE_EMULATOR_HOST``, which Google's client reads by itself, names an emulator of the bucket.
    """

    project: str
    location: str
    bucket: str
    prefix: str = ""
    maximum_bytes: int = defaults.MAX_BYTES_BILLED
    bigquery_url: str | None = None
    bigquery_storage: str | None = None

    @property
    def deployment(self) -> str:
        """The name that separates this deployment from others in the same bucket."""
        return self.prefix.strip("_") or "main"


@dataclass(frozen=True)
class Settings:
    """Locations and limits; ``variables.py`` has the variable that each is read from."""

    profile: str
    home: Path
    landing: str
    first_date: date
    look_back_days: int = defaults.LOOK_BACK_DAYS
    max_games: int = defaults.MAX_GAMES
    #: least projected minutes at which a player's line matters
    min_minutes: int = defaults.MIN_MINUTES
    training_seasons: int = defaults.TRAINING_SEASONS
    #: every sportsbook, in the order in which a line is chosen
    books: tuple[str, ...] = defaults.BOOKS
    #: systems in shadow beside those that are by themselves, and when the formula of each was frozen
    shadow: tuple[tuple[str, date], ...] = defaults.SHADOW
    #: days for which a replaced version of a date is kept
    version_days: int = defaults.VERSION_DAYS
    aliases_file: Path | None = None
    live: Live = field(default_factory=Live)
    #: seconds between evaluations of a sensor
    sensor_seconds: int = defaults.SENSOR_SECONDS
    gcp: Gcp | None = None
    #: a file that holds the time, for rehearsals with a simulated league
    rehearsal_clock: Path | None = None

    @property
    def markets(self) -> tuple[str, ...]:
        """The markets that are fetched and forecast, in their usual order; points are always among them."""
        return self.live.markets

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
    def site(self) -> str:
        if self.gcp is not None:
            return f"gs://{self.gcp.bucket}/site/{self.gcp.deployment}"
        return str(site_of(self.home))

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from environment variables.

    Raises:
        BadSetting: a variable has a value that cannot be used, or is not one of ours.
        SettingsError: a variable that the profile requires is not set.
    """
    given = variables.read(environ)
    gcp = _gcp(given) if given.profile == "gcp" else None
    home = home_of(given.home)
    return Settings(
        profile=given.profile,
        home=home,
        landing=given.landing or (f"gs://{gcp.bucket}/landing" if gcp else str(home / "landing")),
        first_date=given.first_date,
        look_back_days=given.look_back_days,
        max_games=given.max_games,
        min_minutes=given.min_minutes,
        training_seasons=given.training_seasons,
        books=given.books,
        shadow=given.shadow,
        version_days=given.version_days,
        aliases_file=given.aliases,
        live=_live(given),
        sensor_seconds=given.sensor_seconds,
        gcp=gcp,
        rehearsal_clock=given.clock,
    )


def _gcp(given: Variables) -> Gcp:
    needed = {name: getattr(given, name) for name in ("gcp_project", "gcp_location", "bucket")}
    if missing := [str(Variables.model_fields[n].alias) for n, value in needed.items() if value is None]:
        raise SettingsError(f"the profile gcp needs {', '.join(missing)}: see docs/production.md")
    project, location, bucket = needed.values()
    return Gcp(
        project,
        location,
        bucket,
        prefix=given.dataset_prefix,
        maximum_bytes=given.max_bytes_billed,
        bigquery_url=given.bigquery_url,
        bigquery_storage=given.bigquery_storage,
    )


def _live(given: Variables) -> Live:
    hooks = {"WARN": given.webhook_warning, "ERROR": given.webhook_error}
    return Live(
        odds_key=given.odds_key,
        odds_reserve=given.odds_reserve,
        odds_regions=given.odds_regions,
        odds_rhythm=given.odds_rhythm,
        markets=given.markets,
        stats=given.stats == "on",
        proxy=given.proxy,
        webhooks={severity: url for severity, url in hooks.items() if url is not None},
        alert_cooldown=timedelta(minutes=given.alert_cooldown_minutes),
        odds_url=given.odds_url,
        stats_url=given.stats_url,
        cdn_url=given.cdn_url,
        injury_url=given.injury_url,
    )


__all__ = [
    "BadSetting", "Gcp", "Live", "Settings", "SettingsError", "home_of", "project_root", "read_settings",
    "reports_of", "revealed", "site_of",
]  # fmt: skip
