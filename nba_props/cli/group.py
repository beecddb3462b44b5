"""The program: its commands by section, and every error that a user can fix as one sentence."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from nba_props.cli.printing import at_words
from nba_props.cli.program import typed
from nba_props.cli.values import DATES, Day
from nba_props.deployment import load_settings
from nba_props.process import stopping
from nba_props.process.errors import NbaPropsError
from nba_props.settings import BadSetting, Settings, SettingsError
from nba_props.storage.landing import LandingError

#: the sections of the help and their commands, in the order in which a user needs them
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Get started": ("demo", "start", "doctor", "dev"),
    "Every day": ("run", "grade", "backfill", "train", "fetch"),
    "Look": (
        "open",
        "board",
        "prices",
        "distribution",
        "player",
        "report",
        "weights",
        "claims",
        "validate",
        "history",
        "versions",
        "sql",
        "export",
        "serve",
        "metrics",
    ),
    "Repair": (
        "quarantine",
        "restore",
        "rollback",
        "batches",
        "reline",
        "scrub",
        "backup",
        "prune",
        "migrate",
        "import-legacy",
    ),
    "Simulate": ("simulate", "incidents"),
}


#: what the exit statuses of all commands mean
STATUSES: Mapping[int, str] = {
    0: "success; also when there was nothing to do",
    click.ClickException.exit_code: (
        "failure: an error (one sentence on stderr, with the remedy), or a result that the help of the command names"
    ),
    click.UsageError.exit_code: "wrong usage: a bad argument, option or environment variable; nothing was done",
    stopping.EXIT_STATUS: "stopped by Ctrl-C, SIGTERM or SIGHUP; completed work is kept (`dev` ends with 0)",
}


class BadUsage(click.ClickException):
    """A bad environment variable, with the exit status of a bad argument."""

    exit_code = click.UsageError.exit_code


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show errors that a user can fix as one sentence, without a traceback, wrapped between words in a terminal."""
    try:
        with _sentences():
            yield
    except click.ClickException as error:
        if sys.stderr.isatty():
            # after click's own "Error: "
            text = at_words(f"Error: {error.format_message()}", shutil.get_terminal_size().columns)
            error.format_message = lambda: text.removeprefix("Error: ")  # type: ignore[method-assign]
        raise


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except NbaPropsError as error:
        raise (BadUsage if isinstance(error, BadSetting) else click.ClickException)(typed(str(error))) from error
    except click.ClickException as error:
        error.message = typed(error.message)  # type: ignore[misc,unused-ignore]
        raise
    except (click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        from nba_props.operations.home import sentence

        text = sentence(error, _settings_if_any())
        if text is None:
            raise  # a bug
        raise click.ClickException(typed(text)) from error


def _settings_if_any() -> Settings | None:
    try:
        return load_settings()
    except (SettingsError, LandingError, OSError):
        return None


class Typed(click.Command):
    """A command whose help shows commands as they can be typed here, explains DATE where it is an argument, and lists
    what gives exit status 1 besides an error.

    Args:
        *args: those of a click command.
        fails: when the exit status is 1, as a clause that follows "if"; empty if only for an error.
        **attributes: those of a click command.
    """

    def __init__(self, *args: Any, fails: str = "", **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.fails = fails

    def get_help(self, ctx: click.Context) -> str:
        return typed(super().get_help(ctx))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if any(isinstance(p.type, Day) for p in self.params):
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(DATES)
        if self.fails:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(f"Exit status 1 if {self.fails}.")
        super().format_epilog(ctx, formatter)


class Group(Typed, click.Group):
    """A group of commands, listed with whole first sentences."""

    command_class = Typed

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary(command)) for name, command in found if command])


class Program(Group):
    """All commands, listed by section; errors that a user can fix are one sentence."""

    group_class = Group

    def invoke(self, ctx: click.Context) -> Any:
        with plain_errors():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands in their sections."""
        for section, names in SECTIONS.items():
            found = [(name, self.commands[name]) for name in names if name in self.commands]
            with formatter.section(section):
                formatter.write_dl([(name, summary(command)) for name, command in found])


def summary(command: click.Command) -> str:
    """The first sentence of a command's help, whole."""
    return " ".join((command.help or "").partition("\n\n")[0].split())


CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


#: when the exit status of commands that run jobs is 1
RUN_FAILS = "a run or a check of severity ERROR fails"


def example(*lines: str, fails: str = "") -> dict[str, Any]:
    """Arguments for a command that has -h, and whose help ends with command lines to copy.

    Args:
        *lines: the command lines.
        fails: when the exit status is 1, see :class:`Typed`.
    """
    word = "Example" if len(lines) == 1 else "Examples"
    epilog = "\n\n".join([f"{word}:", *(f"\b\n  {line}" for line in lines)])
    return {"context_settings": CONTEXT, "epilog": epilog, "fails": fails}


@click.group(
    cls=Program,
    context_settings=CONTEXT,
    epilog=(
        f"{DATES} `nba-props COMMAND -h` has examples. Exit status: 0 success, 1 failure, 2 wrong usage, 130 stopped."
    ),
)
@click.version_option(package_name="nba_props")
def main() -> None:
    """NBA player props: payloads to gated, published and graded predictions."""
