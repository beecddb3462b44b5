"""What the digests of a partition's inputs see: everything that its rows are made from."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nba_props.assets.inputs import Inputs
from nba_props.assets.raw import INJURY_FILES
from nba_props.schemas import raw
from nba_props.sources import injury_report
from nba_props.sources.landing import LandingZone
from nba_props.warehouse.lake import LakeWarehouse
from nba_props.warehouse.models import ModelStore
from nba_props_tests.conftest import DAY, make_settings


@pytest.fixture
def inputs(lake: LakeWarehouse, zone: LandingZone, tmp_path) -> Inputs:
    settings = make_settings(tmp_path)
    return Inputs(lake, zone, ModelStore(settings.models), settings)


def named(day) -> dict:
    record = {"date": f"{day:%m/%d/%Y}", "matchup": "ALB@BRI", "team": "Brink Otters", "player": "Archer, Ada",
              "status": "Out", "reason": ""}  # fmt: skip
    return {"records": [record]}


@pytest.mark.parametrize("days", [[DAY], [DAY - timedelta(5), DAY]], ids=["a date", "a span"])
def test_a_report_of_the_evening_before_is_an_input_of_the_date_that_it_names(inputs, zone, days):
    def digest() -> str:
        return inputs.digests(raw.INJURY_REPORTS, [INJURY_FILES.key], days)[DAY]

    seen = [digest()]
    for n, folder in enumerate((DAY - timedelta(2), DAY - timedelta(1), DAY, DAY + timedelta(1))):
        before = len(injury_report.read_reports(zone, [DAY]).frame)
        at = f"{folder:%Y%m%d}T2{n}0000Z"
        zone.land(f"{injury_report.folder(folder)}/report-{at}.json", named(DAY))
        changed = len(injury_report.read_reports(zone, [DAY]).frame) != before
        assert changed == (folder in (DAY - timedelta(1), DAY))
        assert (digest() != seen[-1]) == changed
        seen.append(digest())
    one = inputs.digests(raw.INJURY_REPORTS, [INJURY_FILES.key], [DAY])
    assert one[DAY] == seen[-1], "a date has one digest, asked for alone or with others"
