"""Who may do what now, as the database itself says it: roles, who has them, and what they may touch.

Here: reading it. Not here: making the roles (`roles`), what a bucket is to be told (`policies`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh_assets.capabilities.lake import lake_of
from mesh_assets.capabilities.upkeep.roles import EVENTS, Roles, databases
from mesh_assets.words.stores import CannotGrant

if TYPE_CHECKING:
    from psycopg import Connection

    from mesh_assets.words.settings import Settings

MEMBERS = """
    SELECT g.rolname, m.rolname FROM pg_auth_members a
    JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
    WHERE g.rolname = ANY(%s) AND NOT m.rolname = ANY(%s) ORDER BY 1, 2
"""
TABLES = """
    SELECT r.rolname, n.nspname, c.relname,
        string_agg(DISTINCT a.privilege_type, ',' ORDER BY a.privilege_type)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
    JOIN pg_roles r ON r.oid = a.grantee
    WHERE r.rolname = ANY(%s) AND c.relkind IN ('r', 'p') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
MADE = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
#: Owners of tables and superusers are bound by nothing of it.
UNBOUND = """
    SELECT rolname FROM pg_roles WHERE (rolsuper OR rolbypassrls) AND rolname NOT LIKE 'pg\\_%'
    UNION SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass('version') ORDER BY 1
"""


@dataclass(frozen=True)
class Right:
    """What one role may do."""

    role: str
    #: False: `mesh lake grant` was not run for it.
    made: bool
    #: Accounts that have it.
    members: tuple[str, ...]
    #: Lakes that it writes. Every one of these roles reads all lakes and the registry.
    writes: tuple[str, ...]
    #: Table of the registry -> what it may do there beside reading; a writer with rows of its own domain.
    registry: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Rights:
    """All of it."""

    roles: tuple[Right, ...]
    #: Who is bound by none of it.
    unbound: tuple[str, ...]


def rights(settings: Settings, domains: Collection[str], *, prefix: str = "mesh") -> Rights:
    """Who may do what in the registry and in these lakes; raises CannotGrant where nobody can say."""
    registry, catalogs = databases(settings, prefix)
    import psycopg

    names = Roles(prefix).all(domains)
    try:
        with psycopg.connect(registry) as one, psycopg.connect(catalogs) as other:
            members = _rows(one, MEMBERS, names, names)
            unbound = tuple(str(name) for (name,) in one.execute(UNBOUND).fetchall())
            made = {str(name) for (name,) in _rows(one, MADE, names)}
            found = [*_rows(one, TABLES, names), *_rows(other, TABLES, names)]
    except psycopg.OperationalError as error:
        problem = str(error).splitlines()[0]
        raise CannotGrant(problem=problem, remedy="Look at MESH_CATALOG and MESH_REGISTRY") from None
    lakes = {lake_of(settings, domain).metadata_schema: domain for domain in (*domains, EVENTS)}
    return Rights(
        roles=tuple(
            Right(
                role=name,
                made=name in made,
                members=tuple(str(member) for granted, member in members if granted == name),
                **_touched(lakes, [row[1:] for row in found if row[0] == name]),
            )
            for name in names
        ),
        unbound=unbound,
    )


def _touched(lakes: Mapping[str, str], tables: Collection[tuple[str, str, str]]) -> dict[str, Any]:
    """Lakes and tables of the registry that a role writes, out of (schema, table, verbs)."""
    writes, registry = set(), {}
    for schema, table, told in tables:
        verbs = tuple(verb for verb in told.split(",") if verb != "SELECT")
        if verbs and schema in lakes and table == "ducklake_snapshot":
            writes.add(lakes[schema])
        elif verbs and schema == "public":
            registry[table] = verbs
    return {"writes": tuple(sorted(writes)), "registry": registry}


def _rows(session: Connection[Any], query: str, *names: list[str]) -> list[tuple[Any, ...]]:
    return session.execute(query.encode(), names).fetchall()
