"""Who is looking: anybody on this machine, whom a proxy names, or whom an OpenID provider signed in.

Here: names, roles, signed cookies. Not here: talking with a provider (openid), forms (forms).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mesh_assets.words.portal import PortalSettings, Role, secret

if TYPE_CHECKING:
    from starlette.requests import Request

    from mesh_assets.capabilities.portal.catalog import Catalog

SESSION = "mesh_session"
SESSION_SECONDS = 12 * 3600
LONGEST_NAME = 200
LOCAL = "on this machine"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Visitor:
    """Somebody, and what they may do anywhere; owners of a domain may more there (`role_for`)."""

    name: str
    role: Role = Role.READER
    #: Came in by a session of ours, which they may end.
    session: bool = False


@dataclass(frozen=True)
class Signer:
    """Cookies that only this portal can have written."""

    key: bytes = field(repr=False)

    def seal(self, facts: Mapping[str, Any], seconds: int) -> str:
        body = json.dumps({**facts, "until": int(time.time()) + seconds}).encode()
        text = base64.urlsafe_b64encode(body).decode().rstrip("=")
        return f"{text}.{self.sign(text)}"

    def open(self, sealed: str) -> dict[str, Any] | None:
        """The facts; None for what was changed, is too old or is none of ours."""
        text, _, signature = sealed.rpartition(".")
        if not text or len(sealed) > 8_000 or not hmac.compare_digest(signature, self.sign(text)):
            return None
        try:
            facts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except ValueError:
            return None
        return facts if isinstance(facts, dict) and facts.get("until", 0) >= time.time() else None

    def sign(self, text: str) -> str:
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()


def make_signer() -> Signer:
    """With MESH_PORTAL_SECRET sessions outlive a restart, and several processes share them."""
    written = secret("MESH_PORTAL_SECRET")
    return Signer(hashlib.sha256(written.encode()).digest() if written else secrets.token_bytes(32))


def visitor_of(request: Request, portal: PortalSettings, signer: Signer) -> Visitor | None:
    """Who asks; None for somebody who has to sign in first."""
    if not portal.login:
        return Visitor(LOCAL, Role.ADMIN)
    if portal.header:
        peer = request.client.host if request.client else ""
        given = request.headers.getlist(portal.header)
        # Twice is a proxy that passed on what somebody else wrote.
        if peer not in portal.proxies or len(given) != 1:
            return None
        return _named(given[0], portal)
    facts = signer.open(request.cookies.get(SESSION, ""))
    found = _named(str(facts["name"]), portal) if facts and facts.get("kind") == "session" else None
    return Visitor(found.name, found.role, session=True) if found else None


def _named(name: str, portal: PortalSettings) -> Visitor | None:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return None
    return Visitor(name, Role.ADMIN if name in portal.admins else Role.READER)


def role_for(visitor: Visitor, catalog: Catalog, domain: str, product: str = "") -> Role:
    """What somebody may do with a domain or a product: its owners are named in domain.yaml and contracts."""
    if visitor.role is Role.ADMIN:
        return Role.ADMIN
    owners = set(_owners(catalog, domain, product))
    return Role.OWNER if visitor.name in owners else visitor.role


def _owners(catalog: Catalog, domain: str, product: str) -> Iterable[str]:
    found = catalog.mesh.domains.get(domain)
    if found is None:
        return
    yield from (each.name for each in found.domain.owners if each.role == "owner")
    for asset in found.assets:
        if asset.name.product == product and asset.contract is not None:
            yield from (each.name for each in asset.contract.owners if each.role == "owner")


def may(role: Role, needed: Role) -> bool:
    order = list(Role)
    return order.index(role) >= order.index(needed)
