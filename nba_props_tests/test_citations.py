"""Every file, folder, module and heading that code and docs cite is in the repository."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: where a cited path may begin, besides the checkout
PACKAGES = ("nba_props", "nba_props_tests")
FOLDERS = (*PACKAGES, "benchmarks", "deploy", "docs", ".github", ".ci")
#: what may cite a document: code, settings of deployments, and the build
SOURCES = [
    path
    for path in (*ROOT.glob("*"), *(p for folder in FOLDERS for p in (ROOT / folder).rglob("*")))
    if path.is_file() and path.suffix in (".py", ".md", ".yaml", ".yml", ".jinja", ".env", ".toml", ".cfg", "")
    and "__pycache__" not in path.parts and path.name != "data-dictionary.md"
]  # fmt: skip
_CODE = re.compile(r"`([^`\n]+)`")
#: a path or the name of a file; not a path of a home, a bucket, a table or another machine
_PATH = re.compile(r"(?:\.?[\w-]+/)*[\w.-]+\.(?:py|md|yaml|yml|jinja|toml|cfg|lock|env)|(?:[a-z_]+/)+")
_MODULE = re.compile(r"(?:nba_props|nba_props_tests|benchmarks)(?:\.\w+)+")
_DOCUMENT = re.compile(r"\b(docs/[\w/.-]+?\.(?:md|png))(?:#([\w-]+))?")
#: a module by its package, as comments and docstrings of code name it
_OURS = re.compile(
    rf"(?<![\w/.-])((?:nba_props(?:_tests)?/)?(?:{'|'.join(p.name for p in (ROOT / 'nba_props').iterdir() if p.is_dir())})"
    r"/[\w/]+\.(?:py|jinja))\b"
)
_HEADING = re.compile(r"^#+ (.*)$", re.M)
#: names in backticks that look like files of ours and are those of a home or a bucket
FOREIGN = {"dagster.yaml", "audit/"}


@functools.cache
def names() -> frozenset[str]:
    """The names of all files of the checkout, for those that are cited without a folder."""
    return frozenset(p.name for folder in FOLDERS for p in (ROOT / folder).rglob("*")) | {
        p.name for p in ROOT.iterdir()
    }


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", h.strip().lower()) for h in _HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", h).replace(" ", "-") for h in plain}


def exists(cited: str, page: Path) -> bool:
    if cited in FOREIGN or "/" not in cited:
        return cited in FOREIGN | names()
    return any((place / cited).exists() for place in (ROOT, page.parent, *(ROOT / package for package in PACKAGES)))


def missing(text: str, page: Path) -> Iterator[str]:
    """The paths, modules and headings that a page's text cites and that do not exist."""
    for cited in _CODE.findall(text):
        if _PATH.fullmatch(cited) and not exists(cited, page):
            yield cited
        if _MODULE.fullmatch(cited) and not is_module(cited):
            yield cited
    for target, anchor in re.findall(r"\]\((?!http)([^)#\s]*)(?:#([\w-]+))?\)", text):
        there = page.parent / target if target else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            yield f"{target}#{anchor}"


def is_module(dotted: str) -> bool:
    """Whether it is a module, or a name in one."""
    stem, _, last = dotted.rpartition(".")
    try:
        return find_spec(dotted) is not None
    except ModuleNotFoundError:
        module = __import__(stem, fromlist=[last])
        return hasattr(module, last)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_cites_exists(page):
    assert list(missing(page.read_text(), page)) == []


def test_every_document_that_is_cited_anywhere_is_in_the_repository():
    lost = [
        f"{source.relative_to(ROOT)}: {document}"
        for source in SOURCES
        if source != Path(__file__)
        for document, anchor in _DOCUMENT.findall(source.read_text(errors="replace"))
        if not (ROOT / document).exists() or (anchor and anchor not in anchors(ROOT / document))
    ]
    assert lost == []


def test_every_module_that_is_cited_by_its_package_exists():
    lost = [
        f"{source.relative_to(ROOT)}: {module}"
        for source in SOURCES
        if source != Path(__file__)
        for module in _OURS.findall(source.read_text(errors="replace"))
        if not exists(module, source)
    ]
    assert lost == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("`nba_props/settings.py`", ["nba_props/settings.py"]),
        ("`settings.py`, `domain/nothing/` and `cli/look.py`", ["settings.py", "domain/nothing/"]),
        ("`nba_props.nothing`", ["nba_props.nothing"]),
        ("[x](docs/nothing.md), [y](README.md#no-such-part), [z](README.md#scores)", ["docs/nothing.md#", "README.md#no-such-part"]),
        ("`nba_analytics.slate`, `<home>/lake`, `gs://bucket/x.md`", []),
    ],
)  # fmt: skip
def test_what_is_missing_is_found(text, found):
    assert list(missing(text, ROOT / "README.md")) == found


def _brought() -> set[Path]:
    """The documents that a wheel brings."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    return {path for pattern in config["options.data_files"].values() for path in ROOT.glob(pattern)}


def test_a_link_of_a_page_that_a_wheel_brings_leads_to_one_too():
    brought = _brought()
    assert {ROOT / "README.md", ROOT / "docs/runbooks/damage.md"} <= brought
    dead = [
        (str(page.relative_to(ROOT)), link)
        for page in brought
        if page.suffix == ".md"
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text())
        if "://" not in link and (page.parent / link).resolve() not in brought
    ]
    assert not dead
