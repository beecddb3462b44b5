"""Dagster's UI and daemon."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import click

from nba_props.cli.group import example, main
from nba_props.cli.program import program
from nba_props.cli.session import to_read
from nba_props.cli.values import Whole
from nba_props.deployment import load_settings
from nba_props.settings import Settings, SettingsError
from nba_props.storage.landing import LandingZone

LAST_PORT = 65535
#: a line of Dagster's log at level DEBUG or INFO, coloured or not
_CHATTER = re.compile(
    r"(?:\x1b\[\d+m)?\d{4}-\d\d-\d\d [\d:]{8} [+-]\d{4}\S* - dagster\S* - (?:\x1b\[\d+m)?(?:DEBUG|INFO)\b"
)
#: the servers log errors, not every request and tick
_QUIET = ["--log-level", "error", "--code-server-log-level", "warning"]


def _relay(lines: Iterable[str]) -> None:
    """Print the output of servers and their runs, except lines about steps and events, which are in the UI."""
    for line in lines:
        if not _CHATTER.match(line):
            click.echo(line, nl=False)


def require_free(host: str, port: int, command: str) -> None:
    """Raise :class:`SettingsError` when an address is in use, or can't be listened on.

    Args:
        host: the address.
        port: its port.
        command: what one types for another port, which stands for ``{}``.
    """
    import socket

    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return
    except OSError as error:
        line = command.format(port + 1 if port < LAST_PORT else port - 1)
        raise SettingsError(
            f"{host}:{port} can't be listened on ({error.strerror or error}): name another --port, as in `{line}`"
        ) from None


def _answers(host: str, port: int) -> bool:
    """Whether a server listens at an address."""
    import socket

    try:
        with socket.create_connection((host, port), timeout=0.2):
            return True
    except OSError:
        return False


def _feeds(settings: Settings) -> str:
    """Which feeds are on, in words."""
    odds, stats = ("on" if on else "off" for on in (settings.live.odds_key, settings.live.stats))
    return f"The Odds API {odds}, stats.nba.com {stats}; `{program()} doctor` has details"


@main.command(**example("nba-props dev", "nba-props dev --port 3001", fails="one of the servers ends by itself"))
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="HOST", help="Address to listen on; the UI has no login."
)
@click.option("--port", type=Whole(1, LAST_PORT), default=3000, show_default=True, help="Port of the Dagster UI.")
def dev(host: str, port: int) -> None:
    """Run Dagster's UI and daemon on this project's instance, until Ctrl-C.

    The UI refuses requests from other sites; NBA_PROPS_UI_HOSTS lists host names under which it may be reached, besides
    this machine's own.
    """
    from nba_props.automation.instance import open_instance
    from nba_props.automation.location import workspace
    from nba_props.automation.webserver import HOSTS, hosts_of

    settings = load_settings()
    if settings.gcp is not None or settings.home.exists():
        to_read(settings).source()  # refuses a warehouse of an earlier release before anything is served
    open_instance(settings).dispose()
    if set("[*") & set(os.environ["DAGSTER_HOME"]):
        raise SettingsError(
            f"DAGSTER_HOME is {os.environ['DAGSTER_HOME']}: Dagster's servers find no settings under a path with "
            "[ or *; set another one"
        )
    # under make the port is an argument of make
    require_free(host, port, "make dev PORT={}" if os.environ.get("MAKELEVEL") else "nba-props dev --port {}")
    landing = LandingZone(settings.landing)
    location = ["-w", str(workspace(Path(os.environ["DAGSTER_HOME"]), landing))]
    for what, text in (
        ("Dagster UI", f"http://{host}:{port}"),
        ("home", f"{settings.home}{' (the simulated league)' if landing.is_simulated else ''}"),
        ("feeds", _feeds(settings)),
        ("stop", "Ctrl-C"),
    ):
        click.echo(f"{what:<11} {text}")
    environment = {**os.environ, HOSTS: ",".join({*hosts_of(), host})}
    sys.exit(_serve(_commands(host, port, location), environment, host, port))


def _commands(host: str, port: int, location: list[str]) -> list[list[str]]:
    """The commands of the webserver and of the daemon."""
    webserver = [sys.executable, "-m", "nba_props.automation.webserver", "-h", host, "-p", str(port)]
    daemon = [str(Path(sys.executable).parent / "dagster-daemon"), "run"]
    return [[*webserver, *location, *_QUIET, "--dagster-log-level", "warning"], [*daemon, *location, *_QUIET]]


def _serve(commands: list[list[str]], environment: dict[str, str], host: str, port: int) -> int:
    """Run the servers until Ctrl-C, SIGTERM or SIGHUP, or until one of them ends; returns the exit status."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup asks for
            signal.signal(number, lambda *_: sys.exit(0))
    processes: list[subprocess.Popen[str]] = []
    relays: list[threading.Thread] = []
    try:
        for command in commands:
            processes.append(
                subprocess.Popen(  # noqa: S603
                    command,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                )
            )
            relay = threading.Thread(target=_relay, args=(processes[-1].stdout,), daemon=True)
            relay.start()
            relays.append(relay)
        is_up = False
        while all(p.poll() is None for p in processes):
            if not is_up and (is_up := _answers(host, port)):
                click.echo("ready: errors from here on are printed below, everything else is in the UI")
            time.sleep(0.5)
        return 1  # one of them ended by itself, and printed why
    except KeyboardInterrupt:
        click.echo("stopping")
        return 0
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        for relay in relays:
            relay.join(1)  # their last output; a run that they started may go on
