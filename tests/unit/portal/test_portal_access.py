"""Promises of the door: who may come in, what a browser is told, and that no other site can send a form."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.responses import JSONResponse, Response

from mesh_assets.capabilities.portal.access import Signer
from mesh_assets.capabilities.portal.app import check_open
from mesh_assets.capabilities.portal.forms import Form, Sent
from mesh_assets.words.errors import SettingMalformed
from mesh_assets.words.portal import PortalOpen, Role, read_portal_settings
from tests.portal import HTML, Shown, shown
from tests.shop import Shop

HEADER = {"MESH_PORTAL_IDENTITY_HEADER": "X-Forwarded-Email", "MESH_PORTAL_ADMINS": "boss@example.com"}


def test_answers_tell_browsers_to_be_careful(portal: Shown) -> None:
    for path in ("/", "/shop/orders", "/nope", "/-/static/portal.css", "/shop.json"):
        headers = portal.client.get(path, headers=HTML).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_pages_have_no_script_or_style_inside(portal: Shown) -> None:
    for path in ("/", "/?q=shop", "/shop/orders", "/shop/orders/when", "/shop/orders/with", "/-/lineage"):
        text = portal.page(path)
        assert re.findall(r"<script(?![^>]* src=)", text) == []
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", text) == []


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "a@b", "evil.example:3010"]
)
def test_a_name_that_is_not_the_portals_gets_nothing(portal: Shown, host: str) -> None:
    assert portal.client.get("/", headers={"host": host}).status_code == 400


def test_without_a_login_nobody_listens_elsewhere() -> None:
    with pytest.raises(PortalOpen, match="has no login"):
        check_open(read_portal_settings({}), "0.0.0.0")

    check_open(read_portal_settings({}), "127.0.0.1")
    check_open(read_portal_settings(HEADER), "0.0.0.0")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("MESH_PORTAL_URL", "ftp://x"),
        ("MESH_PORTAL_URL", "http://user:secret@x"),
        ("MESH_PORTAL_PROXIES", "not-an-address"),
        ("MESH_PORTAL_SAMPLES", "perhaps"),
        ("MESH_PORTAL_IDENTITY_HEADER", "X Y"),
        ("MESH_OIDC_ISSUER", "http://login.example"),
        ("MESH_OIDC_ISSUER", "https://login.example"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_without_its_secret(setting: str, value: str) -> None:
    with pytest.raises(SettingMalformed) as error:
        read_portal_settings({setting: value})

    assert "secret" not in str(error.value)


def test_a_proxys_word_counts_only_from_the_proxy(past: Shop) -> None:
    settings = read_portal_settings(HEADER)
    ada = {"X-Forwarded-Email": "ada@example.com", **HTML}
    with shown(past, settings) as near:
        assert near.client.get("/", headers=HTML).status_code == 401
        assert "ada@example.com" in near.client.get("/", headers=ada).text
        twice = [("X-Forwarded-Email", "ada@example.com"), ("X-Forwarded-Email", "boss@example.com")]
        assert near.client.get("/", headers=twice).status_code == 401
        assert near.client.get("/-/health").status_code == 200
        assert near.client.get("/-/static/portal.css").status_code == 200
    with shown(past, settings, peer="10.9.8.7") as far:
        assert far.client.get("/", headers=ada).status_code == 401


def _take(sent: Sent) -> Response:
    return JSONResponse({"role": sent.role, "note": sent.one("note")})


FORMS = (Form("/-/try/{domain}", _take, Role.OWNER), Form("/-/anybody", _take))


def _token(portal: Shown, name: str) -> dict[str, Any]:
    """A token as a page of this person would have it."""
    cookie = "c" * 43
    signer: Signer = portal.client.app.user_middleware[0].kwargs["signer"]  # type: ignore[attr-defined]
    portal.client.cookies.set("mesh_token", cookie)
    return {"token": signer.sign(f"form {cookie} {name}"), "note": "hello"}


def test_a_form_needs_its_token_its_person_and_its_site(past: Shop) -> None:
    with shown(past, read_portal_settings(HEADER), FORMS) as portal:
        ada = {"X-Forwarded-Email": "ada@example.com"}
        good = _token(portal, "ada@example.com")

        assert portal.client.post("/-/anybody", data=good, headers=ada).json()["note"] == "hello"
        for bad in ({**good, "token": ""}, {**good, "token": "0" * 64}, {"note": "hello"}):
            assert portal.client.post("/-/anybody", data=bad, headers=ada).status_code == 403
        bob = {"X-Forwarded-Email": "bob@example.com"}
        assert portal.client.post("/-/anybody", data=good, headers=bob).status_code == 403
        for more in (
            {"origin": "https://evil.example"}, {"origin": "http://[::1"}, {"sec-fetch-site": "cross-site"},
        ):  # fmt: skip
            assert portal.client.post("/-/anybody", data=good, headers={**ada, **more}).status_code == 403
        assert portal.client.post("/-/anybody", json=good, headers=ada).status_code == 415
        huge = {**good, "note": "x" * 300_000}
        assert portal.client.post("/-/anybody", data=huge, headers=ada).status_code == 413


def test_owners_may_what_is_theirs_and_admins_everything(past: Shop) -> None:
    with shown(past, read_portal_settings(HEADER), FORMS) as portal:

        def sent(name: str) -> Response:
            headers = {"X-Forwarded-Email": name}
            return portal.client.post("/-/try/shop", data=_token(portal, name), headers=headers)  # type: ignore[return-value]

        assert sent("ada@example.com").status_code == 403
        assert json.loads(bytes(sent("owner@example.com").content))["role"] == "owner"  # type: ignore[attr-defined]
        assert json.loads(bytes(sent("boss@example.com").content))["role"] == "admin"  # type: ignore[attr-defined]


class Provider(BaseHTTPRequestHandler):
    """A small OpenID provider: real keys and signatures, and what a test wants to be wrong with them."""

    server: Any

    def do_GET(self) -> None:
        here = self.server.here
        documents = {
            "/.well-known/openid-configuration": {
                "issuer": here,
                "authorization_endpoint": f"{here}/authorize",
                "token_endpoint": f"{here}/token",
                "jwks_uri": f"{here}/keys",
            },
            "/keys": {"keys": [self.server.key.as_dict(private=False)]},
        }
        self._send(documents[self.path])

    def do_POST(self) -> None:
        from joserfc import jwt

        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        challenge = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        assert (
            base64.urlsafe_b64encode(challenge).decode().rstrip("=") == self.server.asked["code_challenge"][0]
        )
        claims = {
            "iss": self.server.here,
            "aud": "portal",
            "exp": 4_000_000_000,
            "nonce": self.server.asked["nonce"][0],
            "email": "ada@example.com",
            **self.server.changed,
        }
        key = self.server.other if self.server.forged else self.server.key
        self._send({"id_token": jwt.encode({"alg": "RS256", "kid": "k"}, claims, key)})

    def _send(self, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture(scope="module")
def provider() -> Iterator[Any]:
    from joserfc.jwk import RSAKey

    server: Any = HTTPServer(("127.0.0.1", 0), Provider)
    server.here = f"http://127.0.0.1:{server.server_address[1]}"
    server.key, server.other = (RSAKey.generate_key(2048, {"kid": "k", "alg": "RS256"}) for _ in range(2))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _sign_in(portal: Shown, provider: Any, **changed: Any) -> Any:
    provider.forged, provider.changed = changed.pop("forged", False), changed
    portal.client.cookies.clear()
    sent = portal.client.get("/-/login?to=/shop/orders")
    provider.asked = parse_qs(urlsplit(sent.headers["location"]).query)
    return portal.client.get(
        "/-/callback", params={"code": "c", "state": provider.asked["state"][0]}, headers=HTML
    )


def test_signing_in_with_an_openid_provider(past: Shop, provider: Any) -> None:
    settings = read_portal_settings({"MESH_OIDC_ISSUER": provider.here, "MESH_OIDC_CLIENT_ID": "portal"})
    with shown(past, settings) as portal:
        turned_away = portal.client.get("/shop/orders", headers=HTML)
        assert turned_away.headers["location"] == "/-/login?to=/shop/orders"
        assert portal.client.get("/shop.json").status_code == 401

        answer = _sign_in(portal, provider)

        assert (answer.status_code, answer.headers["location"]) == (303, "/shop/orders")
        assert "httponly" in answer.headers["set-cookie"].lower()
        page = portal.client.get("/shop/orders", headers=HTML)
        assert "ada@example.com" in page.text
        token = re.search(r'name="token" value="([0-9a-f]+)"', page.text)
        assert token is not None
        left = portal.client.post("/-/leave", data={"token": token[1]})
        assert left.headers["location"] == "/-/left"
        assert portal.client.get("/shop.json").status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"forged": True},
        {"nonce": "another"},
        {"aud": "somebody-else"},
        {"iss": "https://other.example"},
        {"exp": 1},
        {"email": None},
        {"email_verified": False},
    ],
)
def test_a_provider_is_believed_no_further_than_its_signature(past: Shop, provider: Any, wrong: Any) -> None:
    settings = read_portal_settings({"MESH_OIDC_ISSUER": provider.here, "MESH_OIDC_CLIENT_ID": "portal"})
    with shown(past, settings) as portal:
        assert _sign_in(portal, provider, **wrong).status_code == 403
        assert portal.client.get("/shop.json").status_code == 401


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "/x\r\nSet-Cookie: a"]
)
def test_signing_in_leads_nowhere_else(past: Shop, provider: Any, to: str) -> None:
    settings = read_portal_settings({"MESH_OIDC_ISSUER": provider.here, "MESH_OIDC_CLIENT_ID": "portal"})
    with shown(past, settings) as portal:
        sent = portal.client.get("/-/login", params={"to": to})
        provider.forged, provider.changed = False, {}
        provider.asked = parse_qs(urlsplit(sent.headers["location"]).query)
        answer = portal.client.get("/-/callback", params={"code": "c", "state": provider.asked["state"][0]})
        assert answer.headers["location"] == "/"
        stolen = portal.client.get("/-/callback", params={"code": "c", "state": "another"}, headers=HTML)
        assert stolen.status_code == 400
