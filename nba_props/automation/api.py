"""A read-only server of the site's pages, with the data behind them as JSON: ``nba-props serve``.

It has no login, so it answers on loopback names, and under those of ``NBA_PROPS_UI_HOSTS``, to its own pages only
(``webserver.Guard``). ``/openapi.json`` describes it. Pages are those of the site's folder, the data those of the
warehouse as they are now.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba_props.automation.webserver import file_answer
from nba_props.domain.systems import SYSTEM_TABLES
from nba_props.facts import markets
from nba_props.operations.ledger import own_dates
from nba_props.presentation.exposition import CONTENT_TYPE
from nba_props.presentation.pages import INDEX
from nba_props.presentation.site import player, slate
from nba_props.process.clock import Clock
from nba_props.schemas.monitoring import SCOREBOARD
from nba_props.settings import Settings
from nba_props.warehouse.base import Warehouse, is_simulated

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Heads:
    """An ASGI application that answers HEAD as another one answers GET, without the content."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, sending)


def app(settings: Settings, warehouse: Warehouse, clock: Clock, metrics: Callable[[], str] | None = None) -> FastAPI:
    """The server of a home's pages and data, and of its ``metrics`` in Prometheus' format under ``/metrics``."""
    from fastapi import FastAPI, HTTPException, Response
    from fastapi.responses import RedirectResponse

    made = FastAPI(
        title="nba_props", description="Slates, players and scores, read-only. Probabilities and EV are those of the "
        "pages; a simulated league says so in each answer.", docs_url=None, redoc_url=None,
    )  # fmt: skip

    made.add_middleware(Heads)

    def answer(**found: Any) -> dict[str, Any]:
        return {"is_simulated": is_simulated(warehouse), **found}

    def found_slate(day: date) -> slate.Slate:
        if day not in own_dates(warehouse):
            raise HTTPException(404, f"nothing is published for {day}")
        return slate.read(warehouse, day, clock())

    @made.get("/api/dates", summary="The dates with published predictions")
    def dates() -> dict[str, Any]:
        return answer(dates=own_dates(warehouse))

    @made.get("/api/slate/{day}", summary="Every prop of a date: a row per player and market")
    def props(day: date, market: str | None = None) -> dict[str, Any]:
        known, market = markets.keys(), None if market is None else markets.key_of(market)
        if market is not None and market not in known:
            raise HTTPException(422, f"{market} is not a market: they are {', '.join(known)}")
        rows = found_slate(day).props
        rows = rows if market is None else rows[rows["market"] == market]
        return answer(date=day, props=slate.records(rows))

    @made.get("/api/slate/{day}/players/{player_id}", summary="A player: published rows, odds, games, splits")
    def one(day: date, player_id: int) -> dict[str, Any]:
        asked = found_slate(day)
        beside = player.read(warehouse, asked)
        frames = {
            "props": asked.props, "rows": beside.rows, "offers": asked.offers, "games": beside.games,
            "splits": beside.splits, "line_movement": beside.moves, "minutes": beside.minutes,
        }  # fmt: skip
        mine = {name: slate.records(f[f["player_id"] == player_id]) for name, f in frames.items()}
        if not mine["props"]:
            raise HTTPException(404, f"player {player_id} is not on the slate of {day}")
        return answer(date=day, **mine)

    @made.get("/api/scoreboard/{day}", summary="Each system's scores as of a date, beside the line's on the same rows")
    def scoreboard(day: date) -> dict[str, Any]:
        rows = warehouse.query(
            f"SELECT * FROM {SCOREBOARD.address} WHERE game_date BETWEEN @first AND @last", first=day, last=day
        )
        if rows.empty:
            raise HTTPException(404, f"nothing is graded as of {day}")
        return answer(date=day, scores=slate.records(rows))

    @made.get("/api/systems", summary="The systems")
    def systems() -> dict[str, Any]:
        return answer(systems=list(SYSTEM_TABLES))

    if metrics is not None:

        @made.get("/metrics", include_in_schema=False)
        def numbers() -> Response:
            return Response(metrics(), media_type=CONTENT_TYPE)

    @made.get("/", include_in_schema=False)
    def root() -> RedirectResponse:
        return RedirectResponse(f"/{INDEX}")

    @made.get("/{name:path}", include_in_schema=False)
    def page(name: str) -> Response:
        found = file_answer(Path(settings.site), name)
        if found is None:
            raise HTTPException(404, "there is no such page: nba-props open DATE makes those of a date")
        return found

    return made
