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
    metrics,
    prices,
    repair,
    scores,
    servers,
    site,
    start,
)  # fmt: skip
from nba_props.cli.group import main

__all__ = [
    "daily", "demo", "distributions", "export", "feeds", "ledger", "look", "main", "metrics", "prices", "repair",
    "scores", "servers", "site", "start",
]  # fmt: skip
