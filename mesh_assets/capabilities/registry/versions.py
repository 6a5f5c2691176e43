"""Versions and heads, read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, insert, select

from mesh_assets.capabilities.registry.certificates import as_json, certificate_from_json
from mesh_assets.capabilities.registry.tables import EXPIRY, HEAD, VERSION
from mesh_assets.words.errors import NoVersion
from mesh_assets.words.names import ProductName, product_name
from mesh_assets.words.versions import Certificate, Version

#: Values that a statement may list.
FEW = 200


def heads(
    connection: Connection, environment: str, products: Collection[ProductName] | None = None
) -> dict[ProductName, int]:
    """All of them, or those of some products."""
    query = select(HEAD.c.product, HEAD.c.number).where(HEAD.c.environment == environment)
    if products is not None:
        query = query.where(HEAD.c.product.in_([str(product) for product in products]))
    return {product_name(row.product): row.number for row in connection.execute(query)}


def head(connection: Connection, product: ProductName, environment: str) -> Version | None:
    query = (
        _versions()
        .join(HEAD, (HEAD.c.product == VERSION.c.product) & (HEAD.c.number == VERSION.c.number))
        .where(HEAD.c.environment == environment, HEAD.c.product == str(product))
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _version(row)


@dataclass(frozen=True)
class Shown:
    """What a reader needs of a head: which version it is, and where its rows are."""

    number: int
    snapshot: int
    stored: str


#: Without certificates, which are most of a version's row. Made once: to build it again costs as much as to
#: run it.
_SHOWN = (
    select(HEAD.c.product, HEAD.c.number, VERSION.c.snapshot, VERSION.c.stored)
    .join(VERSION, (HEAD.c.product == VERSION.c.product) & (HEAD.c.number == VERSION.c.number))
    .where(
        HEAD.c.environment == bindparam("environment"),
        HEAD.c.product.in_(bindparam("products", expanding=True)),
    )
)


def shown(
    connection: Connection, products: Collection[ProductName], environment: str
) -> dict[ProductName, Shown]:
    """The heads of these products, in one statement: all of one release, or of the one before it."""
    wanted = {"environment": environment, "products": [str(product) for product in products]}
    rows = connection.execute(_SHOWN, wanted)
    return {product_name(row.product): Shown(row.number, row.snapshot, row.stored) for row in rows}


#: Certificates that the last look at all heads came to. A version's never changes, and to parse a thousand of
#: them costs more than all else of a look that a sensor takes twice a minute.
_SEEN: dict[tuple[object, ...], Certificate] = {}


def head_versions(connection: Connection, environment: str) -> dict[ProductName, Version]:
    global _SEEN
    facts = [column for column in VERSION.c if column.name != "certificate"]
    query = _of_heads(select(*facts, EXPIRY.c.expired), environment)
    rows, seen = connection.execute(query).all(), _SEEN
    unseen = [row.product for row in rows if _identity(row) not in seen]
    found = _certificates(connection, environment, unseen) if unseen else {}
    kept = {key: seen.get(key) or found[row.product] for row in rows for key in [_identity(row)]}
    _SEEN = kept
    return {product_name(row.product): _version(row, kept[_identity(row)]) for row in rows}


def _certificates(
    connection: Connection, environment: str, products: Collection[str]
) -> dict[str, Certificate]:
    """Of these heads; of all of them if they are many."""
    query = _of_heads(select(VERSION.c.product, VERSION.c.certificate), environment)
    if len(products) <= FEW:
        query = query.where(HEAD.c.product.in_(list(products)))
    return {row.product: certificate_from_json(row.certificate) for row in connection.execute(query)}


def _of_heads(query: Select[Any], environment: str) -> Select[Any]:
    mine = (HEAD.c.product == VERSION.c.product) & (HEAD.c.number == VERSION.c.number)
    gone = (EXPIRY.c.product == VERSION.c.product) & (EXPIRY.c.number == VERSION.c.number)
    joined = VERSION.join(HEAD, mine).outerjoin(EXPIRY, gone)
    return query.select_from(joined).where(HEAD.c.environment == environment)


def _identity(row: Row[Any]) -> tuple[object, ...]:
    """What no other version has, in whatever registry."""
    return row.product, row.number, row.run_id, row.fingerprint, row.published


def version(connection: Connection, product: ProductName, number: int) -> Version:
    query = _versions().where(VERSION.c.product == str(product), VERSION.c.number == number)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NoVersion(product=product, wanted=f" {number}")
    return _version(row)


def versions(connection: Connection, product: ProductName, limit: int | None = None) -> list[Version]:
    query = _versions().where(VERSION.c.product == str(product)).order_by(VERSION.c.number.desc())
    return [_version(row) for row in connection.execute(query.limit(limit))]


def of_domain(connection: Connection, domain: str) -> list[Version]:
    mine = VERSION.c.product.startswith(f"{domain}.", autoescape=True)
    mine &= VERSION.c.stored == ""
    query = _versions().where(mine).order_by(VERSION.c.product, VERSION.c.number.desc())
    return [_version(row) for row in connection.execute(query)]


def version_of_run(connection: Connection, product: ProductName, run_id: str) -> Version | None:
    query = _versions().where(VERSION.c.product == str(product), VERSION.c.run_id == run_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _version(row)


def _versions() -> Select[Any]:
    """Versions, with when their rows went if they did."""
    gone = (EXPIRY.c.product == VERSION.c.product) & (EXPIRY.c.number == VERSION.c.number)
    return select(VERSION, EXPIRY.c.expired).select_from(VERSION.outerjoin(EXPIRY, gone))


def add(connection: Connection, certificate: Certificate, *, run_id: str, published: datetime) -> None:
    """Remember a version; its certificate has the number."""
    connection.execute(
        insert(VERSION).values(
            product=str(certificate.product),
            number=certificate.number,
            snapshot=certificate.snapshot,
            fingerprint=certificate.fingerprint,
            rows=certificate.rows,
            contract_version=certificate.contract_version,
            run_id=run_id,
            published=published,
            certificate=as_json(certificate),
        )
    )


def _version(row: Row[Any], certificate: Certificate | None = None) -> Version:
    return Version(
        product=product_name(row.product),
        number=row.number,
        snapshot=row.snapshot,
        fingerprint=row.fingerprint,
        rows=row.rows,
        contract_version=row.contract_version,
        run_id=row.run_id,
        published=row.published,
        certificate=certificate or certificate_from_json(row.certificate),
        expired=row.expired,
        stored=row.stored,
    )
