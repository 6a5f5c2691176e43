"""Reading a contract: ODCS v3.0 to v3.2.

Here: from the file to a Contract, and what the mesh asks beyond the standard.
Not here: the standard itself (standard), rule forms (rules), domain descriptions (domain).
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.contracts.automation import AUTOMATION, automation_of
from mesh_assets.capabilities.contracts.columns import columns_of
from mesh_assets.capabilities.contracts.document import (
    Document,
    Steps,
    close_to,
    kind_of,
    parse,
    read_text,
)
from mesh_assets.capabilities.contracts.links import TO_A_FILE
from mesh_assets.capabilities.contracts.model import DOCUMENTATION, Contract, Person
from mesh_assets.capabilities.contracts.partitions import PARTITIONS, partitioning_of
from mesh_assets.capabilities.contracts.quarantine import LIMIT, ON_FAILURE, quarantine_of
from mesh_assets.capabilities.contracts.retention import RETENTION, retention_of
from mesh_assets.capabilities.contracts.rules import promises_of
from mesh_assets.capabilities.contracts.sla import service_levels
from mesh_assets.capabilities.contracts.standard import check_contract_standard
from mesh_assets.words.errors import NameMalformed
from mesh_assets.words.names import QUARANTINE, WORD, ProductName

if TYPE_CHECKING:
    from open_data_contract_standard.model import OpenDataContractStandard

#: Consumers whose expectations may stop the product's publication.
ACCEPTS_BLOCKING = "acceptsBlockingExpectationsFrom"


def read_contract(path: Path) -> Contract:
    """The contract in `<domain>/<product>/contract.yaml`.

    Raises DocumentMalformed, or RuleRefused for a rule form that the mesh does not run, with file and line.
    """
    folder, text = path.resolve().parent, read_text(path)
    # A reference by ids reads the other contract, whose text is no part of what is remembered.
    reader = _contract.__wrapped__ if TO_A_FILE.search(text) else _contract
    return reader(str(path), folder.parent.name, folder.name, text)


def contract_from_text(file: str, product: ProductName, text: str) -> Contract:
    """A contract as it was: the text that a version's certificate keeps, or a refused draft."""
    return _contract(file, product.domain, product.product, text)


def odcs_model(contract: Contract) -> OpenDataContractStandard:
    """The contract as the pydantic model of the package `open-data-contract-standard`, imported only here.

    The model drops nested keys that it does not know; `contract.raw` has them all.
    """
    from open_data_contract_standard.model import OpenDataContractStandard

    return OpenDataContractStandard.model_validate(contract.raw)


@lru_cache(maxsize=1024)
def _contract(file: str, domain: str, product: str, text: str) -> Contract:
    document = parse(file, text)
    check_contract_standard(document)
    name = _name(document, domain, product)
    table = only_table(document, name)
    columns = columns_of(document, table)
    levels = service_levels(document, table, columns)
    promises = promises_of(document, table, columns, levels)
    custom = _custom(document)
    about, written = document.value.get("description", {}), document.at(table)
    return Contract(
        product=name,
        version=document.value["version"],
        api_version=document.value["apiVersion"],
        status=document.value.get("status", ""),
        title=document.value.get("name", str(name)),
        purpose=about.get("purpose", ""),
        limitations=about.get("limitations", ""),
        usage=about.get("usage", ""),
        description=written.get("description", ""),
        columns=columns,
        rules=promises.rules,
        owners=owners_of(document.value.get("team")),
        tags=tuple(dict.fromkeys((*document.value.get("tags", ()), *written.get("tags", ())))),
        partitioning=partitioning_of(document, custom_property(document, PARTITIONS), table, columns),
        automation=automation_of(document, custom_property(document, AUTOMATION)),
        sla=tuple(document.value.get("slaProperties") or ()),
        service_levels=levels,
        raw=document.value,
        text=text,
        place=document.place(),
        digest=sha256(text.encode()).hexdigest(),
        custom={**custom, DOCUMENTATION: promises.documentation},
        quarantine=quarantine_of(document, table, promises.rules),
        retention=retention_of(document, custom_property(document, RETENTION), levels),
    )


def owners_of(team: Any) -> tuple[Person, ...]:
    """The members of a team that are its owners now, and the team itself if it has a name."""
    named = team if isinstance(team, dict) else {"members": team or []}
    people = [
        Person(member.get("username") or member.get("name", ""), "owner")
        for member in named.get("members", ())
        if "owner" in member.get("role", "").lower() and not member.get("dateOut")
    ]
    if named.get("name"):
        people.append(Person(named["name"], "team"))
    return tuple(people)


def custom_property(document: Document, name: str) -> tuple[Steps, Any] | None:
    """The value of a customProperty of the document and its path, None if it has none."""
    for number, custom in enumerate(document.value.get("customProperties", ())):
        if custom["property"] == name:
            return ("customProperties", number, "value"), custom["value"]
    return None


def check_custom_names(document: Document, known: tuple[str, ...]) -> None:
    """Other customProperties are anybody's right; one that almost has a name of ours is a typo."""
    seen: set[str] = set()
    for number, custom in enumerate(document.value.get("customProperties", ())):
        name, at = custom.get("property"), ("customProperties", number, "property")
        if name in seen:
            raise document.malformed(at, f"the customProperty {name!r} is written twice", "Keep one of them")
        seen.add(name)
        near = close_to(name, known) if name not in known else None
        if near and abs(len(near) - len(name)) <= 2:
            raise document.malformed(
                at, f"the customProperty {name!r} means nothing to the mesh", f"Did you mean {near}?"
            )


def _name(document: Document, domain: str, product: str) -> ProductName:
    try:
        name = ProductName(domain, product)
    except NameMalformed as error:
        raise document.malformed((), f"the contract lies in the folder {domain}/{product}: {error}") from None
    if product.endswith(QUARANTINE):
        raise document.malformed(
            (),
            f"names that end in {QUARANTINE} are of tables of rows set aside",
            "Name the product otherwise",
        )
    for key, wanted in (("id", str(name)), ("domain", domain)):
        found = document.value.get(key, wanted)
        if found != wanted:
            raise document.malformed(
                (key,),
                f"`{key}` is {found!r}, and the contract lies in the folder {domain}/{product}",
                f"Write {key}: {wanted}, or move the folder",
            )
    return name


def only_table(document: Document, name: ProductName) -> Steps:
    """The path of the one table that the document describes; it has the product's name."""
    tables = document.value.get("schema") or []
    if not tables:
        raise document.malformed(
            ("schema",), "the contract has no `schema`", "Describe the product's table", key=True
        )
    if len(tables) > 1:
        names = ", ".join(str(table["name"]) for table in tables)
        raise document.malformed(
            ("schema", 1, "name"),
            f"the contract describes {len(tables)} tables ({names}), and a product is one table",
            "Give each table a product folder and a contract of its own",
        )
    table: Steps = ("schema", 0)
    for key in ("name", "physicalName"):
        found = document.at((*table, key)) or name.product
        if found != name.product:
            raise document.malformed(
                (*table, key),
                f"the table's `{key}` is {found!r}, and the product is {name}",
                f"Write {key}: {name.product}",
            )
    return table


def _custom(document: Document) -> dict[str, Any]:
    names = (PARTITIONS, AUTOMATION, ON_FAILURE, LIMIT, ACCEPTS_BLOCKING, RETENTION)
    check_custom_names(document, names)
    _check_blocking_consumers(document)
    return {custom["property"]: custom["value"] for custom in document.value.get("customProperties", ())}


def _check_blocking_consumers(document: Document) -> None:
    path, value = custom_property(document, ACCEPTS_BLOCKING) or ((), [])
    if not isinstance(value, list) or not all(isinstance(each, str) and WORD.match(each) for each in value):
        raise document.malformed(
            path,
            f"`{ACCEPTS_BLOCKING}` is {kind_of(value)}; it must be a list of domains",
            "Write e.g. [hcp]",
        )
