"""The columns that identify games and players' games, as lists, as pandas needs them."""

from __future__ import annotations

GAME = ["game_date", "game_id"]
#: a player in a game
PLAYER_GAME = [*GAME, "player_id"]
#: a market of a player in a game
PROP = [*PLAYER_GAME, "market"]
#: a player on a date, on which he has one game at most
PLAYER_DAY = ["game_date", "player_id"]
