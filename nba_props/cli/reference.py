"""The docs' page of commands and exit statuses, generated from the program by ``make docs``."""

from __future__ import annotations

from collections.abc import Iterator

import click

from nba_props.cli import main
from nba_props.cli.group import SECTIONS, STATUSES, Typed, summary

_HEAD = """# Commands and exit statuses

Generated from the help of the commands by `make docs`; do not edit. `nba-props COMMAND -h` has options and examples.

| exit status | meaning |
|---|---|
"""
_TAIL = """
With `--format json` or `csv` the rows are on stdout also when the exit status is 1, unless for an error. A warning of
a check never changes the exit status.
"""


def commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """The commands of a group by their whole names; those of a group in it instead of the group itself."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from commands(command, f"{before}{name} ")
            elif command is not None:
                yield f"{before}{name}", command


def markdown() -> str:
    """The page: what each exit status means, and for every command its purpose and when its status is 1."""
    found = dict(commands(main))
    lines = [f"| {status} | {meaning} |" for status, meaning in STATUSES.items()]
    for section, names in SECTIONS.items():
        lines += ["", f"## {section}", "", "| command | purpose | exit status 1 also if |", "|---|---|---|"]
        for name, command in ((n, c) for top in names for n, c in found.items() if n.split()[0] == top):
            fails = command.fails if isinstance(command, Typed) else ""
            lines.append(f"| `{name}` | {summary(command)} | {fails} |")
    return _HEAD + "\n".join(lines) + "\n" + _TAIL


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201
