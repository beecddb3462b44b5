"""Default values of settings."""

#: days and games of history
LOOK_BACK_DAYS = 90
MAX_GAMES = 30
#: players expected to play fewer minutes rarely have a line (``min_minutes``: docs/legacy-systems.md#the-brief)
MIN_MINUTES = 15
#: seasons a model is trained on, the running one included
TRAINING_SEASONS = 3
