"""What stands before every page: which hosts, who, and the headers that tell browsers to be careful."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mesh_assets.capabilities.portal.access import LOOPBACK, Signer, visitor_of
from mesh_assets.capabilities.portal.forms import COOKIE
from mesh_assets.capabilities.portal.view import prefix_of
from mesh_assets.words.portal import PortalSettings

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
#: Pages that anybody may have: what they look like, whether the server lives, the way in and out.
OPEN = ("/-/static/", "/-/health", "/-/login", "/-/callback", "/-/left")
LONGEST_URL = 4_000


@dataclass
class Guard:
    """An ASGI app around another one."""

    app: ASGIApp
    portal: PortalSettings
    signer: Signer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        careful = self._careful(request, send)
        refused = self._refused(request)
        if refused is not None:
            await refused(scope, receive, careful)
            return
        await self.app(scope, receive, careful)

    def _refused(self, request: Request) -> Response | None:
        if not self._host_is_ours(request.headers.getlist("host")):
            return PlainTextResponse("This portal is not called so. Set MESH_PORTAL_URL.\n", 400)
        if (
            len(request.scope.get("raw_path") or b"") + len(request.scope.get("query_string") or b"")
            > LONGEST_URL
        ):
            return PlainTextResponse("The address is too long.\n", 414)
        visitor = visitor_of(request, self.portal, self.signer)
        request.state.visitor = visitor
        path = request.scope["path"]
        if visitor is not None or any(path.startswith(each) for each in OPEN):
            return None
        if (
            self.portal.openid
            and request.method == "GET"
            and "text/html" in request.headers.get("accept", "")
        ):
            target = path + ("?" + request.url.query if request.url.query else "")
            return RedirectResponse(f"{prefix_of(self.portal)}/-/login?to={quote(target, safe='/')}", 303)
        return PlainTextResponse("Sign in first.\n", 401)

    def _host_is_ours(self, given: list[str]) -> bool:
        """One host, and one that is meant: a page of another site that points its name here gets nothing."""
        if len(given) != 1:
            return False
        try:
            host = (urlsplit(f"//{given[0]}").hostname or "").lower()
        except ValueError:
            return False
        ours = {*LOOPBACK, (urlsplit(self.portal.url).hostname or "").lower(), *self.portal.hosts}
        return host in ours

    def _careful(self, request: Request, send: Send) -> Callable[[Message], Awaitable[None]]:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *HEADERS]
                if not any(name.lower() == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"private, no-cache"))
                if fresh := getattr(request.state, "new_cookie", ""):
                    secure = "; Secure" if self.portal.url.startswith("https://") else ""
                    cookie = f"{COOKIE}={fresh}; Path=/; HttpOnly; SameSite=Strict{secure}"
                    headers.append((b"set-cookie", cookie.encode()))
                message = {**message, "headers": headers}
            await send(message)

        return sending
