"""This project's audit: counts, content fingerprint, row count, 20 failing rows for each broken rule."""

from __future__ import annotations

from pathlib import Path

from benchmarks.audit.data import RULES
from benchmarks.audit.peers import Counts, run

CONTRACT = Path(__file__).parent.parent / "contract.yaml"


def check(path: str, rows: bool) -> Counts:
    import duckdb

    from mesh_assets.capabilities.checks.audit import audit
    from mesh_assets.capabilities.contracts.read import contract_from_text
    from mesh_assets.words.names import ProductName

    contract = contract_from_text(str(CONTRACT), ProductName("shop", "orders"), CONTRACT.read_text())
    with duckdb.connect(config={"temp_directory": f"{path}.spill"}) as con:
        verdict = audit(con, f"SELECT * FROM read_parquet('{path}')", contract)
    broken = [result for result in verdict.results if result.outcome == "error"]
    assert not broken, broken
    failed = {result.rule.id: result.failed_rows or 0 for result in verdict.results}
    assert all(len(result.sample) == min(result.failed_rows or 0, 20) for result in verdict.results)
    assert verdict.fingerprints
    return {name: failed[name] for name in RULES}


if __name__ == "__main__":
    run(check)
