"""The doctor: what is configured, reachable and fresh, and the remedy for everything that is not."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from nba_props.deployment import aliases_of, clock_of
from nba_props.domain.models.card import week_of
from nba_props.domain.models.learner import Recipe, model_id
from nba_props.domain.systems import SYSTEM_TABLES, recipes_of
from nba_props.facts.calendar import game_date_of, season_of
from nba_props.facts.vocabulary import League, Outcome
from nba_props.facts.words import plural
from nba_props.operations import day_one
from nba_props.operations.day_one import COMMAND
from nba_props.operations.freshness import feeds_freshness
from nba_props.operations.home import Flaw, is_full, store_flaws
from nba_props.operations.ledger import own_dates
from nba_props.process.clock import Clock
from nba_props.schemas import raw
from nba_props.schemas.predictions import PREDICTION_ACCURACY
from nba_props.settings import Settings, SettingsError, env_file
from nba_props.settings.variables import misspelt
from nba_props.sources import nba_stats, registry
from nba_props.sources.answers import UNREACHABLE
from nba_props.sources.base import LiveFeeds, Probe
from nba_props.sources.http import FetchError
from nba_props.sources.nba_stats.games import games_of
from nba_props.storage.landing import LandingError, LandingZone
from nba_props.storage.models import NO_MODEL, UNTRAINED, CorruptModel, ModelStore
from nba_props.warehouse.base import Warehouse, WarehouseError

#: the most strays that have a finding of their own
_SHOWN = 10
#: without these, nothing else can be examined
_NEEDED = ("landing zone", "warehouse")
_FETCH = "nba-props fetch "
_OFFLINE = "connect this machine, or leave the feeds out with --offline"


@dataclass(frozen=True)
class Examination:
    """The result of one examination: ``state`` is ok, off or bad; ``advice`` is the remedy unless it is ok."""

    what: str
    state: str
    text: str
    advice: str = ""


def examine(
    settings: Settings,
    zone: LandingZone,
    warehouse: Warehouse,
    clock: Clock,
    flaws: Callable[[Settings, Warehouse], list[Flaw]] = store_flaws,
    *,
    ask: bool = True,
) -> list[Examination]:
    """Every finding about a deployment.

    Args:
        settings: the settings.
        zone: the landing zone.
        warehouse: the tables.
        clock: the time.
        flaws: finds the files of the home that can't be used; a caller that knows Dagster's files passes its own.
        ask: whether to make one free request to each feed that is on.
    """
    now = clock()
    found = [*_places(settings, zone, warehouse)]
    found += _variables()
    if any(f.state == "bad" and f.what in _NEEDED for f in found):
        feeds = _feeds(LiveFeeds(settings.live, zone, clock), ask=ask)
        return [*found, *_damage(flaws(settings, warehouse)), *feeds, *_alerts(settings)]
    found += _own_files(settings)
    found += _files(settings, zone, warehouse, flaws(settings, warehouse))
    found += _contents(settings, zone, warehouse, now)
    found += _feeds(LiveFeeds(settings.live, zone, clock), ask=ask)
    found += _fresh(settings, zone, warehouse, now)
    found += _alerts(settings)
    return found


def next_command(found: list[Examination], zone: LandingZone) -> str:
    """The next command to type: the remedy for the first bad finding, else the first prediction, then tonight's, then
    missing grades; else the command that keeps everything running.
    """
    if not zone.exists():
        return COMMAND
    by_name = {f.what: f for f in found}
    bad = [f.advice.split(",")[0] for f in found if f.state == "bad" and f.advice.startswith("nba-props ")]
    fixes = [advice for advice in bad if not advice.startswith(_FETCH)]
    predicted = by_name.get("predictions")
    if predicted is not None and predicted.state == "off" and "today" not in by_name:
        fixes.append("nba-props demo" if zone.is_simulated else COMMAND)
    today, grades = ([f.advice for f in found if (f.what, f.state) == (what, "off")] for what in ("today", "grades"))
    late = [advice for advice in bad if advice.startswith(_FETCH)]  # last: a start fetches as well
    return next(iter([*fixes, *today, *late, *grades]), "nba-props board" if zone.is_simulated else "nba-props dev")


def _variables() -> Iterator[Examination]:
    for text in misspelt(os.environ):
        yield Examination("environment", "off", text, "fix its name, or remove it")
    if others := env_file.readers():
        text = f"{env_file.path()} has keys and can be read by {others}"
        yield Examination("file of settings", "off", text, f"chmod 600 {shlex.quote(str(env_file.path()))}")


def _places(settings: Settings, zone: LandingZone, warehouse: Warehouse) -> Iterator[Examination]:
    home = settings.home if settings.home.exists() else settings.home.parent
    writable = os.access(home, os.W_OK)
    wrong = "NBA_PROPS_HOME can't be written" if not writable else "free the disk: it is full" if is_full(home) else ""
    if settings.home.exists() or wrong or settings.gcp is not None:
        yield Examination("home", "bad" if wrong else "ok", str(settings.home), wrong)
    else:
        text = f"there is no {settings.home} yet; the first command that stores something creates it"
        yield Examination("home", "off", text, f"{COMMAND}, or set NBA_PROPS_HOME if you mean another one")
    if not zone.exists():
        yield Examination(
            "landing zone", "bad", f"nothing at {zone.root}",
            f"{COMMAND} makes one of the real league, nba-props demo or nba-props simulate one of a simulated league; "
            "or set NBA_PROPS_LANDING",
        )  # fmt: skip
        return
    held = League.SIMULATED if zone.is_simulated else League.REAL
    yield Examination("landing zone", "ok", f"{zone.root} ({held})")
    try:
        source = warehouse.source()
    except WarehouseError as error:
        yield Examination("warehouse", "bad", str(error), "see docs/production.md for access" if settings.gcp else "")
        return
    mixed = source not in (None, held)
    yield Examination(
        "warehouse", "bad" if mixed else "ok", f"{warehouse.place} holds {source or 'nothing yet'}",
        f"the landing zone is {held}: set another NBA_PROPS_HOME, or NBA_PROPS_DATASET_PREFIX" if mixed else "",
    )  # fmt: skip


def strays(settings: Settings, zone: LandingZone, warehouse: Warehouse) -> list[tuple[str, str]]:
    """Files among partitions, models and payloads that have another name than these, and why; nothing reads them."""
    landed = [(f"{zone.root}/{path}", why) for path, why in zone.strays(registry.layout())] if zone.exists() else []
    return [*warehouse.strays(), *ModelStore(settings.models).strays(), *landed]


def _damage(flaws: list[Flaw]) -> Iterator[Examination]:
    for flaw in flaws:
        yield Examination(flaw.what, "bad", f"{flaw.why} ({flaw.path})", flaw.advice)


def _own_files(settings: Settings) -> Iterator[Examination]:
    """Files that only a user can fix: the aliases, and a rehearsal's clock."""
    try:
        found, left_out = aliases_of(settings)
        if settings.aliases_file or left_out:
            text = f"{len(found)} in use" + (f", {len(left_out)} lines left out" if left_out else "")
            yield Examination("aliases", "off" if left_out else "ok", text, left_out[0] if left_out else "")
    except (SettingsError, LandingError) as error:
        yield Examination("aliases", "bad", str(error), "fix the file")
    if settings.rehearsal_clock is not None:
        try:
            instant = clock_of(settings)()
            yield Examination("rehearsal's clock", "ok", f"{instant:%Y-%m-%d %H:%M} UTC")
        except SettingsError as error:
            yield Examination(
                "rehearsal's clock", "bad", str(error), "write an instant into it, or unset NBA_PROPS_CLOCK"
            )


def _files(settings: Settings, zone: LandingZone, warehouse: Warehouse, flaws: list[Flaw]) -> Iterator[Examination]:
    damage = list(_damage(flaws))
    yield from damage or [Examination("files of the home", "ok", "can be read; nba-props scrub reads the partitions")]
    found = strays(settings, zone, warehouse)
    for path, why in found[:_SHOWN]:
        yield Examination("stray", "off", f"{path} {why}", "nothing reads it: move it away")
    if len(found) > _SHOWN:
        yield Examination(
            "strays", "off", f"{len(found)} in all, the first {_SHOWN} above", "nba-props scrub names them"
        )


def _contents(settings: Settings, zone: LandingZone, warehouse: Warehouse, now: datetime) -> Iterator[Examination]:
    first = "nba-props demo" if zone.is_simulated else COMMAND
    published = own_dates(warehouse)
    for what, days in (("schedule", warehouse.partitions(raw.SCHEDULE)), ("predictions", published)):
        one = f"1 date, {days[0]}" if days else "none"
        text = f"{len(days)} dates, {days[0]}..{days[-1]}" if len(days) > 1 else one
        yield Examination(what, "ok" if days else "off", text, "" if days else first)
    # a simulated league has dates of its own: the newest predicted one is used as today
    today = game_date_of(now)
    day = published[-1] if zone.is_simulated and published else today
    advice = first if zone.is_simulated or not published else f"nba-props train {day}"
    yield trained_models(ModelStore(settings.models), recipes_of(SYSTEM_TABLES, settings.markets), day, advice)
    if not zone.is_simulated:
        yield _today(settings, zone, now, today in published)
        yield from _grades(warehouse, [d for d in published if d < today], zone)


def trained_models(store: ModelStore, recipes: Sequence[Recipe], day: date, advice: str) -> Examination:
    """Whether every model of the date's week is trained, and can serve; one that its training refused is named."""
    lacking, refused, unusable = [], [], []
    for recipe in recipes:
        try:
            why = store.why_idle(recipe, day) or ""
        except CorruptModel as error:
            why = str(error)
        name = model_id(recipe)
        if why == UNTRAINED:
            lacking.append(name)
        elif why.startswith(NO_MODEL):
            refused.append(f"{name} is not in force ({why.removeprefix(NO_MODEL)})")
        elif why:
            unusable.append(f"{name} can't serve ({why})")
    found = [f"none of {', '.join(lacking)}"] if lacking else []
    text = f"week of {week_of(day)}: {'; '.join([*found, *unusable, *refused]) or 'all trained'}"
    state = "bad" if unusable else "off" if lacking else "ok"
    return Examination("models", state, text, "" if state == "ok" else advice)


def _today(settings: Settings, zone: LandingZone, now: datetime, predicted: bool) -> Examination:
    """Whether today's games are predicted, or everything that a first prediction needs is landed."""
    today, games = game_date_of(now), games_of(zone, now)
    if games is None:
        return Examination("today", "off", f"no schedule of {season_of(today)} is landed", COMMAND)
    if predicted:
        return Examination("today", "ok", f"{plural(games.today, 'game')} of {today}, predicted")
    if games.to_begin:
        return Examination(
            "today", "off", f"{plural(games.to_begin, 'game')} of {today} to begin, not predicted yet", COMMAND
        )
    idle = day_one.nothing_to_predict(games, today)
    later = f"; next games on {games.next_day}" if games.next_day else ""
    if lacking := day_one.lacking(settings, LiveFeeds(settings.live, zone, lambda: now)):
        return Examination("today", "off", f"{idle}{later}; not landed yet: {', '.join(lacking)}", COMMAND)
    return Examination("today", "ok", f"{idle}{later}")


def _grades(warehouse: Warehouse, past: list[date], zone: LandingZone) -> Iterator[Examination]:
    """Whether the newest predicted date before today is graded."""
    if not past:
        return
    day = past[-1]
    graded = warehouse.query(
        f"SELECT COUNT(*) AS n FROM {PREDICTION_ACCURACY.address} "
        f"WHERE game_date BETWEEN @first AND @last AND is_current AND outcome != '{Outcome.PENDING}'",
        first=day,
        last=day,
    )
    if graded["n"].iloc[0]:
        yield Examination("grades", "ok", f"through {day}")
    else:
        landed = nba_stats.landed_box_score_days(zone, day, day)
        advice = f"nba-props grade {day}" if landed else f"{_FETCH}stats {day}"
        yield Examination("grades", "off", f"{day} is predicted and not graded", advice)


def _feeds(feeds: LiveFeeds, *, ask: bool) -> Iterator[Examination]:
    """Whether each feed answers."""
    for feed in registry.feeds():
        if feed.probe is None:
            continue
        if not feed.switch.is_on(feeds.live):
            yield Examination(feed.title, "off", feed.probe.off, feed.switch.advice)
        elif ask:
            yield _asked(feed.title, feed.probe, feeds)
        else:
            yield Examination(feed.title, "off", f"{feed.probe.on}, no request was made (--offline)")


def _asked(title: str, probe: Probe, feeds: LiveFeeds) -> Examination:
    try:
        return Examination(title, "ok", probe.ask(feeds))
    except FetchError as error:
        return Examination(title, "bad", str(error), _OFFLINE if error.code == UNREACHABLE else probe.advice)


def _fresh(settings: Settings, zone: LandingZone, warehouse: Warehouse, now: datetime) -> Iterator[Examination]:
    """Whether the newest payloads of each feed are as new as expected."""
    if zone.is_simulated:
        return  # a simulated league has no feeds
    found = feeds_freshness(settings, zone, warehouse, now)
    for feed in registry.feeds():
        is_fresh = found[feed.name]
        state = "bad" if not is_fresh.passed else "off" if is_fresh.nothing else "ok"
        command = f"{_FETCH}{feed.command.name} {feed.command.overdue}".rstrip()
        advice = "" if is_fresh.passed else f"{command}, and is the daemon running?"
        yield Examination(f"{feed.name} is fresh", state, is_fresh.text, advice)


def _alerts(settings: Settings) -> Iterator[Examination]:
    for severity, name in (("WARN", "SLACK_WEBHOOK_URL_WARNING"), ("ERROR", "SLACK_WEBHOOK_URL_ERROR")):
        on = severity in settings.live.webhooks
        yield Examination(
            f"alerts of severity {severity}",
            "ok" if on else "off",
            "to Slack" if on else "to alerts.jsonl and the log",
            "" if on else f"set {name}",
        )
