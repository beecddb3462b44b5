"""The commands a person types, by what he wants; ``main`` is the program."""

# each module adds its commands to the program when it is loaded
from nba_props.cli import daily, demo, feeds, look, repair, servers, start
from nba_props.cli.group import main

__all__ = ["daily", "demo", "feeds", "look", "main", "repair", "servers", "start"]
