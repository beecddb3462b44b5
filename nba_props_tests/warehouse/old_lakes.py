"""Lakes as a release before left them: frozen ones, and today's with the ledger under its former name."""

from __future__ import annotations

import tarfile
from pathlib import Path

from nba_props.schemas.predictions import LEDGER
from nba_props.warehouse.lake import LakeWarehouse

FROZEN = sorted((Path(__file__).parent / "fixtures").glob("lake-*.tar.xz"))


def unpacked(archive: Path, folder: Path) -> LakeWarehouse:
    """A frozen lake under ``folder``."""
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return LakeWarehouse(folder / "lake")


def outgrown(lake: LakeWarehouse) -> LakeWarehouse:
    """The lake with its ledger where the release before had it, seen by a process of its own."""
    lake._folder(LEDGER).rename(lake._folder(LEDGER.before))
    return LakeWarehouse(lake.root)
