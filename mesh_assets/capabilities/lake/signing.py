"""Requests to S3, signed (Signature Version 4).

The signature covers the SHA-256 of the body: a server that gets another body refuses it, so that an upload
that was damaged on its way is never stored.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from mesh_assets.capabilities.lake.credentials import Credentials

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY = hashlib.sha256(b"").hexdigest()


def path_of(text: str) -> str:
    """A key as a URL writes it, and as the signature has it."""
    return quote(text, safe="/-_.~")


def query_of(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(query[name], safe='')}" for name in sorted(query))


def signed(
    by: Credentials,
    method: str,
    *,
    host: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    digest: str,
    now: datetime,
) -> dict[str, str]:
    """The headers of a request, its signature among them; path and query as they are sent."""
    moment, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    sent = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    sent |= {"host": host, "x-amz-date": moment, "x-amz-content-sha256": digest}
    sent |= {"x-amz-security-token": by.token} if by.token else {}
    names = ";".join(sorted(sent))
    listed = "".join(f"{name}:{sent[name]}\n" for name in sorted(sent))
    request = "\n".join((method, path, query, listed, names, digest))
    scope = f"{day}/{by.region}/s3/aws4_request"
    told = "\n".join((ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{by.secret}".encode()
    for word in (day, by.region, "s3", "aws4_request"):
        key = _hmac(key, word)
    signature = _hmac(key, told).hex()
    by_whom = f"{ALGORITHM} Credential={by.key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**sent, "authorization": by_whom}


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
