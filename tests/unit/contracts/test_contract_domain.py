"""What a domain says of itself arrives whole; a source cannot point out of the folder of sources."""

from __future__ import annotations

import pytest

from mesh_assets.capabilities.contracts import Person, read_domain
from mesh_assets.words.errors import DocumentMalformed
from mesh_assets.words.names import ProductName


def test_a_domain_says_what_its_file_says(domain_of, domain_text, tmp_path):
    domain = domain_of(domain_text)

    assert (domain.name, domain.title, domain.version, domain.status) == (
        "shop",
        "The shop",
        "2.0.0",
        "active",
    )
    assert (domain.purpose, domain.limitations, domain.usage) == ("Sells.", "Not abroad.", "Read orders.")
    assert domain.owners == (Person("owner@example.com", "owner"), Person("shop team", "team"))
    assert domain.input_ports == (ProductName("geography", "zip_area"),)
    assert domain.output_ports == (ProductName("shop", "orders"),)
    assert domain.support[0]["channel"] == "shop"
    assert domain.folder == tmp_path / "shop"


def test_sources_say_where_and_how_they_are_delivered(domain_of, domain_text):
    till, skus = domain_of(domain_text).sources

    assert (till.name, till.path, till.format, till.encoding, till.late) == (
        "till",
        "shop/till/{week}.csv",
        "csv",
        "windows-1252",
        2,
    )
    assert till.weekly
    assert till.columns == ("order_id", "sku")
    assert till.place.line == 23
    assert (skus.format, skus.weekly, skus.columns) == ("parquet", False, ())


@pytest.mark.parametrize("version", ["v1.0.0", "v1.1.0"])
def test_both_versions_of_the_standard_are_read(domain_of, domain_text, version):
    assert domain_of(domain_text.replace("v1.1.0", version)).name == "shop"


def test_a_domain_may_receive_nothing_and_have_no_ports(domain_of):
    domain = domain_of("{apiVersion: v1.1.0, kind: DataProduct, id: shop, status: draft}")

    assert (domain.title, domain.sources, domain.input_ports, domain.output_ports) == ("shop", (), (), ())


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "../secrets.csv", "shop/../../x.csv", "..", "~/x.csv", "C:/x.csv", "shop\\x.csv"),
        *(
            "shop/*.csv",
            "shop//x.csv",
            "./x.csv",
            "shop/{day}.csv",
            "shop/{week}/{week}.csv",
            "''",
            "7",
            "shop/",
        ),
    ],
)
def test_a_source_cannot_lead_out_of_the_folder_of_sources(domain_of, domain_text, changed, path):
    with pytest.raises(DocumentMalformed, match=r"domain\.yaml:30:15: the path"):
        domain_of(changed(domain_text, "path: shop/skus.parquet", f"path: {path}\n        format: csv"))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("name: skus", "nme: skus", r"29:9: the key `nme` is not known here. Did you mean name\?"),
        ("path: shop/skus.parquet", "pth: x", r"30:9: the key `pth` is not known here. Did you mean path\?"),
        ("        path: shop/skus.parquet\n", "", "29:9: `path` is missing here"),
        ("name: skus", "name: Skus", "29:15: 'Skus' .text. is no source name"),
        ("name: skus", "name: till", "29:15: the source 'till' is written twice"),
        ("encoding: windows-1252", "encoding: windows-1525", "25:19: the encoding 'windows-1525' is unknown"),
        ("encoding: windows-1252", "format: cvs", r"25:17: the format is 'cvs' .text.. Did you mean csv\?"),
        ("path: shop/skus.parquet", "path: shop/skus", "says nothing about its format. Add format"),
        (
            "path: shop/skus.parquet",
            "path: a.parquet\n        encoding: utf-8",
            "parquet is not a text format",
        ),
        ("path: shop/skus.parquet", "path: a.parquet\n        late: 1", "`late` is for weekly sources"),
        ("late: 2", "late: -1", "26:15: `late` is -1"),
        ("late: 2", "late: true", "26:15: `late` is true"),
        ("[order_id, sku]", "[order_id, order_id]", "28:29: the column 'order_id' is written twice"),
        ("[order_id, sku]", "order_id", "28:18: `columns` is 'order_id'"),
        (
            "property: sources",
            "property: source",
            r"21:15: the customProperty 'source' .*Did you mean sources\?",
        ),
        ("domain: shop", "domain: store", "7:9: `domain` is 'store', and the folder is shop"),
        ("contractId: shop.orders", "contractId: hcp.orders", "19:48: hcp.orders is not of the domain shop"),
        (
            "contractId: geography.zip_area",
            "contractId: shop.zip_area",
            "17:50: shop.zip_area is of this domain",
        ),
        (
            "contractId: geography.zip_area",
            "contractId: zip_area",
            "17:50: 'zip_area' is not the name of a product",
        ),
        ("contractId: shop.orders", "contractId: shop._orders", "is private to its domain"),
        (
            "{name: orders, version: 1.0.0, contractId: shop.orders}",
            "{name: orders, version: 1.0.0}",
            "no `contractId`",
        ),
        (
            "inputPorts",
            "inputPort",
            r"has the key `inputPort`, which ODPS v1.1.0 does not know.*Did you mean inputPorts",
        ),
        ("kind: DataProduct", "kind: DataContract", "`kind` is 'DataContract' .text.. Write DataProduct"),
        ("apiVersion: v1.1.0", "apiVersion: v1.2.0", "no version of ODPS that this mesh reads"),
        ("channel: shop, ", "", "has no `channel`"),
    ],
)
def test_what_is_wrong_with_a_domain_is_told_where_it_is_written(
    domain_of, domain_text, changed, old, new, problem
):
    with pytest.raises(DocumentMalformed, match=problem):
        domain_of(changed(domain_text, old, new))


def test_the_same_port_twice_is_refused(domain_of, domain_text, changed):
    port = "  - {name: orders, version: 1.0.0, contractId: shop.orders}\n"

    with pytest.raises(DocumentMalformed, match=r"20:43: shop\.orders is written twice under outputPorts"):
        domain_of(changed(domain_text, port, port + port.replace("name: orders", "name: o")))


def test_a_folder_that_is_no_domain_name_is_told(tmp_path, domain_text):
    folder = tmp_path / "My-Shop"
    folder.mkdir()
    (folder / "domain.yaml").write_text(domain_text)

    with pytest.raises(DocumentMalformed, match="the folder 'My-Shop' is no domain name"):
        read_domain(folder)


def test_a_domain_without_description_is_told(tmp_path):
    with pytest.raises(DocumentMalformed, match="there is no such file"):
        read_domain(tmp_path)
