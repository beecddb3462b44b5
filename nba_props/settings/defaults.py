"""Default values of settings, each written here only; any other setting is unset, off or local by default."""

from datetime import date

from nba_props.facts.books import SPORTSBOOKS
from nba_props.facts.markets import POINTS
from nba_props.facts.rhythm import FULL

#: the first partition
FIRST_DATE = date(2021, 10, 19)
#: days and games of history
LOOK_BACK_DAYS = 90
MAX_GAMES = 30
#: players expected to play fewer minutes rarely have a line (``min_minutes``: docs/legacy-systems.md#the-brief)
MIN_MINUTES = 15
#: seasons a model is trained on, the running one included
TRAINING_SEASONS = 3
#: every sportsbook, in the order in which a line is chosen
BOOKS = SPORTSBOOKS
#: systems in shadow beside those that are by themselves, and when each was frozen
SHADOW: tuple[tuple[str, date], ...] = ()
#: the markets that are fetched and forecast
MARKETS = (POINTS,)
#: credits never spent, and what is bought with the others
ODDS_RESERVE = 50
ODDS_REGIONS = "us"
ODDS_RHYTHM = FULL
#: days for which a version of a date is kept after another one has replaced it
VERSION_DAYS = 7
#: at most one alert for each cause in this time
ALERT_COOLDOWN_MINUTES = 360
#: seconds between evaluations of a sensor
SENSOR_SECONDS = 30
#: most bytes that one statement may scan
MAX_BYTES_BILLED = 20 * 1024**3
