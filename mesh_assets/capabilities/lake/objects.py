"""One bucket of an S3-compatible server: put, get, list, copy and delete objects.

Few requests, each signed with the digest of its body; what may be sent again is sent again, a little later
each time. No client library: the smallest takes a third of a second to import, in every process. Even HTTP
and XML of Python's own are imported by whoever has a bucket.
"""

from __future__ import annotations

import base64
import hashlib
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake.credentials import Credentials, masked
from mesh_assets.capabilities.lake.signing import path_of, query_of, signed
from mesh_assets.words.stores import StoreRefused

if TYPE_CHECKING:
    from http.client import HTTPConnection
    from xml.etree.ElementTree import Element

#: Files above this go up in parts of this size: no part is held in memory twice.
PART = 64 * 2**20
#: What one CopyObject takes at most; above it, parts of it are copied.
MOST_COPIED = 5 * 2**30

TRIES = 5
#: Seconds until a server that says nothing is given up.
PATIENCE = 60.0
#: What a server says when it is busy or restarts.
PASSING = frozenset({429, 500, 502, 503, 504})

#: The digest of a whole file, kept with the object.
DIGEST = "x-amz-meta-sha256"


@dataclass(frozen=True)
class Found:
    """An object as the server describes it."""

    key: str
    bytes: int
    modified: datetime
    #: SHA-256 of the file that was uploaded; "" in a listing, and for what others put there.
    digest: str = ""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Bucket:
    """A bucket, and the key to it."""

    name: str
    by: Credentials = field(repr=False)

    def make(self) -> None:
        """Make the bucket itself."""
        self._ask("PUT", "")

    def put(self, key: str, body: bytes, *, digest: str = "") -> None:
        headers = {DIGEST: digest} if digest else {}
        self._ask("PUT", key, body=body, headers=headers)

    def put_file(self, key: str, file: Path, digest: str) -> None:
        """Store a file, and believe it when the server describes it as the one that was sent."""
        size = file.stat().st_size
        if size <= PART:
            self.put(key, file.read_bytes(), digest=digest)
        else:
            self._put_parts(key, file, digest)
        found = self.head(key)
        if found is None or found.bytes != size:
            there = "nothing" if found is None else f"{found.bytes:,} bytes"
            raise self._refused("PUT", key, f"{size:,} bytes were sent and {there} arrived")

    def get(self, key: str, *, start: int | None = None, size: int = 0) -> bytes | None:
        """An object, or some bytes of it; a negative start counts from its end. None if it is not there."""
        span = {}
        if start is not None:
            span = {"range": f"bytes={start}" if start < 0 else f"bytes={start}-{start + size - 1}"}
        answer = self._ask("GET", key, headers=span, expected=(404,))
        return None if answer.status == 404 else answer.body

    def head(self, key: str) -> Found | None:
        from email.utils import parsedate_to_datetime

        answer = self._ask("HEAD", key, expected=(404,))
        if answer.status == 404:
            return None
        told = answer.headers
        modified = parsedate_to_datetime(told["last-modified"])
        return Found(key, int(told["content-length"]), modified, told.get(DIGEST, ""))

    def below(self, prefix: str) -> Iterator[Found]:
        """Every object whose key begins so, in the order of keys."""
        query = {"list-type": "2", "prefix": prefix}
        while True:
            page = _tree(self._ask("GET", "", query=query).body)
            for each in page.iterfind("{*}Contents"):
                modified = datetime.fromisoformat(_text(each, "LastModified"))
                yield Found(_text(each, "Key"), int(_text(each, "Size")), modified)
            if _text(page, "IsTruncated") != "true":
                return
            query["continuation-token"] = _text(page, "NextContinuationToken")

    def copy(self, source: str, target: str) -> None:
        """A second object of the same bytes; they stay on the server."""
        found = self.head(source)
        if found is None:
            raise self._refused("COPY", source, "it is not there")
        where = {"x-amz-copy-source": path_of(f"/{self.name}/{source}")}
        if found.bytes <= MOST_COPIED:
            self._ask("PUT", target, headers=where)
            return
        upload, tags = self._begin(target, found.digest), list[str]()
        for start in range(0, found.bytes, MOST_COPIED):
            end = min(start + MOST_COPIED, found.bytes) - 1
            headers = {**where, "x-amz-copy-source-range": f"bytes={start}-{end}"}
            query = {"partNumber": str(len(tags) + 1), "uploadId": upload}
            answer = self._ask("PUT", target, query=query, headers=headers)
            tags.append(_text(_tree(answer.body), "ETag"))
        self._complete(target, upload, tags)

    def delete(self, key: str) -> None:
        self._ask("DELETE", key, expected=(404,))

    def unfinished(self, prefix: str) -> Iterator[tuple[str, str, datetime]]:
        """Uploads in parts that nobody completed: (key, upload, begun). Their parts cost what files cost."""
        body = self._ask("GET", "", query={"uploads": "", "prefix": prefix}).body
        for each in _tree(body).iterfind("{*}Upload"):
            begun = datetime.fromisoformat(_text(each, "Initiated"))
            yield _text(each, "Key"), _text(each, "UploadId"), begun

    def abandon(self, key: str, upload: str) -> None:
        self._ask("DELETE", key, query={"uploadId": upload}, expected=(404,))

    def _put_parts(self, key: str, file: Path, digest: str) -> None:
        upload, tags = self._begin(key, digest), list[str]()
        try:
            with file.open("rb") as opened:
                while part := opened.read(PART):
                    query = {"partNumber": str(len(tags) + 1), "uploadId": upload}
                    tags.append(self._ask("PUT", key, query=query, body=part).headers["etag"])
            self._complete(key, upload, tags)
        except BaseException:
            self.abandon(key, upload)
            raise

    def _begin(self, key: str, digest: str) -> str:
        headers = {DIGEST: digest} if digest else {}
        answer = self._ask("POST", key, query={"uploads": ""}, headers=headers)
        return _text(_tree(answer.body), "UploadId")

    def _complete(self, key: str, upload: str, tags: list[str]) -> None:
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
            for number, tag in enumerate(tags, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        answer = self._ask("POST", key, query={"uploadId": upload}, body=body)
        # A server may find out after it has said 200.
        if b"<Error>" in answer.body:
            raise self._refused("PUT", key, _said(answer))

    def _ask(
        self,
        method: str,
        key: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        expected: tuple[int, ...] = (),
    ) -> Answer:
        from http.client import HTTPException

        problem = ""
        for attempt in range(TRIES):
            if attempt:
                pause = 0.1 * 2**attempt
                time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - a pause is no secret
            try:
                answer = self._send(method, key, query or {}, headers or {}, body)
            except (OSError, HTTPException) as error:
                problem = f"{type(error).__name__}: {error}"
                continue
            if answer.status < 300 or answer.status in expected:
                return answer
            problem = _said(answer)
            if answer.status not in PASSING:
                break
        raise self._refused(method, key, problem)

    def _send(
        self, method: str, key: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        host = self.by.host(self.name)
        path = path_of(f"/{self.name}/{key}" if self.by.endpoint else f"/{key}")
        asked = query_of(query)
        # The signature covers a SHA-256 of the body, which not every server compares with what arrived.
        md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        headers = {**headers, "content-md5": md5} if body else headers
        head = signed(
            self.by,
            method,
            host=host,
            path=path,
            query=asked,
            headers=headers,
            digest=hashlib.sha256(body).hexdigest(),
            now=datetime.now(UTC),
        )
        connection = self._connection(host)
        try:
            connection.request(method, f"{path}?{asked}" if asked else path, body=body or None, headers=head)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read())
        finally:
            connection.close()

    def _connection(self, host: str) -> HTTPConnection:
        import ssl
        from http.client import HTTPConnection, HTTPSConnection

        if self.by.tls:
            return HTTPSConnection(host, timeout=PATIENCE, context=ssl.create_default_context())
        return HTTPConnection(host, timeout=PATIENCE)

    def _refused(self, method: str, key: str, problem: str) -> StoreRefused:
        where = f"s3://{self.name}/{key}" + (f" at {self.by.endpoint}" if self.by.endpoint else "")
        remedy = "Look at AWS_ENDPOINT_URL_S3, the key's rights (`mesh lake grant`) and the server"
        return StoreRefused(what=f"{method} {where}", problem=masked(problem), remedy=remedy)


def _said(answer: Answer) -> str:
    """The server's code and message, not its whole document: that may repeat the request."""
    from xml.etree.ElementTree import ParseError

    try:
        document = _tree(answer.body)
    except ParseError:
        return f"HTTP {answer.status}"
    return f"HTTP {answer.status} {_text(document, 'Code')}: {_text(document, 'Message').rstrip('.')}"


def _tree(body: bytes) -> Element:
    from xml.etree import ElementTree

    return ElementTree.fromstring(body)  # noqa: S314 - our server's


def _text(element: Element, name: str) -> str:
    found = element.find(f"{{*}}{name}")
    return "" if found is None or found.text is None else found.text
