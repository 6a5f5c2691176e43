"""Opening the registry, and the object that holds it open."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text

from mesh_assets.capabilities.registry import (
    audits,
    builds,
    expiries,
    holds,
    migrations,
    pins,
    releases,
    restore,
    tags,
    versions,
)
from mesh_assets.capabilities.registry.audits import Audit, Standing
from mesh_assets.capabilities.registry.automatic import Automatic
from mesh_assets.capabilities.registry.builds import RuleOutcome
from mesh_assets.capabilities.registry.busy import told_if_busy
from mesh_assets.capabilities.registry.controlled import Controlled
from mesh_assets.capabilities.registry.copies import moved_to
from mesh_assets.capabilities.registry.delivered import Delivered
from mesh_assets.capabilities.registry.engines import PATIENCE, engine_at, registry_url
from mesh_assets.capabilities.registry.following import Followed
from mesh_assets.capabilities.registry.kitchened import Kitchened
from mesh_assets.capabilities.registry.lost import connected, told_if_lost
from mesh_assets.capabilities.registry.ordered import Ordered
from mesh_assets.capabilities.registry.pins import Pin
from mesh_assets.capabilities.registry.promoted import Promoted
from mesh_assets.capabilities.registry.releases import Order, Released
from mesh_assets.capabilities.registry.restore import Remembered
from mesh_assets.capabilities.registry.tags import Tag
from mesh_assets.capabilities.registry.versions import Shown
from mesh_assets.words.moves import RegistryMoved
from mesh_assets.words.names import ProductName
from mesh_assets.words.rules import RuleResult
from mesh_assets.words.stores import RegistryLost
from mesh_assets.words.versions import PROD, BuildRecord, Certificate, Version

if TYPE_CHECKING:
    from mesh_assets.words.settings import Settings

#: Any number that nothing else in the database locks: writers of the registry queue here.
ADVISORY_LOCK = 7_133_701


def open_registry(settings: Settings) -> Registry:
    """The registry of this mesh, made or migrated if need be."""
    registry = Registry(engine_at(registry_url(settings.registry)))
    with registry.reading() as connection:
        current = migrations.schema_of(connection)
        there = moved_to(connection)
    if there:
        registry.close()
        raise RegistryMoved(there=there)
    if current < 1 + len(migrations.MIGRATIONS):
        with registry.writing() as connection:
            migrations.migrate(connection)
    return registry


class Registry(Automatic, Controlled, Ordered, Delivered, Kitchened, Promoted, Followed):
    """The mesh's ledger, open. Safe to share between threads; close it or use it in a `with`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # READ COMMITTED sees another moment in each statement anyway: without BEGIN and ROLLBACK around it a
        # look costs half. SQLite shows one moment, within a transaction.
        postgres = engine.dialect.name == "postgresql"
        self._looking = engine.execution_options(isolation_level="AUTOCOMMIT") if postgres else engine

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A look that waits for nobody."""
        with told_if_lost(self.engine.url), told_if_busy(PATIENCE), connected(self._looking) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction at a time in the whole mesh: committed at the end, or never happened."""
        engine = self.engine.execution_options(writes=True)
        with (
            told_if_lost(engine.url),
            told_if_busy(PATIENCE),
            connected(engine) as connection,
            connection.begin(),
        ):
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}s'"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
            yield connection

    # versions and heads

    def heads(self, environment: str = PROD) -> dict[ProductName, int]:
        """Which version of each product the environment shows now."""
        with self.reading() as connection:
            return versions.heads(connection, environment)

    def head(self, product: ProductName, environment: str = PROD) -> Version | None:
        """The version that the environment shows now, None before the first release."""
        with self.reading() as connection:
            return versions.head(connection, product, environment)

    def shown(self, products: Collection[ProductName], environment: str = PROD) -> dict[ProductName, Shown]:
        """The heads of these products at one moment, without their certificates: what a reader needs."""
        with self.reading() as connection:
            return versions.shown(connection, products, environment)

    def head_at(self, product: ProductName, release: int, environment: str = PROD) -> Version | None:
        """The version that the environment showed after a release, None if it showed none."""
        with self.reading() as connection:
            return releases.head_at(connection, product, release, environment)

    def version(self, product: ProductName, number: int) -> Version:
        """One version; raises NoVersion."""
        with self.reading() as connection:
            return versions.version(connection, product, number)

    def versions(self, product: ProductName, *, limit: int | None = None) -> list[Version]:
        """All versions, or the last ones, newest first."""
        with self.reading() as connection:
            return versions.versions(connection, product, limit)

    def versions_of(self, domain: str) -> list[Version]:
        """Versions of all products of a domain in its lake here, expired ones too, newest first."""
        with self.reading() as connection:
            return versions.of_domain(connection, domain)

    def find(self, product: ProductName, wanted: str | None = None, environment: str = PROD) -> Version:
        """The version of a number or a tag, the head for None; raises NoVersion, and UnknownVersion."""
        with self.reading() as connection:
            return tags.find(connection, product, wanted, environment)

    def version_of_run(self, product: ProductName, run_id: str) -> Version | None:
        """The version that a run released, None if it has not."""
        with self.reading() as connection:
            return versions.version_of_run(connection, product, run_id)

    # releases

    def release(
        self,
        certificates: Sequence[Certificate],
        *,
        expected: Mapping[ProductName, int | None],
        reads: Mapping[ProductName, int],
        environment: str = PROD,
        who: str,
        run_id: str,
        fences: Mapping[ProductName, int] | None = None,
    ) -> list[Version]:
        """Move heads in one transaction; raises ReleaseConflict when a head in `expected` or `reads` moved,
        or when a promotion changed a product's code since `fences` (product -> promotion) were looked at.

        `expected` has the head that each product had when its build began, None for none. A run that asks
        again gets what it released before.
        """
        order = Order(
            certificates=tuple(certificates),
            expected=dict(expected),
            reads=dict(reads),
            environment=environment,
            who=who,
            run_id=run_id,
            fences=fences,
        )
        try:
            with self.writing() as connection:
                return releases.release(connection, order)
        except RegistryLost:
            # Once more, which is safe: what the run released already is found.
            with self.writing() as connection:
                return releases.release(connection, order)

    def refuse_if_moved(
        self,
        expected: Mapping[ProductName, int | None],
        reads: Mapping[ProductName, int],
        environment: str = PROD,
    ) -> None:
        """Raise the ReleaseConflict that a release would end in now; a look, which promises nothing."""
        order = Order((), dict(expected), dict(reads), environment, "", "")
        with self.reading() as connection:
            releases.refuse_if_moved(connection, order)

    def releases(self, *, environment: str = PROD, limit: int = 50) -> list[Released]:
        """What was released, newest first."""
        with self.reading() as connection:
            return releases.history(connection, environment, limit)

    # pins

    def pin(self, holder: str, versions: Mapping[ProductName, int], expires: datetime | None = None) -> None:
        """Give a holder the right to keep reading these versions (and only these) until then."""
        with self.writing() as connection:
            pins.pin(connection, holder, versions, expires)

    def unpin(self, holder: str) -> None:
        """Let go of all that a holder pinned."""
        with self.writing() as connection:
            pins.unpin(connection, holder)

    def pins(self, *, now: datetime | None = None) -> list[Pin]:
        """Pins that still hold."""
        with self.reading() as connection:
            return pins.pins(connection, now)

    def keep(self, holder: str, product: ProductName, number: int, expires: datetime | None = None) -> None:
        """One pin more for a holder, or another expiry for the one that it has."""
        with self.writing() as connection:
            pins.keep(connection, holder, product, number, expires)

    def let_go(self, holder: str, product: ProductName | None = None, number: int | None = None) -> int:
        """How many pins of a holder went: all, those on a product, or the one on a version."""
        with self.writing() as connection:
            return pins.let_go(connection, holder, product, number)

    # tags

    def tag(self, product: ProductName, number: int, name: str, *, who: str, move: bool = False) -> None:
        """Name a version; raises TagTaken if the name is another version's and is not to move."""
        with self.writing() as connection:
            tags.tag(connection, Tag(product, name, number, who), move=move)

    def untag(self, product: ProductName, name: str) -> None:
        """Take a name away; raises UnknownTag."""
        with self.writing() as connection:
            tags.untag(connection, product, name)

    def tags(self, product: ProductName) -> list[Tag]:
        """The names of a product's versions, in order of the versions."""
        with self.reading() as connection:
            return tags.tags(connection, product)

    # expiries, and the way back

    def held(self) -> dict[ProductName, set[int]]:
        """Versions that may not expire now: heads of every environment, pinned ones, tagged ones."""
        with self.reading() as connection:
            return expiries.held(connection)

    def expire(self, wanted: Mapping[ProductName, Collection[int]], *, who: str) -> list[Version]:
        """Let go of these versions, except those that are held; returns those that this call let go of."""
        with self.writing() as connection:
            return expiries.expire(connection, wanted, who)

    def restore(self, remembered: Sequence[Remembered]) -> list[Version]:
        """Put back versions that the registry has lost; returns them. What it has is left as it is."""
        with self.writing() as connection:
            return restore.restore(connection, remembered)

    # holds of rollbacks

    def end_hold(self, product: ProductName, run_id: str, who: str) -> None:
        """Let builds make again what the rollback of that run holds."""
        with self.writing() as connection:
            holds.end(connection, product, run_id, who)

    def hold_ended(self, product: ProductName, run_id: str) -> bool:
        with self.reading() as connection:
            return holds.ended(connection, product, run_id)

    # builds

    def record_build(self, record: BuildRecord, results: Sequence[RuleResult] = ()) -> int:
        """Keep how a build ended, with what each rule said; returns the build's number."""
        with self.writing() as connection:
            return builds.record(connection, record, results)

    def last_build(self, product: ProductName) -> BuildRecord | None:
        with self.reading() as connection:
            return next(iter(builds.history(connection, product, 1)), None)

    def last_builds(self) -> dict[ProductName, BuildRecord]:
        """How the last build of each product ended."""
        with self.reading() as connection:
            return builds.last_of_each(connection)

    def builds(self, product: ProductName, *, limit: int = 50) -> list[BuildRecord]:
        """How a product's builds ended, newest first."""
        with self.reading() as connection:
            return builds.history(connection, product, limit)

    def builds_of(self, run_id: str) -> dict[ProductName, BuildRecord]:
        """How the products of one run ended, as far as they have."""
        with self.reading() as connection:
            return builds.of_run(connection, run_id)

    def rule_results(
        self, product: ProductName, *, run_id: str | None = None, kept: bool = False
    ) -> tuple[RuleResult, ...]:
        """What each rule said in the last build (or the last one of that run; with `kept` the last one that
        was neither refused nor failed), in contract order.
        """
        with self.reading() as connection:
            return builds.rule_results(connection, product, run_id, kept=kept)

    def rule_history(self, product: ProductName, rule: str, *, limit: int = 50) -> list[RuleOutcome]:
        """How one rule fared from build to build, newest first."""
        with self.reading() as connection:
            return builds.rule_history(connection, product, rule, limit)

    def audits(
        self, product: ProductName, *, limit: int = 50, rules: Collection[str] | None = None
    ) -> list[Audit]:
        """The last builds and rechecks that ran rules (or one of these), newest first."""
        with self.reading() as connection:
            return audits.window(connection, product, limit, rules)

    def standings(self, product: ProductName) -> list[Standing]:
        """The newest word of each rule that ever ran, and since when it fails."""
        with self.reading() as connection:
            return audits.standings(connection, product)
