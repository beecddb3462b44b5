"""Rules are tested on small lakes that are written table by table, and nobody looks at their catalog."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nba_props.warehouse.lake import LakeWarehouse


@pytest.fixture(autouse=True, scope="package")
def lakes_have_no_catalog() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LakeWarehouse, "refresh_catalog", lambda self, *_: self.catalog_path)
        yield
