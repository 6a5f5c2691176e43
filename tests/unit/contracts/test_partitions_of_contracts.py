"""How a contract says what its product is cut by, and what is told of what cannot be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mesh_assets.capabilities.contracts.model import Partitioning
from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.words.errors import DocumentMalformed
from tests.cuts import make_cuts
from tests.shop import Shop

MONTHLY = "{column: month, every: month, first: 2024-11-01, until: 2025-02-01}"
BY_FILE = "{column: filing, every: file, source: plan_filings}"


@pytest.fixture
def mesh(tmp_path: Path) -> Shop:
    return make_cuts(tmp_path)


def cut(mesh: Shop, product: str, written: str = "", instead: str = "") -> Partitioning | None:
    path = mesh.folder(product) / "contract.yaml"
    text = path.read_text(encoding="utf-8")
    assert written in text
    path.write_text(text.replace(written, instead) if written else text, encoding="utf-8")
    domain = product.partition(".")[0]
    return read_domain_assets(mesh.settings, domain).assets[0].partitioning


def test_months_are_read_with_their_first_days(mesh: Shop) -> None:
    assert cut(mesh, "brand.performance") == Partitioning(
        "month", "month", date(2024, 11, 1), date(2025, 2, 1)
    )


def test_files_are_read_with_where_they_are(mesh: Shop) -> None:
    found = cut(mesh, "plans.plan")

    assert found is not None
    assert (found.every, found.source) == ("file", "plan_filings")
    assert found.files == mesh.settings.sources / "plans/filings/{batch}.csv"


@pytest.mark.parametrize(
    ("product", "written", "instead", "told"),
    [
        ("brand.performance", "first: 2024-11-01", "first: 2024-11-15", "day 15 of its month"),
        ("brand.performance", "first: 2024-11-01", "first: soon", "Write e.g. 2023-01-01"),
        ("brand.performance", "until: 2025-02-01", "until: 2024-10-01", "is not after `first`"),
        ("brand.performance", "every: month", "every: day", "Allowed: week, month, file"),
        ("brand.performance", "column: month", "column: amount", "partitions go by a DATE, and amount is"),
        ("brand.performance", MONTHLY, "{column: month, every: month}", "`first` is missing"),
        ("plans.plan", "column: filing", "column: members", "by file go by a VARCHAR, and members is"),
        ("plans.plan", "source: plan_filings", "source: rumours", "no source of plans"),
        ("plans.plan", ", source: plan_filings", "", "`source` is missing"),
        (
            "plans.plan",
            "source: plan_filings",
            "source: plan_filings, first: 2024-01-01",
            "`first` is not known",
        ),
    ],
)
def test_a_mistake_is_told_with_file_and_what_to_write(
    mesh: Shop, product: str, written: str, instead: str, told: str
) -> None:
    with pytest.raises(DocumentMalformed) as refused:
        cut(mesh, product, written, instead)

    assert told in str(refused.value)
    assert "contract.yaml" in str(refused.value)
