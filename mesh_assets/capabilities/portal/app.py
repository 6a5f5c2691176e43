"""The portal as an ASGI app, and serving it."""

from __future__ import annotations

import gc
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from mesh_assets.capabilities.portal import following, forms, rules
from mesh_assets.capabilities.portal.access import (
    LOCAL,
    LOOPBACK,
    SESSION,
    SESSION_SECONDS,
    Signer,
    make_signer,
    role_for,
)
from mesh_assets.capabilities.portal.address import QUESTIONS, read_address
from mesh_assets.capabilities.portal.catalog import PATIENCE, Shelf, StillReading
from mesh_assets.capabilities.portal.guard import Guard
from mesh_assets.capabilities.portal.negotiate import MEDIA, wanted_form
from mesh_assets.capabilities.portal.openid import Provider, SignInFailed, check_installed
from mesh_assets.capabilities.portal.reading import Reading
from mesh_assets.capabilities.portal.site import Answer, Guest, Site
from mesh_assets.capabilities.portal.view import NoSuchPage, Setting, prefix_of
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import ProductName
from mesh_assets.words.portal import PortalOpen, PortalSettings, Role

if TYPE_CHECKING:
    from mesh_assets.capabilities.registry import Registry
    from mesh_assets.words.settings import Settings

#: Connections at once, fields of a query.
CONNECTIONS, MOST_FIELDS = 256, 60
SIGNING_IN = "mesh_signing_in"
SIGNING_IN_SECONDS = 600
#: Seconds after which whoever came while the mesh is first read asks again.
AGAIN = 1
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True)
class Portal:
    """What routes work with."""

    site: Site
    signer: Signer
    provider: Provider | None

    @property
    def settings(self) -> PortalSettings:
        return self.site.setting.portal


def make_site(
    settings: Settings,
    portal: PortalSettings,
    registry: Registry,
    *,
    patience: float = PATIENCE,
    static: bool = False,
) -> Site:
    reading = Reading(settings, portal.samples)
    setting = Setting(settings, portal, registry, reading)
    return Site(setting, Shelf(settings, registry, patience), static)


def make_app(site: Site, more: Sequence[forms.Form] = ()) -> Starlette:
    """The whole portal; `more` are forms beyond its own."""
    portal_settings, signer = site.setting.portal, make_signer()
    provider = Provider(portal_settings.openid, portal_settings) if portal_settings.openid else None
    portal = Portal(site, signer, provider)
    routes = [
        Route("/", _page(portal, ("html", "json", "jsonld"), _front)),
        Route("/-/catalog{ending}", _page(portal, ("json", "jsonld"), _front)),
        Route("/-/lineage", _page(portal, ("html", "json"), _lineage)),
        Route("/-/lineage.json", _page(portal, ("json",), _lineage)),
        Route("/-/journeys", _page(portal, ("html", "json"), _journeys)),
        Route("/-/journeys.json", _page(portal, ("json",), _journeys)),
        Route("/-/journeys/{name}", _page(portal, ("html", "json"), _journey)),
        Route(rules.PATH, _page(portal, ("html",), _sheet(rules.page)), methods=["GET"]),
        Route(following.PATH, _page(portal, ("html",), _sheet(following.page)), methods=["GET"]),
        Route("/-/static/{name}", _static(site)),
        Route("/-/health", _health(site)),
        Route("/-/login", _login(portal)),
        Route("/-/callback", _callback(portal)),
        Route("/-/left", _left(portal)),
        *(forms.route(form, site, signer) for form in (*forms.OWN, rules.FORM, following.FORM, *more)),
        Route("/{rest:path}", _page(portal, (), _thing)),
    ]
    app = Starlette(routes=routes, exception_handlers=_problems(portal))
    app.add_middleware(Guard, portal=portal_settings, signer=signer)
    return app


Query = Mapping[str, Sequence[str]]
Maker = Callable[[Portal, Request, str, Query], Answer]


def _page(portal: Portal, offered: tuple[str, ...], make: Maker) -> Callable[[Request], Response]:
    """A route: which form is wanted, the page, its headers; nothing where a browser has it already."""

    def answer(request: Request) -> Response:
        form = _form(request, offered)
        made = make(portal, request, form, _query(request))
        body = made.body.encode("utf-8", "replace")
        tag = '"' + hashlib.blake2b(body, digest_size=12).hexdigest() + '"'
        headers = {"etag": tag, "vary": "Accept, Cookie"}
        if made.status == 200 and tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(body, made.status, headers, media_type=made.media)

    return answer


def _form(request: Request, offered: tuple[str, ...]) -> str:
    path = request.scope["path"]
    if offered:
        asked = path.rpartition(".")[2] if path.startswith("/-/") else ""
        if path.startswith("/-/catalog") and asked not in offered:
            raise NoSuchPage("There is no document of that kind.")
        if asked in offered:
            return asked
    else:
        address = read_address(path)
        if address is not None and address.form:
            return address.form
        offered = ("html", "json", "yaml", "jsonld", "openlineage")
    form = wanted_form(request.headers.get("accept", ""), offered)
    if form is None:
        kinds = ", ".join(MEDIA[each].partition(";")[0] for each in offered)
        raise HTTPException(406, f"This is there as {kinds}.")
    return form


def _query(request: Request) -> Query:
    text = request.scope.get("query_string", b"").decode("latin-1")
    try:
        return parse_qs(text, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise HTTPException(400, "The address has too many fields.") from None


def _guest(portal: Portal, request: Request) -> Guest:
    visitor = request.state.visitor
    if visitor is None:
        return Guest()
    token = forms.new_token(request, portal.signer) if visitor.session else ""
    return Guest(visitor.name, visitor.role, token, visitor.session)


def _front(portal: Portal, request: Request, form: str, query: Query) -> Answer:
    return portal.site.front(query, form, _guest(portal, request))


def _lineage(portal: Portal, request: Request, form: str, query: Query) -> Answer:
    return portal.site.lineage(query, form, _guest(portal, request))


def _journeys(portal: Portal, request: Request, form: str, _: Query) -> Answer:
    return portal.site.journeys(form, _guest(portal, request))


def _journey(portal: Portal, request: Request, form: str, _: Query) -> Answer:
    name = request.path_params["name"].removesuffix(".json")
    return portal.site.journey(name, form, _guest(portal, request))


def _sheet(page: Callable[[Site, ProductName, Query, Guest], Answer]) -> Maker:
    """A page with forms; who may send them is decided again when they come."""

    def make(portal: Portal, request: Request, form: str, query: Query) -> Answer:
        name = ProductName(request.path_params["domain"], request.path_params["product"])
        visitor = request.state.visitor
        role = role_for(visitor, portal.site.shelf.catalog(), name.domain, name.product)
        guest = Guest(visitor.name, role, forms.new_token(request, portal.signer), visitor.session)
        return page(portal.site, name, query, guest)

    return make


def _thing(portal: Portal, request: Request, form: str, _: Query) -> Answer:
    address = read_address(request.scope["path"])
    if address is None:
        raise NoSuchPage(
            "Addresses are /domain/product, with /what, /where, /when, /with or /how behind them."
        )
    return portal.site.page(address, form, _guest(portal, request))


def _told(
    portal: Portal, request: Request, status: int, title: str, text: str, near: Sequence[str] = ()
) -> Response:
    """To a person as a page, to a program as JSON."""
    form = wanted_form(request.headers.get("accept", ""), ("html", "json")) or "json"
    address = read_address(request.scope["path"])
    if form == "json" or (address is not None and address.form not in ("", "html")):
        return JSONResponse({"error": text, "near": list(near)}, status)
    made = portal.site.told(status, title, text, _guest(portal, request), near)
    return Response(made.body.encode("utf-8", "replace"), status, media_type=made.media)


def _soon(portal: Portal, request: Request, error: StillReading) -> Response:
    """How far the first reading is; browsers ask again by themselves, programs know when to."""
    told = _told(portal, request, 503, "A moment", str(error))
    told.headers["retry-after"] = told.headers["refresh"] = str(AGAIN)
    return told


def _problems(portal: Portal) -> dict[Any, Callable[[Request, Any], Any]]:
    """What pages and forms may raise, and what is said of it."""

    def missing(request: Request, error: NoSuchPage) -> Response:
        return _told(portal, request, 404, "Nothing here", str(error), error.near)

    def wrong(request: Request, error: MeshError) -> Response:
        return _told(portal, request, 409, "This cannot be shown", str(error))

    return {
        NoSuchPage: missing,
        StillReading: lambda request, error: _soon(portal, request, error),
        MeshError: wrong,
        HTTPException: _refused(portal),
        Exception: _broken,
    }


def _refused(portal: Portal) -> Callable[[Request, Exception], Response]:
    def tell(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        titles = {404: "Nothing here", 403: "Not allowed", 405: "Not so", 406: "No such form"}
        if not hasattr(request.state, "visitor"):
            return PlainTextResponse(f"{error.detail}\n", error.status_code)
        return _told(
            portal, request, error.status_code, titles.get(error.status_code, "Refused"), error.detail
        )

    return tell


async def _broken(_: Request, error: Exception) -> Response:
    return PlainTextResponse(f"The portal could not answer ({type(error).__name__}).\n", 500)


def _static(site: Site) -> Callable[[Request], Response]:
    def send(request: Request) -> Response:
        name = request.path_params["name"]
        body = site.files.get(name)
        if body is None:
            raise HTTPException(404, "There is no such file.")
        keep = "public, max-age=31536000, immutable" if request.url.query == site.mark else "no-cache"
        return Response(body, media_type=TYPES[name.rpartition(".")[2]], headers={"cache-control": keep})

    return send


def _health(site: Site) -> Callable[[Request], Response]:
    def look(_: Request) -> Response:
        try:
            site.setting.registry.pulse()
        except Exception:
            return JSONResponse({"status": "the registry does not answer"}, 503)
        return JSONResponse({"status": "ok"})

    return look


def _login(portal: Portal) -> Callable[[Request], Response]:
    def begin(request: Request) -> Response:
        if portal.provider is None:
            raise HTTPException(404, "Nobody signs in here.")
        try:
            started = portal.provider.start()
        except SignInFailed as error:
            return _told(portal, request, 502, "No way in", str(error))
        to = (_query(request).get("to") or ["/"])[0]
        facts = {
            "state": started.state,
            "nonce": started.nonce,
            "verifier": started.verifier,
            "to": _ours(to),
        }
        answer = RedirectResponse(started.url, 303)
        _cookie(portal, answer, SIGNING_IN, portal.signer.seal(facts, SIGNING_IN_SECONDS), SIGNING_IN_SECONDS)
        return answer

    return begin


def _ours(to: str) -> str:
    """A path of this portal: not another site's, however it is spelled."""
    plain = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() and "\\" not in to
    return to if plain and len(to) < 1_000 else "/"


def _callback(portal: Portal) -> Callable[[Request], Response]:
    def end(request: Request) -> Response:
        if portal.provider is None:
            raise HTTPException(404, "Nobody signs in here.")
        query = _query(request)
        known = portal.signer.open(request.cookies.get(SIGNING_IN, ""))
        state, code = ((query.get(name) or [""])[0] for name in ("state", "code"))
        if not known or not code or state != known.get("state"):
            return _told(portal, request, 400, "No way in", "That sign-in is not the one that began here.")
        try:
            name = portal.provider.finish(code, known["verifier"], known["nonce"])
        except SignInFailed as error:
            return _told(portal, request, 403, "No way in", str(error))
        answer = RedirectResponse(prefix_of(portal.settings) + known["to"], 303)
        sealed = portal.signer.seal({"kind": "session", "name": name}, SESSION_SECONDS)
        _cookie(portal, answer, SESSION, sealed, SESSION_SECONDS)
        answer.delete_cookie(SIGNING_IN, path="/")
        return answer

    return end


def _cookie(portal: Portal, answer: Response, name: str, value: str, seconds: int) -> None:
    secure = portal.settings.url.startswith("https://")
    # Lax: the provider sends the person back from its own site.
    answer.set_cookie(name, value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=secure)


def _left(portal: Portal) -> Callable[[Request], Response]:
    def tell(request: Request) -> Response:
        return _told(portal, request, 200, "Signed out", "Your session here has ended.", ("/",))

    return tell


def check_open(portal: PortalSettings, host: str) -> None:
    """Raise PortalOpen for an address that others reach, where nobody has to say who they are."""
    if host not in LOOPBACK and not portal.login:
        raise PortalOpen(host=host)
    if portal.openid:
        check_installed()


def serve(site: Site, *, host: str, port: int) -> None:
    """Show the mesh until somebody stops it."""
    import uvicorn

    check_open(site.setting.portal, host)
    # Not a daemon: an interpreter that ends under a thread which is inside DuckDB aborts.
    warming = threading.Thread(target=_warm, args=(site,))
    warming.start()
    try:
        uvicorn.run(
            make_app(site),
            host=host,
            port=port,
            access_log=False,
            log_level="warning",
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=10,
            server_header=False,
            # The peer is the peer: who is believed is decided by MESH_PORTAL_PROXIES alone.
            proxy_headers=False,
        )
    finally:
        warming.join()
        site.setting.reading.close()


def _warm(site: Site) -> None:
    # What is wrong is told by the page that meets it; nobody waits here.
    with suppress(Exception):
        open_to_all = not site.setting.portal.login
        site.warm(Guest(LOCAL, Role.ADMIN) if open_to_all else Guest())
        # Most of what lives here is contracts, for good: a collector that walks them all holds a page up by
        # 130 ms at 1,000 products.
        gc.collect()
        gc.freeze()


__all__ = ["QUESTIONS", "check_open", "make_app", "make_site", "serve"]
