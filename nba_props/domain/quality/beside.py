"""Whether a system is too good beside the market to be true."""

from __future__ import annotations

from nba_props.domain.closing import NO_SYSTEMS
from nba_props.domain.finding import Finding
from nba_props.domain.quality.daily import Daily, Figures, known
from nba_props.facts.markets import ALL
from nba_props.facts.vocabulary import Basis, Span, sql_list

#: beyond these, and surely so (the nearer bound of the interval), a system is assumed to use data from the future. The
#: best public figures per quote are a tenth of the first; on real lines no bet had a CLV above 0
TOO_GOOD_LOG_LOSS, TOO_GOOD_CLV = 0.01, 0.03

_TOO_GOOD = f"""(
  (score = 'LOG_LOSS_LESS_CONSENSUS' AND high < -{TOO_GOOD_LOG_LOSS})
  OR (score = 'LOG_LOSS_LESS_OWN' AND basis = '{Basis.RESULT}' AND high < -{TOO_GOOD_LOG_LOSS})
  OR (score IN ('CLV_EV', 'OTHERS_CLV_EV') AND basis = '{Basis.CLOSE}' AND low > {TOO_GOOD_CLV})
)"""
_EXAMPLE = "CONCAT(system_id, ' ', market, ' ', score, ' ', CAST(ROUND(value, 4) AS STRING))"


def _judge(f: Figures) -> Finding:
    text = f"{f['scores']} scores beside the market have an interval"
    if f["too_good"]:
        text += f", {f['too_good']} are too good to be true: {f['example']}; suspect a leak before skill"
    return Finding(not f["too_good"], text, known(f))


#: no system's season is too good beside the market
NOT_TOO_GOOD = Daily(
    f"""
    SELECT game_date, COUNT(*) AS scores, COUNT(CASE WHEN {_TOO_GOOD} THEN 1 END) AS too_good,
      MIN(CASE WHEN {_TOO_GOOD} THEN {_EXAMPLE} END) AS example
    FROM nba_monitoring.market_scores
    WHERE game_date BETWEEN @first AND @last AND span = '{Span.SEASON}' AND low IS NOT NULL AND market <> '{ALL}'
      AND system_id NOT IN ({sql_list(NO_SYSTEMS)})
    GROUP BY game_date
    """,
    _judge,
    {"scores": 0, "too_good": 0, "example": None},
)
