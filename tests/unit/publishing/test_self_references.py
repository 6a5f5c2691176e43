"""A product that refers to itself: every row's parent is a row of the same version."""

from __future__ import annotations

import pytest

from mesh_assets.words.errors import PromiseBroken
from tests.shop import Shop, write_product


@pytest.mark.parametrize(
    "to",
    [
        "staff.id",
        "shop.staff.id",
        "schema/staff/properties/id",
        "../staff/contract.yaml#schema/staff/properties/id",
    ],
)
def test_rows_whose_parent_is_missing_are_counted_and_nothing_is_published(shop: Shop, to: str) -> None:
    folder = write_product(
        shop,
        "shop.staff",
        columns=(("id", "BIGINT"), ("boss", "BIGINT")),
        recipe="select * from (values (1::bigint, null::bigint), (2, 1), (3, 9), (4, 9)) as rows(id, boss)\n",
    )
    path = folder / "contract.yaml"
    text = path.read_text(encoding="utf-8")
    name = "      - name: boss\n"
    path.write_text(text.replace(name, f"{name}        relationships: [{{to: {to}}}]\n"), encoding="utf-8")

    with pytest.raises(PromiseBroken, match=r"`boss_is_staff` failed on 2 of 4 rows"):
        shop.build("shop.staff")

    (folder / "recipe.sql").write_text(
        "select * from (values (1::bigint, null::bigint), (2, 1)) as rows(id, boss)\n", encoding="utf-8"
    )
    shop.build("shop.staff", run_id="run-2")
    assert shop.rows("shop.staff") == [(1, None), (2, 1)]
