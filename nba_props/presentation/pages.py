"""HTML pages: made from templates, listed in an index, and their addresses beside the UI."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from nba_props.facts.digest import digest
from nba_props.process.revision import revision
from nba_props.settings import Settings
from nba_props.storage.files import open_path, replace

if TYPE_CHECKING:
    from jinja2 import Environment
    from upath import UPath

#: the paths under which ``automation/webserver.py`` serves the pages of local folders
ADDRESS, SITE_ADDRESS = "/reports", "/site"
#: the page that lists the others, which are named by their span
INDEX = "index.html"
#: the ends of the names of what pages are made from
_TEMPLATES = (".jinja", ".css", ".js")
_PAGE = re.compile(r"(\d{4}-\d\d-\d\d)_(\d{4}-\d\d-\d\d)(?:_([a-z_]+))?\.html")


def render(template: str, **named: Any) -> str:
    """A page as HTML: a template of this folder with values for its names."""
    return _environment().get_template(template).render(revision=revision(), **named)


def read_template(name: str) -> str:
    """A file of this folder as it is."""
    return files("nba_props.presentation").joinpath(name).read_text(encoding="utf-8")


@cache
def templates(*folders: str) -> str:
    """A digest of the templates, styles and scripts of this folder and of some in it, for the versions of pages."""
    here = files("nba_props.presentation")
    own = [p for place in (here, *map(here.joinpath, folders)) for p in place.iterdir() if p.name.endswith(_TEMPLATES)]
    return digest("".join(p.read_text(encoding="utf-8") for p in sorted(own, key=lambda p: p.name)), 8)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, select_autoescape

    return Environment(
        loader=PackageLoader("nba_props", "presentation"), autoescape=select_autoescape(default=True), trim_blocks=True
    )


def address(settings: Settings, path: str) -> str | None:
    """The path of a page on the UI's host; None for a page that is in neither local folder of pages."""
    page = open_path(path)
    for served, folder in ((ADDRESS, settings.reports), (SITE_ADDRESS, settings.site)):
        if settings.gcp is None and page.is_relative_to(folder):
            return f"{served}/{page.relative_to(folder)}"
    return None


def pages(folder: UPath) -> list[tuple[str, str, str, str]]:
    """The pages of a folder: last and first date, name, and market unless it is points; the newest dates first."""
    found = [match for path in folder.iterdir() if (match := _PAGE.fullmatch(path.name))]
    return sorted(((m[2], m[1], m[0], (m[3] or "").replace("_", " ")) for m in found), reverse=True)


def write_index(settings: Settings, *, simulated: bool) -> None:
    """Write ``reports/index.html``, which lists the pages; repeats it when another writer added a page meanwhile."""
    folder = open_path(settings.reports)
    listed: list[tuple[str, str, str, str]] | None = None
    while (found := pages(folder)) != listed:
        replace(folder / INDEX, render("reports.html.jinja", pages=found, simulated=simulated).encode())
        listed = found
