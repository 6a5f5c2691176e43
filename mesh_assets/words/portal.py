"""The portal's settings and words: where it is, who may come in, what may go wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from mesh_assets.words.errors import SettingMalformed, YourCode, YourData

PORTAL_PORT = 3010
PORTAL_URL = f"http://127.0.0.1:{PORTAL_PORT}"
DAGSTER_URL = "http://127.0.0.1:3000"


class PortalOpen(YourCode):
    template = (
        "The portal would be open to everybody who reaches {host}: it has no login, so it listens on this "
        "machine only. Put it behind a proxy that signs people in (MESH_PORTAL_IDENTITY_HEADER), or name an "
        "OpenID provider (MESH_OIDC_ISSUER); docs/portal.md has both"
    )


class PortTaken(YourData):
    template = (
        "Port {port} is taken. Stop what listens there, or choose another one: {command} --port {other}"
    )


class ExportExists(YourData):
    template = (
        "{folder} has files that are no export of a portal; write to an empty folder, or to the one of an "
        "earlier export"
    )


class ExportNowhere(YourData):
    template = (
        "{folder} cannot be a folder for a site ({problem}); name one that can be made, or that is there"
    )


class ContractMoved(YourData):
    template = "{file} was changed since this page was made. Reload the page, and make the change again"


class NothingKept(YourCode):
    def __init__(self, *, why: str = "MESH_PORTAL_SAVES is off here") -> None:
        super().__init__(why=why)

    template = (
        "The contract is as it was: {why}. MESH_PORTAL_SAVES=kitchen keeps changes in a kitchen, "
        "MESH_PORTAL_SAVES=tree writes them into the working tree"
    )


class Saves(StrEnum):
    """Where a contract goes that was changed in the portal."""

    KITCHEN = "kitchen"
    TREE = "tree"
    OFF = "off"


class Role(StrEnum):
    """What somebody may do; each may what the one before may."""

    READER = "reader"
    OWNER = "owner"
    ADMIN = "admin"


@dataclass(frozen=True)
class OpenId:
    """An OpenID provider. The secret is in the environment, and read when it is sent."""

    issuer: str
    client: str
    #: The claim that is somebody's name.
    claim: str = "email"


@dataclass(frozen=True)
class PortalSettings:
    """What a deployment decides of its portal; no secret in it."""

    #: MESH_PORTAL_URL: what people type, and what documents and Dagster's assets link to.
    url: str = PORTAL_URL
    #: MESH_DAGSTER_URL: what the portal's links to assets, runs and checks begin with.
    dagster: str = DAGSTER_URL
    #: MESH_PORTAL_IDENTITY_HEADER: the header in which a proxy says who it is.
    header: str = ""
    #: MESH_PORTAL_PROXIES: addresses from which that header is believed.
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    #: MESH_PORTAL_ADMINS: names who may everything.
    admins: tuple[str, ...] = ()
    #: MESH_PORTAL_SAMPLES=off: no page shows rows.
    samples: bool = True
    #: MESH_FOLLOW_HOSTS: hosts that followers' webhooks may be at; with a login none but these.
    follow_hosts: tuple[str, ...] = ()
    #: MESH_PORTAL_SAVES: where rules that are changed by form are kept.
    saves: Saves = Saves.KITCHEN
    #: MESH_OIDC_ISSUER, MESH_OIDC_CLIENT_ID, MESH_OIDC_CLAIM.
    openid: OpenId | None = None
    #: Hosts that a request may be for, beside this machine's own names and that of `url`.
    hosts: frozenset[str] = field(default_factory=frozenset)

    @property
    def login(self) -> bool:
        return bool(self.header or self.openid)


def read_portal_settings(environ: Mapping[str, str] | None = None) -> PortalSettings:
    """The portal's settings from the environment, with defaults for one person on one machine."""
    env = os.environ if environ is None else environ
    proxies = _words(env, "MESH_PORTAL_PROXIES") or ("127.0.0.1", "::1")
    for each in proxies:
        _check_address(each)
    header = env.get("MESH_PORTAL_IDENTITY_HEADER", "").strip()
    if header and not header.replace("-", "").isalnum():
        told = "write the name of a header, as X-Forwarded-Email"
        raise SettingMalformed(setting="MESH_PORTAL_IDENTITY_HEADER", value=header, problem=told)
    found = PortalSettings(
        url=_url(env, "MESH_PORTAL_URL", PORTAL_URL),
        dagster=_url(env, "MESH_DAGSTER_URL", DAGSTER_URL),
        header=header,
        proxies=proxies,
        admins=_words(env, "MESH_PORTAL_ADMINS"),
        samples=_switch(env, "MESH_PORTAL_SAMPLES"),
        follow_hosts=tuple(each.lower() for each in _words(env, "MESH_FOLLOW_HOSTS")),
        saves=_saves(env),
        openid=_openid(env),
    )
    if found.header and found.openid:
        told = "people come in by one door: set this, or MESH_OIDC_ISSUER"
        raise SettingMalformed(setting="MESH_PORTAL_IDENTITY_HEADER", value=header, problem=told)
    return found


def secret(name: str, environ: Mapping[str, str] | None = None) -> str:
    """The value of NAME, or of the file that NAME_FILE names; "" if neither is set."""
    env = os.environ if environ is None else environ
    if env.get(name):
        return env[name].strip()
    file = env.get(f"{name}_FILE")
    if not file:
        return ""
    try:
        return Path(file).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        told = f"it cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}"
        raise SettingMalformed(setting=f"{name}_FILE", value=file, problem=told) from None


def _openid(env: Mapping[str, str]) -> OpenId | None:
    if not env.get("MESH_OIDC_ISSUER"):
        return None
    issuer = _url(env, "MESH_OIDC_ISSUER", "")
    if not env.get("MESH_OIDC_CLIENT_ID"):
        told = "the provider knows the portal by a name: set it as well"
        raise SettingMalformed(setting="MESH_OIDC_CLIENT_ID", value="", problem=told)
    local = urlsplit(issuer).hostname in ("127.0.0.1", "localhost", "::1")
    if not issuer.startswith("https://") and not local:
        told = "keys and names come from there: write https://"
        raise SettingMalformed(setting="MESH_OIDC_ISSUER", value=issuer, problem=told)
    return OpenId(issuer, env["MESH_OIDC_CLIENT_ID"], env.get("MESH_OIDC_CLAIM") or "email")


def _words(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(word for word in (part.strip() for part in env.get(name, "").split(",")) if word)


def _check_address(text: str) -> None:
    try:
        ip_address(text)
    except ValueError:
        told = "write addresses as 10.0.0.7, with commas between them"
        raise SettingMalformed(setting="MESH_PORTAL_PROXIES", value=text, problem=told) from None


def _url(env: Mapping[str, str], name: str, default: str) -> str:
    value = (env.get(name) or default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        shown = value if not parts.username else "(an address with a name in it)"
        told = "write http://host:port or https://host/path"
        raise SettingMalformed(setting=name, value=shown, problem=told)
    return value


def _switch(env: Mapping[str, str], name: str) -> bool:
    value = env.get(name, "on").strip().lower()
    if value not in ("on", "off"):
        raise SettingMalformed(setting=name, value=value, problem="write on or off")
    return value == "on"


def _saves(env: Mapping[str, str]) -> Saves:
    value = (env.get("MESH_PORTAL_SAVES") or Saves.KITCHEN).strip().lower()
    if value not in list(Saves):
        told = f"write one of {', '.join(Saves)}"
        raise SettingMalformed(setting="MESH_PORTAL_SAVES", value=value, problem=told)
    return Saves(value)
