"""Numbers for a monitoring system."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nba_props.cli.group import example, main
from nba_props.cli.session import to_read
from nba_props.cli.values import new_file
from nba_props.deployment import Deployment, deployed, load_settings
from nba_props.settings import Settings

if TYPE_CHECKING:
    import dagster as dg


@main.command(**example("nba-props metrics", "nba-props metrics --to /var/lib/node_exporter/nba_props.prom"))
@click.option(
    "--to", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write them to FILE, which is replaced as a whole, for node_exporter's textfile collector.",
)  # fmt: skip
def metrics(file: Path | None) -> None:
    """Print runs, checks, freshness and credits as numbers in Prometheus' text format.

    They are read from stored tables and Dagster's records; nothing is run and no feed is asked. `serve` has them under
    /metrics.
    """
    from nba_props.storage.files import replace

    to = file and new_file(file, "--to")
    text = metrics_of(load_settings())()
    if to is None:
        click.echo(text, nl=False)
    else:
        replace(to, text.encode())


def metrics_of(settings: Settings) -> Callable[[], str]:
    """Reads the numbers of a home as text, each time that it is called; the definitions are put together once."""

    @cache
    def definitions() -> tuple[Deployment, dg.Definitions]:
        from nba_props.definitions import build_defs

        deployment = deployed(settings, to_read(settings))
        return deployment, build_defs(deployment)

    def read() -> str:
        from nba_props.automation.instance import open_if_there
        from nba_props.automation.metrics import gauges
        from nba_props.presentation.exposition import exposition

        deployment, built = definitions()
        return exposition(gauges(deployment, partial(open_if_there, settings), built))

    return read
