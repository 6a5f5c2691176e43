"""A contract is read without an engine: what its readers list of the engine's is held to the engine's own."""

from __future__ import annotations

from mesh_assets.capabilities.checks import format as told
from mesh_assets.capabilities.checks.compile import OTHER_PASSES, Pass
from mesh_assets.capabilities.checks.kinds import MEASURES, ROW_KINDS
from mesh_assets.capabilities.contracts import site
from mesh_assets.capabilities.contracts.kinds import KINDS
from mesh_assets.capabilities.contracts.quarantine import TABLE_KINDS


def test_contracts_know_which_kinds_name_no_row():
    no_row = {kind for kind, by in OTHER_PASSES.items() if by in (Pass.COLUMNS, Pass.SQL)}

    assert {"row_count", "row_count_positive", *no_row, *MEASURES} == TABLE_KINDS


def test_contracts_take_the_operators_that_the_audit_compares_with():
    assert tuple(told.OPERATORS) == site.OPERATORS


def test_every_kind_that_a_contract_can_write_is_one_that_the_audit_runs():
    assert set(KINDS) == {*ROW_KINDS, *MEASURES}
