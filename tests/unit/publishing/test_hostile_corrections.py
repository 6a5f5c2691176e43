# ruff: noqa: E501  one case a line reads better than one wrapped over five
"""Files of corrected rows that are wrong, or mean harm: one error each, and nothing of them is kept."""

from __future__ import annotations

import threading
from pathlib import Path

import duckdb
import pytest

from mesh_assets.capabilities.lake.places import literal
from mesh_assets.capabilities.lineage.model import Asset
from mesh_assets.capabilities.lineage.read import read_domain_assets
from mesh_assets.capabilities.publishing.corrected_files import corrections_folder, current_corrections
from mesh_assets.capabilities.publishing.mending import discard_corrected, release_corrected
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import CorrectionRefused
from tests.shop import ORDERS_NAME, Shop, keep_quarantine, make_shop, write_product

RECIPE = "-- source: order_log\nselect cast(order_id as bigint) as order_id, cast(amount as bigint) as amount, 'n' || order_id as note from source.order_log\n"
COLUMNS = (("order_id", "BIGINT"), ("amount", "BIGINT"), ("note", "VARCHAR"))


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Four orders without a price in quarantine: 4, 5, 6, 7. No test changes what is published."""
    shop = make_shop(tmp_path_factory.mktemp("hostile"))
    write_product(shop, "shop.orders", columns=COLUMNS, recipe=RECIPE, rules="")
    path = shop.folder("shop.orders") / "contract.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace(
            "- name: amount\n", "- name: amount\n        logicalTypeOptions: {exclusiveMinimum: 0}\n"
        )
    )
    keep_quarantine(shop, limit=90)
    shop.deliver("order_id,amount\n1,10\n2,20\n4,0\n5,0\n6,0\n7,0\n")
    shop.build("shop.orders")
    return shop


def orders(shop: Shop) -> Asset:
    assets = read_domain_assets(shop.settings, "shop").assets
    return next(asset for asset in assets if asset.name == ORDERS_NAME)


def release(shop: Shop, file: Path) -> int:
    with open_registry(shop.settings) as registry:
        return release_corrected(shop.settings, registry, orders(shop), file, "mender")


def refused(shop: Shop, file: Path) -> str:
    """What is told; nothing is kept, and no folder or file is there that was not."""
    with pytest.raises(CorrectionRefused) as error:
        release(shop, file)
    assert current_corrections(shop.settings, ORDERS_NAME) == {}
    assert {path.name for path in corrections_folder(shop.settings, ORDERS_NAME).glob("*")} <= {".lock"}
    return str(error.value)


NAMES = "order_id,amount,note\n"
TEXTS = {
    "another header": ("order,amount,note\n4,1,a\n", "missing order_id; unknown order"),
    "a header of other case": ("ORDER_ID,amount,note\n4,1,a\n", "missing order_id; unknown ORDER_ID"),
    "no header": ("4,1,a\n5,1,a\n", "missing order_id, amount, note; unknown 4, 1, a"),
    "a column twice": ("order_id,amount,note,amount\n4,1,a,2\n", "the column amount twice"),
    "another delimiter": ("order_id;amount;note\n4;1;a\n", "unknown order_id;amount;note"),
    "SQL as a name": ("order_id,amount,\"note\"\"); DROP TABLE x; --\"\n4,1,a\n", 'unknown note"); DROP TABLE x; --'),
    "a title above": ("Corrected orders\n" + NAMES + "4,1,a\n", "unknown Corrected orders"),
    "an empty file": ("", "missing order_id"),
    "no rows": (NAMES, "it has no rows"),
    "a quote that never ends": (NAMES + '4,1,"a\n', "line 2 is no CSV of these columns ("),
    "a quote in the header that never ends": ('order_id,"amount\n4,1\n', "is no CSV"),
    "a row too long": (NAMES + "4,1,a,b\n", "line 2 is no CSV of these columns ("),
    "a row too short": (NAMES + "4,1\n", "line 2 is no CSV of these columns ("),
    "a formula": (NAMES + "4,=1+1,a\n", "1 of its values of amount are no BIGINT, such as '=1+1'"),
    "a fraction": (NAMES + "4,1.5,a\n", "are no BIGINT, such as '1.5'"),
    "a text": (NAMES + "4,much,a\n", "are no BIGINT, such as 'much'"),
    "a number too large": (NAMES + "4,9223372036854775808,a\n", "are no BIGINT"),
    "an empty text for a number": (NAMES + '4,"",a\n', "are no BIGINT, such as ''"),
    "SQL for a value": (NAMES + "\"4'); DROP TABLE brought; --\",1,a\n", "of order_id are no BIGINT"),
    "a key twice": (NAMES + "4,1,a\n4,2,a\n", "2 of its rows share a key"),
    "no key": (NAMES + ",1,a\n", "1 of its rows have no key"),
    "a key that is published": (NAMES + "1,1,a\n", "have a key that no row in quarantine has"),
    "more rows than there are": (NAMES + "".join(f"{n},1,a\n" for n in range(9)), "it has 9 rows, and 4 can be corrected"),
    "a line of names without an end": ("x" * 1_100_000, "is no CSV"),
    "a thousand columns": (",".join(f"c{n}" for n in range(1_000)) + "\n", "and 990 more"),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_a_wrong_csv_file_is_one_error(held: Shop, tmp_path: Path, name: str) -> None:
    text, told = TEXTS[name]
    file = tmp_path / "corrected.csv"
    file.write_text(text, encoding="utf-8")

    assert told in refused(held, file)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"order_id,amount,note\n4,1,K\xf6ln\n", "line 2 is not UTF-8"),
        ("order_id,amount,note\n4,1,a\n".encode("utf-16"), "is not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is not UTF-8"),
        (b"\0" * 100, "its columns are not the product's"),
        (b"order_id,amount,note\n4,1,a" + b"b" * 3_000_000, "Maximum line size"),
    ],
    ids=["Latin-1", "UTF-16", "a picture", "NULs", "a line of 3 MB"],
)
def test_a_csv_file_of_other_bytes_is_one_error(
    held: Shop, tmp_path: Path, content: bytes, told: str
) -> None:
    file = tmp_path / "corrected.csv"
    file.write_bytes(content)

    assert told in refused(held, file)


def parquet(path: Path, query: str) -> Path:
    duckdb.sql(f"copy ({query}) to {literal(str(path))} (format parquet)")
    return path


GOOD = "select 4::bigint as order_id, 1::bigint as amount, 'a' as note"
QUERIES = {
    "another type": (GOOD.replace("1::bigint", "1.5::double"), "amount is DOUBLE, not BIGINT"),
    "a smaller type": (GOOD.replace("1::bigint", "1::integer"), "amount is INTEGER, not BIGINT"),
    "a list": (GOOD.replace("'a'", "['a']"), "note is VARCHAR[], not VARCHAR"),
    "a column more": (GOOD + ", 1 as more", "unknown more"),
    "a column less": ("select 4::bigint as order_id", "missing amount, note"),
    "a key twice": (f"{GOOD} union all {GOOD}", "2 of its rows share a key"),
    "a null key": (GOOD.replace("4::bigint", "null::bigint"), "1 of its rows have no key"),
    "a hundred million rows in a small file": (
        GOOD.replace("select", "select ") + " from range(3_000_000)",
        "it has 3,000,000 rows, and 4 can be corrected",
    ),
    "no rows": (GOOD + " where false", "it has no rows"),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_wrong_parquet_file_is_one_error(held: Shop, tmp_path: Path, name: str) -> None:
    query, told = QUERIES[name]

    assert told in refused(held, parquet(tmp_path / "corrected.parquet", query))


def test_bytes_that_are_no_parquet_are_one_error(held: Shop, tmp_path: Path) -> None:
    good = parquet(tmp_path / "good.parquet", GOOD).read_bytes()
    torn = tmp_path / "torn.parquet"

    for content in (b"", b"PAR1", good[:-20], good[:4] + b"\xff" * (len(good) - 8) + good[-4:]):
        torn.write_bytes(content)
        assert "is not taken" in refused(held, torn).replace("are not taken", "is not taken")


def test_a_path_is_a_path_and_no_pattern_no_column_and_no_address(
    held: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    parquet(tmp_path / "other.parquet", GOOD)
    star = tmp_path / "*.parquet"
    star.write_bytes((tmp_path / "other.parquet").read_bytes())
    told = tmp_path / "corrected.xlsx"
    told.write_bytes(b"PK")

    assert "for a pattern" in refused(held, star)
    assert "its ending tells no format" in refused(held, told)
    for address in ("https://example.com/x.parquet", "s3://bucket/x.parquet", "/dev/zero", str(tmp_path)):
        assert "there is no such file" in refused(held, Path(address))


def test_the_name_of_a_folder_is_no_value_of_a_column(held: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "order_id=7"
    folder.mkdir()

    release(held, parquet(folder / "it's corrected.PARQUET", GOOD))

    (kept,) = corrections_folder(held.settings, ORDERS_NAME).glob("*.parquet")
    assert duckdb.sql(f"select order_id, amount from '{kept}'").fetchall() == [(4, 1)]
    assert discard_corrected(held.settings, ORDERS_NAME) == 1
    kept.unlink()


def test_texts_of_a_csv_file_are_kept_as_they_stand(held: Shop, tmp_path: Path) -> None:
    """A formula in a text is a text; an empty text is no null; a BOM and CRLF are no part of anything."""
    file = tmp_path / "corrected.csv"
    rows = ['4,1,"=HYPERLINK(""http://x"")"', '5,1,""', "6,1,", '7,1," ; \t\u00e9"']
    file.write_bytes(("\ufeff" + NAMES + "\n".join(rows) + "\n").replace("\n", "\r\n").encode())

    release(held, file)

    (kept,) = corrections_folder(held.settings, ORDERS_NAME).glob("*.parquet")
    notes = duckdb.sql(f"select note from '{kept}' order by order_id").fetchall()
    assert notes == [('=HYPERLINK("http://x")',), ("",), (None,), (" ; \t\u00e9",)]
    discard_corrected(held.settings, ORDERS_NAME)
    kept.unlink()


def test_two_who_release_at_once_are_both_heard(held: Shop, tmp_path: Path) -> None:
    files = []
    for number in (4, 5, 6, 7):
        files.append(tmp_path / f"{number}.csv")
        files[-1].write_text(f"{NAMES}{number},1,a\n")
    threads = [threading.Thread(target=release, args=(held, file)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    (kept,) = current_corrections(held.settings, ORDERS_NAME).values()
    assert kept.rows == 4
    discard_corrected(held.settings, ORDERS_NAME)
    for file in corrections_folder(held.settings, ORDERS_NAME).glob("*.parquet"):
        file.unlink()


def test_a_ledger_of_corrections_that_nobody_of_ours_wrote_is_one_error(held: Shop) -> None:
    ledger = corrections_folder(held.settings, ORDERS_NAME) / "current.json"
    ledger.parent.mkdir(parents=True, exist_ok=True)
    facts = '"sha256": "", "bytes": 1, "rows": 1, "who": "x", "released": ""'
    try:
        for text in ("{", "[]", "null", '{"": 1}', f'{{"": {{"file": "../../../x.parquet", {facts}}}}}'):
            ledger.write_text(text)
            with pytest.raises(CorrectionRefused, match="nobody but the mesh writes this file"):
                current_corrections(held.settings, ORDERS_NAME)
    finally:
        ledger.unlink()


def test_a_key_that_the_contract_has_only_now_is_one_error(tmp_path: Path, held: Shop) -> None:
    file = tmp_path / "corrected.csv"
    file.write_text(NAMES + "4,1,a\n")
    path = held.folder("shop.orders") / "contract.yaml"
    before = path.read_text(encoding="utf-8")
    column = "      - name: shop_id\n        logicalType: integer\n        physicalType: BIGINT\n        primaryKey: true\n        primaryKeyPosition: 2\n        description: Where.\n"
    path.write_text(before.replace("    properties:\n", f"    properties:\n{column}", 1))
    try:
        assert "have no shop_id, which the contract's key now has" in refused(held, file)
    finally:
        path.write_text(before)


def test_rows_released_for_other_columns_are_refused_by_the_build_and_can_be_taken_back(
    tmp_path: Path,
) -> None:
    shop = make_shop(tmp_path)
    keep_quarantine(shop, limit=90)
    shop.deliver("order_id,amount\n1,10\n4,0\n")
    shop.build("shop.orders")
    file = tmp_path / "corrected.csv"
    file.write_text("order_id,amount\n4,1\n")
    release(shop, file)
    folder = shop.folder("shop.orders")
    for name in ("contract.yaml", "recipe.sql"):
        text = (folder / name).read_text(encoding="utf-8")
        text = text.replace(
            "physicalType: BIGINT\n        description: Amount",
            "physicalType: INTEGER\n        description: Amount",
        )
        text = text.replace("cast(amount as bigint)", "cast(amount as integer)")
        (folder / name).write_text(
            text.replace(
                "name: amount\n        logicalType: integer\n        physicalType: BIGINT",
                "name: amount\n        logicalType: integer\n        physicalType: INTEGER",
            )
        )

    with pytest.raises(
        CorrectionRefused, match=r"other columns, or are gone \(amount is BIGINT\).*--discard"
    ):
        shop.build("shop.orders", run_id="run-2")

    assert shop.head("shop.orders") == 1
    discard_corrected(shop.settings, ORDERS_NAME)
    assert shop.build("shop.orders", run_id="run-3").record.version == 2
