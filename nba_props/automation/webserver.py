"""Dagster's webserver behind a guard that refuses requests made by other sites in the user's browser.

The UI has no login: anyone who can reach it can start jobs, and so can a page of another site in the same browser. The
guard checks the headers of each request:

* ``Host`` must be a loopback name or be listed in ``NBA_PROPS_UI_HOSTS`` (comma-separated): a foreign name that
  resolves to this machine (DNS rebinding) is refused.
* ``Origin``, if sent, must be the UI's own, and ``Sec-Fetch-Site`` ``same-origin`` or ``none``. A link on another site
  may lead to a page of the UI.
* GraphQL is served by POST and over the websocket, never by GET.

Under ``/reports`` and ``/site`` it serves the pages of the scoreboard and of the site, as files of the local folders,
so that the UI can link to them: read-only; those of the scoreboard run no script, those of the site only its own
(:class:`Pages`).

    python -m nba_props.automation.webserver -h 127.0.0.1 -p 3000 -m nba_props.definitions

takes the arguments of ``dagster-webserver``.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nba_props.automation.upstream.webserver import NoGuard, serve
from nba_props.presentation.pages import ADDRESS, INDEX, SITE_ADDRESS
from nba_props.process.addresses import is_loopback
from nba_props.settings import home_of, reports_of, site_of

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = "NBA_PROPS_UI_HOSTS"
#: for probes of an orchestrator, which use a pod's address: they return versions of Dagster and nothing else
_PROBES = ("/server_info", "/dagit_info")
#: against clickjacking: pages of other sites can't show the UI in a frame
_NO_FRAMES = (b"x-frame-options", b"SAMEORIGIN")
#: a name or an address, and a port: nothing may follow these, as in 127.0.0.1:80.evil.example
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s\[\]:/\\?#@]+))(?::[0-9]*)?")
_NAME = "[A-Za-z0-9_][A-Za-z0-9_-]*"
#: the name of a report's page, and of a file of the site, in a folder of it or not: no hidden file, nor one that is
#: still being written
_PAGE = re.compile(rf"{_NAME}\.html", re.ASCII)
_FILE = re.compile(rf"(?:{_NAME}/)?{_NAME}\.(?:html|css|js)", re.ASCII)
_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_READ_ONLY = {"x-content-type-options": "nosniff", "cache-control": "no-cache"}
_NO_FORMS = "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
#: pages have the UI's own origin: in this sandbox no script runs and no request reaches the UI
_NO_SCRIPTS = (
    "sandbox allow-popups allow-top-navigation-by-user-activation; default-src 'none'; img-src data:; "
    f"style-src 'unsafe-inline'; {_NO_FORMS}"
)
#: scripts of the site's own files run, none within a page, and they can ask for nothing but such files
_OWN_SCRIPTS = (
    "default-src 'none'; connect-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; "
    f"{_NO_FORMS}"
)


def hosts_of(environ: Mapping[str, str] = os.environ) -> frozenset[str]:
    """The host names besides loopback under which the UI may be reached."""
    return frozenset(filter(None, (_name(host.strip()) for host in environ.get(HOSTS, "").split(","))))


def refusal(method: str, path: str, headers: Iterable[tuple[bytes, bytes]], hosts: frozenset[str]) -> str | None:
    """Why a request is refused; None if it is allowed.

    Args:
        method: of HTTP, or ``WEBSOCKET``.
        path: the requested path.
        headers: names in lower case, and values.
        hosts: names besides loopback under which the UI may be reached, in lower case.
    """
    if method in ("GET", "HEAD") and path in _PROBES:
        return None
    sent: dict[str, list[str]] = {}
    for raw, value in headers:
        sent.setdefault(raw.decode("latin-1"), []).append(value.decode("latin-1").strip())
    if repeated := [n for n in ("host", "origin", "sec-fetch-site") if len(sent.get(n, ())) > 1]:
        return f"the header {repeated[0]} was sent twice"
    host, origin, site, mode, target, accept = (
        sent.get(n, [""])[0] for n in ("host", "origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "accept")
    )
    name = _name(host)
    if not name or not (is_loopback(name) or name in hosts):
        return f"this UI is not served under {name[:100]!r}: add it to {HOSTS} if it should be"
    if origin and _netloc(origin) != host.lower():
        return "the request comes from another site"
    is_page = "text/html" in accept
    if path.rstrip("/").endswith("/graphql") and method not in ("POST", "WEBSOCKET") and not is_page:
        return "GraphQL is served by POST only"
    if site not in ("", "same-origin", "none"):
        is_link = method == "GET" and (mode, target) == ("navigate", "document") and is_page
        return None if is_link else "the request comes from another site"
    return None


def _netloc(origin: str) -> str | None:
    """Host and port of an Origin header in lower case; None if it is malformed."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _name(host: str) -> str:
    """The name in a Host header in lower case, without port and brackets; empty if it is malformed."""
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]).lower() if found else ""


class Guard:
    """An ASGI application that forwards allowed requests and refuses the others with status 403.

    Args:
        app: the application.
        hosts: names besides loopback under which it may be reached.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward or refuse a request."""
        from starlette.responses import PlainTextResponse
        from starlette.websockets import WebSocketClose

        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        method = scope.get("method", "WEBSOCKET")
        if not (why := refusal(method, scope["path"], scope["headers"], self._hosts)):
            await self._app(scope, receive, _unframed(send))
        elif method == "WEBSOCKET":
            await WebSocketClose(1008, why)(scope, receive, send)
        else:
            await PlainTextResponse(f"refused: {why}\n", status_code=403)(scope, receive, send)


class Pages:
    """An ASGI application that serves the files of some folders under their paths, and forwards other requests.

    Only regular files of a folder itself, or of a folder in it, with a page's name can be read: no links.

    Args:
        app: the application.
        home: the folder of reports and site.
    """

    def __init__(self, app: ASGIApp, home: Path) -> None:
        self._app = app
        self._folders = {
            ADDRESS: (reports_of(home), _PAGE, _NO_SCRIPTS), SITE_ADDRESS: (site_of(home), _FILE, _OWN_SCRIPTS),
        }  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a page or forward a request."""
        from starlette.responses import PlainTextResponse, RedirectResponse

        path = scope.get("path", "")
        address = next((a for a in self._folders if path == a or path.startswith(f"{a}/")), None)
        if scope["type"] != "http" or address is None:
            await self._app(scope, receive, send)
            return
        name, (folder, names, policy) = path.removeprefix(address).removeprefix("/"), self._folders[address]
        answer: Response
        if scope["method"] not in ("GET", "HEAD"):
            answer = PlainTextResponse("pages can only be read\n", status_code=405, headers={"allow": "GET, HEAD"})
        elif not name:
            answer = RedirectResponse(f"{address}/{INDEX}")
        elif (page := read_page(folder, name, names)) is None:
            answer = PlainTextResponse("there is no such page\n", status_code=404)
        else:
            answer = _answer(page, name, policy)
        await answer(scope, receive, send)


def file_answer(folder: Path, name: str) -> Response | None:
    """The answer with a file of the site; None if there is none of that name."""
    page = read_page(folder, name, _FILE)
    return None if page is None else _answer(page, name, _OWN_SCRIPTS)


def _answer(page: bytes, name: str, policy: str) -> Response:
    from starlette.responses import Response

    rules = {"content-security-policy": policy, **_READ_ONLY}
    return Response(page, media_type=_KINDS[name.rpartition(".")[2]], headers=rules)


def read_page(folder: Path, name: str, names: re.Pattern[str] = _PAGE) -> bytes | None:
    """A file of a folder, or of a folder in it where ``names`` allow that; None without a regular file of the name."""
    if not names.fullmatch(name):
        return None
    *inside, last = name.split("/")
    at = None
    try:
        at = os.open(folder, _FOLDER)
        for part in inside:
            outer, at = at, os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
            os.close(outer)
        # links are not followed, and a pipe does not block the server
        opened = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    except OSError:
        return None
    finally:
        if at is not None:
            os.close(at)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        return None
    with os.fdopen(opened, "rb") as source:
        return source.read()


def _home() -> Path | None:
    """The home whose pages are served; None where they are in a bucket."""
    is_local = (os.environ.get("NBA_PROPS_PROFILE") or "local") == "local"
    return home_of(os.environ.get("NBA_PROPS_HOME")) if is_local else None


def _unframed(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), _NO_FRAMES]
        await send(message)

    return sending


def main() -> None:
    """Run ``dagster-webserver`` with the guard around its application."""
    hosts, home = hosts_of(), _home()  # before Dagster gives precedence to a .env of the working directory

    try:
        serve(lambda app: Guard(Pages(app, home) if home else app, hosts))
    except NoGuard as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
