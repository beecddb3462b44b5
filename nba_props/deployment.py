"""Settings become the objects that a process works with: one place for definitions, commands and tests."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from difflib import get_close_matches
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from nba_props.domain.systems import SYSTEMS
from nba_props.facts.calendar import parse_instant
from nba_props.process.clock import Clock, utc_now
from nba_props.settings import BadSetting, Settings, SettingsError, read_settings
from nba_props.sources.base import LiveFeeds
from nba_props.storage.landing import MOST_BYTES_OF_OURS, LandingZone, PayloadError, read_aliases, read_file
from nba_props.storage.models import ModelStore
from nba_props.warehouse.base import Warehouse
from nba_props.warehouse.registry import open_warehouse

#: what the profile of BigQuery and a bucket needs
_OF_GOOGLE = ("dagster_gcp", "gcsfs")
#: an alias and the player's name
Alias = tuple[str, str]


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment, with the first date and the markets of its landing zone unless they are set.

    Raises:
        BadSetting: a variable has a value that cannot be used, or is not one of ours.
        SettingsError: one that the profile needs is not set, or its libraries are not installed.
    """
    settings = read_settings(environ)
    if settings.gcp is not None and any(find_spec(name) is None for name in _OF_GOOGLE):
        raise SettingsError("the profile gcp needs Google's libraries: pip install 'nba_props[gcp]' brings them")
    if settings.home.exists() and not settings.home.is_dir():
        raise BadSetting(f"NBA_PROPS_HOME is {settings.home}, which is a file and not a folder")
    zone = LandingZone(settings.landing)
    if settings.rehearsal_clock is not None and not zone.is_simulated:
        raise BadSetting("NBA_PROPS_CLOCK is for rehearsals with a simulated league; real data has the real time")
    if not environ.get("NBA_PROPS_FIRST_DATE") and zone.first_date is not None:
        settings = replace(settings, first_date=zone.first_date)
    # in a project of Google they are set: its zone is a request away
    if settings.profile == "local" and not environ.get("NBA_PROPS_MARKETS") and zone.markets:
        settings = replace(settings, live=replace(settings.live, markets=zone.markets))
    return settings


@dataclass(frozen=True)
class Deployment:
    """The objects that a process works with."""

    settings: Settings
    landing: LandingZone
    warehouse: Warehouse
    models: ModelStore
    clock: Clock

    @property
    def feeds(self) -> LiveFeeds:
        """The live feeds, with the switches of the settings."""
        return LiveFeeds(self.settings.live, self.landing, self.clock)


def deployed(
    settings: Settings,
    warehouse: Warehouse | None = None,
    landing: LandingZone | None = None,
    clock: Clock | None = None,
) -> Deployment:
    """The objects that settings describe, except those that are passed."""
    return Deployment(
        settings,
        landing or LandingZone(settings.landing),
        warehouse or open_warehouse(settings),
        ModelStore(settings.models),
        clock or clock_of(settings),
    )


def open_to_read(settings: Settings) -> Warehouse:
    """The warehouse of settings for somebody who only reads.

    Raises:
        BadSetting: the home does not exist.
        WarehouseError: the lake is of an earlier release and has to be migrated first.
    """
    if settings.gcp is None and not settings.home.exists():
        asked = "is NBA_PROPS_HOME the home that you mean? Otherwise " if os.environ.get("NBA_PROPS_HOME") else ""
        raise BadSetting(
            f"there is no {settings.home}: {asked}`nba-props start` creates a home for the real league, "
            "`nba-props demo` one for a simulated league"
        )
    return open_warehouse(settings)


def in_shadow(settings: Settings) -> dict[str, date]:
    """The systems in shadow until they have earned their weight, and the date on which each was frozen.

    Raises:
        BadSetting: there is no system of a name, or its formula was frozen on another date.
    """
    by_themselves = {s.system_id: s.frozen_on for s in SYSTEMS if s.shadow and s.frozen_on is not None}
    known = [s.system_id for s in SYSTEMS]
    for name, _ in settings.shadow:
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise BadSetting(f"NBA_PROPS_SHADOW names {name}, which is not a system{f': {near[0]}?' if near else ''}")
    own = _frozen_on()
    for name, day in settings.shadow:
        # an earlier date would count dates that the formula was made with, a later one would drop a bad record
        if name in own and day != own[name]:
            raise BadSetting(f"NBA_PROPS_SHADOW freezes {name} on {day}: its formula was frozen on {own[name]}")
    return {**by_themselves, **dict(settings.shadow)}


def frozen(settings: Settings) -> dict[str, date]:
    """The systems whose formula is frozen, in shadow or not, and the date of it.

    Raises:
        BadSetting: there is no system of a name.
    """
    return {**_frozen_on(), **in_shadow(settings)}


def _frozen_on() -> dict[str, date]:
    """The date on which the formula of each system was frozen, of those that state one."""
    return {s.system_id: s.frozen_on for s in SYSTEMS if s.frozen_on is not None}


def clock_of(settings: Settings) -> Clock:
    """The clock of the system or, in a rehearsal, the one that returns the instant in its file."""
    file = settings.rehearsal_clock
    return utc_now if file is None else partial(_read_clock, file)


def _read_clock(file: Path) -> datetime:
    try:
        return parse_instant(file.read_text().strip())
    except (OSError, ValueError) as error:
        raise BadSetting(
            f"NBA_PROPS_CLOCK names {file}, which has no instant such as 2026-01-09T17:00Z: {error}"
        ) from error


def aliases_of(settings: Settings) -> tuple[tuple[Alias, ...], tuple[str, ...]]:
    """The aliases of players from the landing zone and from the user's file, and the lines that are not one, with the
    reason.

    The files are read at each call, so that a new alias counts in the next run.

    Raises:
        SettingsError: the user's file can't be read.
        LandingError: the landing zone's file can't be read.
    """
    zone = LandingZone(settings.landing)
    own, left_out = _own_aliases(settings.aliases_file)
    return zone.aliases() + own, zone.bad_aliases() + left_out


def _own_aliases(file: Path | None) -> tuple[tuple[Alias, ...], tuple[str, ...]]:
    if file is None:
        return (), ()
    try:
        data = read_file(str(file), str(file), MOST_BYTES_OF_OURS)
    except (OSError, PayloadError) as error:
        raise SettingsError(f"NBA_PROPS_ALIASES names {file}, which can't be read: {error}") from error
    found, left_out = read_aliases(data, str(file))
    return found, tuple(f"{file}, {line}" for line in left_out)
