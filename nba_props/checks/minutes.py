"""Rules on the forecasts of minutes."""

from nba_props.checks.common import schema_rule
from nba_props.schemas.minutes import MINUTES, MINUTES_SCORES

RULES = (schema_rule(MINUTES), schema_rule(MINUTES_SCORES))
