"""Breaking a drop on purpose, and bringing back what was there."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from mesh_assets.capabilities.contracts import read_contract
from mesh_assets.operational import write_sources
from mesh_assets.operational.breakages import BREAKAGES, Breakage
from mesh_assets.operational.defects import KINDS, UnknownDefect, mend, plant, read_ledger
from mesh_assets.words.settings import PACKAGE

from .conftest import SCALE
from .test_sources import contents


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("kind", KINDS)
def test_a_defect_changes_one_file_and_mending_brings_back_every_byte(breakable: Path, kind: str) -> None:
    before = contents(breakable)

    planted = plant(breakable, kind)

    broken = {name: content for name, content in contents(breakable).items() if not name.startswith("_")}
    assert {name for name in before if before[name] != broken.get(name)} - {
        "_defects.json",
        "_sources.json",
    } == {planted.source}
    assert planted in read_ledger(breakable)
    assert mend(breakable, kind) == (planted,)
    assert contents(breakable) == before


@pytest.mark.parametrize(
    "one", [one for one in BREAKAGES.values() if one.noticed_by.islower()], ids=lambda one: one.kind
)
def test_the_rule_that_is_expected_to_notice_is_in_the_contract_and_blocks(one: Breakage) -> None:
    contract = read_contract(PACKAGE / "domains" / one.product.replace(".", "/") / "contract.yaml")

    assert {rule.id: rule.blocking for rule in contract.rules}.get(one.noticed_by) is True


def test_there_are_more_than_a_dozen_kinds() -> None:
    assert len(KINDS) >= 13


def test_the_ledger_names_the_rows_that_a_duplicated_key_is_in(breakable: Path) -> None:
    planted = plant(breakable, "duplicated_key")

    calls = [row["call_id"] for row in rows(breakable / planted.source)]
    assert {call for call in calls if calls.count(call) > 1} == set(planted.rows)


def test_the_ledger_names_the_fills_with_a_package_that_does_not_exist(breakable: Path) -> None:
    planted = plant(breakable, "unknown_reference")

    unknown = duckdb.read_parquet(str(breakable / planted.source)).filter("ndc11 = '00000000000'")
    assert {str(row[0]) for row in unknown.fetchall()} == set(planted.rows)


def test_the_byte_of_another_encoding_is_not_utf_8(breakable: Path) -> None:
    planted = plant(breakable, "cp1252_byte")

    with pytest.raises(UnicodeDecodeError):
        (breakable / planted.source).read_text("utf-8")


def test_a_weekly_defect_goes_where_it_is_wanted(breakable: Path) -> None:
    assert plant(breakable, "missing_column", week="2024-06-03").source == "engagement/calls/2024-06-03.csv"


def test_two_defects_in_one_file_are_mended_together(breakable: Path) -> None:
    before = contents(breakable)
    plant(breakable, "negative_amount")
    plant(breakable, "impossible_date")

    gone = mend(breakable, "impossible_date")

    assert {entry.kind for entry in gone} == {"negative_amount", "impossible_date"}
    assert contents(breakable) == before


def test_everything_is_mended_at_once(breakable: Path) -> None:
    before = contents(breakable)
    for kind in ("missing_file", "truncated_file", "wrong_type"):
        plant(breakable, kind)

    assert len(mend(breakable)) == 3
    assert contents(breakable) == before


def test_planting_twice_is_planting_once(breakable: Path) -> None:
    assert plant(breakable, "value_out_of_range") == plant(breakable, "value_out_of_range")
    assert len(mend(breakable)) == 1


def test_planted_defects_outlive_a_call_that_writes_nothing(breakable: Path) -> None:
    planted = plant(breakable, "empty_file")

    write_sources(breakable, scale=SCALE)

    assert (breakable / planted.source).read_bytes() == b""


def test_writing_anew_forgets_planted_defects(breakable: Path, sources: Path) -> None:
    plant(breakable, "empty_file")
    (breakable / "_sources.json").unlink()

    write_sources(breakable, scale=SCALE)

    assert contents(breakable) == contents(sources)


def test_an_unknown_kind_is_refused_with_the_known_ones(breakable: Path) -> None:
    with pytest.raises(UnknownDefect, match=r"no defect of the kind 'gremlin'.*missing_column"):
        plant(breakable, "gremlin")
