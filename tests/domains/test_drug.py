"""Products, packages, brands and markets from FDA's directory: one row each, whatever the directory repeats."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from mesh_assets import mesh
from tests.conftest import BuiltMesh
from tests.domains.dbt_by_hand import frame, run_models

PRODUCT = (
    "PRODUCTID, PRODUCTNDC, PROPRIETARYNAME, NONPROPRIETARYNAME, ROUTENAME, LABELERNAME, SUBSTANCENAME, "
    "ACTIVE_NUMERATOR_STRENGTH, ACTIVE_INGRED_UNIT, PHARM_CLASSES, STARTMARKETINGDATE, "
    "LISTING_RECORD_CERTIFIED_THROUGH, NDC_EXCLUDE_FLAG"
)
XA, BIGUANIDE = "Factor Xa Inhibitor [EPC],Factor Xa Inhibitors [MoA]", "Biguanide [EPC],Biguanides [CS]"
#: Names of classes have commas, and brackets stand without a comma between them at the end.
VIRAL = "Antigens, Viral [CS],Live Vaccine, Attenuated [EPC]"
MIX = "Biguanide [EPC],Dipeptidyl Peptidase 4 Inhibitor [EPC],Biguanides [CS]"

PRODUCTS = [
    ("0003-0893_b", "0003-0893", "Eliquis", "apixaban", "ORAL", "BMS", "APIXABAN", "2.5", "mg/1", XA, "20130101", "20201231", "N"),
    ("0003-0893_a", "0003-0893", "Eliquis ", "apixaban", "ORAL", "BMS", "APIXABAN", "2.5", "mg/1", XA, "20121228", "20191231", "N"),
    ("50090-001_x", "50090-001", "ELIQUIS", "Apixaban", "ORAL", "A-S", "APIXABAN", "5", "mg/1", XA, "20150101", "20191231", "E"),
    ("0006-0575_x", "0006-0575", "Janumet", "sitagliptin and metformin", "ORAL", "Merck", "SITAGLIPTIN; METFORMIN", "50; 500",
     "mg/1; mg/1", MIX, "20070330", "20191231", "N"),
    ("11111-2222_x", "11111-2222", "Glucophage", "metformin", "ORAL", "BMS", "METFORMIN", "500", "mg/1", BIGUANIDE, "19950303", None, "N"),
    ("55555-001_x", "55555-001", "Zosta-Vac", "vaccine", None, "V", None, None, None, VIRAL, "20060101", "20191231", "N"),
    ("0597-0149_x", "0597-0149", "Pradaxa", "dabigatran etexilate", "ORAL", "BI", "DABIGATRAN", "75", "mg/1", None, "20101019", "20191231", "N"),
]  # fmt: skip

PACKAGE = "PRODUCTID, PRODUCTNDC, NDCPACKAGECODE, PACKAGEDESCRIPTION, STARTMARKETINGDATE, SAMPLE_PACKAGE"
PACKAGES = [
    ("0003-0893_b", "0003-0893", "0003-0893-21", "60 TABLET in 1 BOTTLE", "20121228", "N"),
    ("50090-001_x", "50090-001", "50090-001-00", "the older line", "20150101", "N"),
    ("50090-001_x", "50090-001", "50090-001-00", "the newer line", "20160101", "N"),
    ("11111-2222_x", "11111-2222", "11111-2222-3", "1 BOTTLE in 1 BOX", "19950303", "Y"),
]


@pytest.fixture(scope="module")
def drug(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    rest = "'x' as DOSAGEFORMNAME, null as PROPRIETARYNAMESUFFIX, 'NDA' as MARKETINGCATEGORYNAME, " \
        "'NDA1' as APPLICATIONNUMBER, null as DEASCHEDULE, null as ENDMARKETINGDATE"  # fmt: skip
    views = {
        "drug_sources.ndc_product": f"select *, {rest} from ({frame(PRODUCT, PRODUCTS)})",
        "drug_sources.ndc_package": f"select *, null as ENDMARKETINGDATE from ({frame(PACKAGE, PACKAGES)})",
    }
    with run_models(tmp_path_factory.mktemp("drug"), ["brand", "package", "substance", "market_basket"], views) as con:
        yield con


def test_three_shapes_of_a_package_code_become_eleven_digits(drug: duckdb.DuckDBPyConnection) -> None:
    found = dict(drug.sql("select ndc_package_code, ndc11 from drug.package").fetchall())

    assert found == {
        "0003-0893-21": "00003089321",
        "50090-001-00": "50090000100",
        "11111-2222-3": "11111222203",
    }


def test_of_two_lines_for_one_package_the_later_one_stays_and_tells_of_the_other(drug: duckdb.DuckDBPyConnection) -> None:
    found = drug.sql("select description, listings from drug.package where ndc11 = '50090000100'").fetchall()

    assert found == [("the newer line", 2)]


def test_a_product_code_that_is_listed_twice_is_one_product(drug: duckdb.DuckDBPyConnection) -> None:
    found = drug.sql("select product_id, listings from drug.drug_product where product_ndc = '0003-0893'").fetchall()

    assert found == [("0003-0893_b", 2)]


def test_spellings_and_repackagers_are_one_brand_of_its_maker(drug: duckdb.DuckDBPyConnection) -> None:
    found = drug.sql(
        "select brand_name, generic_name, labeler, product_count, labeler_count from drug.brand where brand_id = 'eliquis'"
    ).fetchall()

    assert found == [("ELIQUIS", "apixaban", "BMS", 2, 2)]


def test_a_brand_id_keeps_letters_and_digits_only(drug: duckdb.DuckDBPyConnection) -> None:
    assert drug.sql("select brand_id from drug.brand where brand_name = 'ZOSTA-VAC'").fetchall() == [("zosta_vac",)]


def test_lists_of_substances_are_taken_apart_side_by_side(drug: duckdb.DuckDBPyConnection) -> None:
    found = drug.sql(
        "select substance_name, strength, unit from drug.substance where product_ndc = '0006-0575' order by position"
    ).fetchall()

    assert found == [("SITAGLIPTIN", 50.0, "mg/1"), ("METFORMIN", 500.0, "mg/1")]


def test_a_comma_in_the_name_of_a_class_does_not_cut_it(drug: duckdb.DuckDBPyConnection) -> None:
    found = drug.sql("select pharm_class from drug.market_basket where brand_id = 'zosta_vac'").fetchall()

    assert found == [("Live Vaccine, Attenuated",)]


def test_a_combination_is_in_two_classes_and_one_market(drug: duckdb.DuckDBPyConnection) -> None:
    found = drug.sql(
        "select pharm_class, basket_name, is_primary from drug.market_basket where brand_id = 'janumet' order by 1"
    ).fetchall()

    assert found == [
        ("Biguanide", "Oral diabetes", False),
        ("Dipeptidyl Peptidase 4 Inhibitor", "Oral diabetes", True),
    ]


def test_a_brand_that_the_directory_does_not_class_competes_all_the_same(drug: duckdb.DuckDBPyConnection) -> None:
    found = drug.sql(
        "select pharm_class, basket_name, class_source from drug.market_basket where brand_id = 'pradaxa'"
    ).fetchall()

    assert found == [("Direct Thrombin Inhibitor", "Antithrombotics", "supplement")]


@pytest.mark.parametrize(
    ("product", "key"),
    [
        ("drug.drug_product", "product_ndc"),
        ("drug.package", "ndc11"),
        ("drug.brand", "brand_id"),
        ("drug.substance", "product_ndc, substance_name"),
        ("drug.market_basket", "brand_id, pharm_class"),
    ],
)
def test_the_published_product_has_one_row_per_key(built_mesh: BuiltMesh, product: str, key: str) -> None:
    rows, keys = mesh.read(product).relation.aggregate(f"count(*), count(distinct ({key}))").fetchone() or (0, 0)

    assert rows == keys > 1000


def test_the_defects_of_the_directory_are_kept(built_mesh: BuiltMesh) -> None:
    products = mesh.read("drug.drug_product").relation
    packages = mesh.read("drug.package").relation

    assert products.filter("end_marketing = date '3031-02-09'").aggregate("count(*)").fetchall() == [(1,)]
    assert packages.filter("listings > 1").aggregate("count(*)").fetchall() == [(18,)]
    assert products.filter("product_ndc = '0407-1413'").select("listings").fetchall() == [(6,)]
