"""Who we are to object storage: read from the environment each time, held nowhere, never printed.

`X`, or `X_FILE` that names a file with the value. The names are those that every S3 client knows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from mesh_assets.words.errors import SettingMalformed
from mesh_assets.words.stores import CredentialsMissing

KEY, SECRET, TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"

#: Shorter values are words that a message may contain for other reasons.
TELLING = 8


@dataclass(frozen=True)
class Credentials:
    """A key for one server."""

    key: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    region: str
    #: `http[s]://host[:port]`; "" for Amazon's own.
    endpoint: str

    @property
    def tls(self) -> bool:
        return not self.endpoint.startswith("http://")

    def host(self, bucket: str) -> str:
        """Servers other than Amazon's have the bucket in the path: its name is in no DNS there."""
        if self.endpoint:
            return urlsplit(self.endpoint).netloc
        return f"{bucket}.s3.{self.region}.amazonaws.com"


def credentials(place: str, environ: Mapping[str, str] | None = None) -> Credentials:
    """For a place in object storage; raises CredentialsMissing, naming the variables."""
    env = os.environ if environ is None else environ
    key, secret = (_value(env, name) for name in (KEY, SECRET))
    missing = [name for name, value in ((KEY, key), (SECRET, secret)) if not value]
    if missing:
        raise CredentialsMissing(place=place, missing=" and ".join(missing))
    return Credentials(
        key=key,
        secret=secret,
        token=_value(env, TOKEN),
        region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1",
        endpoint=_endpoint(env),
    )


def masked(text: str, environ: Mapping[str, str] | None = None) -> str:
    """Without what must not be told: a message of another program's may repeat what it was given."""
    env = os.environ if environ is None else environ
    for name in (SECRET, TOKEN, KEY, "PGPASSWORD"):
        try:
            value = _value(env, name)
        except SettingMalformed:
            continue
        if len(value) >= TELLING:
            text = text.replace(value, "***")
    return text


def _value(env: Mapping[str, str], name: str) -> str:
    if env.get(name):
        return env[name]
    file = env.get(f"{name}_FILE")
    if not file:
        return ""
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
        raise SettingMalformed(setting=f"{name}_FILE", value=file, problem=problem) from None


def _endpoint(env: Mapping[str, str]) -> str:
    name = "AWS_ENDPOINT_URL_S3" if env.get("AWS_ENDPOINT_URL_S3") else "AWS_ENDPOINT_URL"
    value = (env.get(name) or "").rstrip("/")
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path or "@" in value):
        raise SettingMalformed(
            setting=name, value="…", problem="write http[s]://host[:port] and nothing else"
        )
    return value
