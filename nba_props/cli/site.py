"""The site: its pages in a browser, and a read-only server of them."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import click

from nba_props.cli.group import example, main
from nba_props.cli.metrics import metrics_of
from nba_props.cli.printing import Output
from nba_props.cli.program import program
from nba_props.cli.servers import LAST_PORT, require_free
from nba_props.cli.session import to_read
from nba_props.cli.values import Day, Whole
from nba_props.deployment import clock_of, deployed, load_settings
from nba_props.process.addresses import is_loopback
from nba_props.settings import Settings, SettingsError


def open_page(path: str) -> bool:
    """Show a page in the browser; False when there is no browser, or the page is not a local file."""
    import webbrowser

    return "://" not in path and webbrowser.open(Path(path).absolute().as_uri())


@main.command(
    name="open",
    **example(
        "nba-props open",
        "nba-props open 2026-01-09 --no-browser",
        fails="nothing is published, or no browser can be started",
    ),
)
@click.argument("day", type=Day(), required=False, metavar="[DATE]")
@click.option("--browser/--no-browser", "shown", default=True, help="Whether to show the slate.  [default: show it]")
def open_slate(day: date | None, shown: bool) -> None:
    """Make the pages of DATE and show its slate in a browser: every prop with a line, each player, record and health.

    Without DATE those of the newest published date. The pages are files with relative links in <home>/site, which open
    without a server and can be put on any static host.
    """
    with Output() as out:
        made = _make(out, load_settings(), day)
        if shown and not open_page(made):
            raise click.ClickException(f"no browser could be started here: open {made} yourself")


def _make(out: Output, settings: Settings, day: date | None) -> str:
    """Make the pages of a date, or of the newest published one, and return the slate's path.

    Raises:
        ClickException: nothing is published.
    """
    from nba_props.operations.ledger import own_dates
    from nba_props.presentation.site import build, sentences

    warehouse = to_read(settings, out)
    known = own_dates(warehouse)
    if not known or (day and day not in known):
        newest = f"; the newest is {known[-1]}" if known else ""
        command = f"{program()} run {day or 'DATE'}"
        raise click.ClickException(f"nothing is published for {day or 'any date'}: {command} does that{newest}")
    objects, asked, began = deployed(settings, warehouse), day or known[-1], time.monotonic()
    made = build.write_slate(warehouse, settings, asked, objects.clock())
    build.write_gathered(warehouse, settings, objects.landing, asked, objects.clock())
    out.print(sentences.headline(made))
    out.print(f"page      {made['path']} ({made['files']} files in {time.monotonic() - began:.1f} s)")
    return str(made["path"])


@main.command(**example("nba-props serve", "nba-props serve --port 8001", fails="nothing is published"))
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="Address to listen on.")
@click.option("--port", type=Whole(1, LAST_PORT), default=8000, show_default=True, help="Port to listen on.")
def serve(host: str, port: int) -> None:
    """Serve the pages of `open` and their data as JSON, read-only, until Ctrl-C.

    The pages of the newest date are made first. There is no login. Requests from other sites are refused;
    NBA_PROPS_UI_HOSTS lists host names under which it may be reached, besides this machine's own. /openapi.json
    describes the data; /metrics has the numbers of `metrics`.
    """
    from nba_props.automation.webserver import Guard, hosts_of

    settings = load_settings()
    if settings.gcp is not None:
        raise SettingsError("serve reads a folder of this machine: pages in a bucket are served by its own host")
    try:
        import uvicorn

        from nba_props.automation import api

        served = api.app(settings, to_read(settings), clock_of(settings), metrics_of(settings))
    except ImportError as error:
        raise SettingsError(f"{error.name} is not installed: pip install 'nba_props[serve]' brings it") from error
    require_free(host, port, "nba-props serve --port {}")
    with Output() as out:
        _make(out, settings, None)
    click.echo(f"site      http://{host}:{port}\ndata      http://{host}:{port}/openapi.json\nstop      Ctrl-C")
    hosts = hosts_of() | (frozenset() if is_loopback(host) else frozenset({host}))
    uvicorn.run(Guard(served, hosts), host=host, port=port, log_level="warning")
