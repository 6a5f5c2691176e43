"""Products, packages, brands and markets of FDA's directory: one row each, whatever it repeats."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from mesh_assets import mesh
from tests.conftest import BuiltMesh
from tests.domains.dbt_by_hand import frame, run_models

Drug = duckdb.DuckDBPyConnection

PRODUCT = """PRODUCTID PRODUCTNDC PROPRIETARYNAME NONPROPRIETARYNAME ROUTENAME LABELERNAME SUBSTANCENAME
    ACTIVE_NUMERATOR_STRENGTH ACTIVE_INGRED_UNIT PHARM_CLASSES STARTMARKETINGDATE
    LISTING_RECORD_CERTIFIED_THROUGH NDC_EXCLUDE_FLAG"""
APIXABAN = ("APIXABAN", "2.5", "mg/1", "Factor Xa Inhibitor [EPC],Factor Xa Inhibitors [MoA]")
METFORMIN = ("METFORMIN", "500", "mg/1", "Biguanide [EPC],Biguanides [CS]")
BOTH = (
    "SITAGLIPTIN; METFORMIN",
    "50; 500",
    "mg/1; mg/1",
    "Biguanide [EPC],Dipeptidyl Peptidase 4 Inhibitor [EPC],Biguanides [CS]",
)
VACCINE = (None, None, None, "Antigens, Viral [CS],Live Vaccine, Attenuated [EPC]")
DABIGATRAN = ("DABIGATRAN ETEXILATE", "75", "mg/1", None)


def listed(
    code: str,
    brand: str,
    generic: str,
    labeler: str,
    substance: tuple[str | None, ...],
    start: str,
    **more: str,
) -> tuple[object, ...]:
    """A line of the directory's products."""
    certified, flag = more.get("certified", "20191231"), more.get("flag", "N")
    document = more.get("document", "x")
    return (f"{code}_{document}", code, brand, generic, "ORAL", labeler, *substance, start, certified, flag)


PRODUCTS = [
    listed(
        "0003-0893", "Eliquis", "apixaban", "BMS", APIXABAN, "20130101", document="b", certified="20201231"
    ),
    listed("0003-0893", "Eliquis ", "apixaban", "BMS", APIXABAN, "20121228", document="a"),
    listed("50090-001", "ELIQUIS", "Apixaban", "A-S", APIXABAN, "20150101", flag="E"),
    listed("0006-0575", "Janumet", "sitagliptin and metformin", "Merck", BOTH, "20070330"),
    listed("11111-2222", "Glucophage", "metformin", "BMS", METFORMIN, "19950303"),
    listed("55555-001", "Zosta-Vac", "vaccine", "V", VACCINE, "20060101"),
    listed("0597-0149", "Pradaxa", "dabigatran etexilate", "BI", DABIGATRAN, "20101019"),
]

PACKAGE = "PRODUCTID PRODUCTNDC NDCPACKAGECODE PACKAGEDESCRIPTION STARTMARKETINGDATE SAMPLE_PACKAGE"
PACKAGES = [
    ("0003-0893_b", "0003-0893", "0003-0893-21", "60 TABLET in 1 BOTTLE", "20121228", "N"),
    ("50090-001_x", "50090-001", "50090-001-00", "the older line", "20150101", "N"),
    ("50090-001_x", "50090-001", "50090-001-00", "the newer line", "20160101", "N"),
    ("11111-2222_x", "11111-2222", "11111-2222-3", "1 BOTTLE in 1 BOX", "19950303", "Y"),
]
#: Columns that no test asks about.
REST = """'x' as DOSAGEFORMNAME, null as PROPRIETARYNAMESUFFIX, 'NDA' as MARKETINGCATEGORYNAME,
    'NDA1' as APPLICATIONNUMBER, null as DEASCHEDULE, null as ENDMARKETINGDATE"""
MODELS = ("brand", "package", "substance", "market_basket")


@pytest.fixture(scope="module")
def drug(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    views = {
        "drug_sources.ndc_product": f"select *, {REST} from ({frame(PRODUCT, PRODUCTS)})",
        "drug_sources.ndc_package": f"select *, null as ENDMARKETINGDATE from ({frame(PACKAGE, PACKAGES)})",
    }
    with run_models(tmp_path_factory.mktemp("drug"), MODELS, views) as con:
        yield con


def test_three_shapes_of_a_package_code_become_eleven_digits(drug: Drug) -> None:
    found = dict(drug.sql("select ndc_package_code, ndc11 from drug.package").fetchall())

    assert found == {
        "0003-0893-21": "00003089321",
        "50090-001-00": "50090000100",
        "11111-2222-3": "11111222203",
    }


def test_of_two_lines_for_one_package_the_later_one_stays(
    drug: duckdb.DuckDBPyConnection,
) -> None:
    found = drug.sql("select description, listings from drug.package where ndc11 = '50090000100'").fetchall()

    assert found == [("the newer line", 2)]


def test_a_product_code_that_is_listed_twice_is_one_product(drug: Drug) -> None:
    found = drug.sql(
        "select product_id, listings from drug.drug_product where product_ndc = '0003-0893'"
    ).fetchall()

    assert found == [("0003-0893_b", 2)]


def test_spellings_and_repackagers_are_one_brand_of_its_maker(drug: Drug) -> None:
    found = drug.sql(
        """select brand_name, generic_name, labeler, product_count, labeler_count
        from drug.brand where brand_id = 'eliquis'"""
    ).fetchall()

    assert found == [("ELIQUIS", "apixaban", "BMS", 2, 2)]


def test_a_brand_id_keeps_letters_and_digits_only(drug: Drug) -> None:
    assert drug.sql("select brand_id from drug.brand where brand_name = 'ZOSTA-VAC'").fetchall() == [
        ("zosta_vac",)
    ]


def test_lists_of_substances_are_taken_apart_side_by_side(drug: Drug) -> None:
    found = drug.sql(
        """select substance_name, strength, unit from drug.substance
        where product_ndc = '0006-0575' order by position"""
    ).fetchall()

    assert found == [("SITAGLIPTIN", 50.0, "mg/1"), ("METFORMIN", 500.0, "mg/1")]


def test_a_comma_in_the_name_of_a_class_does_not_cut_it(drug: Drug) -> None:
    found = drug.sql("select pharm_class from drug.market_basket where brand_id = 'zosta_vac'").fetchall()

    assert found == [("Live Vaccine, Attenuated",)]


def test_a_combination_is_in_two_classes_and_one_market(drug: Drug) -> None:
    found = drug.sql(
        """select pharm_class, basket_name, is_primary from drug.market_basket
        where brand_id = 'janumet' order by 1"""
    ).fetchall()

    assert found == [
        ("Biguanide", "Oral diabetes", False),
        ("Dipeptidyl Peptidase 4 Inhibitor", "Oral diabetes", True),
    ]


def test_a_brand_that_the_directory_does_not_class_competes_all_the_same(
    drug: duckdb.DuckDBPyConnection,
) -> None:
    found = drug.sql(
        "select pharm_class, basket_name, class_source from drug.market_basket where brand_id = 'pradaxa'"
    ).fetchall()

    assert found == [("Direct Thrombin Inhibitor", "Antithrombotics", "supplement")]


@pytest.mark.mesh
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
    rows, keys = mesh.read(product).relation.aggregate(f"count(*), count(distinct ({key}))").fetchone() or (
        0,
        0,
    )

    assert rows == keys > 1000


@pytest.mark.mesh
def test_the_defects_of_the_directory_are_kept(built_mesh: BuiltMesh) -> None:
    products = mesh.read("drug.drug_product").relation
    packages = mesh.read("drug.package").relation

    assert products.filter("end_marketing = date '3031-02-09'").aggregate("count(*)").fetchall() == [(1,)]
    assert packages.filter("listings > 1").aggregate("count(*)").fetchall() == [(18,)]
    assert products.filter("product_ndc = '0407-1413'").select("listings").fetchall() == [(6,)]
