"""What a run of one domain is to build, and what starts it: here in a process, or on Dagster's own server.

Here: the facts of a run, and what a launcher can do. Not here: the launchers (launch_here, launch_server).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mesh_assets.capabilities.lineage.model import Mesh, RecipeKind
from mesh_assets.capabilities.lineage.through import through_private_models
from mesh_assets.words.names import ProductName
from mesh_assets.words.orders import RunOrder

#: Run tags of the coordinator's children. `steps.FORCE` is one more.
ORDER_TAG = "mesh/order"
JOURNEY_TAG = "mesh/journey"


@dataclass(frozen=True)
class Launch:
    """One run over assets of one domain. Plain data."""

    domain: str
    names: tuple[ProductName, ...]
    #: `domain/product`, private dbt models included.
    assets: tuple[str, ...]
    #: First and last of the partitions to make; () for none.
    partitions: tuple[str, ...]
    tags: Mapping[str, str]
    needs_dbt: bool = False


@dataclass
class Child:
    """A run that was started (or found again), and the products that it has not told of yet."""

    run_id: str
    domain: str
    names: list[ProductName]
    #: Where a person finds what it printed.
    log: str = ""
    #: The process, the server's answer: the launcher's own.
    handle: object = field(default=None, repr=False)


class Launcher(Protocol):
    """Starts runs, and knows how they are."""

    #: For people: `in process`, or the server's address.
    where: str

    def why_not(self, domain: str) -> str | None:
        """Why the domain's location can start nothing, None if it can."""

    def new_run(self, launch: Launch) -> str:
        """The id of the run to come, if it is known before it starts; else ""."""

    def start(self, launch: Launch, run_id: str) -> Child:
        """Start the run."""

    def find(self, order_id: str, run_id: str, domain: str) -> Child | None:
        """A run of an order that was interrupted, if it still runs."""

    def ended(self, child: Child) -> str | None:
        """None while the run lasts; then what is known of its end, for products that it said nothing of."""

    def stop(self, children: Sequence[Child]) -> None:
        """End runs now."""

    def close(self) -> None: ...


def launch_of(
    mesh: Mesh,
    order: RunOrder,
    names: Sequence[ProductName],
    partitions: Sequence[str],
    tags: Mapping[str, str],
) -> Launch:
    """The run that makes these products of one domain, with the private dbt models under them."""
    domain = mesh.domains[names[0].domain]
    models = {
        model.name: None
        for name in names
        for model in through_private_models(domain, mesh.assets[name])
        if not model.in_lake
    }
    return Launch(
        domain=names[0].domain,
        names=tuple(names),
        assets=tuple(str(name).replace(".", "/") for name in (*names, *models)),
        partitions=(min(partitions), max(partitions)) if partitions else (),
        tags={
            **tags,
            "mesh/domain": names[0].domain,
            "mesh/started-by": order.started_by,
            **({"mesh/force": "true"} if order.force else {}),
            **({JOURNEY_TAG: order.journey} if order.journey else {}),
            **(
                {"dagster/parent_run_id": order.parent, "dagster/root_run_id": order.parent}
                if order.parent
                else {}
            ),
        },
        needs_dbt=any(mesh.assets[name].recipe.kind is RecipeKind.DBT for name in names),
    )
