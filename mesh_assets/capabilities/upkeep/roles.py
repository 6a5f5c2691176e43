"""Roles in PostgreSQL that may no more than they must: a writer for each domain, a reader, a keeper, and one
that keeps events.

Roles that nobody logs in with, so they have no passwords: a database's owner grants them to people and
services. A domain's lake is a schema, and its writer has rights there alone. The registry is shared: row
level security lets a writer add and move rows of its own domain's products, and read all.

Here: the statements, and running them. Not here: what a bucket's server lets somebody do (policies).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mesh_assets.capabilities.lake import CATALOG_THREADS, attach, connect, lake_of
from mesh_assets.capabilities.lake.places import literal, quoted
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.capabilities.registry.tables import METADATA
from mesh_assets.words.stores import CannotGrant

if TYPE_CHECKING:
    from mesh_assets.words.settings import Settings

PREFIX = re.compile(r"^[a-z][a-z0-9_]{0,20}$")

#: What a writer may do to tables of the registry beside reading them. Published versions and what was
#: released never change; what a table does not say here is INSERT, UPDATE.
VERBS = {
    "version": "INSERT",
    "release": "INSERT",
    "release_item": "INSERT",
    "build": "INSERT",
    "rule_result": "INSERT",
    "ended_hold": "INSERT",
    "tag": "INSERT, UPDATE, DELETE",
    "pin": "INSERT, UPDATE, DELETE",
}

#: The lake of the mesh's own events, and what is written in the registry on the way there.
EVENTS = "_mesh"
OF_EVENTS = frozenset({"event", "event_batch", "log_cursor", "outbox", "alert", "job_report"})

#: Kitchens are opened and promoted by whoever keeps the mesh: they move products of any domain.
OF_KITCHENS = frozenset({"kitchen", "promotion", "approval", "fence"})

#: Who listens and who asked: written by the portal and by commands, with the keeper's role.
OF_PEOPLE = frozenset({"follow", "access_request"})

#: Written by migrations, by whoever keeps the mesh, and by the location that belongs to no domain.
NOT_FOR_WRITERS = frozenset({"schema_version", "expiry", *OF_KITCHENS, *OF_PEOPLE, *OF_EVENTS}) - {"event"}

#: Which rows are a domain's, where a product or a domain in them does not tell. {own} tests a product's name.
OWN_ROWS = {
    # A release is its items: one without any does not come through its COMMIT (see `_whole`).
    "release": "true",
    # Of a version that the release itself made: nobody adds to what another run released.
    "release_item": "({own} AND EXISTS (SELECT FROM version v JOIN release r ON r.run_id = v.run_id "
    "WHERE r.id = release_id AND v.product = release_item.product AND v.number = release_item.number))",
    # An order may name several domains: then it takes somebody who has the roles of all.
    "mesh_run": "NOT EXISTS (SELECT FROM mesh_run_item i WHERE i.order_id = mesh_run.id "
    "AND NOT {writes}(i.product))",
    "rule_result": "EXISTS (SELECT FROM build b WHERE b.id = build_id AND {own_build})",
    # A run pins what it reads of other domains, under its own product's name.
    "pin": "({own} OR (starts_with(holder, 'run ') AND position({space} IN holder) > 0))",
}

#: What is nothing without rows of another table, which are a domain's: table, its key, the other, its column.
NOTHING_ALONE = (
    ("release", "id", "release_item", "release_id"),
    ("mesh_run", "id", "mesh_run_item", "order_id"),
)


@dataclass(frozen=True)
class Roles:
    """Their names."""

    prefix: str

    @property
    def reader(self) -> str:
        return f"{self.prefix}_reader"

    @property
    def keeper(self) -> str:
        return f"{self.prefix}_keeper"

    @property
    def events(self) -> str:
        return f"{self.prefix}_events"

    @property
    def writes(self) -> str:
        """A function of the database: whether who asks may write a product."""
        return f"{self.prefix}_writes"

    def writer(self, domain: str) -> str:
        return f"{self.prefix}_writer_{domain}"

    def all(self, domains: Collection[str]) -> list[str]:
        return [self.reader, self.keeper, self.events, *(self.writer(domain) for domain in domains)]


@dataclass(frozen=True)
class Order:
    """Statements for one database."""

    #: libpq's string of it; it holds no password.
    database: str
    statements: tuple[str, ...]


def orders(settings: Settings, domains: Sequence[str], *, prefix: str = "mesh") -> list[Order]:
    """What to run where. Every statement may be run again."""
    registry, catalogs = databases(settings, prefix)
    roles = Roles(prefix)
    return [
        Order(registry, (*_make(roles, domains), *_registry_rights(roles, domains))),
        Order(
            catalogs,
            (
                *_make(roles, domains),
                *(line for each in (*domains, EVENTS) for line in _lake_rights(roles, each, settings)),
            ),
        ),
    ]


def grant(settings: Settings, domains: Sequence[str], *, prefix: str = "mesh") -> list[Order]:
    """Make the lakes that are not there yet, and the roles; returns what was run."""
    wanted = orders(settings, domains, prefix=prefix)
    import psycopg

    open_registry(settings).close()
    for domain in (*domains, EVENTS):
        with closing(connect(settings, threads=CATALOG_THREADS)) as connection:
            attach(connection, settings, domain, read_only=False)
    for order in wanted:
        try:
            with psycopg.connect(order.database) as session:
                for statement in order.statements:
                    session.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege as error:
            raise CannotGrant(
                problem=str(error).splitlines()[0],
                remedy="Do it as the owner of the registry's and the lakes' tables who may CREATEROLE, "
                "or give them what --dry-run prints",
            ) from None
        except psycopg.OperationalError as error:
            problem = str(error).splitlines()[0]
            raise CannotGrant(problem=problem, remedy="Look at MESH_CATALOG and MESH_REGISTRY") from None
    return wanted


def databases(settings: Settings, prefix: str) -> tuple[str, str]:
    """Those of the registry and of the catalogs, for libpq; raises CannotGrant where there are no roles."""
    _refuse(settings, prefix)
    return _registry(settings), settings.catalog.removeprefix("postgres:")


def _refuse(settings: Settings, prefix: str) -> None:
    problem = ""
    if settings.catalog == "sqlite":
        problem, remedy = "MESH_CATALOG is sqlite, which has none", "Use the rights of files and folders"
    elif not settings.registry.startswith("postgresql"):
        problem, remedy = "MESH_REGISTRY is no PostgreSQL", "Put the registry beside the catalogs"
    elif not PREFIX.match(prefix):
        problem, remedy = (
            f"{prefix!r} is no beginning of a role's name",
            "Write lower-case letters and digits",
        )
    if problem:
        raise CannotGrant(problem=problem, remedy=remedy)


def _registry(settings: Settings) -> str:
    """The registry as libpq writes it."""
    from psycopg.conninfo import make_conninfo
    from sqlalchemy import make_url

    url = make_url(settings.registry)
    facts = {"host": url.host, "port": url.port, "user": url.username, "dbname": url.database, **url.query}
    return make_conninfo("", **{name: str(value) for name, value in facts.items() if value})


def _make(roles: Roles, domains: Collection[str]) -> Iterator[str]:
    for role in roles.all(domains):
        make = f"CREATE ROLE {quoted(role)} NOLOGIN"
        there = f"SELECT FROM pg_roles WHERE rolname = {literal(role)}"
        yield f"DO $$ BEGIN IF NOT EXISTS ({there}) THEN {make}; END IF; END $$"
        if role not in (roles.reader, roles.keeper):
            yield f"GRANT {quoted(roles.reader)} TO {quoted(role)}"


def _registry_rights(roles: Roles, domains: Collection[str]) -> Iterator[str]:
    reader, keeper = quoted(roles.reader), quoted(roles.keeper)
    yield _writes(roles)
    for table in METADATA.sorted_tables:
        name = quoted(table.name)
        yield f"GRANT SELECT ON {name} TO {reader}"
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {keeper}"
        yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
        yield from _policy(name, f"{roles.prefix}_read", f"FOR SELECT TO {reader} USING (true)")
        yield from _policy(name, f"{roles.prefix}_keep", _all_rows(keeper))
        if table.name in OF_EVENTS:
            events = quoted(roles.events)
            yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {events}"
            yield from _policy(name, f"{roles.prefix}_events", _all_rows(events))
        for domain in domains:
            yield from _writer_rights(roles, table.name, domain)
    for facts in NOTHING_ALONE:
        yield from _whole(roles, *facts)
    writers = [keeper, quoted(roles.events), *(quoted(roles.writer(domain)) for domain in domains)]
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {', '.join(writers)}"


def _writer_rights(roles: Roles, table: str, domain: str) -> Iterator[str]:
    rows = own_rows(table, domain, roles)
    if rows:
        writer = quoted(roles.writer(domain))
        yield f"GRANT SELECT, {VERBS.get(table, 'INSERT, UPDATE')} ON {quoted(table)} TO {writer}"
        rule = f"FOR ALL TO {writer} USING ({rows}) WITH CHECK ({rows})"
        yield from _policy(quoted(table), f"{roles.prefix}_write_{domain}", rule)


def _all_rows(role: str) -> str:
    return f"FOR ALL TO {role} USING (true) WITH CHECK (true)"


def _writes(roles: Roles) -> str:
    """Somebody may have the roles of several domains."""
    writer = f"to_regrole({literal(f'{roles.prefix}_writer_')} || split_part(product, '.', 1))"
    return (
        f"CREATE OR REPLACE FUNCTION {quoted(roles.writes)}(product text) RETURNS boolean LANGUAGE sql "
        f"STABLE AS $$ SELECT coalesce(pg_has_role(current_user, {writer}, 'USAGE'), false) $$"
    )


def _whole(roles: Roles, table: str, key: str, other: str, column: str) -> Iterator[str]:
    """Refuse, at COMMIT, rows that have none in the other table; those are of domains, and theirs to add."""
    name = f"{roles.prefix}_{table}_whole"
    there = f"SELECT FROM {quoted(other)} WHERE {quoted(column)} = NEW.{quoted(key)}"
    told = literal(f"permission denied for {table}: one without any {other} says nothing")
    yield (
        f"CREATE OR REPLACE FUNCTION {quoted(name)}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NOT EXISTS ({there}) THEN RAISE insufficient_privilege USING MESSAGE = {told}; END IF; "
        "RETURN NULL; END $$"
    )
    yield f"DROP TRIGGER IF EXISTS {quoted(name)} ON {quoted(table)}"
    yield (
        f"CREATE CONSTRAINT TRIGGER {quoted(name)} AFTER INSERT ON {quoted(table)} DEFERRABLE INITIALLY "
        f"DEFERRED FOR EACH ROW EXECUTE FUNCTION {quoted(name)}()"
    )


def own_rows(table: str, domain: str, roles: Roles = Roles("mesh")) -> str:
    """A condition that holds for rows of a domain, "" for a table that its writer does not write."""
    if table in NOT_FOR_WRITERS:
        return ""
    columns = METADATA.tables[table].columns
    begins = literal(f"{domain}.")
    own = f"starts_with(product, {begins})"
    if table in OWN_ROWS:
        space = literal(f" {domain}.")
        build = f"starts_with(b.product, {begins})"
        return OWN_ROWS[table].format(own=own, own_build=build, space=space, writes=quoted(roles.writes))
    if "product" in columns:
        return own
    for column in ("domain", "scope"):
        if column in columns:
            return f"({column} = {literal(domain)} OR starts_with({column}, {begins}))"
    return ""


def _policy(table: str, name: str, rule: str) -> Iterator[str]:
    yield f"DROP POLICY IF EXISTS {quoted(name)} ON {table}"
    yield f"CREATE POLICY {quoted(name)} ON {table} {rule}"


def _lake_rights(roles: Roles, domain: str, settings: Settings) -> Iterator[str]:
    schema = quoted(lake_of(settings, domain).metadata_schema)
    writer = roles.events if domain == EVENTS else roles.writer(domain)
    reader, writers = quoted(roles.reader), f"{quoted(writer)}, {quoted(roles.keeper)}"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {reader}, {writers}"
    yield f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {reader}"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {writers}"
