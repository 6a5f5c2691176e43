"""How long versions stay readable, as contracts say it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from mesh_assets.capabilities.contracts import read_contract
from mesh_assets.capabilities.contracts.model import Retention
from mesh_assets.capabilities.contracts.retention import described
from mesh_assets.words.errors import DocumentMalformed
from tests.shop import Shop, make_shop


def contract(tmp_path: Path, more: str) -> Retention:
    shop: Shop = make_shop(tmp_path)
    path = shop.folder("shop.orders") / "contract.yaml"
    text = path.read_text(encoding="utf-8")
    if more.startswith("slaProperties"):
        text = text.partition("slaProperties:")[0]
    path.write_text(text + more, encoding="utf-8")
    return read_contract(path).retention


@pytest.mark.parametrize(
    ("more", "versions", "days"),
    [
        ("", 10, 30),
        ("customProperties: [{property: retention, value: {versions: 3}}]\n", 3, 1),
        ("customProperties: [{property: retention, value: {days: 90}}]\n", 2, 90),
        ("customProperties: [{property: retention, value: {versions: 5, days: 7}}]\n", 5, 7),
        ("slaProperties: [{property: retention, value: 1, unit: y}]\n", 2, 366),
        (
            "slaProperties: [{property: re, value: P8W}]\n"
            "customProperties: [{property: retention, value: {versions: 4}}]\n",
            4,
            56,
        ),
    ],
)
def test_a_policy_is_read_as_versions_and_days(tmp_path: Path, more: str, versions: int, days: int) -> None:
    assert contract(tmp_path, more) == Retention(versions, timedelta(days=days))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("{versions: 1}", "Write a whole number from 2 to 36600"),
        ("{days: 0}", "`days` is 0"),
        ("{weeks: 3}", "Write e.g. {versions: 10, days: 30}"),
        ("30", "Write e.g. {versions: 10, days: 30}"),
    ],
)
def test_anything_else_is_refused_with_its_line(tmp_path: Path, value: str, problem: str) -> None:
    with pytest.raises(DocumentMalformed) as refused:
        contract(tmp_path, f"customProperties: [{{property: retention, value: {value}}}]\n")

    assert problem in str(refused.value)
    assert refused.value.facts["line"] > 1


def test_days_are_said_once(tmp_path: Path) -> None:
    with pytest.raises(DocumentMalformed, match="said twice: 7 days here"):
        contract(
            tmp_path,
            "slaProperties: [{property: retention, value: 1, unit: y}]\n"
            "customProperties: [{property: retention, value: {days: 7}}]\n",
        )


def test_a_policy_is_told_in_words() -> None:
    assert described(Retention()) == "the last 10 versions, and those superseded within 30 days"
