"""The prediction systems, one module each.

Belongs here: formulas, betting rules and the inputs they need. Not here: training of models (models), or reading rows.
To add one, write a module with a ``SYSTEM`` and list it in ``SYSTEMS``: its table, asset and checks, and the gate's
input follow.
"""

from collections.abc import Collection, Mapping

from nba_props.domain.models.learner import Recipe, model_id
from nba_props.domain.systems import (
    catboost_v8,
    ensemble,
    market_anchored,
    market_consensus,
    minutes,
    moving_average,
    shrunk_rate,
    similarity,
    xgboost_v1,
    zone_matchup,
)
from nba_props.domain.systems.base import System
from nba_props.schemas import Table
from nba_props.schemas.analytics import BOOK_LINES, CONSENSUS
from nba_props.schemas.features import MARKET as OF_BOOKS
from nba_props.schemas.minutes import MINUTES

#: in the order of boards and data dictionary
SYSTEMS: tuple[System, ...] = (
    xgboost_v1.SYSTEM,
    catboost_v8.SYSTEM,
    ensemble.V1,
    ensemble.V1_1,
    shrunk_rate.SYSTEM,
    similarity.SYSTEM,
    zone_matchup.SYSTEM,
    moving_average.SYSTEM,
    market_consensus.SYSTEM,
    market_anchored.SYSTEM,
)
#: the table of each system's predictions, by its id
SYSTEM_TABLES: Mapping[str, Table] = {s.system_id: s.table for s in SYSTEMS}
#: the recipes of the models that systems need, by the models' name
RECIPES: Mapping[str, Recipe] = {
    **{model_id(r): r for s in SYSTEMS for r in s.needs().models},
    model_id(minutes.RECIPE): minutes.RECIPE,
}
#: the versions of the systems that have a lasting one; trained ones have that of each week's model
VERSIONS: Mapping[str, str] = {s.system_id: s.model_version for s in SYSTEMS if not s.needs().models}
#: the systems that are the market's own word
MARKETS_OWN = frozenset(s.system_id for s in SYSTEMS if s.is_market)
#: the systems whose rows have a weight of their own
WEIGHTED = frozenset(s.system_id for s in SYSTEMS if s.has_weight)
#: what forecasts with models, or not: the systems and the minutes
FORECASTERS = (*SYSTEM_TABLES, MINUTES.name)
#: the systems that have models, and the recipes of each, one for each market
TRAINED: Mapping[str, tuple[Recipe, ...]] = {
    system_id: tuple(r for r in RECIPES.values() if r.system_id == system_id)
    for system_id in dict.fromkeys(r.system_id for r in RECIPES.values())
}


def recipes_of(systems: Collection[str], markets: Collection[str]) -> list[Recipe]:
    """The recipes of the models that some systems, by their ids, need in some markets.

    The forecast of minutes counts as one by the name of its table.
    """
    needed = {model_id(r) for s in SYSTEMS if s.system_id in systems for r in s.needs().models}
    needed |= {model_id(minutes.RECIPE)} if MINUTES.name in systems else set()
    return [recipe for name, recipe in RECIPES.items() if name in needed and recipe.market in markets]


def reads_books(system: System) -> bool:
    """Whether a system reads what the books say beside the line of its bet: their lines can't judge its bets then."""
    needs = system.needs()
    read = {*needs.required, *needs.optional}
    tables = any(t in needs.tables for t in (BOOK_LINES, CONSENSUS))
    return tables or bool(read & set(OF_BOOKS)) or any(map(reads_books, needs.systems))


#: the systems that are known to read no book but that of their bet: the lines of others can judge it
INDEPENDENT = frozenset(s.system_id for s in SYSTEMS if not reads_books(s))

__all__ = [
    "FORECASTERS",
    "INDEPENDENT",
    "MARKETS_OWN",
    "RECIPES",
    "SYSTEMS",
    "SYSTEM_TABLES",
    "TRAINED",
    "VERSIONS",
    "WEIGHTED",
    "System",
    "reads_books",
    "recipes_of",
]
