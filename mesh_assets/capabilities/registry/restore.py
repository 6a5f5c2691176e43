"""Versions that the registry has lost, put back from what each left beside its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from mesh_assets.capabilities.registry import expiries, versions
from mesh_assets.capabilities.registry.tables import HEAD, RELEASE, RELEASE_ITEM, VERSION
from mesh_assets.words.versions import PROD, Certificate, Version


@dataclass(frozen=True)
class Remembered:
    """A version as its manifest tells it."""

    #: With its number.
    certificate: Certificate
    published: datetime
    environment: str = PROD
    #: When its rows were let go of, if they were, and by whom.
    expired: datetime | None = None
    expired_by: str = ""


def restore(connection: Connection, remembered: Sequence[Remembered]) -> list[Version]:
    """Put back each version whose number and run nobody has, with its release; heads move up."""
    back = []
    for each in sorted(remembered, key=lambda each: each.published):
        if not _known(connection, each.certificate):
            back.append(_put_back(connection, each))
    return back


def _known(connection: Connection, certificate: Certificate) -> bool:
    same = (VERSION.c.number == certificate.number) | (VERSION.c.run_id == certificate.run_id)
    query = select(VERSION.c.number).where(VERSION.c.product == str(certificate.product), same)
    return connection.scalar(query.limit(1)) is not None


def _put_back(connection: Connection, each: Remembered) -> Version:
    certificate = each.certificate
    assert certificate.number is not None
    versions.add(connection, certificate, run_id=certificate.run_id, published=each.published)
    version = versions.version(connection, certificate.product, certificate.number)
    if each.expired is not None:
        expiries.mark(connection, version, each.expired, each.expired_by)
    head = versions.heads(connection, each.environment).get(certificate.product)
    _release(connection, each, head)
    if each.expired is None and (head is None or head < certificate.number):
        _move_head(connection, each, known=head is not None)
    return version


def _release(connection: Connection, each: Remembered, previous: int | None) -> None:
    """A release of its own: which products went together, no manifest tells."""
    certificate = each.certificate
    values = {
        "environment": each.environment,
        "run_id": certificate.run_id,
        "who": certificate.who,
        "released": each.published,
        "reads": {str(read.product): read.number for read in certificate.inputs},
    }
    number: int = connection.execute(insert(RELEASE).values(values).returning(RELEASE.c.id)).scalar_one()
    connection.execute(
        insert(RELEASE_ITEM).values(
            release_id=number,
            product=str(certificate.product),
            number=certificate.number,
            previous=previous,
        )
    )


def _move_head(connection: Connection, each: Remembered, *, known: bool) -> None:
    product, number = str(each.certificate.product), each.certificate.number
    if known:
        mine = (HEAD.c.environment == each.environment) & (HEAD.c.product == product)
        connection.execute(update(HEAD).where(mine).values(number=number))
    else:
        values = {"environment": each.environment, "product": product, "number": number}
        connection.execute(insert(HEAD).values(values))
