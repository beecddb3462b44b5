"""Numbers that somebody may choose, where nobody has."""

#: days and games that history looks back
LOOK_BACK_DAYS = 90
MAX_GAMES = 30
#: players expected to play fewer minutes rarely have a line (``min_minutes``: docs/legacy-systems.md#the-brief)
MIN_MINUTES = 15
#: seasons a model learns from, its own included
TRAINING_SEASONS = 3
