"""Whatever two people do in kitchens and in production, readers see one state, and nobody's work is lost."""

from __future__ import annotations

import itertools
import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from mesh_assets.capabilities.kitchens.dropping import drop_kitchen
from mesh_assets.capabilities.kitchens.opening import open_kitchen
from mesh_assets.capabilities.kitchens.promote import promote
from mesh_assets.capabilities.kitchens.undo import undo
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.errors import MeshError
from mesh_assets.words.names import product_name
from mesh_assets.words.promotions import CannotUndo, CodeConflict
from tests.shop import Shop
from tests.unit.kitchens.conftest import entered, git

ORDERS, REVENUE = product_name("shop.orders"), product_name("books.revenue")
#: The two numbers in the code that people change: what an amount is taken by, and what is added to the sum.
FACTOR = re.compile(r"(as bigint\)) \* (\d+) as amount")
OFFSET = re.compile(r"\+ (\d+)\)::decimal")
KITCHENS = st.sampled_from(["one", "two"])


def written(shop: Shop) -> tuple[int, int]:
    """The two numbers as the code of a shop has them."""
    domains = shop.settings.domains
    orders = (domains / "shop" / "orders" / "recipe.sql").read_text(encoding="utf-8")
    revenue = (domains / "books" / "revenue" / "recipe.sql").read_text(encoding="utf-8")
    found = FACTOR.search(orders), OFFSET.search(revenue)
    assert found[0] and found[1]
    return int(found[0][2]), int(found[1][1])


def write(shop: Shop, product: str, pattern: re.Pattern[str], text: str) -> None:
    path = shop.settings.domains / product / "recipe.sql"
    path.write_text(pattern.sub(text, path.read_text(encoding="utf-8")), encoding="utf-8")


def with_numbers(root: Path, template: Shop) -> Shop:
    """The built shop, its code with the two numbers in it, built again."""
    shutil.copytree(template.root, root / "shop")
    shop = Shop(root / "shop")
    orders, revenue = shop.folder("shop.orders") / "recipe.sql", shop.folder("books.revenue") / "recipe.sql"
    text = orders.read_text(encoding="utf-8")
    orders.write_text(text.replace("cast(amount as bigint)", "cast(amount as bigint) * 1"), encoding="utf-8")
    text = revenue.read_text(encoding="utf-8")
    changed = text.replace("sum(amount)::decimal", "(sum(amount) + 0)::decimal")
    revenue.write_text(changed, encoding="utf-8")
    git(shop.root, "commit", "--quiet", "-am", "numbers")
    shop.build("shop.orders", run_id="numbers")
    shop.build("books.revenue", run_id="numbers")
    return shop


@pytest.fixture(scope="module")
def numbers(template: Shop, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return with_numbers(tmp_path_factory.mktemp("numbers"), template)


class Kitchens(RuleBasedStateMachine):
    """Truth: what production's code says, and which deliveries its orders were made from."""

    origin: Shop

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copytree(self.origin.root, self.folder / "shop")
        self.shop = Shop(self.folder / "shop")
        self.runs = (f"run-{number}" for number in itertools.count(1))
        self.open: set[str] = set()
        self.code = written(self.shop)
        #: What each promotion that stands changed the numbers from.
        self.promoted: dict[int, tuple[int, int]] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def enter(self, name: str) -> Shop:
        if name not in self.open:
            open_kitchen(self.shop.settings, name)
            self.open.add(name)
        return entered(self.shop, name)

    @rule(amount=st.integers(1, 50))
    def deliver_and_build(self, amount: int) -> None:
        self.shop.deliver(f"order_id,amount\n1,{amount}\n2,20\n")
        self.shop.build("shop.orders", run_id=next(self.runs))
        self.shop.build("books.revenue", run_id=next(self.runs))

    @rule(name=KITCHENS, factor=st.integers(1, 4), offset=st.one_of(st.none(), st.integers(1, 4)))
    def change_and_run(self, name: str, factor: int, offset: int | None) -> None:
        here = self.enter(name)
        write(here, "shop/orders", FACTOR, rf"\1 * {factor} as amount")
        if offset is not None:
            write(here, "books/revenue", OFFSET, f"+ {offset})::decimal")
        with suppress(Exception):  # nothing changed
            git(here.settings.domains, "commit", "--quiet", "-am", "numbers")
        here.build("shop.orders", run_id=next(self.runs))
        here.build("books.revenue", run_id=next(self.runs))

    @rule(name=KITCHENS)
    def promote(self, name: str) -> None:
        here, before = self.enter(name), self.seen()
        wanted, start = written(here), self.started_with(name)
        try:
            outcome = promote(self.shop.settings, name)
        except MeshError as refused:
            assert self.seen() == before, refused
            if isinstance(refused, CodeConflict):
                assert start != self.code, "a conflict needs somebody else's change"
            return
        assert outcome.promotion is not None
        self.promoted[outcome.promotion.id] = self.code
        # A number that only one of the two changed is as that one wrote it.
        self.code = tuple(  # type: ignore[assignment]
            mine if mine != began else theirs
            for mine, began, theirs in zip(wanted, start, self.code, strict=True)
        )
        assert written(self.shop) == self.code

    def started_with(self, name: str) -> tuple[int, int]:
        """The numbers at the merge base."""
        base = git(self.shop.root, "merge-base", "HEAD", f"kitchen/{name}")
        texts = [
            git(self.shop.root, "show", f"{base}:domains/{path}/recipe.sql")
            for path in ("shop/orders", "books/revenue")
        ]
        found = FACTOR.search(texts[0]), OFFSET.search(texts[1])
        assert found[0] and found[1]
        return int(found[0][2]), int(found[1][1])

    @rule()
    def undo_the_last(self) -> None:
        if not self.promoted:
            return
        number, code = max(self.promoted), self.seen()
        try:
            undo(self.shop.settings, number)
        except CannotUndo:
            assert self.seen() == code
            return
        self.code = self.promoted.pop(number)

    @rule(name=KITCHENS)
    def drop(self, name: str) -> None:
        if name in self.open:
            drop_kitchen(self.shop.settings, name, force=True)
            with suppress(Exception):
                git(self.shop.root, "branch", "--quiet", "-D", f"kitchen/{name}")
            self.open.discard(name)

    @rule()
    def expire(self) -> None:
        """Whatever nobody holds goes; what a kitchen reads is held."""
        with open_registry(self.shop.settings) as registry:
            known = {name: [each.number for each in registry.versions(name)] for name in (ORDERS, REVENUE)}
            registry.expire(known, who="upkeep")
        for name in self.open:
            assert entered(self.shop, name).rows("shop.orders")

    def seen(self) -> tuple[object, ...]:
        heads = (self.shop.head("shop.orders"), self.shop.head("books.revenue"))
        return (*heads, git(self.shop.root, "rev-parse", "HEAD"))

    @invariant()
    def code_is_as_the_model_says_and_in_one_piece(self) -> None:
        assert written(self.shop) == self.code
        assert git(self.shop.root, "status", "--porcelain") == ""

    @invariant()
    def readers_never_see_a_sum_of_other_orders(self) -> None:
        orders = self.shop.rows("shop.orders")
        (revenue,) = self.shop.rows("books.revenue")
        assert int(str(revenue[1])) == sum(int(str(amount)) for _, amount in orders) + self.code[1]
        assert all(int(str(amount)) % self.code[0] == 0 for _, amount in orders)


def test_readers_see_one_state_and_nobodys_work_is_lost(numbers: Shop) -> None:
    Kitchens.origin = numbers
    few = settings(
        max_examples=1,
        stateful_step_count=10,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Kitchens, settings=few)


def test_two_who_promote_at_once_both_find_their_change_in_production(numbers: Shop, tmp_path: Path) -> None:
    shutil.copytree(numbers.root, tmp_path / "shop")
    shop = Shop(tmp_path / "shop")
    for name, product, pattern, text in (
        ("one", "shop/orders", FACTOR, r"\1 * 3 as amount"),
        ("two", "books/revenue", OFFSET, "+ 7)::decimal"),
    ):
        open_kitchen(shop.settings, name)
        here = entered(shop, name)
        write(here, product, pattern, text)
        git(here.settings.domains, "commit", "--quiet", "-am", name)
        here.build("shop.orders", run_id=name)
        here.build("books.revenue", run_id=name)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: promote(shop.settings, name), ("one", "two")))

    assert written(shop) == (3, 7)
    assert int(str(shop.rows("books.revenue")[0][1])) == 97
