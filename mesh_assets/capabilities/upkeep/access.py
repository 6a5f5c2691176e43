"""What is to be done for somebody whose request for access was granted, and undone on its last day.

Here: the steps, for the stores that this mesh has. Not here: doing them: rights belong to whoever owns the
database, the bucket and the folders; and `mesh lake grant` makes the roles.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from mesh_assets.capabilities.lake.places import lake_of, quoted
from mesh_assets.capabilities.upkeep.roles import Roles
from mesh_assets.words.following import Access
from mesh_assets.words.settings import Settings


@dataclass(frozen=True)
class Steps:
    """Lines to run or follow; `after` are those for the day on which it ends."""

    now: tuple[str, ...]
    after: tuple[str, ...]


def steps_for(settings: Settings, access: Access, *, prefix: str = "mesh") -> Steps:
    """What gives a person the right to read, and what takes it back. Nothing personal is unmasked by it."""
    role, person = Roles(prefix).reader, quoted(access.who)
    now, after = [], []
    if settings.catalog != "sqlite" or settings.registry.startswith("postgresql"):
        now += [f"mesh lake grant {access.domain}", f"psql -c {shlex.quote(f'GRANT {role} TO {person}')}"]
        after.append(f"psql -c {shlex.quote(f'REVOKE {role} FROM {person}')}")
    where = str(lake_of(settings, access.domain).root)
    if where.startswith("s3://"):
        now.append(f"# give {access.who} the policy of {role} that `mesh lake grant {access.domain}` prints")
        after.append(f"# take the policy of {role} from {access.who}")
    else:
        now.append(f"setfacl -R -m u:LOGIN:rX {shlex.quote(where)}   # LOGIN: the account of {access.who}")
        after.append(f"setfacl -R -x u:LOGIN {shlex.quote(where)}")
    return Steps(tuple(now), tuple(after))
