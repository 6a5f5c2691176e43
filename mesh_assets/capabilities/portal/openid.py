"""Signing in with an OpenID provider: OpenID Connect Core 1.0, the authorization code flow, with PKCE.

The provider's answers are believed as far as its signature reaches: the id token is verified against its
keys, for this issuer, this client, this sign-in's nonce and this moment. Needs the extra `oidc` (joserfc).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from mesh_assets.words.errors import SettingMalformed
from mesh_assets.words.portal import OpenId, PortalSettings, secret

SECONDS = 10
LARGEST = 1_000_000
KEPT = 600
#: Seconds by which clocks may differ.
LEEWAY = 60
#: Signatures that a provider makes with a key that only it has.
ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
]


class SignInFailed(Exception):
    """Told to the person in one sentence; nothing of the provider's answer is in it."""


@dataclass(frozen=True)
class Started:
    """A sign-in under way: where to send the person, and what their browser keeps until they are back."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass
class Provider:
    """What is known of the provider, asked for again after a while."""

    openid: OpenId
    portal: PortalSettings
    _facts: dict[str, Any] = field(default_factory=dict)
    _keys: Any = None
    _until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def callback(self) -> str:
        return f"{self.portal.url}/-/callback"

    def start(self) -> Started:
        self._ask()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        query = urllib.parse.urlencode(
            {
                "response_type": "code",
                "client_id": self.openid.client,
                "redirect_uri": self.callback,
                "scope": "openid email profile",
                "state": state,
                "nonce": nonce,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        end = str(self._facts["authorization_endpoint"])
        return Started(f"{end}{'&' if '?' in end else '?'}{query}", state, nonce, verifier)

    def finish(self, code: str, verifier: str, nonce: str) -> str:
        """The name of whoever the code is for."""
        self._ask()
        answer = self._token(code, verifier)
        claims = self._claims(str(answer.get("id_token", "")), nonce)
        name = claims.get(self.openid.claim)
        if not isinstance(name, str) or not name:
            raise SignInFailed(f"The provider says nothing of {self.openid.claim!r}.")
        if self.openid.claim == "email" and claims.get("email_verified") is False:
            raise SignInFailed("The provider has not verified that address.")
        return name

    def _ask(self) -> None:
        """Where the provider's endpoints are, and its keys."""
        with self._lock:
            if self._until > time.monotonic():
                return
            from joserfc.jwk import KeySet

            facts = _get(f"{self.openid.issuer}/.well-known/openid-configuration")
            if str(facts.get("issuer", "")).rstrip("/") != self.openid.issuer:
                raise SignInFailed("The provider calls itself by another name than MESH_OIDC_ISSUER.")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not str(facts.get(name, "")).startswith(
                    ("https://", "http://127.0.0.1", "http://localhost")
                ):
                    raise SignInFailed(f"The provider's {name} is no https address.")
            self._keys = KeySet.import_key_set(_get(str(facts["jwks_uri"])))  # type: ignore[arg-type]
            self._facts, self._until = facts, time.monotonic() + KEPT

    def _token(self, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback,
            "client_id": self.openid.client,
            "code_verifier": verifier,
        }
        headers = {"Accept": "application/json"}
        if password := secret("MESH_OIDC_CLIENT_SECRET"):
            pair = (
                f"{urllib.parse.quote(self.openid.client, safe='')}:{urllib.parse.quote(password, safe='')}"
            )
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return _get(str(self._facts["token_endpoint"]), urllib.parse.urlencode(form).encode(), headers)

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            found = jwt.decode(token, self._keys, algorithms=ALGORITHMS)
            checks = jwt.JWTClaimsRegistry(
                leeway=LEEWAY,
                iss={"essential": True, "value": str(self._facts["issuer"])},
                aud={"essential": True, "value": self.openid.client},
                exp={"essential": True},
                nonce={"essential": True, "value": nonce},
            )
            checks.validate(found.claims)
        except (JoseError, ValueError):
            self._until = 0.0  # its keys may have changed
            raise SignInFailed("The provider's answer is not signed as it should be.") from None
        claims = dict(found.claims)
        if isinstance(claims.get("aud"), list) and claims.get("azp") not in (None, self.openid.client):
            raise SignInFailed("The provider's answer is for somebody else.")
        return claims


def _get(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    request = urllib.request.Request(url, body, headers or {})  # noqa: S310 - checked by whoever calls
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - as above
            found = json.loads(answer.read(LARGEST))
    except (OSError, ValueError, urllib.error.URLError):
        raise SignInFailed("The provider does not answer as it should.") from None
    if not isinstance(found, dict):
        raise SignInFailed("The provider does not answer as it should.")
    return found


def check_installed() -> None:
    """Raise SettingMalformed if the library is missing that reads the provider's signatures."""
    try:
        import joserfc  # noqa: F401
    except ImportError:
        told = "it needs the extra: pip install 'mesh-assets[oidc]'"
        raise SettingMalformed(setting="MESH_OIDC_ISSUER", value="(set)", problem=told) from None
