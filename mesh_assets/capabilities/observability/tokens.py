"""Who may send events: named tokens with scopes, of which only hashes are kept in memory."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mesh_assets.words.errors import SettingMalformed
from mesh_assets.words.events import OWN, NoToken, TokensMalformed

#: `lineage`, `events`, `sources`, and one source: `sources:claims/claim_feed`.
SCOPES = re.compile(r"^(lineage|events|sources|sources:[a-z][a-z0-9_]*/[a-z][a-z0-9_]*)$")
NAME = re.compile(r"^[a-z][a-z0-9_-]{0,40}$")
ALL = ("lineage", "events", "sources")
SHORTEST = 16
#: Requests a second of one sender in the long run, and at once.
RATE, BURST = 50.0, 500.0


@dataclass(frozen=True)
class Sender:
    """Somebody with a token."""

    name: str
    scopes: tuple[str, ...]
    digest: bytes = field(repr=False)

    def may(self, scope: str) -> bool:
        """`sources:claims/claim_feed` is allowed by itself and by `sources`."""
        return scope in self.scopes or scope.partition(":")[0] in self.scopes


def read_senders(environ: Mapping[str, str] | None = None) -> tuple[Sender, ...]:
    """MESH_EVENTS_TOKEN, or the lines of MESH_EVENTS_TOKEN_FILE; raises NoToken if there is none."""
    env = os.environ if environ is None else environ
    if env.get("MESH_EVENTS_TOKEN"):
        token = env["MESH_EVENTS_TOKEN"].strip()
        if len(token) < SHORTEST or any(each.isspace() for each in token):
            told = f"write at least {SHORTEST} letters without spaces"
            raise SettingMalformed(setting="MESH_EVENTS_TOKEN", value="(a secret)", problem=told)
        return (_sender("default", ALL, token),)
    if not env.get("MESH_EVENTS_TOKEN_FILE"):
        raise NoToken()
    path = Path(env["MESH_EVENTS_TOKEN_FILE"]).expanduser()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SettingMalformed(
            setting="MESH_EVENTS_TOKEN_FILE", value=str(path), problem=f"it cannot be read: {told}"
        ) from None
    found = [
        _of_line(path, number, line.split())
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not found:
        raise NoToken()
    _refuse_twins(path, found)
    return tuple(found)


def _of_line(path: Path, line: int, words: Sequence[str]) -> Sender:
    if len(words) == 1:
        words = ("default", ",".join(ALL), words[0])
    if len(words) != 3:
        raise TokensMalformed(file=path, line=line, problem=f"{len(words)} words")
    name, scopes, token = words
    if not NAME.match(name) or name == OWN:
        raise TokensMalformed(file=path, line=line, problem="the name is not one: lower-case letters, digits")
    strange = [each for each in scopes.split(",") if not SCOPES.match(each)]
    if strange:
        raise TokensMalformed(
            file=path, line=line, problem="a scope is none of lineage, events, sources, sources:DOMAIN/SOURCE"
        )
    if len(token) < SHORTEST:
        raise TokensMalformed(file=path, line=line, problem=f"the token has under {SHORTEST} letters")
    return _sender(name, tuple(scopes.split(",")), token)


def _refuse_twins(path: Path, found: Sequence[Sender]) -> None:
    for what in ("name", "digest"):
        if len({getattr(each, what) for each in found}) < len(found):
            told = "two senders have one name" if what == "name" else "two senders have one token"
            raise TokensMalformed(file=path, line=1, problem=told)


def _sender(name: str, scopes: tuple[str, ...], token: str) -> Sender:
    return Sender(name, scopes, hashlib.sha256(token.encode()).digest())


def sender_of(senders: Sequence[Sender], header: str) -> Sender | None:
    """Whose token an `Authorization` header carries. Every token is compared, each in constant time."""
    scheme, _, token = header.partition(" ")
    digest = hashlib.sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
    found = [each for each in senders if hmac.compare_digest(each.digest, digest)]
    return found[0] if found and scheme.lower() == "bearer" else None


class Gate:
    """How much each sender may send: so many at once, so many a second after that."""

    def __init__(self, rate: float = RATE, burst: float = BURST) -> None:
        self._rate, self._burst = rate, burst
        self._left: dict[str, tuple[float, float]] = {}

    def passes(self, name: str) -> bool:
        """Whether one more request of this sender is taken now."""
        now = time.monotonic()
        left, since = self._left.get(name, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        self._left[name] = (left - 1 if left >= 1 else left, now)
        return left >= 1
