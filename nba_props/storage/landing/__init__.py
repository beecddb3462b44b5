"""The landing zone: payloads as delivered, written once and never changed, in a folder or a bucket.

Belongs here: where payloads are, and how they are written and read. Not here: what is in them (``sources``).

The record of each feed has its folders (``sources/registry.layout``); together (``[-<capture>]`` is an optional UTC
instant such as ``-20251105T170000Z``; a later capture supersedes):

* ``the_odds_api/player_points/<game date>/<event id>-<capture>.json[.gz]``
* ``nba_stats/leaguegamelog/<season>/<game date>-<season type>[-<capture>].json[.gz]``
* ``nba_stats/scheduleleaguev2/<season>[-<capture>].json[.gz]``
* ``nba_stats/boxscorescoringv3/<season>/<game date>-<game id>[-<capture>].json[.gz]``
* ``nba_stats/commonallplayers/<season>/<date>-<capture>.json[.gz]``
* ``injury_report/<game date>/report-<capture>.pdf`` or ``.json[.gz]``
* ``player_aliases.csv``: optional ``alias,player_name``, further spellings of players
* ``landing.json``: optional manifest, such as ``{"data_source": "SIMULATED", "first_date": "2025-10-21"}``

Any other file is not a payload: it is never opened, and ``LandingZone.strays`` lists it with the reason.
"""

from nba_props.storage.landing.own_files import (
    ALIASES_FILE,
    MANIFEST,
    MARKED,
    MOST_BYTES_OF_OURS,
    SIMULATED_MARK,
    read_aliases,
)
from nba_props.storage.landing.payload import Arrivals, LandingError, Payload, PayloadError, capture_suffix
from nba_props.storage.landing.reading import MOST_DEPTH, is_deeper, limited, read_file
from nba_props.storage.landing.zone import LandingZone

__all__ = [
    "ALIASES_FILE",
    "MANIFEST",
    "MARKED",
    "MOST_BYTES_OF_OURS",
    "MOST_DEPTH",
    "SIMULATED_MARK",
    "Arrivals",
    "LandingError",
    "LandingZone",
    "Payload",
    "PayloadError",
    "capture_suffix",
    "is_deeper",
    "limited",
    "read_aliases",
    "read_file",
]
