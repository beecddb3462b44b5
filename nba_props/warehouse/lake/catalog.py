"""The lake's catalog: a DuckDB file that holds only views over the lake, so that BI tools find it."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from nba_props.catalog import TABLES
from nba_props.facts.digest import digest
from nba_props.schemas import Table
from nba_props.storage.files import TEMPORARY
from nba_props.warehouse.base import CatalogError
from nba_props.warehouse.lake.columns import comment, meanings
from nba_props.warehouse.lake.layout import CATALOG
from nba_props.warehouse.lake.scans import Scans
from nba_props.warehouse.lake.views import Views

_LOG = logging.getLogger(__name__)
#: the views that the catalog has, and what they select
_NOTE = ".catalog.json"
#: beside the views in the note: a digest of what the comments are made from
_MEANINGS = "meanings"


class Catalog:
    """The catalog of a lake, and beside it a note of its views: opening it costs more than most of its changes."""

    def __init__(self, root: Path, scans: Scans, views: Views) -> None:
        self.root = root
        self.path = root / CATALOG
        #: losing it means making the views again
        self.note = root / _NOTE
        self._scans = scans
        self._views = views

    def refresh(self, only: Table | None = None) -> None:
        """Bring the catalog up to date in a copy that then replaces it; nothing is done when nothing changed.

        With ``only`` the other tables are assumed to be as they were when the catalog was made.

        Raises:
            CatalogError: it can't be written.
        """
        import filelock

        self.root.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(self.root / ".catalog.lock"):
            known = self._noted_views()
            wanted = {a: self._views.body(a) for a in self._views.views}
            same = {} if only is None else {a: sql for a, sql in known.items() if a != only.address}
            wanted |= {a: same[a] if a in same else self._scans.lasting(t) for a, t in TABLES.items()}
            wanted[_MEANINGS] = digest(json.dumps(meanings(self._views.views)), 8)
            if known != wanted:
                self._replace(known if known.get(_MEANINGS) == wanted[_MEANINGS] else {}, wanted)

    def _replace(self, known: dict[str, str], wanted: Mapping[str, str]) -> None:
        """Make a catalog with the wanted views, from the one with the known ones where that can be opened; every view
        and column has its meaning as a comment.
        """
        import duckdb

        folder = None
        try:
            folder = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=self.root))
            fresh = folder / CATALOG
            if known and not self.flaw():
                shutil.copyfile(self.path, fresh)
            else:
                known = {}  # made from scratch: it holds nothing but views
            with duckdb.connect(str(fresh)) as connection:
                connection.execute("SET TimeZone = 'UTC'")
                before = dict(known)
                for address in self._views.addresses:
                    try:
                        self._views.create(connection, [address], known, lambda table: wanted[table.address])
                    except duckdb.Error as error:  # one unreadable table must not cost the others their views
                        _LOG.warning("no view of %s in the catalog: %s", address, error)
                comment(connection, [a for a, sql in known.items() if before.get(a) != sql], self._views)
                known[_MEANINGS] = wanted[_MEANINGS]
            os.replace(fresh, self.path)
            (folder / "note").write_text(json.dumps(known))
            os.replace(folder / "note", self.note)
        except (OSError, duckdb.IOException) as error:
            remedy = (
                "move that folder away with `nba-props doctor --repair`"
                if self.path.is_dir()
                else "free the disk or fix the permissions"
            )
            raise CatalogError(
                f"cannot write the catalog of views {self.path}, which other tools open: {error}. Tables and results "
                f"do not depend on it; {remedy}, and the next run brings it up to date"
            ) from error
        finally:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def flaw(self) -> str:
        """Why the catalog can't be opened; empty when it can, or does not exist."""
        import duckdb

        if not os.path.lexists(self.path):
            return ""
        try:
            duckdb.connect(str(self.path), read_only=True).close()
        except duckdb.Error as error:
            # another process has it open for writing, so it can be opened
            return "" if "lock" in str(error) else str(error).splitlines()[0]
        return ""

    def note_flaw(self) -> str:
        """Why the note can't be read; empty when it can."""
        try:
            found = json.loads(self.note.read_bytes())
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            return str(error)
        return "" if isinstance(found, dict) else "it holds no views"

    def _noted_views(self) -> dict[str, str]:
        """The views that the catalog has; none where it or its note can't be read, so that they are made again."""
        if not (self.path.is_file() and self.note.is_file()) or self.note_flaw():
            return {}
        return dict(json.loads(self.note.read_bytes()))
