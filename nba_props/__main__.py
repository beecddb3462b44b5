"""What the shell starts: `nba-props`, or `python -m nba_props`."""

import sys

from nba_props import stopping


def main() -> None:
    """Listen for signals, then run the command.

    Imports come second: numpy and pyarrow start threads when they are loaded, and those must inherit the blocked
    signals. `dev` handles its signals itself, because it has processes of its own to end.
    """
    if sys.argv[1:2] != ["dev"]:
        stopping.listen()
    from nba_props.cli import main as command

    command()


if __name__ == "__main__":
    main()
