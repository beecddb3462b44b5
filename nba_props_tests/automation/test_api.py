"""The read-only server of pages and data."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from nba_props.automation import api
from nba_props.automation.webserver import Guard
from nba_props_tests.conftest import DAY
from nba_props_tests.presentation.site.test_pages import write

pytestmark = pytest.mark.slow


@pytest.fixture
def client(many_predicted):
    from starlette.testclient import TestClient

    made = api.app(many_predicted.settings, many_predicted.warehouse, lambda: many_predicted.now)
    with TestClient(Guard(made), base_url="http://127.0.0.1:8000") as found:
        found.platform = many_predicted
        yield found


def test_the_data_are_those_of_the_pages(client):
    assert client.get("/api/dates").json() == {"is_simulated": False, "dates": [f"{DAY}"]}
    found = client.get(f"/api/slate/{DAY}").json()
    props = {(p["player_id"], p["market"]): p for p in found["props"]}
    assert len(props) == len(found["props"]) > 50
    write(client.platform)
    page = client.get(f"/{DAY}/index.html")
    assert page.status_code == 200
    data = json.loads(page.text.split('id="data">')[1].split("</script>")[0])
    for row in data["rows"]:
        values = dict(zip(data["fields"], row, strict=True))
        mine = props[data["players"][values["player"]][0], data["markets"][values["market"]][0]]
        assert (values["line"], values["why"]) == (mine["line"], mine["why"])
    rebounds = client.get(f"/api/slate/{DAY}", params={"market": "rebounds"}).json()["props"]
    assert {p["market"] for p in rebounds} == {"rebounds"}
    assert client.get(f"/api/slate/{DAY}", params={"market": "REB"}).json()["props"] == rebounds


def test_a_player_has_his_published_rows_and_the_quotes_behind_them(client):
    who = client.get(f"/api/slate/{DAY}").json()["props"][0]["player_id"]
    found = client.get(f"/api/slate/{DAY}/players/{who}").json()
    assert {row["player_id"] for name in ("props", "rows", "offers", "games", "splits") for row in found[name]} == {who}
    assert all(row["prediction_id"] for row in found["rows"])
    assert {row["quote_id"] for row in found["rows"]} - {None}


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/slate/2025-01-01", 404), ("/api/slate/soon", 422), (f"/api/slate/{DAY}?market=x", 422),
     (f"/api/slate/{DAY}/players/1", 404), ("/api/scoreboard/2020-01-01", 404), ("/nothing.html", 404),
     ("/2025-01-01/index.html", 404), (f"/{DAY}/..%2f..%2fsecret.html", 404), ("/etc/passwd", 404), ("/docs", 404)],
)  # fmt: skip
def test_what_is_not_there_is_said(client, path, status):
    assert client.get(path).status_code == status


def test_it_reads_only_and_answers_no_other_site(client):
    for method in ("post", "put", "delete", "patch"):
        assert getattr(client, method)("/api/dates").status_code == 405
    assert client.get("/api/dates", headers={"host": "evil.example"}).status_code == 403
    assert client.get("/api/dates", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    write(client.platform)
    policy = client.get(f"/{DAY}/index.html").headers["content-security-policy"]
    assert "connect-src 'none'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]


@pytest.mark.parametrize(
    "path",
    ["/", "/api/dates", "/api/systems", f"/api/slate/{DAY}", "/openapi.json", "/nothing.html", "/api/slate/soon"],
)
def test_head_is_get_without_the_content(client, path):
    whole, head = client.get(path, follow_redirects=False), client.head(path, follow_redirects=False)
    assert (head.status_code, head.headers, head.content) == (whole.status_code, whole.headers, b"")


def test_asking_writes_nothing(client):
    site = Path(client.platform.settings.site)
    for path in ("/", "/index.html", f"/{DAY}/index.html", f"/api/slate/{DAY}", f"/{DAY + timedelta(30)}/index.html"):
        client.get(path)
    assert not site.exists()
    assert "nba-props open DATE makes those" in client.get(f"/{DAY}/index.html").json()["detail"]


def test_it_describes_itself(client):
    found = client.get("/openapi.json").json()
    assert found["openapi"].startswith("3.")
    assert set(found["paths"]) == {
        "/api/dates", "/api/slate/{day}", "/api/slate/{day}/players/{player_id}", "/api/scoreboard/{day}", "/api/systems",
    }  # fmt: skip
    assert {verb for path in found["paths"].values() for verb in path} == {"get"}
    assert all(path["get"]["summary"] for path in found["paths"].values())
