"""The program: its commands in groups, and every error that a user can mend as one sentence."""

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
from nba_props.process.errors import NbaPropsError
from nba_props.settings import BadSetting, Settings, SettingsError
from nba_props.storage.landing import LandingError

#: what a person wants, and the commands for it in the order in which he meets them
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Begin": ("demo", "start", "doctor", "dev"),
    "Every day": ("run", "grade", "backfill", "train", "fetch"),
    "Look": ("board", "player", "report", "validate", "history", "sql"),
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
    "Rehearse": ("simulate", "incidents"),
}


class BadUsage(click.ClickException):
    """An environment variable is wrong, as an argument may be."""

    exit_code = click.UsageError.exit_code


@contextmanager
def plain_errors() -> Iterator[None]:
    """What a user can mend is one sentence, not a traceback, and is broken between words in a terminal."""
    try:
        with _sentences():
            yield
    except click.ClickException as error:
        if sys.stderr.isatty():
            # after click's own "Error: "
            said = at_words(f"Error: {error.format_message()}", shutil.get_terminal_size().columns)
            error.format_message = lambda: said.removeprefix("Error: ")  # type: ignore[method-assign]
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

        said = sentence(error, _settings_if_any())
        if said is None:
            raise  # a mistake of ours
        raise click.ClickException(typed(said)) from error


def _settings_if_any() -> Settings | None:
    try:
        return load_settings()
    except (SettingsError, LandingError, OSError):
        return None


class Typed(click.Command):
    """A command whose help has commands as they can be typed here, and says what a DATE is where one is taken."""

    def get_help(self, ctx: click.Context) -> str:
        return typed(super().get_help(ctx))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if any(isinstance(p.type, Day) for p in self.params):
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(DATES)
        super().format_epilog(ctx, formatter)


class Group(Typed, click.Group):
    """Commands of one kind."""

    command_class = Typed


class Program(Group):
    """Commands whose every error that a user can mend is one sentence, listed by what a person wants."""

    group_class = Group

    def invoke(self, ctx: click.Context) -> Any:
        with plain_errors():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands in their sections, with whole first sentences."""
        for section, names in SECTIONS.items():
            found = [(name, self.commands[name]) for name in names if name in self.commands]
            with formatter.section(section):
                formatter.write_dl([(name, summary(command)) for name, command in found])


def summary(command: click.Command) -> str:
    """The first sentence of a command's help, whole."""
    return " ".join((command.help or "").partition("\n\n")[0].split())


CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


def example(*lines: str) -> dict[str, Any]:
    """The arguments of a command whose help is asked for by -h too, and ends with lines to type as they stand."""
    word = "Example" if len(lines) == 1 else "Examples"
    return {"context_settings": CONTEXT, "epilog": "\n\n".join([f"{word}:", *(f"\b\n  {line}" for line in lines)])}


@click.group(
    cls=Program,
    context_settings=CONTEXT,
    epilog=f"{DATES} `nba-props COMMAND -h` has examples.",
)
@click.version_option(package_name="nba_props")
def main() -> None:
    """NBA player props: payloads to gated, published and graded predictions."""
