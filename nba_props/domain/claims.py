"""What may be claimed of a system: a sentence made from the ledger, or none.

Evidence is every quote of every book on dates after the system's formula was frozen, at whose line it had published
P(over) before the cut-off: a backfill claims nothing. It is compared with ``market_consensus_v1`` on the same quotes,
never with single quotes: a mean of many prices gains on each of them by arithmetic alone. So nothing is claimed of the
consensus itself.
A claim takes ``FEWEST_GAMES`` games, ``FEWEST_QUOTES`` quotes and an interval, which is of the mean difference in
log-loss, by date, and holds on every date at once, as claims are asked for on every date.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from nba_props.domain.closing import VALID_SQL
from nba_props.domain.scoring.chances import loss_sql
from nba_props.domain.scoring.intervals import lasting_mean_intervals
from nba_props.domain.scoring.market import QUOTES_SQL, said_sql
from nba_props.facts.markets import ALL
from nba_props.facts.words import plural

FEWEST_GAMES, FEWEST_QUOTES = 300, 5_000
#: whom one would beat
_OTHERS = (
    r"(?:(?:the|every|all|any) (?:market|(?:sports)?books?|bookmakers?|closing line|close|consensus|odds|house)"
    r"|bookmakers|sportsbooks)"
)
#: words that claim something: no page, command or document may use them unless it denies them
WORDS = (
    rf"beat(?:s|en|ing)? {_OTHERS}", rf"(?:better|sharper|more accurate) than {_OTHERS}", rf"edge over {_OTHERS}",
    r"outperform\w*", r"profitab\w+", r"guarante\w+", r"risk-free", r"sure (?:bet|profit|win)\w*",
    r"winning (?:system|strategy|model|bets)", r"(?:mak(?:es?|ing)|win(?:s|ning)?) money", r"makes? a profit",
    r"easy money", r"proven (?:edge|profit|system|model|record)",
)  # fmt: skip
_WORDS = re.compile(rf"\b(?:{'|'.join(WORDS)})", re.IGNORECASE)
_DENIED = re.compile(
    r"\b(?:no(?! (?:doubt|question|wonder))|not(?! (?:only|just|merely))|none|never(?! fails?)|nobody"
    r"|(?:cannot|can't)(?! lose)|neither)\b", re.IGNORECASE,
)  # fmt: skip
#: where a clause ends: a denial before that does not reach a claim after it
_CLAUSE = re.compile(r"(?<=[.:;|,?!])\s+|\n\s*\n|\n(?=[#*|-])|\s(?=(?:and|but|while|yet)\s)")
#: the system that others are compared with
CONSENSUS_ID = "market_consensus_v1"
_AGAINST = "the consensus of the books"

_LOSSES = ", ".join(
    f"ROUND(SUM({loss_sql('is_over', whose)}), 6) AS {name}"
    for name, whose in (("log_loss", "chance"), ("consensus_log_loss", "consensus_chance"),
                        ("own_log_loss", "own_over_probability"))
)  # fmt: skip
_IN_TIME = "NOT a.is_backfill AND a.created_at < a.cutoff_at"


def _sums_sql(market: str, by: str = "") -> str:
    return f"""
SELECT game_date, {market} AS market, system_id, model_version, COUNT(DISTINCT game_id) AS games, COUNT(*) AS quotes,
  {_LOSSES}
FROM said GROUP BY game_date, system_id, model_version{by}
"""


#: rows of ``nba_predictions.evidence`` for @first..@last
EVIDENCE_SQL = f"""
WITH quotes AS ({QUOTES_SQL}),
consensus AS (
  SELECT a.game_date, a.game_id, a.player_id, a.market, a.line, a.over_probability AS consensus_chance
  FROM nba_predictions.prediction_accuracy AS a
  WHERE a.game_date BETWEEN @first AND @last AND a.is_current AND a.system_id = '{CONSENSUS_ID}' AND {VALID_SQL}
    AND a.over_probability IS NOT NULL
),
said AS (
  SELECT s.*, c.consensus_chance
  FROM ({said_sql(_IN_TIME)}) AS s
  JOIN consensus AS c ON c.game_date = s.game_date AND c.game_id = s.game_id AND c.player_id = s.player_id
    AND c.market = s.market AND c.line = s.line
)
{_sums_sql("market", ", market")} UNION ALL {_sums_sql(f"'{ALL}'")}
"""


def of_running_versions(evidence: pd.DataFrame, versions: Mapping[str, str]) -> pd.DataFrame:
    """The evidence of what runs now: a system's rows of its present version, where that does not change by the week.

    Args:
        evidence: rows of ``nba_predictions.evidence``.
        versions: the version of each system that has a lasting one.
    """
    present = evidence["system_id"].map(versions)
    return evidence[present.isna() | present.eq(evidence["model_version"])]


def claims(evidence: pd.DataFrame, frozen: Mapping[str, date]) -> pd.DataFrame:
    """What may be claimed: a row for each frozen system over all markets, and one for each market with enough evidence.

    Args:
        evidence: rows of ``nba_predictions.evidence`` (``of_running_versions``).
        frozen: the date on which each system's formula was frozen.

    Returns:
        ``system_id, market, frozen_on, games, quotes, dates, first_date, last_date``; ``difference`` in log-loss, with
        ``low`` and ``high``; ``is_claim``, whether the evidence is enough, and the ``sentence``.
    """
    start = pd.to_datetime(evidence["system_id"].map(frozen))
    rows = evidence[evidence["game_date"] > start]
    rows = rows.assign(total=rows["log_loss"] - rows["consensus_log_loss"])
    keys = ["system_id", "market"]
    # a date has a row for each version, and each market a model of its own: most of their games are the same
    games = rows.groupby([*keys, "game_date"])["games"].max().reset_index()
    sums = games.groupby(keys).agg(
        games=("games", "sum"), first_date=("game_date", "min"), last_date=("game_date", "max")
    )
    daily = rows.groupby([*keys, "game_date"])[["total", "quotes"]].sum()
    found = lasting_mean_intervals(daily["total"], daily["quotes"])
    found = found.rename(columns={"value": "difference", "rows": "quotes"})
    out = pd.DataFrame({"system_id": list(frozen), "market": ALL})
    known = found.join(sums).reset_index()
    out = known.merge(out, on=keys, how="outer") if len(known) else out.reindex(columns=[*keys, *found.columns, *sums])
    counts = ["games", "quotes", "dates"]
    out[counts] = out[counts].astype("float64").fillna(0).astype(int)
    enough = out["games"].ge(FEWEST_GAMES) & out["quotes"].ge(FEWEST_QUOTES) & out["low"].notna()
    out = out.assign(is_claim=enough, frozen_on=pd.to_datetime(out["system_id"].map(frozen)))
    out = out[out["market"].eq(ALL) | enough].sort_values(keys, kind="stable", ignore_index=True)
    return out.assign(sentence=[_sentence(row) for row in out.to_dict("records")])


def _sentence(row: dict[str, Any]) -> str:
    who = f"{row['system_id']}, frozen on {row['frozen_on']:%Y-%m-%d}"
    if not row["is_claim"]:
        return (
            f"{who}: no claim, with {row['games']:,} of {FEWEST_GAMES} games and {row['quotes']:,} of "
            f"{FEWEST_QUOTES:,} quotes that it had published P(over) for in time"
        )
    where = "every market" if row["market"] == ALL else row["market"]
    bounds = f"[{row['low']:+.5f}, {row['high']:+.5f}]"
    if row["high"] < 0:
        verdict = f"better than {_AGAINST}"
    elif row["low"] > 0:
        verdict = f"worse than {_AGAINST}"
    else:
        verdict = f"not distinguishable from {_AGAINST}"
    return (
        f"{who}, {where}: {verdict}, log-loss {row['difference']:+.5f} nats a quote {bounds} on {row['quotes']:,} "
        f"quotes of {plural(row['games'], 'game')}, {row['first_date']:%Y-%m-%d} to {row['last_date']:%Y-%m-%d}, "
        "published before the cut-off"
    )


def unbacked(text: str) -> list[str]:
    """The clauses of a text that claim something without denying it before the claim."""
    clauses = [" ".join(c.split()) for c in _CLAUSE.split(text)]
    return [c for c in clauses if any(not _DENIED.search(c[: m.start()]) for m in _WORDS.finditer(c))]
