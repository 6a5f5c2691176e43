"""The door for other tools: HTTP, a token for each sender, on this machine unless told otherwise.

Here: routes, sizes, answers. Not here: what a body means (foreign), files of sources (publishing.arrivals).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mesh_assets.capabilities.observability import foreign
from mesh_assets.capabilities.observability.tokens import Gate, Sender, sender_of
from mesh_assets.capabilities.registry import events as record
from mesh_assets.words.errors import MeshError, RegistryBusy, YourCode
from mesh_assets.words.stores import RegistryLost

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.settings import Settings

#: Bytes of a body of events, and of a batch for a source.
LARGEST_EVENT = 1_000_000
LARGEST_BATCH = 16_000_000
#: Connections at once.
CONNECTIONS = 64


@dataclass(frozen=True)
class Door:
    """What the app works with."""

    settings: Settings
    registry: Registry
    senders: tuple[Sender, ...]
    gate: Gate = field(default_factory=Gate)


def make_app(door: Door) -> Starlette:
    """The ASGI app; nothing in it logs a header or a body."""
    heard = (
        ("/api/v1/lineage", "lineage", foreign.from_lineage),
        ("/api/v1/events", "events", foreign.from_plain),
    )
    routes = [Route(path, _taking(door, scope, read), methods=["POST"]) for path, scope, read in heard]
    source = "/api/v1/sources/{domain}/{source}"
    routes += [
        Route(source, _receiving(door), methods=["POST"]),
        Route("/health", _health(door), methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _plain_error, Exception: _broken})


Endpoint = Callable[[Request], Awaitable[JSONResponse]]


def _taking(door: Door, scope: str, read: Callable[[Any, str], foreign.Heard]) -> Endpoint:
    async def take(request: Request) -> JSONResponse:
        sender = _known(door, request, scope)
        body = await _body(request, LARGEST_EVENT)

        def keep() -> int:
            heard = read(foreign.parsed(body), sender.name)
            with door.registry.writing() as connection:
                new = record.accept(connection, heard.events)
                record.report(connection, heard.reports)
            return new

        new = await _answered(keep)
        return new if isinstance(new, JSONResponse) else JSONResponse({"new": new}, 201)

    return take


def _receiving(door: Door) -> Endpoint:
    async def receive(request: Request) -> JSONResponse:
        domain, source = request.path_params["domain"], request.path_params["source"]
        _known(door, request, f"sources:{domain}/{source}")
        body = await _body(request, LARGEST_BATCH)

        def keep() -> Any:
            from mesh_assets.capabilities.publishing import arrivals

            kind = request.headers.get("content-type", "")
            return arrivals.receive(door.settings, door.registry, domain, source, body, kind)

        found = await _answered(keep)
        return found if isinstance(found, JSONResponse) else JSONResponse(dict(found.facts), 201)

    return receive


def _health(door: Door) -> Endpoint:
    async def health(_: Request) -> JSONResponse:
        def look() -> bool:
            with door.registry.reading() as connection:
                record.finished_snapshot(connection)
            return True

        try:
            await run_in_threadpool(look)
        except Exception:
            return _error(503, "the registry does not answer")
        return JSONResponse({"status": "ok"})

    return health


def _known(door: Door, request: Request, scope: str) -> Sender:
    sender = sender_of(door.senders, request.headers.get("authorization", ""))
    if sender is None:
        raise HTTPException(401, "send `Authorization: Bearer TOKEN`", {"WWW-Authenticate": "Bearer"})
    if not sender.may(scope):
        raise HTTPException(403, f"the token of {sender.name} is not for {scope.partition(':')[0]}")
    if not door.gate.passes(sender.name):
        raise HTTPException(429, "too many requests", {"Retry-After": "1"})
    return sender


async def _body(request: Request, largest: int) -> bytes:
    """The body, as long as it is not too long: it is counted while it comes, whatever its header says."""
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > largest:
                raise HTTPException(413, f"the body has more than {largest:,} bytes")
            parts.append(part)
    except ClientDisconnect:
        raise HTTPException(400, "the body did not come to its end") from None
    return b"".join(parts)


async def _answered(work: Callable[[], Any]) -> Any:
    """What the work gives, or the answer to a sender whose message is not taken."""
    try:
        return await run_in_threadpool(work)
    except (RegistryBusy, RegistryLost) as error:
        return _error(503, str(error))
    except YourCode as error:
        return _error(404, str(error))
    except MeshError as error:
        return _error(422, str(error))


def _error(code: int, told: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": told}, code, headers)


async def _plain_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _error(error.status_code, error.detail, dict(error.headers or {}))


async def _broken(_: Request, error: Exception) -> JSONResponse:
    return _error(500, f"this mesh could not take it ({type(error).__name__}); send it again")


def serve(settings: Settings, senders: Sequence[Sender], *, host: str, port: int) -> None:
    """Take events until somebody stops it."""
    import uvicorn

    from mesh_assets.capabilities.registry import open_registry

    with open_registry(settings) as registry:
        app = make_app(Door(settings, registry, tuple(senders)))
        uvicorn.run(
            app,
            host=host,
            port=port,
            access_log=False,
            log_level="warning",
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=10,
            server_header=False,
        )
