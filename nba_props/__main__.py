"""What the shell starts: `nba-props`, or `python -m nba_props`."""

import io
import os
import sys

from nba_props.process import stopping


def main() -> None:
    """Listen for signals, read ``.env``, then run the command.

    Imports come second: numpy and pyarrow start threads when they are loaded, and those must inherit the blocked
    signals. `dev` handles its signals itself, because it has processes of its own to end.
    """
    if sys.argv[1:2] != ["dev"]:
        stopping.listen()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that can't show an accent shows a mark in its place
            stream.reconfigure(errors="replace")
    _read_environment()
    from nba_props.cli import main as command

    command()


def _read_environment() -> None:
    from nba_props.settings import BadSetting, env_file
    from nba_props.settings.variables import misspelt

    try:
        env_file.load()
    except BadSetting as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(2)
    for text in misspelt(os.environ):
        sys.stderr.write(f"warning: {text}\n")


if __name__ == "__main__":
    main()
