"""The UI and the sites that are open beside it: what a browser may ask of Dagster's own application, and what not."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import dagster as dg
import pytest
from click.testing import CliRunner

from nba_props.automation import webserver
from nba_props.automation.webserver import HOSTS, Guard, hosts_of, refusal
from nba_props.cli import main

OWN = {"host": "127.0.0.1:3000"}
PAGE = {"accept": "text/html,application/xhtml+xml"}
FETCH = {
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty",
    "origin": "http://127.0.0.1:3000",
}
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
EVIL = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
MUTATION = "mutation { setAutoMaterializePaused(paused: true) }"
QUERY = "{ version }"


def raw(headers: dict[str, str] | list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    pairs = headers.items() if isinstance(headers, dict) else headers
    return [(k.encode(), v.encode("latin-1")) for k, v in pairs]


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {**OWN, **PAGE, "sec-fetch-site": "none"}),
        ("GET", "/runs", {"host": "localhost:3000", **PAGE}),
        ("GET", "/assets/main.js", {"host": "[::1]:3000", "sec-fetch-site": "same-origin", "sec-fetch-dest": "script"}),
        ("POST", "/graphql", {**OWN, **FETCH}),
        ("POST", "/graphql", {"host": "LocalHost", "origin": "http://localhost"}),
        ("POST", "/graphql", OWN),  # a script of the user's own
        ("GET", "/graphql", {**OWN, **PAGE}),  # the page on which one writes queries
        ("WEBSOCKET", "/graphql", {**OWN, "origin": "http://127.0.0.1:3000", "sec-fetch-site": "same-origin"}),
        ("GET", "/runs/1", {**OWN, **PAGE, **LINK}),
        ("GET", "/", {"host": "props.example.org", **PAGE}),
        ("POST", "/graphql", {"host": "Props.example.org", "origin": "https://props.example.org"}),
        ("GET", "/server_info", {"host": "10.1.2.3:80"}),
    ],
)
def test_the_uis_own_requests_are_answered(method, path, headers):
    assert refusal(method, path, raw(headers), frozenset({"props.example.org"})) is None


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        # a name that resolves to this machine, or none
        ("GET", "/", {"host": "evil.example:3000", **PAGE}),
        ("GET", "/", {"host": "127.0.0.1.evil.example:3000"}),
        ("GET", "/", {"host": "localhost.evil.example"}),
        ("GET", "/", {"host": "127.0.0.1@evil.example"}),
        ("GET", "/", {"host": "127.0.0.1:8391.evil.example"}),
        ("GET", "/", {"host": "localhost:evil.example"}),
        ("GET", "/", {"host": "127.0.0.1/evil.example"}),
        ("GET", "/", {"host": "127.0.0.1?evil.example"}),
        ("GET", "/", {"host": "[::1].evil.example"}),
        ("GET", "/", {"host": "[::1]:80.evil.example"}),
        ("GET", "/", {"host": "evil.example@127.0.0.1"}),
        ("POST", "/graphql", {"host": "evil.example:3000", "origin": "http://evil.example:3000", "sec-fetch-site": "same-origin"}),
        ("WEBSOCKET", "/graphql", {"host": "evil.example:3000", "origin": "http://evil.example:3000"}),
        ("GET", "/", {"host": "10.1.2.3:3000"}),
        ("GET", "/", {"host": ""}),
        ("GET", "/", {"host": "["}),
        ("GET", "/", {}),
        ("GET", "/", [("host", "127.0.0.1:3000"), ("host", "evil.example")]),
        # another site, and another port of this machine
        ("POST", "/graphql", {**OWN, "origin": "https://evil.example"}),
        ("POST", "/graphql", {**OWN, "origin": "null"}),
        ("POST", "/graphql", {**OWN, "origin": "http://127.0.0.1:8888"}),
        ("POST", "/graphql", {**OWN, "origin": "http://localhost:3000"}),
        ("POST", "/graphql", {**OWN, "sec-fetch-site": "same-site"}),
        ("POST", "/graphql", [*OWN.items(), ("origin", "http://127.0.0.1:3000"), ("origin", "https://evil.example")]),
        ("POST", "/report_asset_materialization/a", {**OWN, "sec-fetch-site": "cross-site"}),
        ("WEBSOCKET", "/graphql", {**OWN, "origin": "https://evil.example"}),
        ("GET", "/runs", {**OWN, **EVIL}),
        ("GET", "/runs", {**OWN, **PAGE, **LINK, "sec-fetch-dest": "iframe"}),
        ("POST", "/runs", {**OWN, **PAGE, **LINK}),
        ("POST", "/server_info", {"host": "evil.example"}),
        # GraphQL that a link or an image can send
        ("GET", "/graphql", OWN),
        ("GET", "/graphql", {**OWN, "accept": "*/*", **LINK}),
        ("GET", "/graphql/", OWN),
        ("GET", "/prefix/graphql", OWN),
        ("HEAD", "/graphql", OWN),
        ("PUT", "/graphql", OWN),
    ],
)  # fmt: skip
def test_requests_of_other_sites_are_refused(method, path, headers):
    why = refusal(method, path, raw(headers), frozenset({"props.example.org"}))
    assert why
    assert len(why) < 200


def test_further_hosts_are_named_in_the_environment():
    assert hosts_of({HOSTS: " Props.example.org:443, ,b "}) == {"props.example.org", "b"}
    assert hosts_of({}) == frozenset()
    assert HOSTS in (refusal("GET", "/", raw({"host": "props.example.org"}), frozenset()) or "")


@dataclass
class Ui:
    """Dagster's application without the guard and with it, and the instance behind both."""

    bare: object
    guarded: Guard
    instance: dg.DagsterInstance

    def ask(self, app, method="POST", path="/graphql", query="", headers=None, body=b""):
        """Status, headers and body of an answer."""
        sent = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
            "raw_path": path.encode(), "root_path": "", "scheme": "http", "query_string": query.encode(),
            "headers": raw(headers or {}), "server": ("127.0.0.1", 3000), "client": ("127.0.0.1", 50_000),
        }  # fmt: skip
        asyncio.run(app(scope, receive, send))
        return sent[0]["status"], dict(sent[0]["headers"]), b"".join(m.get("body", b"") for m in sent[1:])

    def talk(self, app, headers):
        """The messages of a websocket on which the UI connects and disconnects."""
        said = [
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "text": json.dumps({"type": "connection_init"})},
            {"type": "websocket.disconnect", "code": 1000},
        ]
        sent = []

        async def receive():
            return said.pop(0)

        async def send(message):
            sent.append(message)

        scope = {
            "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "path": "/graphql",
            "raw_path": b"/graphql", "root_path": "", "scheme": "ws", "query_string": b"", "headers": raw(headers),
            "server": ("127.0.0.1", 3000), "client": ("127.0.0.1", 50_000), "subprotocols": ["graphql-ws"],
        }  # fmt: skip
        asyncio.run(app(scope, receive, send))
        return [m.get("text") or m["type"] for m in sent]

    @property
    def is_paused(self) -> bool:
        from dagster._daemon.asset_daemon import get_auto_materialize_paused

        return get_auto_materialize_paused(self.instance)

    def resume(self) -> None:
        from dagster._daemon.asset_daemon import set_auto_materialize_paused

        set_auto_materialize_paused(self.instance, False)


@pytest.fixture(scope="module")
def ui(tmp_path_factory):
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import EmptyWorkspaceTarget
    from dagster_webserver.app import create_app_from_workspace_process_context

    with (
        dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("ui"))) as instance,
        WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as context,
    ):
        app = create_app_from_workspace_process_context(context)
        yield Ui(app, Guard(app), instance)


def test_a_link_of_another_site_changes_nothing(ui):
    """A GET from another site once ran a job through Dagster's GraphQL."""
    query = f"query={quote(MUTATION)}"
    ui.resume()
    status, _, body = ui.ask(ui.bare, "GET", query=query, headers={**OWN, **EVIL})
    assert (status, ui.is_paused) == (200, True), f"Dagster alone does what it is asked: {body!r}"
    for headers in ({**OWN, **EVIL}, {**OWN, **LINK}, OWN, {"host": "evil.example"}):
        ui.resume()
        status, _, body = ui.ask(ui.guarded, "GET", query=query, headers=headers)
        assert status == 403
        assert body.startswith(b"refused: ")
        assert not ui.is_paused
    # as a page it is not carried out, only shown
    status, _, body = ui.ask(ui.guarded, "GET", query=query, headers={**OWN, **PAGE, **LINK})
    assert (status, b"<html" in body, ui.is_paused) == (200, True, False)
    # nor by a form, which needs no leave of the browser's
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json"):
        form = {**OWN, "content-type": kind, "origin": "https://evil.example"}
        assert ui.ask(ui.guarded, query=query, headers=form, body=json.dumps({"query": MUTATION}).encode())[0] == 403
        assert not ui.is_paused


def test_the_ui_itself_works(ui):
    ui.resume()
    asked = {**OWN, **FETCH, "content-type": "application/json"}
    for query, answer in ((QUERY, "version"), (MUTATION, "setAutoMaterializePaused")):
        status, _, body = ui.ask(ui.guarded, headers=asked, body=json.dumps({"query": query}).encode())
        assert (status, list(json.loads(body)["data"])) == (200, [answer])
    assert ui.is_paused
    ui.resume()
    status, headers, body = ui.ask(ui.guarded, "GET", "/runs", headers={**OWN, **PAGE, "sec-fetch-site": "none"})
    assert status == 200
    assert headers[b"x-frame-options"] == b"SAMEORIGIN"
    assert b"<script" in body
    assert ui.ask(ui.guarded, "GET", "/server_info", headers={"host": "10.1.2.3:80"})[0] == 200


def test_subscriptions_are_open_to_the_ui_alone(ui):
    own = {**OWN, "origin": "http://127.0.0.1:3000"}
    assert ui.talk(ui.guarded, own) == ["websocket.accept", '{"type":"connection_ack"}']
    assert ui.talk(ui.guarded, {**OWN, "origin": "https://evil.example"}) == ["websocket.close"]
    assert ui.talk(ui.guarded, {"host": "evil.example", "origin": "https://evil.example"}) == ["websocket.close"]


def test_other_events_of_the_server_are_passed_through(ui):
    passed = []

    async def app(scope, receive, send):
        passed.append(scope["type"])

    asyncio.run(Guard(app)({"type": "lifespan"}, None, None))
    assert passed == ["lifespan"]


@pytest.fixture
def folder(tmp_path):
    """A reports folder with a page, and files that are not pages."""
    reports = tmp_path / "reports"
    (reports / "deeper").mkdir(parents=True)
    (reports / "a_b-1.html").write_text("<p>a page")
    for name in ("notes.txt", ".tmp-1", ".hidden.html", "deeper/page.html", "../secret.html", "x.html.bak"):
        (reports / name).write_text("secret")
    (reports / "link.html").symlink_to(tmp_path / "secret.html")
    (reports / "own.html").symlink_to("a_b-1.html")
    (reports / "folder.html").mkdir()
    os.mkfifo(reports / "pipe.html")
    return reports


def served(ui: Ui, folder: Path) -> Guard:
    return Guard(webserver.Pages(ui.bare, folder.parent))


def test_pages_can_be_read_beside_the_ui(ui, folder):
    for headers in ({**OWN, **PAGE}, {**OWN, **PAGE, **LINK}):
        status, said, body = ui.ask(served(ui, folder), "GET", "/reports/a_b-1.html", headers=headers)
        assert (status, body) == (200, b"<p>a page")
        assert said[b"content-type"] == b"text/html; charset=utf-8"
        assert said[b"x-content-type-options"] == b"nosniff"
        assert said[b"x-frame-options"] == b"SAMEORIGIN"
        policy = said[b"content-security-policy"].decode()
        assert policy.startswith("sandbox ")
        assert "default-src 'none'" in policy
        assert "script" not in policy, "on the UI's own host a script could start jobs"
        assert "allow-same-origin" not in policy
    status, said, body = ui.ask(served(ui, folder), "HEAD", "/reports/a_b-1.html", headers=OWN)
    assert (status, said[b"content-length"]) == (200, b"9")
    for path in ("/reports", "/reports/"):
        status, said, _ = ui.ask(served(ui, folder), "GET", path, headers={**OWN, **PAGE})
        assert (status, said[b"location"]) == (307, b"/reports/index.html")
    # what only begins like it is the UI's, and so is everything without a folder
    for app, path in ((served(ui, folder), "/reports-of-mine"), (ui.guarded, "/reports/a_b-1.html")):
        status, _, body = ui.ask(app, "GET", path, headers={**OWN, **PAGE})
        assert (status, b"<script" in body) == (200, True)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.html", "..%2fsecret.html", "%2e%2e/secret.html", "deeper/page.html", "deeper/../a_b-1.html", "./a_b-1.html",
        "/a_b-1.html", "//etc/passwd", "../../../etc/passwd", "..\\secret.html", "a_b-1.html/", "a_b-1.html\n", "a_b-1.html\0",
        "a_b-1", "notes.txt", ".tmp-1", ".hidden.html", "x.html.bak", ".", "..", "\u0661.html", "C:a_b-1.html",
        "link.html", "own.html", "folder.html", "pipe.html", "no.html", "a" * 5000 + ".html",
    ],
)  # fmt: skip
def test_nothing_but_a_page_of_the_folder_can_be_read(ui, folder, name):
    status, _, body = ui.ask(served(ui, folder), "GET", f"/reports/{name}", headers={**OWN, **PAGE})
    assert (status, body) == (404, b"there is no such page\n")


def test_pages_are_for_the_same_hosts_as_the_ui_and_to_read_only(ui, folder):
    app = served(ui, folder)
    for headers in (
        {"host": "evil.example:3000", **PAGE},
        {"host": "10.1.2.3:3000"},
        {**OWN, **EVIL},
        {**OWN, "origin": "https://evil.example"},
        {**OWN, **PAGE, **LINK, "sec-fetch-dest": "iframe"},
    ):
        status, _, body = ui.ask(app, "GET", "/reports/a_b-1.html", headers=headers)
        assert status == 403
        assert b"a page" not in body
    for method in ("POST", "PUT", "DELETE"):
        assert ui.ask(app, method, "/reports/a_b-1.html", headers=OWN)[0] == 405
    assert (folder / "a_b-1.html").read_text() == "<p>a page"
    assert ui.ask(served(ui, folder / "nowhere"), "GET", "/reports/a_b-1.html", headers=OWN)[0] == 404


@pytest.mark.parametrize("profile", ["local", "", "gcp"])
def test_the_entry_point_serves_the_reports_of_the_home(ui, folder, monkeypatch, profile):
    from dagster_webserver import cli

    monkeypatch.setenv("NBA_PROPS_HOME", str(folder.parent))
    monkeypatch.setenv("NBA_PROPS_PROFILE", profile)
    monkeypatch.setattr(cli, "create_app_from_workspace_process_context", lambda *_, **__: ui.bare)
    made = []
    monkeypatch.setattr(cli, "main", lambda: made.append(cli.create_app_from_workspace_process_context("context")))
    webserver.main()
    body = ui.ask(made[0], "GET", "/reports/a_b-1.html", headers={**OWN, **PAGE})[2]
    assert (body == b"<p>a page") == (profile != "gcp"), "of a bucket's pages the UI has the path"


def test_the_entry_point_puts_the_guard_around_the_application(ui, monkeypatch):
    """Whatever Dagster's command makes with this name is what it serves."""
    from dagster_webserver import cli

    monkeypatch.setattr(cli, "create_app_from_workspace_process_context", lambda *_, **__: ui.bare)
    monkeypatch.setenv(HOSTS, "props.example.org")
    served = []
    monkeypatch.setattr(cli, "main", lambda: served.append(cli.create_app_from_workspace_process_context("context")))
    webserver.main()
    (app,) = served
    assert isinstance(app, Guard)
    assert ui.ask(app, "GET", "/server_info", headers={"host": "props.example.org"})[0] == 200
    assert ui.ask(app, "GET", "/", headers={"host": "other.example.org"})[0] == 403


def test_dagsters_command_serves_the_application_by_that_name(ui, monkeypatch):
    """In this version: another may create its application elsewhere, without the guard."""
    from dagster_webserver import cli

    served = []
    monkeypatch.setattr(cli, "create_app_from_workspace_process_context", lambda *_, **__: "the application")
    monkeypatch.setattr(cli, "uvicorn", SimpleNamespace(run=lambda app, **_: served.append(app)))
    monkeypatch.setattr(cli, "log_action", lambda *_: None)
    monkeypatch.setattr(cli.check, "inst_param", lambda *_: None)
    context = SimpleNamespace(instance=ui.instance)
    cli.host_dagster_ui_with_workspace_process_context(context, "127.0.0.1", 3000, "", "warning")
    assert served == ["the application"]


def test_dev_starts_the_guarded_webserver(tmp_path, monkeypatch):
    started = []

    class Process:
        stdout = (
            "2026-11-29 08:33:07 +0000 - dagster - DEBUG - predict - RUN_START - Started execution\n",
            "\x1b[32m2026-11-29 08:33:07 +0000\x1b[0m - dagster.daemon - \x1b[34mINFO\x1b[0m - a look\n",
            "2026-11-29 08:33:07 +0000 - dagster - ERROR - predict - no disk\n",
            "Traceback of it\n",
        )

        def __init__(self, command, env, **_):
            started.append((command, env))

        poll = wait = terminate = lambda self: 0

    monkeypatch.setenv("NBA_PROPS_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.setenv(HOSTS, "props.example.org")
    monkeypatch.setattr("nba_props.cli.servers.subprocess.Popen", Process)
    monkeypatch.setattr("nba_props.cli.servers.signal.signal", lambda *_: None)
    monkeypatch.setattr("nba_props.cli.servers.require_free", lambda *_: None)
    result = CliRunner().invoke(main, ["dev", "--host", "192.168.0.7"])
    assert result.exit_code == 1, "a server that ends by itself is a failure"
    (command, environment), (daemon, _) = started
    assert command[:3] == [sys.executable, "-m", "nba_props.automation.webserver"]
    assert hosts_of(environment) == {"props.example.org", "192.168.0.7"}
    assert daemon[0].endswith("dagster-daemon")
    assert not [c for c, _ in started if "dagster-webserver" in c[0]]
    for arguments in (command, daemon):
        assert arguments[arguments.index("--log-level") + 1] == "error", "no line for each look of a sensor"
    printed = [line.split(maxsplit=1) for line in result.output.splitlines()]
    assert result.output.splitlines()[0] == "Dagster UI  http://192.168.0.7:3000"
    assert {"home", "feeds", "stop"} <= {words[0] for words in printed}
    assert f"home        {tmp_path}" in result.output
    assert "stop        Ctrl-C" in result.output
    assert result.output.count("no disk") == result.output.count("Traceback of it") == len(started)
    assert "DEBUG" not in result.output
    assert "a look" not in result.output


def test_the_sites_files_can_be_read_and_run_their_own_scripts_alone(ui, tmp_path):
    site = tmp_path / "site"
    (site / "2026-01-09" / "deeper").mkdir(parents=True)
    for name, text in (("index.html", "<p>dates"), ("2026-01-09/index.html", "<p>slate"), ("2026-01-09/odds-points.js", "x"),
                       ("script-1.js", "y"), ("style-1.css", "z"), (".tmp-1", "secret"), ("2026-01-09/deeper/a.html", "secret")):  # fmt: skip
        (site / name).write_text(text)
    (site / "elsewhere").symlink_to(tmp_path)
    (tmp_path / "secret.html").write_text("secret")
    app = Guard(webserver.Pages(ui.bare, tmp_path))
    for name, kind in (
        ("2026-01-09/index.html", b"text/html"),
        ("2026-01-09/odds-points.js", b"text/javascript"),
        ("style-1.css", b"text/css"),
    ):
        status, said, _ = ui.ask(app, "GET", f"/site/{name}", headers={**OWN, **PAGE})
        assert (status, said[b"content-type"].split(b";")[0]) == (200, kind)
        policy = said[b"content-security-policy"].decode()
        assert "script-src 'self';" in policy, "none within a page"
        assert "connect-src 'none'" in policy, "no request reaches the UI"
        assert "form-action 'none'" in policy
    for name in (
        ".tmp-1",
        "2026-01-09/deeper/a.html",
        "elsewhere/secret.html",
        "../secret.html",
        "2026-01-09",
        "no.html",
    ):
        assert ui.ask(app, "GET", f"/site/{name}", headers={**OWN, **PAGE})[0] == 404
    assert ui.ask(app, "POST", "/site/index.html", headers=OWN)[0] == 405
    # another site can't read the odds as a script of its own
    assert (
        ui.ask(app, "GET", "/site/2026-01-09/odds-points.js", headers={**OWN, "sec-fetch-site": "cross-site"})[0] == 403
    )
    assert ui.ask(app, "GET", "/site", headers={**OWN, **PAGE})[1][b"location"] == b"/site/index.html"
