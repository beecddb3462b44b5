"""Dagster's webserver behind a guard: it answers no request that another site makes a browser send.

The UI has no login, and whoever reaches it can start jobs; a page that is open in the same browser reaches it, too. The
guard looks at what a browser says of each request:

* ``Host`` must be a loopback name or be named in ``NBA_PROPS_UI_HOSTS`` (comma-separated): a foreign name that resolves
  to this machine (DNS rebinding) is refused.
* ``Origin``, where it is sent, must be the UI's own, and ``Sec-Fetch-Site`` ``same-origin`` or ``none``. A link on
  another site may lead to a page of the UI.
* GraphQL is answered to POST and over the websocket, never to GET.

    python -m nba_props.automation.webserver -h 127.0.0.1 -p 3000 -m nba_props.definitions

takes what ``dagster-webserver`` takes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nba_props.sources.http import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = "NBA_PROPS_UI_HOSTS"
#: for probes of an orchestrator, which ask by the address of a pod: versions of Dagster and nothing else
_PROBES = ("/server_info", "/dagit_info")
#: no page of another site shows the UI in a frame and has it clicked on
_NO_FRAMES = (b"x-frame-options", b"SAMEORIGIN")


def hosts_of(environ: Mapping[str, str] = os.environ) -> frozenset[str]:
    """The names besides loopback by which the UI may be asked."""
    return frozenset(filter(None, (_name(host.strip()) for host in environ.get(HOSTS, "").split(","))))


def refusal(method: str, path: str, headers: Iterable[tuple[bytes, bytes]], hosts: frozenset[str]) -> str | None:
    """Why a request is refused; None for one to answer.

    Args:
        method: of HTTP, or ``WEBSOCKET``.
        path: as asked for.
        headers: names in lower case, and values.
        hosts: names besides loopback by which the UI may be asked, in lower case.
    """
    if method in ("GET", "HEAD") and path in _PROBES:
        return None
    said: dict[str, list[str]] = {}
    for raw, value in headers:
        said.setdefault(raw.decode("latin-1"), []).append(value.decode("latin-1").strip())
    if repeated := [n for n in ("host", "origin", "sec-fetch-site") if len(said.get(n, ())) > 1]:
        return f"the header {repeated[0]} stands twice"
    host, origin, site, mode, target, accept = (
        said.get(n, [""])[0] for n in ("host", "origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "accept")
    )
    name = _name(host)
    if not name or not (is_loopback(name) or name in hosts):
        return f"this UI does not answer as {name[:100]!r}: name it in {HOSTS} if it should"
    if origin and urlsplit(origin).netloc.lower() != host.lower():
        return "the request comes from another site"
    is_page = "text/html" in accept
    if path.rstrip("/").endswith("/graphql") and method not in ("POST", "WEBSOCKET") and not is_page:
        return "GraphQL is answered to POST only"
    if site not in ("", "same-origin", "none"):
        is_link = method == "GET" and (mode, target) == ("navigate", "document") and is_page
        return None if is_link else "the request comes from another site"
    return None


def _name(host: str) -> str:
    """The name in a Host header in lower case, without port and brackets; empty when it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "") if "@" not in host else ""
    except ValueError:
        return ""


class Guard:
    """An ASGI application that passes on what may be answered and refuses the rest with status 403.

    Args:
        app: the application.
        hosts: names besides loopback by which it may be asked.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse."""
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


def _unframed(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), _NO_FRAMES]
        await send(message)

    return sending


def main() -> None:
    """What ``dagster-webserver`` does, with the guard around its application."""
    cli: Any = import_module("dagster_webserver.cli")
    make = cli.create_app_from_workspace_process_context
    hosts = hosts_of()  # before Dagster lets a .env of the working directory win

    def guarded(*arguments: Any, **named: Any) -> Guard:
        return Guard(make(*arguments, **named), hosts)

    cli.create_app_from_workspace_process_context = guarded
    cli.main()


if __name__ == "__main__":
    main()
