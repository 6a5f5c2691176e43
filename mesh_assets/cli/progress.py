"""What a person, a log or a program sees while an order is carried out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mesh_assets.cli.terminal import stderr, stdout, table
from mesh_assets.words.names import ProductName
from mesh_assets.words.versions import BuildOutcome, BuildRecord

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.tree import Tree

#: The table of an order is not folded: a narrower terminal wraps its lines.
TABLE_WIDTH = 100
#: Pictures of the tree per second.
PICTURES = 4

COLOURS = {
    BuildOutcome.PUBLISHED: "green",
    BuildOutcome.UNCHANGED: "dim",
    BuildOutcome.REFUSED: "bold red",
    BuildOutcome.FAILED: "bold red",
    BuildOutcome.SKIPPED: "yellow",
}
GOOD = (BuildOutcome.PUBLISHED, BuildOutcome.UNCHANGED)
RUNNING = "running"


class Progress:
    """States of products by domain, as events tell them; drawn as a tree, or said line by line."""

    def __init__(self, names: Sequence[ProductName], *, estimate: float | None = None) -> None:
        self._states: dict[str, dict[str, str]] = {}
        for name in names:
            self._states.setdefault(name.domain, {})[str(name)] = "waiting"
        self._began = time.monotonic()
        self._estimate = estimate
        self._note = ""
        self.lines = False

    def tell(self, event: str, facts: Mapping[str, Any]) -> None:
        """One event of the coordinator."""
        if event == "order_started":
            for product, outcome in facts["kept"].items():
                self._set(product, outcome)
        elif event == "product_started":
            self._set(facts["product"], RUNNING)
        elif event == "run_taken_up":
            for product in facts["products"]:
                self._set(product, RUNNING)
        elif event == "product_ended":
            self._set(facts["product"], facts["outcome"])
            if self.lines:
                stderr().print(f"{facts['product']} {facts['outcome']}{_more(facts)}", soft_wrap=True)

    def note(self, text: str) -> None:
        """What happens beside products, such as writing the example's sources."""
        self._note = text
        if self.lines and text:
            stderr().print(text, soft_wrap=True)

    def _set(self, product: str, state: str) -> None:
        self._states.setdefault(product.split(".")[0], {})[product] = state

    def __rich__(self) -> RenderableType:
        from rich.tree import Tree

        elapsed = time.monotonic() - self._began
        about = "" if self._estimate is None else f", about {self._estimate:.0f} s in all"
        tree = Tree(f"[bold]{self._note or 'mesh'}[/]  [dim]{elapsed:.0f} s{about}[/]", guide_style="dim")
        for domain, states in self._states.items():
            _draw_domain(tree, domain, states)
        return tree


def _draw_domain(tree: Tree, domain: str, states: Mapping[str, str]) -> None:
    """A line per domain; products of it only while one runs, or what went wrong."""
    over = sum(state in set(BuildOutcome) for state in states.values())
    bad = [product for product, state in states.items() if state in ("refused", "failed", "skipped")]
    running = [product for product, state in states.items() if state == RUNNING]
    mark = (
        "[red]✗[/]"
        if bad
        else "[green]✓[/]"
        if over == len(states)
        else "[cyan]●[/]"
        if running
        else "[dim]·[/]"
    )
    branch = tree.add(f"{mark} {domain} [dim]{over}/{len(states)}[/]")
    for product, state in states.items():
        if product in bad or running:
            colour = (
                COLOURS[BuildOutcome(state)]
                if state in set(BuildOutcome)
                else "cyan"
                if product in running
                else "dim"
            )
            branch.add(f"{product.split('.')[1]} [{colour}]{state}[/]")


def _more(facts: Mapping[str, Any]) -> str:
    from rich.markup import escape

    if facts["outcome"] == BuildOutcome.PUBLISHED:
        return f" as version {facts['version']}, {facts['seconds']:.1f} s"
    told = (
        facts["message"].splitlines()[0]
        if facts["message"] and facts["outcome"] in ("skipped", "failed")
        else ""
    )
    return f": {escape(told)}" if told else ""


@contextmanager
def shown(progress: Progress, *, quiet: bool = False) -> Iterator[Progress]:
    """A tree on a terminal, lines anywhere else, nothing if quiet."""
    console = stderr()
    if quiet or not console.is_terminal:
        progress.lines = not quiet
        yield progress
        return
    from rich.live import Live

    with Live(progress, console=console, refresh_per_second=PICTURES, transient=True):
        yield progress


def print_event(event: str, facts: Mapping[str, Any]) -> None:
    """One line of JSON, at once: whoever reads the pipe sees it as it happens."""
    line = {"event": event, "at": datetime.now(UTC).isoformat(timespec="milliseconds"), **facts}
    print(json.dumps(line, default=str), flush=True)  # noqa: T201


def tell_records(records: Sequence[BuildRecord]) -> None:
    """How every product of the order ended, as a table, and what is to be said about those that did not."""
    console = stdout(at_least=TABLE_WIDTH)
    # A column only where it says something: most meshes have nothing in quarantine.
    aside = ["quarantined"] if any(record.details.get("quarantined") for record in records) else []
    numbers = ["version", "rows", *aside, "passed", "warned", "failed", "seconds"]
    made = table("product", "outcome", *numbers, right=tuple(numbers), fold=False)
    for record in records:
        made.add_row(
            str(record.product),
            f"[{COLOURS[record.outcome]}]{record.outcome}[/]",
            "" if record.version is None else str(record.version),
            "" if record.rows is None else f"{record.rows:,}",
            *(f"[yellow]{record.details.get('quarantined') or ''}[/]" for _ in aside),
            str(record.passed or ""),
            f"[yellow]{record.warned}[/]" if record.warned else "",
            f"[bold red]{record.failed}[/]" if record.failed else "",
            f"{record.seconds:.1f}",
        )
    console.print(made)
    _tell_problems(records)
    counts = {outcome: sum(record.outcome is outcome for record in records) for outcome in BuildOutcome}
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    console.print(f"{len(records)} products and private assets: {told}")


def _tell_problems(records: Sequence[BuildRecord]) -> None:
    from rich.markup import escape

    console = stdout(at_least=TABLE_WIDTH)
    said = set()
    for record in records:
        if record.outcome in (BuildOutcome.REFUSED, BuildOutcome.FAILED):
            console.print(f"[bold red]{record.outcome}[/] {escape(record.message)}", soft_wrap=True)
        elif record.outcome is BuildOutcome.UNCHANGED and record.message:
            console.print(f"[yellow]held[/] {escape(record.message)}", soft_wrap=True)
        elif record.outcome is BuildOutcome.SKIPPED and not record.message.startswith("waits for"):
            if record.message not in said:
                console.print(f"[yellow]skipped[/] {escape(record.message)}", soft_wrap=True)
            said.add(record.message)


def plain_record(record: BuildRecord) -> dict[str, Any]:
    """A record for `--json`."""
    facts = {**vars(record), "product": str(record.product), "outcome": str(record.outcome)}
    facts["quarantined"] = facts.pop("details").get("quarantined", 0)
    return facts
