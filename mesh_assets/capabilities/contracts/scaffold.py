"""New domains and products: texts that build and pass as they stand.

Here: the text of a minimal domain.yaml and contract.yaml, and of a domain.yaml with one port more.
Not here: writing files, recipes, workspace.yaml (cli).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mesh_assets.capabilities.contracts.document import Document, parse
from mesh_assets.capabilities.contracts.types import logical_type, physical_type
from mesh_assets.words.errors import DocumentMalformed
from mesh_assets.words.names import ProductName

#: Name and DuckDB type of the columns that a new product has if nobody names others.
FIRST_COLUMNS: tuple[tuple[str, str], ...] = (("id", "BIGINT"), ("name", "VARCHAR"))


def new_contract_text(
    product: ProductName,
    columns: Sequence[tuple[str, str]] = FIRST_COLUMNS,
    *,
    owner: str = "owner@example.com",
    key: Sequence[str] | None = None,
) -> str:
    """A contract of version 1.0.0 for these columns; the first is the key if none is named."""
    keys = tuple(key) if key is not None else tuple(name for name, _ in columns[:1])
    title = _title(product.product)
    properties = "\n".join(_property(name, kind, keys) for name, kind in columns)
    return f"""\
apiVersion: v3.1.0
kind: DataContract
id: {product}
name: {title}
version: 1.0.0
status: draft
domain: {product.domain}
description:
  purpose: What {title} is for. Say it in one sentence.
  limitations: What it does not hold.
  usage: How to use it; which columns to join on.
tags: [{product.domain}]
team:
  name: {product.domain}
  members:
    - username: {_quoted(owner)}
      role: owner
schema:
  - name: {product.product}
    physicalName: {product.product}
    logicalType: object
    physicalType: table
    description: One row for each {" and ".join(keys) or "entry"}.
    properties:
{properties}
    quality:
      - name: not_more_than_a_million
        description: A warning, to be made yours; error instead of warning would block publication.
        type: library
        metric: rowCount
        mustBeBetween: [1, 1000000]
        severity: warning
        dimension: completeness
slaProperties:
  - property: frequency
    value: 1
    unit: d
"""


def new_domain_text(domain: str, *, owner: str = "owner@example.com", products: Sequence[str] = ()) -> str:
    """A description of version 1.0.0 of a domain that has these products and receives nothing yet."""
    title = _title(domain)
    ports = "".join(
        f"\n  - name: {product}\n    version: 1.0.0\n    contractId: {domain}.{product}"
        for product in products
    )
    return f"""\
apiVersion: v1.1.0
kind: DataProduct
id: {domain}
name: {title}
version: 1.0.0
status: draft
domain: {domain}
description:
  purpose: What the domain {title} is for. Say it in one sentence.
  limitations: What it does not do.
  usage: Where to begin.
tags: [{domain}]
team:
  name: {domain}
  members:
    - username: {_quoted(owner)}
      role: owner
support:
  - channel: {domain}
    url: {_quoted(f"mailto:{owner}")}
    tool: email
inputPorts: []
outputPorts:{ports or " []"}
customProperties:
  - property: sources
    value: []
"""


def with_output_port(document: Document, product: ProductName) -> str:
    """The text of a domain.yaml with this port before the others: edited, so that comments and order stay.

    Raises DocumentMalformed where the ports are not written one below the other.
    """
    ports = document.at(("outputPorts",))
    if any(isinstance(port, dict) and port.get("contractId") == str(product) for port in ports or ()):
        return document.text
    lines = document.text.rstrip("\n").split("\n")
    at, indent = len(lines), "  "
    if ports:
        first = document.place(("outputPorts", 0))
        at, indent = first.line - 1, lines[first.line - 1].split("-")[0]
    elif "outputPorts" in document.value:
        at = document.place(("outputPorts",), key=True).line
        lines[at - 1] = re.sub(r"(outputPorts['\"]?:)\s*(\[\s*\]|null|~)?", r"\1", lines[at - 1], count=1)
    else:
        lines.append("outputPorts:")
        at += 1
    entry = [f"- name: {product.product}", "  version: 1.0.0", f"  contractId: {product}"]
    text = "\n".join([*lines[:at], *(indent + line for line in entry), *lines[at:]]) + "\n"
    if _ports_without(document, text, product) != list(ports or ()):
        remedy = f"Write a list, a line for each key: `- name: {product.product}`, `version`, `contractId`"
        raise document.malformed(("outputPorts",), "a port cannot be added to what is written here", remedy)
    return text


def _ports_without(document: Document, text: str, product: ProductName) -> list[object] | None:
    """The ports of the text, the product's own left out; None unless it is the first."""
    try:
        found = parse(document.file, text).value
    except DocumentMalformed:
        return None
    others = {key: value for key, value in found.items() if key != "outputPorts"}
    before = {key: value for key, value in document.value.items() if key != "outputPorts"}
    ports = found["outputPorts"]
    if others != before or not isinstance(ports, list) or ports[0].get("contractId") != str(product):
        return None
    return ports[1:]


def _property(name: str, kind: str, keys: tuple[str, ...]) -> str:
    duck = physical_type(kind)
    lines = [
        f"      - name: {name}",
        f"        logicalType: {logical_type(duck)}",
        f"        physicalType: {duck}",
        f"        description: The {name.replace('_', ' ')}.",
    ]
    if name in keys:
        lines += ["        primaryKey: true", f"        primaryKeyPosition: {keys.index(name) + 1}"]
        lines += ["        required: true"]
    lines.append("        classification: internal")
    return "\n".join(lines)


def _title(word: str) -> str:
    return word.strip("_").replace("_", " ").capitalize()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
