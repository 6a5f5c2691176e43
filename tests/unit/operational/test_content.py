"""What the drops say: numbers that check, proportions that were meant, defects where the ledger has them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from mesh_assets.operational.defects import read_ledger
from mesh_assets.operational.streams import define_streams

Connection = duckdb.DuckDBPyConnection


def passes_luhn(npi: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed("80840" + npi)):
        value = int(digit) * (1 + place % 2)
        total += value // 10 + value % 10
    return total % 10 == 0


def column(con: Connection, query: str) -> list[str]:
    return [row[0] for row in con.execute(query).fetchall()]


@pytest.fixture
def fills(con: Connection, sources: Path) -> Connection:
    con.execute(
        f"""CREATE VIEW claim AS SELECT *,
            strptime(regexp_extract(filename, '([0-9-]+).parquet', 1), '%Y-%m-%d')::DATE AS drop_week,
            (drop_week - date_trunc('week', fill_date)::DATE) // 7 AS late
        FROM read_parquet('{sources}/prescriptions/fills/*.parquet', filename = true)"""
    )
    return con


@pytest.mark.parametrize("file", ["crm_accounts", "npi_registry"])
def test_generated_npis_begin_with_2_and_have_a_valid_check_digit(
    con: Connection, sources: Path, file: str
) -> None:
    read = f"read_csv('{sources}/hcp/{file}.csv', all_varchar = true)"
    npis = column(con, f"SELECT npi FROM {read} WHERE npi IS NOT NULL")

    assert npis
    assert all(npi.startswith("2") and len(npi) == 10 and passes_luhn(npi) for npi in npis)


def test_npis_of_a_hundred_thousand_persons_are_all_different(con: Connection) -> None:
    define_streams(con)

    assert con.execute("SELECT count(DISTINCT npi_of(i)) FROM range(100000) AS t(i)").fetchone() == (100_000,)


def test_draws_of_two_streams_do_not_follow_each_other(con: Connection) -> None:
    define_streams(con)
    found = con.execute(
        """SELECT corr(draw(i, 1), draw(i, 2)), corr(draw(i, 1), draw(i + 1, 1)), avg(draw(i, 3)) / 2147483647
        FROM range(100000) AS t(i)"""
    ).fetchone()

    assert found is not None
    assert abs(found[0]) < 0.01
    assert abs(found[1]) < 0.01
    assert found[2] == pytest.approx(0.5, abs=0.005)


def test_three_of_a_hundred_fills_are_late_by_at_most_four_weeks(fills: Connection) -> None:
    found = fills.execute(
        "SELECT avg((late > 0)::INTEGER), min(late), max(late) FROM claim WHERE claim_type = 'fill'"
    ).fetchone()

    assert found is not None
    assert found[0] == pytest.approx(0.03, abs=0.005)
    assert found[1:] == (0, 4)


def test_two_of_a_hundred_fills_are_reversed_once_and_in_full(fills: Connection) -> None:
    found = fills.execute(
        """SELECT count(*), count(DISTINCT fill.fill_id), max(reversal.late),
            count(*) FILTER (reversal.paid_amount <> -fill.paid_amount),
            count(*) FILTER (reversal.received_at < fill.received_at)
        FROM claim AS reversal JOIN claim AS fill ON fill.fill_id = reversal.reversed_fill_id"""
    ).fetchone()

    assert found is not None
    assert found[0] / 20_000 == pytest.approx(0.02, abs=0.004)
    assert found[1:] == (found[0], 4, 0, 0)


def test_a_drop_holds_what_was_received_in_its_week(fills: Connection) -> None:
    wrong = "date_trunc('week', received_at)::DATE <> drop_week OR received_at < fill_date"

    assert fills.execute(f"SELECT count(*) FROM claim WHERE {wrong}").fetchone() == (0,)


def test_fills_name_packages_of_the_directory_and_prescribers_of_the_registry(
    fills: Connection, sources: Path
) -> None:
    lines = (sources / "drug/ndc_package.tsv").read_text("windows-1252").splitlines()[1:]
    codes = (line.split("\t")[2].split("-") for line in lines)
    listed = {first.zfill(5) + second.zfill(4) + third.zfill(2) for first, second, third in codes}
    registry = f"read_csv('{sources}/hcp/npi_registry.csv', all_varchar = true)"

    assert set(column(fills, "SELECT DISTINCT ndc11 FROM claim")) <= listed
    unknown = f"SELECT count(*) FROM claim WHERE npi NOT IN (SELECT npi FROM {registry})"
    assert fills.execute(unknown).fetchone() == (0,)


def test_a_tenth_of_the_prescribers_writes_more_than_a_third_of_the_fills(fills: Connection) -> None:
    share = fills.execute(
        """SELECT sum(n) FILTER (tenth = 1) / sum(n)
        FROM (
            SELECT n, ntile(10) OVER (ORDER BY n DESC) AS tenth
            FROM (SELECT count(*) AS n FROM claim GROUP BY npi)
        )"""
    ).fetchone()

    assert share is not None
    assert 0.33 < share[0] < 0.45


def test_the_ledger_knows_every_unsigned_sample_and_every_late_fill(fills: Connection, sources: Path) -> None:
    ledger = {(entry.source.split("/")[1], entry.kind): entry for entry in read_ledger(sources)}
    late = "SELECT fill_id::VARCHAR FROM claim WHERE late > 0 AND claim_type = 'fill' ORDER BY fill_id"
    read = f"read_csv('{sources}/engagement/samples/*.csv', all_varchar = true)"
    unsigned = column(fills, f"SELECT drop_id FROM {read} WHERE signature = 'N' ORDER BY 1")

    assert list(ledger["fills", "late_fill"].rows) == column(fills, late)
    assert list(ledger["samples", "unsigned_sample"].rows) == unsigned


def test_the_ledger_knows_who_is_in_the_crm_twice_and_who_lost_a_zero(con: Connection, sources: Path) -> None:
    ledger = {entry.kind: entry for entry in read_ledger(sources) if entry.source == "hcp/crm_accounts.csv"}
    read = f"read_csv('{sources}/hcp/crm_accounts.csv', all_varchar = true)"
    short = column(con, f"SELECT account_id FROM {read} WHERE length(zip) < 5 ORDER BY 1")
    twice = con.execute(f"SELECT count(*) - count(DISTINCT npi) FROM {read} WHERE npi IS NOT NULL").fetchone()

    assert list(ledger["zip_without_leading_zero"].rows) == short
    assert twice is not None
    assert twice[0] <= ledger["person_twice"].count
    assert not any(entry.blocking for entry in ledger.values())
