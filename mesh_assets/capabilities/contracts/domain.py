"""Reading a domain's description: ODPS v1 in `domain.yaml`.

Here: from the file to a Domain, with the sources that the domain receives.
Not here: contracts (read), which folders of the domain hold products (orchestration).
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.contracts.delivery import KEYS as DELIVERY_KEYS
from mesh_assets.capabilities.contracts.delivery import read_delivery
from mesh_assets.capabilities.contracts.document import (
    Document,
    Steps,
    allowed_words,
    check_keys,
    kind_of,
    parse,
    read_text,
)
from mesh_assets.capabilities.contracts.model import Domain, Source
from mesh_assets.capabilities.contracts.read import check_custom_names, custom_property, owners_of
from mesh_assets.capabilities.contracts.standard import check_domain_standard
from mesh_assets.words.errors import NameMalformed
from mesh_assets.words.names import WORD, ProductName, product_name

SOURCES = "sources"
#: Formats, and the file endings that mean them.
FORMATS = {
    "parquet": (".parquet",),
    "csv": (".csv", ".csv.gz"),
    "tsv": (".tsv", ".tsv.gz"),
    "json": (".json",),
    "ndjson": (".ndjson", ".jsonl"),
    "excel": (".xlsx",),
}
_SOURCE_KEYS = ("format", "encoding", "description", "late", "columns", *DELIVERY_KEYS)
_TEXT_FORMATS = ("csv", "tsv", "json", "ndjson")
_PLACEHOLDER = re.compile(r"\{([^}]*)\}")


def read_domain(folder: Path) -> Domain:
    """The description in `<folder>/domain.yaml`. Raises DocumentMalformed with file, line and column."""
    path = folder / "domain.yaml"
    document = parse(str(path), read_text(path))
    check_domain_standard(document)
    name = _name(document, folder.resolve().name)
    check_custom_names(document, (SOURCES,))
    about = document.value.get("description", {})
    return Domain(
        name=name,
        title=document.value.get("name", name),
        version=document.value.get("version", ""),
        status=document.value.get("status", ""),
        purpose=about.get("purpose", ""),
        limitations=about.get("limitations", ""),
        usage=about.get("usage", ""),
        owners=owners_of(document.value.get("team")),
        tags=tuple(document.value.get("tags", ())),
        sources=_sources(document),
        input_ports=_ports(document, name, "inputPorts"),
        output_ports=_ports(document, name, "outputPorts"),
        support=tuple(document.value.get("support", ())),
        folder=folder,
        raw=document.value,
        place=document.place(),
    )


def _name(document: Document, folder: str) -> str:
    if not WORD.match(folder) or folder.startswith("_"):
        raise document.malformed(
            (),
            f"the folder {folder!r} is no domain name",
            "Use lower-case letters, digits and underscores, letter first",
        )
    found = document.value.get("domain", folder)
    if found != folder:
        raise document.malformed(
            ("domain",),
            f"`domain` is {found!r}, and the folder is {folder}",
            f"Write domain: {folder}, or move the folder",
        )
    return folder


def _ports(document: Document, domain: str, key: str) -> tuple[ProductName, ...]:
    products: list[ProductName] = []
    for number, port in enumerate(document.value.get(key, ())):
        path: Steps = (key, number)
        if not port.get("contractId"):
            raise document.malformed(
                path, f"the port {port['name']!r} has no `contractId`", "Write the product's name"
            )
        product = _port_product(document, (*path, "contractId"), port["contractId"])
        own = product.domain == domain
        if key == "outputPorts" and not own:
            raise document.malformed((*path, "contractId"), f"{product} is not of the domain {domain}")
        if key == "inputPorts" and own:
            raise document.malformed(
                (*path, "contractId"), f"{product} is of this domain; input ports are other domains' products"
            )
        if product in products:
            raise document.malformed(
                (*path, "contractId"), f"{product} is written twice under {key}", "Keep one of them"
            )
        products.append(product)
    return tuple(products)


def _port_product(document: Document, path: Steps, contract: str) -> ProductName:
    try:
        product = product_name(contract)
    except NameMalformed as error:
        raise document.malformed(path, str(error)) from None
    if product.private:
        raise document.malformed(path, f"{product} is private to its domain, and a port is for others")
    return product


def _sources(document: Document) -> tuple[Source, ...]:
    found = custom_property(document, SOURCES)
    if found is None:
        return ()
    path, written = found
    if not isinstance(written, list):
        raise document.malformed(path, f"`sources` is {kind_of(written)}; it must be a list of sources")
    sources: list[Source] = []
    for number in range(len(written)):
        source = _source(document, (*path, number))
        if source.name in {other.name for other in sources}:
            raise document.malformed((*path, number, "name"), f"the source {source.name!r} is written twice")
        sources.append(source)
    return tuple(sources)


def _source(document: Document, path: Steps) -> Source:
    check_keys(document, path, required=("name", "path"), optional=_SOURCE_KEYS)
    written = document.at(path)
    name, where = written["name"], written["path"]
    if not isinstance(name, str) or not WORD.match(name):
        raise document.malformed(
            (*path, "name"),
            f"{kind_of(name)} is no source name",
            "Use lower-case letters, digits and underscores",
        )
    check_path(document, (*path, "path"), where)
    form = _format(document, path, where)
    return Source(
        name=name,
        path=where,
        format=form,
        encoding=_encoding(document, path, form),
        description=_text(document, (*path, "description")),
        late=_late(document, path, weekly="{week}" in where),
        columns=_columns(document, (*path, "columns")),
        place=document.place(path),
        delivery=read_delivery(document, path, form),
    )


def check_path(document: Document, path: Steps, where: Any) -> None:
    """A source's path stays inside of the folder of sources, whatever it says."""
    if not isinstance(where, str) or not where.strip():
        raise document.malformed(path, f"the path is {kind_of(where)}; it must be a text")
    parts = where.split("/")
    outside = where.startswith(("/", "~")) or ".." in parts or "\\" in where or re.match(r"[A-Za-z]:", where)
    if outside or "\0" in where:
        raise document.malformed(
            path,
            f"the path {where!r} leads out of the folder of sources",
            "Write it relative to MESH_SOURCES",
        )
    if "" in parts or "." in parts or any(sign in where for sign in "*?["):
        raise document.malformed(path, f"the path {where!r} is not the plain path of one file")
    found = _PLACEHOLDER.findall(where)
    if len(found) > 1 or any(word not in ("week", "batch") for word in found):
        raise document.malformed(
            path, f"the path {where!r} has a placeholder that is not read", "Allowed: {week} or {batch}, once"
        )


def _format(document: Document, path: Steps, where: str) -> str:
    written = document.at((*path, "format"))
    if written is None:
        by_ending = [form for form, endings in FORMATS.items() if where.lower().endswith(endings)]
        if not by_ending:
            raise document.malformed(
                path,
                f"the ending of {where!r} says nothing about its format",
                f"Add format: {', '.join(FORMATS)}",
            )
        return by_ending[0]
    if written not in FORMATS:
        raise document.malformed(
            (*path, "format"), f"the format is {kind_of(written)}", allowed_words(written, FORMATS)
        )
    return str(written)


def _encoding(document: Document, path: Steps, form: str) -> str:
    written = document.at((*path, "encoding"))
    if written is None:
        return "utf-8"
    if form not in _TEXT_FORMATS:
        raise document.malformed(
            (*path, "encoding"), f"{form} is not a text format and has no encoding", key=True
        )
    try:
        codecs.lookup(written)
    except (LookupError, TypeError):
        raise document.malformed(
            (*path, "encoding"),
            f"the encoding {written!r} is unknown",
            allowed_words(written, ("utf-8", "windows-1252", "latin-1")),
        ) from None
    return str(written)


def _late(document: Document, path: Steps, *, weekly: bool) -> int:
    late = document.at((*path, "late"))
    if late is None:
        return 0
    if not isinstance(late, int) or isinstance(late, bool) or late < 0:
        raise document.malformed((*path, "late"), f"`late` is {kind_of(late)}; it must be a number of weeks")
    if late and not weekly:
        raise document.malformed(
            (*path, "late"), "`late` is for weekly sources, and the path has no {week}", key=True
        )
    return late


def _columns(document: Document, path: Steps) -> tuple[str, ...]:
    names = document.at(path)
    if names is None:
        return ()
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise document.malformed(path, f"`columns` is {kind_of(names)}; it must be a list of column names")
    twin = next((number for number, name in enumerate(names) if name in names[:number]), None)
    if twin is not None:
        raise document.malformed(
            (*path, twin), f"the column {names[twin]!r} is written twice", "Keep one of them"
        )
    return tuple(names)


def _text(document: Document, path: Steps) -> str:
    value = document.at(path)
    if value is not None and not isinstance(value, str):
        raise document.malformed(path, f"here is {kind_of(value)}; it must be a text")
    return value or ""
