"""Edits one by one: what lineage would skip, and whether it comes out the same when it is made anyway.

python -m benchmarks.impact.fuzz --edits 600 --sources .mesh/sources
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from benchmarks.impact.edits import edited
from benchmarks.impact.world import World, make_world, tables_of
from mesh_assets.capabilities.lineage.columns import ColumnLineage, decisive
from mesh_assets.capabilities.lineage.impact import Columns, changed_columns, touched_columns
from mesh_assets.capabilities.lineage.queries import NotUnderstood, relation_of
from mesh_assets.capabilities.lineage.relations import ANY, ROWS, Relation, table
from mesh_assets.capabilities.lineage.rendered import source_table
from mesh_assets.words.names import ProductName
from mesh_assets.words.settings import read_settings


@dataclass
class Tally:
    edits: int = 0
    #: Assets that a table-level pruner would have made again.
    downstream: int = 0
    skipped_by_text: int = 0
    skipped_by_data: int = 0
    #: Of `downstream`: those that came out different.
    different: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    #: (edit, model edited, model skipped, by what)
    wrong: list[tuple[str, str, str, str]] = field(default_factory=list)


class Fuzz:
    def __init__(self, world: World) -> None:
        self.world = world
        self.names = world.sql_assets()
        self.tables = {name: self._inputs(name) for name in self.names}
        self.relations = {name: self._relation(name, world.sql[name]) for name in self.names}
        self.lineages = {name: self._lineage(name) for name in self.names}
        self.columns = {name: self._columns(str(name)) for name in world.order}

    def _inputs(self, name: ProductName) -> dict[str, Relation]:
        """Each model by itself: its inputs, private ones too, are tables."""
        world, asset = self.world, self.world.mesh.assets[name]
        found: dict[str, Relation] = {}
        for need, written in tables_of(world, name).items():
            contract = world.mesh.assets[need].contract
            columns = [row[0].lower() for row in world.con.execute(f"describe {need}").fetchall()]
            keys = [frozenset(contract.key)] if contract and contract.key and need in self.names else []
            found[written.lower()] = table(str(need), columns, keys)
        for source in asset.recipe.sources:
            found[source_table(asset, source).lower()] = table(f"source:{source}", None)
        return found

    def _relation(self, name: ProductName, sql: str) -> Relation | None:
        try:
            return relation_of(sql, self.tables[name])
        except NotUnderstood:
            return None

    def _lineage(self, name: ProductName) -> ColumnLineage:
        """As column_lineage says it, with private models as inputs of their own."""
        relation = self.relations[name]
        needs = self.world.mesh.assets[name].inputs
        if relation is None:
            return ColumnLineage(name, reads=dict.fromkeys(needs))
        read: dict[ProductName, frozenset[str] | None] = {}
        for need in needs:
            columns = {column for table, column in relation.everything().needs if table == str(need)}
            read[need] = None if ANY in columns else frozenset(columns - {ROWS})
        words = frozenset(
            self.world.sql[name].lower().replace('"', " ").replace(".", " ").replace(",", " ").split()
        )
        return ColumnLineage(name, reads=read, watches=dict.fromkeys(needs, words))

    def _columns(self, table: str) -> dict[str, str]:
        return {row[0].lower(): row[1] for row in self.world.con.execute(f"describe {table}").fetchall()}

    def downstream(self, name: ProductName) -> list[ProductName]:
        found = {name}
        for each in self.names:
            if found & set(self.world.mesh.assets[each].inputs):
                found.add(each)
        return [each for each in self.names if each in found and each != name]

    def try_edit(self, name: ProductName, sql: str, kind: str, tally: Tally) -> bool:
        """False for an edit after which something cannot be made at all."""
        users = self.downstream(name)
        con = self.world.con
        con.execute("begin")
        try:
            for each in [name, *users]:
                con.execute(f"create schema if not exists old_{each.domain}")
                con.execute(f"create table old_{each} as select * from {each}")
            for each in [name, *users]:
                con.execute(f"drop view if exists mesh_{each}")
                con.execute(f"drop table {each}")
                con.execute(f"create table {each} as {sql if each == name else self.world.sql[each]}")
                con.execute(f"create view mesh_{each} as select * from {each}")
            self._judge(name, sql, kind, users, tally)
        except duckdb.Error:
            return False
        finally:
            con.execute("rollback")
        return True

    def _judge(self, name: ProductName, sql: str, kind: str, users: list[ProductName], tally: Tally) -> None:
        tally.edits += 1
        tally.kinds[kind] += 1
        tally.downstream += len(users)
        different = {each: not self._same(each, None) for each in [name, *users]}
        tally.different += sum(different[each] for each in users)
        for how, skipped in (("text", self._by_text(name, sql, users)), ("data", self._by_data(name, users))):
            for each in skipped:
                if different[each]:
                    tally.wrong.append((kind, str(name), str(each), how))
            if how == "text":
                tally.skipped_by_text += len(skipped)
            else:
                tally.skipped_by_data += len(skipped)

    def _by_text(self, name: ProductName, sql: str, users: list[ProductName]) -> list[ProductName]:
        """What nobody would make again who has seen the texts only."""
        old, new = self.relations[name], self._relation(name, sql)
        changed: dict[ProductName, Columns] = {}
        changed[name] = None if old is None or new is None else changed_columns(old, new)
        added = frozenset() if new is None else frozenset(set(new.columns) - set(self.columns[name]))
        skipped = []
        for each in users:
            columns = self._reached(each, changed, name, added)
            if columns is None or columns:
                changed[each] = columns
            else:
                skipped.append(each)
        return skipped

    def _reached(
        self,
        each: ProductName,
        changed: dict[ProductName, Columns],
        edited: ProductName,
        added: frozenset[str],
    ) -> Columns:
        lineage, relation = self.lineages[each], self.relations[each]
        hits: set[tuple[str, str]] = set()
        for need, read in lineage.reads.items():
            moved = changed.get(need, frozenset())
            if moved is not None and not moved:
                continue
            if read is None or (need == edited and added & lineage.watches[need]):
                return None
            hits |= {(str(need), ROWS)} if moved is None else {(str(need), column) for column in read & moved}
        if not hits:
            return frozenset()
        return None if relation is None else touched_columns(relation, frozenset(hits))

    def _by_data(self, name: ProductName, users: list[ProductName]) -> list[ProductName]:
        """What a run in order would leave out: no input was made anew, or none whose projection changed."""
        made, skipped = {name}, []
        for each in users:
            lineage = self.lineages[each]
            needs = [need for need in lineage.reads if need in made]
            if all(self._projection_same(lineage, need) for need in needs):
                skipped.append(each)
            else:
                made.add(each)
        return skipped

    def _projection_same(self, lineage: ColumnLineage, need: ProductName) -> bool:
        before, after = self._columns(f"old_{need}"), self._columns(str(need))
        columns = decisive(lineage, need, before=before, after=after)
        return columns is not None and self._same(need, columns)

    def _same(self, name: ProductName, columns: tuple[str, ...] | None) -> bool:
        """True if two states of a table are one bag of rows; with `columns`, of that projection."""
        if columns is None and self._columns(f"old_{name}") != self._columns(str(name)):
            return False
        chosen = "*" if columns is None else ", ".join(f'"{column}"' for column in columns) or "1"
        one, two = (f"select {chosen} from {prefix}{name}" for prefix in ("old_", ""))
        gone, come = f"{one} except all {two}", f"{two} except all {one}"
        sql = f"select (select count(*) from ({gone})) + (select count(*) from ({come}))"
        return self.world.con.execute(sql).fetchone() == (0,)


def run(world: World, *, edits: int, seed: int, seconds: float = 1e9) -> Tally:
    """Seeded edits, each on the models as they are."""
    fuzz, tally, made = Fuzz(world), Tally(), random.Random(seed)
    targets = [name for name in fuzz.names if fuzz.downstream(name)]
    stop = time.monotonic() + seconds
    while tally.edits < edits and time.monotonic() < stop:
        name = made.choice(targets)
        found = edited(world.sql[name], made)
        if found is not None:
            fuzz.try_edit(name, found[1], found[0], tally)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sources", type=Path, default=None)
    given = parser.parse_args()
    settings = read_settings()
    settings = replace(settings, sources=given.sources or settings.sources)
    began = time.process_time()
    tally = run(make_world(settings), edits=given.edits, seed=given.seed)
    print(f"{tally.edits} edits in {time.process_time() - began:.0f} CPU s: {dict(tally.kinds)}")
    print(f"downstream of them {tally.downstream} models; {tally.different} came out different")
    print(f"skipped by text {tally.skipped_by_text}, by data {tally.skipped_by_data}")
    print(f"false skips: {len(tally.wrong)}")
    for line in tally.wrong[:30]:
        print("  ", *line)


if __name__ == "__main__":
    main()
