"""What people send: forms, each with the role that it needs, behind a token that no other site can know.

Here: reading a body, the token, who may. Not here: what a form does (its own module, which adds a `Form`).

A form is added with `Form("/-/path", take, role)` in the list that `make_app` gets. Its page has, inside the
form, `<input type="hidden" name="token" value="{{ guest.token }}">`.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from mesh_assets.capabilities.portal.access import SESSION, Signer, Visitor, may, role_for
from mesh_assets.words.portal import Role

if TYPE_CHECKING:
    from mesh_assets.capabilities.portal.site import Site

COOKIE = "mesh_token"
TOKEN = "token"  # noqa: S105 - a field's name
LARGEST, MOST_FIELDS = 200_000, 400
URLENCODED = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Sent:
    """A form that came in from somebody who may send it."""

    site: Site
    visitor: Visitor
    role: Role
    fields: Mapping[str, Sequence[str]]
    #: Of the route: domain, product.
    path: Mapping[str, str]

    def one(self, name: str, default: str = "") -> str:
        return (self.fields.get(name) or [default])[0]


@dataclass(frozen=True)
class Form:
    """Where it is sent, what takes it (in a thread of its own), and who may send it.

    `{domain}` and `{product}` in the path decide whose owners may.
    """

    path: str
    take: Callable[[Sent], Response]
    role: Role = Role.READER


def route(form: Form, site: Site, signer: Signer) -> Route:
    async def receive(request: Request) -> Response:
        visitor: Visitor = request.state.visitor
        fields = await read_fields(request)
        check_token(request, signer, visitor, (fields.get(TOKEN) or [""])[0])
        sent = await run_in_threadpool(_sent, form, site, request, fields)
        return await run_in_threadpool(form.take, sent)

    return Route(form.path, receive, methods=["POST"])


def _sent(form: Form, site: Site, request: Request, fields: Mapping[str, Sequence[str]]) -> Sent:
    visitor: Visitor = request.state.visitor
    domain, product = request.path_params.get("domain", ""), request.path_params.get("product", "")
    role = role_for(visitor, site.shelf.read(), domain, product) if domain else visitor.role
    if not may(role, form.role):
        raise HTTPException(403, f"This is for {form.role}s; you are a {role} here.")
    return Sent(site, visitor, role, fields, dict(request.path_params))


async def read_fields(request: Request) -> dict[str, list[str]]:
    """The fields of a plain form; refused if it is another kind of body, or too long."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != URLENCODED:
        raise HTTPException(415, f"Send a form ({URLENCODED}).")
    parts, length = [], 0
    try:
        async for part in request.stream():
            length += len(part)
            if length > LARGEST:
                raise HTTPException(413, f"A form has at most {LARGEST:,} bytes.")
            parts.append(part)
    except ClientDisconnect:
        raise HTTPException(400, "The form did not come to its end.") from None
    try:
        text = b"".join(parts).decode("ascii")
        return parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except (UnicodeDecodeError, ValueError):
        raise HTTPException(400, "The form cannot be read.") from None


def new_token(request: Request, signer: Signer) -> str:
    """The token for this browser and person; the cookie it goes with is set by the answer if it is new."""
    cookie = request.cookies.get(COOKIE, "")
    if len(cookie) != 43 or not cookie.isascii():
        cookie = getattr(request.state, "new_cookie", "") or secrets.token_urlsafe(32)
        request.state.new_cookie = cookie
    return signer.sign(f"form {cookie} {request.state.visitor.name}")


def check_token(request: Request, signer: Signer, visitor: Visitor, given: str) -> None:
    """Raise unless this portal made the form, for this browser and person, and it comes from its page."""
    if not _comes_from_here(request):
        raise HTTPException(403, "The form comes from another site.")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403, "The form comes from another site.")
    cookie = request.cookies.get(COOKIE, "")
    right = signer.sign(f"form {cookie} {visitor.name}")
    if not cookie or not secrets.compare_digest(given.encode(), right.encode()):
        raise HTTPException(403, "The form is too old. Go back, reload the page and send it again.")


def _comes_from_here(request: Request) -> bool:
    origin = request.headers.get("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    except ValueError:
        return False


def leave(sent: Sent) -> Response:
    """End a session of ours."""
    from mesh_assets.capabilities.portal.view import prefix_of

    answer = RedirectResponse(prefix_of(sent.site.setting.portal) + "/-/left", 303)
    answer.delete_cookie(SESSION, path="/", httponly=True, samesite="lax")
    return answer


#: What the portal itself takes; others bring theirs to `make_app`.
OWN = (Form("/-/leave", leave),)

Endpoint = Callable[[Request], Awaitable[Response]]
