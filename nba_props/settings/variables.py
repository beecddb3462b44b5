"""Every environment variable, described once: for the code, its error messages and the tables in the docs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from nba_props.facts import books, markets
from nba_props.facts.calendar import parse_day
from nba_props.facts.rhythm import RHYTHMS
from nba_props.process.addresses import why_unsafe
from nba_props.settings import defaults
from nba_props.settings.errors import BadSetting
from nba_props.settings.paths import expanded

PREFIX = "NBA_PROPS_"
#: prefixes of names that only this project uses
_OURS = ("NBA_PROP", "ODDS_API", "SLACK_WEBHOOK_URL")
_WHOLE = re.compile(r"[0-9]{1,15}")
#: upper limit for counts, dates and durations
_MOST = 1_000_000
_DATASET_PREFIX = re.compile(r"[A-Za-z0-9_]*")
#: names of projects, locations and buckets in Google Cloud
_CLOUD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_REGIONS = re.compile(r"[a-z0-9]+(,[a-z0-9]+)*")
#: a host name as browsers send it
_HOST = re.compile(r"\s*|\s*(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\s*", re.ASCII)
#: the URL of a proxy, with or without credentials
_PROXY = re.compile(r"https?://(?:[^\s/@]+@)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?", re.ASCII)


class Topic(StrEnum):
    """The table of the docs that lists a variable."""

    DATA = "data"
    LIVE = "live"
    CLOUD = "cloud"
    #: for tests, images and rehearsals; in no table
    OTHER = "other"


# -- types: the text of an error follows the variable's name -----------------------------------------------------------


def _one_of(*allowed: str) -> BeforeValidator:
    def check(text: str) -> str:
        if text not in allowed:
            raise ValueError(f" is {text!r}; it can be {' or '.join(allowed)}")
        return text

    return BeforeValidator(check)


def _whole(most: int = _MOST, least: int = 1) -> BeforeValidator:
    def check(value: Any) -> int:
        text = str(value)
        if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
            kind = "a positive" if least else "0 or a positive"
            raise ValueError(f" is {text!r}, not {kind} whole number of at most {most}")
        return int(text)

    return BeforeValidator(check)


def _like(pattern: re.Pattern[str], otherwise: Callable[[str], str]) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(otherwise(text))
        return text

    return AfterValidator(check)


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        return parse_day(value)
    except ValueError as error:
        raise ValueError(f" is {error}") from error


def parse_markets(value: Any) -> tuple[str, ...]:
    """The markets of ``points,rebounds`` or ``all``, in their usual order."""
    if not isinstance(value, str):
        return tuple(value)
    asked = [markets.key_of(name.strip()) for name in value.split(",") if name.strip()]
    known = markets.keys()
    if asked == ["all"]:
        return known
    if "all" in asked:
        raise ValueError(f" is {value!r}: all has to stand alone")
    if wrong := [name for name in asked if name not in known]:
        near = difflib.get_close_matches(wrong[0], known, 1)
        hint = f"did you mean {near[0]}?" if near else f"they are {', '.join(known)}, or all"
        raise ValueError(f" has {wrong[0]!r}, which is not a market: {hint}")
    if markets.POINTS not in asked:
        raise ValueError(f" is {value!r}: {markets.POINTS} has to be among the markets, since most systems forecast it")
    return tuple(name for name in known if name in asked)


def parse_shadow(value: Any) -> tuple[tuple[str, date], ...]:
    """Systems with the date on which each was frozen: ``catboost_v8:2026-12-01,xgboost_v1:2026-12-01``.

    Raises:
        ValueError: a part is not a name with a date after a colon, or a name comes twice.
    """
    if not isinstance(value, str):
        return tuple(value)
    found: dict[str, date] = {}
    for part in filter(None, (p.strip() for p in value.split(","))):
        name, colon, text = part.partition(":")
        try:
            day = parse_day(text.strip())
        except ValueError:
            day = None
        if not (name.strip() and colon and day) or name.strip() in found:
            raise ValueError(f" is {value!r}; it can be systems with the date that each was frozen on, such as "
                             "catboost_v8:2026-12-01, with commas between")  # fmt: skip
        found[name.strip()] = day
    return tuple(sorted(found.items()))


def parse_books(value: Any) -> tuple[str, ...]:
    """Every sportsbook: those of ``fanduel,betmgm`` first, the others after them in the house order."""
    if not isinstance(value, str):
        return tuple(value)
    asked = [name.strip().lower() for name in value.split(",")]
    if "" in asked:
        raise ValueError(f" is {value!r}; it can be sportsbooks with commas between, such as fanduel,draftkings")
    for name in asked:
        if name in books.DFS_BOOKS:
            raise ValueError(f" has {name!r}, a DFS book: its prices are multipliers, and no line is chosen from it")
        if name not in books.SPORTSBOOKS:
            known = books.SPORTSBOOKS
            near = books.OTHER_NAMES.get(name) or next(iter(difflib.get_close_matches(name, known, 1)), None)
            hint = f"did you mean {near}?" if near else f"they are {', '.join(known)}"
            raise ValueError(f" has {name!r}, which is not a sportsbook: {hint}")
    if twice := [name for name in asked if asked.count(name) > 1]:
        raise ValueError(f" has {twice[0]!r} twice: a book has one place in the order")
    return books.in_order(asked)


def _hosts(text: str) -> str:
    if wrong := [h for h in text.split(",") if not _HOST.fullmatch(h)]:
        raise ValueError(f" has {wrong[0]!r}, which is not a plain host name")
    return text


def _proxy(secret: SecretStr) -> SecretStr:
    if not _PROXY.fullmatch(secret.get_secret_value()):  # it may hold a password, and is not shown
        raise ValueError(" is not the address of a proxy, such as http://user:password@host:8080")
    return secret


def _safe(value: Any) -> Any:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if problem := why_unsafe(text):
        raise ValueError(f": {problem}")
    return value


def _place(text: str) -> str:
    """A folder as an absolute path, or the URL of a supported storage."""
    import fsspec

    if "://" not in text:
        return str(_file(text))
    scheme = text.partition("://")[0]
    try:
        fsspec.get_filesystem_class(scheme)
    except (ImportError, ValueError) as error:
        raise ValueError(f" is a place of {scheme}, which can't be opened: {error}") from error
    return text


def _file(text: Any) -> Path:
    try:
        return expanded(text)
    except RuntimeError as error:
        raise ValueError(f" is {text!r}, in the folder of an unknown user") from error


def _cloud(what: str) -> Any:
    return Annotated[str, _like(_CLOUD_NAME, lambda text: f" is {text!r}, not the plain name of a {what}")]


_Url = Annotated[str, AfterValidator(_safe)]
_SecretUrl = Annotated[SecretStr, AfterValidator(_safe)]
_Path = Annotated[Path, BeforeValidator(_file)]

#: the environment being read; without one, ``Variables`` reads nothing
_environment: ContextVar[Mapping[str, str] | None] = ContextVar("environment", default=None)


class _Given(PydanticBaseSettingsSource):
    """Values of the environment being read; an empty one counts as not set."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = str(field.alias)
        return (_environment.get() or {}).get(name) or None, name, False

    def __call__(self) -> dict[str, Any]:
        found = (self.get_field_value(f, n) for n, f in self.settings_cls.model_fields.items())
        return {name: value for value, name, _ in found if value is not None}


def _variable(name: str, description: str, topic: Topic, default: Any = None, shown: str = "") -> Any:
    """A field; the docs show its default, or the text ``shown``."""
    shown = shown or ("none" if default in (None, "") else f"`{default}`" if isinstance(default, str) else str(default))
    return Field(default, alias=name, description=description, json_schema_extra={"topic": topic, "default": shown})


class Variables(BaseSettings):
    """The variables by field; the docs show the description, topic and default of each."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True, hide_input_in_errors=True)

    landing: Annotated[str, AfterValidator(_place)] | None = _variable(
        "NBA_PROPS_LANDING", "folder or bucket of payloads", Topic.DATA,
        shown="`<home>/landing`, or `gs://<bucket>/landing`",
    )  # fmt: skip
    home: _Path | None = _variable(
        "NBA_PROPS_HOME", "lake, models, reports and Dagster instance", Topic.DATA,
        shown="`.nba_props` in the checkout; of an installed wheel, in the working folder",
    )  # fmt: skip
    first_date: Annotated[date, BeforeValidator(_day)] = _variable(
        "NBA_PROPS_FIRST_DATE", "first partition", Topic.DATA, defaults.FIRST_DATE,
        f"{defaults.FIRST_DATE}, or the zone manifest's",
    )  # fmt: skip
    aliases: _Path | None = _variable(
        "NBA_PROPS_ALIASES",
        "CSV `alias,player_name` of further spellings; bad lines are skipped and listed in the metadata of "
        "`resolved_names`",
        Topic.DATA,
    )
    shadow: Annotated[tuple[tuple[str, date], ...], BeforeValidator(parse_shadow)] = _variable(
        "NBA_PROPS_SHADOW",
        "systems in shadow beside those that are by themselves, each with the date on which its formula was frozen, "
        "`catboost_v8:2026-12-01`: recorded and scored, and shown once they have earned it (`nba-props weights`)",
        Topic.DATA, defaults.SHADOW, "none",
    )  # fmt: skip
    books: Annotated[tuple[str, ...], BeforeValidator(parse_books)] = _variable(
        "NBA_PROPS_BOOKS",
        "sportsbooks in the order in which a line is chosen, comma-separated, by The Odds API's keys; the others "
        "follow in the house order, see [Lines](concepts.md#lines)",
        Topic.DATA, defaults.BOOKS, "the house order",
    )  # fmt: skip
    # longer look-backs and training periods would reach back before the first game
    look_back_days: Annotated[int, _whole(3650)] = _variable(
        "NBA_PROPS_LOOK_BACK_DAYS", "days that history reaches back", Topic.DATA, defaults.LOOK_BACK_DAYS
    )
    max_games: Annotated[int, _whole()] = _variable(
        "NBA_PROPS_MAX_GAMES", "games of a player in his history, at most", Topic.DATA, defaults.MAX_GAMES
    )
    # a game lasts 48 minutes
    min_minutes: Annotated[int, _whole(48)] = _variable(
        "NBA_PROPS_MIN_MINUTES", "least projected minutes at which a player's line matters", Topic.DATA,
        defaults.MIN_MINUTES,
    )  # fmt: skip
    training_seasons: Annotated[int, _whole(50)] = _variable(
        "NBA_PROPS_TRAINING_SEASONS", "seasons a model is trained on, the running one included", Topic.DATA,
        defaults.TRAINING_SEASONS,
    )  # fmt: skip
    version_days: Annotated[int, _whole(3650, least=0)] = _variable(
        "NBA_PROPS_VERSION_DAYS",
        "days for which a version of a date is kept after another one has replaced it, see "
        "[Versions](concepts.md#versions); 0 keeps it for an hour",
        Topic.DATA, defaults.VERSION_DAYS,
    )  # fmt: skip

    odds_key: SecretStr | None = _variable(
        "ODDS_API_KEY", "key of The Odds API; without it no odds are captured", Topic.LIVE
    )
    odds_reserve: Annotated[int, _whole()] = _variable(
        "NBA_PROPS_ODDS_RESERVE", "credits never spent", Topic.LIVE, defaults.ODDS_RESERVE
    )
    odds_regions: Annotated[
        str, _like(_REGIONS, lambda t: f" is {t!r}; it can be regions with commas between, such as us,eu")
    ] = _variable("NBA_PROPS_ODDS_REGIONS", "regions requested, comma-separated", Topic.LIVE, defaults.ODDS_REGIONS)
    markets: Annotated[tuple[str, ...], BeforeValidator(parse_markets)] = _variable(
        "NBA_PROPS_MARKETS",
        "markets that are fetched and forecast, comma-separated, or `all`; each costs credits, see [Credits](#credits)",
        Topic.LIVE, defaults.MARKETS,
        f"`{','.join(defaults.MARKETS)}`, or the simulated league's",
    )  # fmt: skip
    odds_rhythm: Annotated[str, _one_of(*RHYTHMS)] = _variable(
        "NBA_PROPS_ODDS_RHYTHM", "how often odds are captured: `full` or `thrifty`, see [Credits](#credits)",
        Topic.LIVE, defaults.ODDS_RHYTHM,
    )  # fmt: skip
    stats: Annotated[Literal["on", "off"], _one_of("on", "off")] = _variable(
        "NBA_PROPS_STATS", "`on` allows requests to stats.nba.com and for the injury report", Topic.LIVE, "off"
    )
    proxy: Annotated[SecretStr, AfterValidator(_proxy)] | None = _variable(
        "NBA_API_PROXY", "proxy for stats.nba.com, which blocks many networks", Topic.LIVE
    )
    webhook_warning: _SecretUrl | None = _variable(
        "SLACK_WEBHOOK_URL_WARNING", "Slack webhook for warnings, besides `<home>/alerts.jsonl` and the log", Topic.LIVE
    )
    webhook_error: _SecretUrl | None = _variable(
        "SLACK_WEBHOOK_URL_ERROR", "Slack webhook for errors, besides `<home>/alerts.jsonl` and the log", Topic.LIVE
    )
    alert_cooldown_minutes: Annotated[int, _whole()] = _variable(
        "NBA_PROPS_ALERT_COOLDOWN_MINUTES", "at most one alert for each cause in this time", Topic.LIVE,
        defaults.ALERT_COOLDOWN_MINUTES,
    )  # fmt: skip
    sensor_seconds: Annotated[int, _whole()] = _variable(
        "NBA_PROPS_SENSOR_SECONDS", "seconds between evaluations of a sensor", Topic.LIVE, defaults.SENSOR_SECONDS
    )
    ui_hosts: Annotated[str, AfterValidator(_hosts)] = _variable(
        "NBA_PROPS_UI_HOSTS",
        "further host names under which the UI may be reached, comma-separated",
        Topic.LIVE,
        "",
    )

    profile: Annotated[Literal["local", "gcp"], _one_of("local", "gcp")] = _variable(
        "NBA_PROPS_PROFILE", "`local` or `gcp`", Topic.CLOUD, "local"
    )
    gcp_project: _cloud("project") | None = _variable(  # type: ignore[valid-type]
        "NBA_PROPS_GCP_PROJECT", "project of datasets and jobs", Topic.CLOUD, shown="required"
    )
    gcp_location: _cloud("location") | None = _variable(  # type: ignore[valid-type]
        "NBA_PROPS_GCP_LOCATION", "location of the datasets, such as `US`", Topic.CLOUD, shown="required"
    )
    bucket: _cloud("bucket") | None = _variable(  # type: ignore[valid-type]
        "NBA_PROPS_BUCKET", "bucket of payloads, models, reports and the partitions' marks", Topic.CLOUD,
        shown="required",
    )  # fmt: skip
    dataset_prefix: Annotated[
        str, _like(_DATASET_PREFIX, lambda t: f" is {t!r}; it can have letters, digits and underscores")
    ] = _variable(
        "NBA_PROPS_DATASET_PREFIX", "prefix of every dataset, for a second deployment on the same payloads",
        Topic.CLOUD, "",
    )  # fmt: skip
    max_bytes_billed: Annotated[int, _whole(10**15)] = _variable(
        "NBA_PROPS_MAX_BYTES_BILLED", "most bytes that one statement may scan", Topic.CLOUD,
        defaults.MAX_BYTES_BILLED, f"{defaults.MAX_BYTES_BILLED // 1024**3} GiB",
    )  # fmt: skip

    odds_url: _Url | None = _variable("NBA_PROPS_ODDS_URL", "a server in place of The Odds API's", Topic.OTHER)
    stats_url: _Url | None = _variable("NBA_PROPS_STATS_URL", "a server in place of stats.nba.com", Topic.OTHER)
    cdn_url: _Url | None = _variable("NBA_PROPS_CDN_URL", "a server in place of the schedule's copy", Topic.OTHER)
    injury_url: _Url | None = _variable("NBA_PROPS_INJURY_URL", "a server in place of the injury report's", Topic.OTHER)
    bigquery_url: str | None = _variable("NBA_PROPS_BIGQUERY_URL", "an emulator of BigQuery", Topic.OTHER)
    bigquery_storage: str | None = _variable(
        "NBA_PROPS_BIGQUERY_STORAGE", "host:port of that emulator's storage API", Topic.OTHER
    )
    clock: _Path | None = _variable(
        "NBA_PROPS_CLOCK", "a file that holds the time, for rehearsals with a simulated league", Topic.OTHER
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Given(settings_cls)


#: variables that are read elsewhere: in the package, the deployment's files or the tests
_ELSEWHERE = frozenset(
    PREFIX + name
    for name in (
        "EMULATORS", "EMULATOR_PYTHON", "IMAGE", "KEPT_ENVIRONMENT", "REAL_DATA", "REQUIRE_BROWSER",
        "REQUIRE_EMULATORS", "REVISION", "SMOKE_BUCKET", "SMOKE_LOCATION", "SMOKE_PROJECT", "UI_PASSWORD_HASH",
        "UI_USER",
    )
)  # fmt: skip
#: variables with secret values
SECRETS = frozenset(str(f.alias) for f in Variables.model_fields.values() if "SecretStr" in str(f.annotation))
#: every variable that is read
KNOWN = _ELSEWHERE | {str(f.alias) for f in Variables.model_fields.values()}


def read(environ: Mapping[str, str]) -> Variables:
    """The variables of an environment; an empty one counts as not set.

    Raises:
        BadSetting: a value can't be used, or a name that begins with ``NBA_PROPS_`` is not that of a variable.
    """
    for name, text in _unread(environ).items():
        if name.startswith(PREFIX):
            raise BadSetting(text)
    token = _environment.set(environ)
    try:
        return Variables()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        # without the chain: its texts hold every value as it was given, secret or not
        raise BadSetting(f"{first['loc'][0]}{first['ctx']['error']}") from None
    finally:
        _environment.reset(token)


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each unknown name that resembles one of ours: a warning, since another program may use it."""
    return [text for name, text in _unread(environ).items() if not name.startswith(PREFIX)]


def _unread(environ: Mapping[str, str]) -> dict[str, str]:
    """Unknown names that look like ours, each with a sentence that suggests the nearest known one."""
    names = sorted(n for n in environ if n.startswith(_OURS) and n not in KNOWN)
    nearest = {n: difflib.get_close_matches(n, KNOWN, 1, 0.8) for n in names}
    return {
        name: f"{name} is not a setting: " + (f"did you mean {found[0]}?" if found else "nothing reads it, remove it")
        for name, found in nearest.items()
    }
