"""The commands of the program, grouped by purpose; ``main`` runs them.

Belongs here: arguments, help and what is printed. Not here: the work itself (operations, automation).
"""

# each module registers its commands when it is imported
from nba_props.cli import (
    daily,
    demo,
    distributions,
    export,
    feeds,
    ledger,
    look,
    prices,
    repair,
    scores,
    servers,
    site,
    start,
)
from nba_props.cli.group import main

__all__ = [
    "daily", "demo", "distributions", "export", "feeds", "ledger", "look", "main", "prices", "repair", "scores",
    "servers", "site", "start",
]  # fmt: skip
