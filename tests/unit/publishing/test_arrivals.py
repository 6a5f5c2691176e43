"""Deliveries: each is seen once it is whole, judged once, taken once; a bad one holds back nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mesh_assets.capabilities.contracts.domain import read_domain
from mesh_assets.capabilities.contracts.model import Domain
from mesh_assets.capabilities.publishing.arrivals import Look, look_for_arrivals
from mesh_assets.capabilities.registry import Registry, open_registry
from mesh_assets.words.arrivals import Arrival, ArrivalState
from mesh_assets.words.errors import DocumentMalformed, SourceMalformed
from mesh_assets.words.versions import BuildOutcome
from tests.shop import Shop, make_shop, write_product

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
WEEKS = ("2024-01-01", "2024-01-08", "2024-01-15")
WEEKLY = """      - name: tickets
        path: shop/tickets/{week}.csv
        format: csv
        late: 1
        columns: [ticket_id, sold, day]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """The shop, with a weekly product of weekly files of which one may be a week late."""
    shop = make_shop(tmp_path)
    path = shop.root / "domains/shop/domain.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("columns: [order_id, amount]\n", f"columns: [order_id, amount]\n{WEEKLY}", 1)
    path.write_text(text, encoding="utf-8")
    folder = write_product(
        shop,
        "shop.ticket",
        columns=(("ticket_id", "BIGINT"), ("sold", "BIGINT"), ("week_start", "DATE")),
        recipe="""-- source: tickets
select ticket_id::bigint as ticket_id, sold::bigint as sold, day::date as week_start from source.tickets
""",
    )
    with (folder / "contract.yaml").open("a", encoding="utf-8") as contract:
        contract.write(
            "customProperties:\n  - property: partitions\n"
            "    value: {column: week_start, every: week, first: 2024-01-01, until: 2024-01-29}\n"
        )
    (folder / "recipe.py").write_text(
        '''"""Tickets of the weeks asked for."""

from mesh_assets import mesh


@mesh.recipe(inputs=[], sources=["tickets"])
def ticket(run):
    weeks = ", ".join(f"date '{week}'" for week in run.weeks)
    return (
        "select ticket_id::bigint as ticket_id, sold::bigint as sold, day::date as week_start "
        f"from source.tickets where day::date in ({weeks})"
    )
''',
        encoding="utf-8",
    )
    (folder / "recipe.sql").unlink()
    return shop


def drop(shop: Shop, file: str, text: str | bytes) -> Path:
    path = shop.root / "sources" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def tickets(shop: Shop, week: str, *rows: str) -> Path:
    return drop(shop, f"shop/tickets/{week}.csv", "\n".join(["ticket_id,sold,day", *rows]) + "\n")


@contextmanager
def registry_of(shop: Shop) -> Iterator[Registry]:
    with open_registry(shop.settings) as registry:
        yield registry


def domain_of(shop: Shop) -> Domain:
    return read_domain(shop.root / "domains/shop")


def look(shop: Shop, seconds: float = 0) -> Look:
    """One look, so many seconds after noon of a day on which every file is new."""
    with registry_of(shop) as registry:
        return look_for_arrivals(
            shop.settings, registry, domain_of(shop), now=NOON + timedelta(seconds=seconds)
        )


def touch(path: Path, seconds: float) -> None:
    moment = (NOON + timedelta(seconds=seconds)).timestamp()
    os.utime(path, (moment, moment))


def known(shop: Shop, file: str) -> list[Arrival]:
    """Oldest first."""
    with registry_of(shop) as registry:
        return [each for each in reversed(registry.arrivals("shop")) if each.file == file]


def settle(shop: Shop, seconds: float = 0) -> list[Arrival]:
    """What two looks decide, the second when everything has settled."""
    for path in (shop.root / "sources").rglob("*.csv"):
        if path.stat().st_mtime > NOON.timestamp() + 10_000:
            touch(path, seconds)
    first = look(shop, seconds)
    return [*first.decided, *look(shop, seconds + 3).decided]


def test_a_file_is_taken_when_it_has_settled_and_never_again(shop: Shop) -> None:
    path = drop(shop, "shop/orders.csv", "order_id,amount\n1,10\n")
    touch(path, 0)

    assert [each.file for each in look(shop, 0).settling] == ["shop/orders.csv"]
    assert not look(shop, 1).decided
    (decided,) = look(shop, 2.5).decided
    assert (decided.state, decided.reason) == (ArrivalState.ACCEPTED, "")
    assert [look(shop, seconds).decided for seconds in (5, 500)] == [[], []]


def test_a_growing_file_waits_and_so_does_an_empty_one(shop: Shop) -> None:
    path = drop(shop, "shop/orders.csv", "")
    touch(path, 0)
    assert look(shop, 0).settling[0].reason == "the file is empty"
    assert not look(shop, 50).decided
    for second, text in enumerate(
        ("order_id,amo", "order_id,amount\n1,1", "order_id,amount\n1,10\n"), start=51
    ):
        path.write_text(text)
        touch(path, second)
        assert not look(shop, second).decided

    (decided,) = look(shop, 60).decided

    assert decided.size == len("order_id,amount\n1,10\n")
    assert len(known(shop, "shop/orders.csv")) == 1


def test_unfinished_and_hidden_names_are_no_deliveries(shop: Shop) -> None:
    for name in (".2024-01-01.csv.arriving", ".hidden.csv", "2024-01-01.csv.part"):
        drop(shop, f"shop/tickets/{name}", "ticket_id")

    assert {each.source for each in settle(shop)} == {"order_log"}


def test_the_same_bytes_again_are_the_same_arrival_and_other_bytes_supersede_it(shop: Shop) -> None:
    settle(shop)
    path = drop(shop, "shop/orders.csv", "order_id,amount\n1,10\n2,20\n")  # what make_shop delivered
    touch(path, 100)
    look(shop, 100)
    assert not look(shop, 103).decided
    assert not look(shop, 110).settling

    path.write_text("order_id,amount\n1,11\n")
    touch(path, 200)
    assert len(settle(shop, 200)) == 1
    assert [each.state for each in known(shop, "shop/orders.csv")] == ["superseded", "accepted"]


def test_a_bad_file_is_set_aside_with_the_reason_and_a_good_one_heals_it(shop: Shop) -> None:
    bad = {
        "2024-01-01": (b"ticket_id;sold;day\n1;2;2024-01-01\n", "the column ticket_id, sold, day is missing"),
        "2024-01-08": (
            b"ticket_id,sold,day\n1,\xe9,2024-01-08\n",
            "line 2 has the byte 0xe9, which is not utf-8",
        ),
        "2024-01-15": (b"ticket_id,sold,day\n1,2,3,4,5,6\n", "its header names 3 columns, and a line has 6"),
        "2024-01-17": (b"ticket_id,sold,day\n1,2,2024-01-17\n", "where the Monday of its week belongs"),
    }
    for week, (content, _) in bad.items():
        drop(shop, f"shop/tickets/{week}.csv", content)

    found = {Path(each.file).stem: each for each in settle(shop) if each.source == "tickets"}

    assert {each.state for each in found.values()} == {ArrivalState.SET_ASIDE}
    assert all(words in found[week].reason for week, (_, words) in bad.items()), found
    touch(tickets(shop, "2024-01-01", "1,2,2024-01-01"), 100)
    (healed,) = settle(shop, 100)
    assert healed.state is ArrivalState.ACCEPTED
    with registry_of(shop) as registry:
        assert len(registry.set_aside("shop")) == 3


def test_a_look_that_dies_before_it_is_on_record_is_made_again(shop: Shop) -> None:
    settle(shop)
    with registry_of(shop) as registry:
        keep, registry.keep_arrivals = registry.keep_arrivals, _die  # type: ignore[method-assign]
        touch(tickets(shop, WEEKS[0], "1,2,2024-01-01"), 100)
        with pytest.raises(InterruptedError):
            look_for_arrivals(shop.settings, registry, domain_of(shop), now=NOON + timedelta(seconds=100))
        registry.keep_arrivals = keep  # type: ignore[method-assign]

    assert len(settle(shop, 101)) == 1
    assert len(known(shop, f"shop/tickets/{WEEKS[0]}.csv")) == 1


def _die(*_: object) -> None:
    raise InterruptedError


def test_a_bad_week_holds_back_itself_alone_and_is_built_when_it_is_good(shop: Shop) -> None:
    tickets(shop, WEEKS[0], "1,2,2024-01-01")
    drop(shop, f"shop/tickets/{WEEKS[1]}.csv", "what,is,this\n")
    tickets(shop, WEEKS[2], "3,4,2024-01-15")

    built = shop.build("shop.ticket", run_id="run-1")

    assert built.record.outcome is BuildOutcome.PUBLISHED
    assert f"without shop/tickets/{WEEKS[1]}.csv, which is set aside: the column" in built.record.message
    assert [row[0] for row in shop.rows("shop.ticket")] == [1, 3]
    assert built.version is not None
    assert list(built.version.certificate.set_aside) == [f"shop/tickets/{WEEKS[1]}.csv"]
    with pytest.raises(SourceMalformed, match=r"2024-01-08\.csv\): the column ticket_id"):
        shop.build("shop.ticket", run_id="run-2")  # nothing else is left to do: it says so

    tickets(shop, WEEKS[1], "2,4,2024-01-08")
    shop.build("shop.ticket", run_id="run-3")
    assert [row[0] for row in shop.rows("shop.ticket")] == [1, 2, 3]


def test_a_week_that_has_not_come_is_waited_for(shop: Shop) -> None:
    tickets(shop, WEEKS[0], "1,2,2024-01-01")
    shop.build("shop.ticket", run_id="run-1")

    assert shop.build("shop.ticket", run_id="run-2").record.outcome is BuildOutcome.UNCHANGED
    tickets(shop, WEEKS[1], "2,4,2024-01-08")
    assert shop.build("shop.ticket", run_id="run-3").record.outcome is BuildOutcome.PUBLISHED
    assert [row[0] for row in shop.rows("shop.ticket")] == [1, 2]


def test_late_rows_stay_when_the_file_that_brought_them_is_broken_later(shop: Shop) -> None:
    tickets(shop, WEEKS[0], "1,2,2024-01-01")
    tickets(shop, WEEKS[1], "2,4,2024-01-08", "9,9,2024-01-01")
    shop.build("shop.ticket", run_id="run-1")
    drop(shop, f"shop/tickets/{WEEKS[1]}.csv", "gone\n")
    tickets(shop, WEEKS[2], "3,4,2024-01-15")

    shop.build("shop.ticket", run_id="run-2")

    assert [row[0] for row in shop.rows("shop.ticket")] == [1, 2, 3, 9]


def test_a_file_that_an_engine_cannot_read_is_set_aside_on_arrival_and_builds_go_without_it(
    shop: Shop,
) -> None:
    tickets(shop, WEEKS[0], "1,2,2024-01-01")
    drop(shop, f"shop/tickets/{WEEKS[1]}.csv", "ticket_id,sold,day\n1,2,2024-01-08\n1,2,3,4,5,6\n")
    settle(shop)

    built = shop.build("shop.ticket")

    assert [row[0] for row in shop.rows("shop.ticket")] == [1]
    assert "which is set aside" in built.record.message


def test_a_batch_of_arrivals_has_one_number_whoever_asks_and_however_often(shop: Shop) -> None:
    settle(shop)
    with registry_of(shop) as registry:
        assert (registry.hand_over("shop"), registry.hand_over("shop")) == (1, None)
        touch(tickets(shop, WEEKS[0], "1,2,2024-01-01"), 100)
    settle(shop, 100)
    with registry_of(shop) as registry:
        assert registry.hand_over("shop") == 2
        batches = registry.arrived_after("shop", 0)
    assert {number: [each.source for each in found] for number, found in batches.items()} == {
        1: ["order_log"],
        2: ["tickets"],
    }


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("kind: post", "the kind is 'post'"),
        ("settle: soon", "write a duration such as 10s"),
        ("kind: rows", "needs connection, table, watermark"),
        ("watermark: at", "a source of the kind file has no `watermark`"),
        ("{kind: events, key: id}", "has no {batch}"),
    ],
)
def test_a_delivery_that_domain_yaml_gets_wrong_is_told_with_its_place(
    shop: Shop, line: str, words: str
) -> None:
    path = shop.root / "domains/shop/domain.yaml"
    more = line.strip("{}").replace(", ", "\n        ")
    text = path.read_text(encoding="utf-8").replace("        late: 1\n", f"        late: 1\n        {more}\n")
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DocumentMalformed) as caught:
        domain_of(shop)

    assert words in str(caught.value)
    assert "domain.yaml:" in str(caught.value)
