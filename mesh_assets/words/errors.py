"""Errors that a person reads: what, which, and what next.

Two families. *Your data*: a promise was broken, an input is malformed. *Your code*: a recipe, a contract or a
setting is wrong. The text lives here, the facts are attributes, the raise passes facts only.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar


class MeshError(Exception):
    """Whatever a person may be told about without a traceback."""

    template: ClassVar[str] = "{message}"

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        for name, value in facts.items():
            setattr(self, name, value)
        super().__init__(self.describe())

    def describe(self) -> str:
        return self.template.format(**self.facts)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_revive, (type(self), self.facts))


def _revive(kind: type[MeshError], facts: dict[str, Any]) -> MeshError:
    return kind(**facts)


class YourData(MeshError):
    """A promise was broken or an input is malformed; the last good version is still there."""


class YourCode(MeshError):
    """A recipe, contract or setting is wrong; nothing was built."""


class NameMalformed(YourCode):
    template = (
        "{name!r} is not the name of a product: {word!r} must be lower-case letters, digits and underscores, "
        "beginning with a letter (or one underscore for a private asset). "
        "Write it as domain.product, e.g. hcp.hcp_master"
    )


class DocumentMalformed(YourCode):
    """A contract, a domain.yaml or a rule that cannot be read as written."""

    def __init__(
        self, *, file: Path | str, line: int, problem: str, column: int = 1, remedy: str = ""
    ) -> None:
        super().__init__(file=str(file), line=line, column=column, problem=problem, remedy=remedy)

    def describe(self) -> str:
        text = "{file}:{line}:{column}: {problem}".format(**self.facts)
        return f"{text}. {self.facts['remedy']}" if self.facts["remedy"] else text


class RuleRefused(DocumentMalformed):
    """A rule form that this mesh does not run. It is refused by name; it is never skipped."""


class ContractRefused(DocumentMalformed):
    """A contract of which nothing can be run."""


class ExpectationMismatch(DocumentMalformed):
    """A consumer expects what the producer's contract does not have, or does not let it expect."""


class UnknownProduct(YourCode):
    def __init__(self, *, name: str, near: tuple[str, ...] = ()) -> None:
        super().__init__(name=name, near=near)

    def describe(self) -> str:
        hint = f" Did you mean {' or '.join(self.facts['near'])}?" if self.facts["near"] else ""
        return f"There is no product {self.facts['name']!r} in this mesh.{hint} See `mesh products`"


class UnknownRule(YourCode):
    def __init__(self, *, product: Any, name: str, near: tuple[str, ...] = ()) -> None:
        super().__init__(product=product, name=name, near=near)

    def describe(self) -> str:
        hint = f" Did you mean {' or '.join(self.facts['near'])}?" if self.facts["near"] else ""
        product = self.facts["product"]
        return f"{product} has no rule {self.facts['name']!r}.{hint} See `mesh checks {product}`"


class BackendUnknown(YourCode):
    template = "There is no schema for {backend!r}; a contract becomes one for {allowed}"


class PanderaWouldNotCheck(YourCode):
    """Something that pandera passes over in silence; such a schema would promise what it did not see."""

    template = "{schema} was not validated: {what}. {remedy}"


class NoVersion(YourData):
    template = "{product} has no version{wanted} yet. Build it: `mesh build {product}`"

    def __init__(self, *, product: Any, wanted: str = "") -> None:
        super().__init__(product=product, wanted=wanted)


class VersionMalformed(YourCode):
    template = (
        "{wanted!r} in {text!r} is no version: write a number or a tag behind the @, e.g. drug.brand@3 or "
        "drug.brand@spring. A tag begins with a letter, and letters, digits, `_`, `.` and `-` follow"
    )


class UnknownVersion(NoVersion):
    """The product has versions, and not this one."""

    def __init__(self, *, product: Any, wanted: str, newest: int, tags: tuple[str, ...] = ()) -> None:
        YourData.__init__(self, product=product, wanted=wanted, newest=newest, tags=tags)

    def describe(self) -> str:
        facts = self.facts
        tags = f" and the tags {', '.join(facts['tags'])}" if facts["tags"] else ""
        return (
            f"{facts['product']} has no version {facts['wanted']!r}; it has 1 to {facts['newest']}{tags}. "
            f"See `mesh versions {facts['product']}`"
        )


class VersionExpired(NoVersion):
    """It was there, and its retention is over. Its certificate stays."""

    def __init__(self, *, product: Any, number: int, expired: datetime, who: str = "") -> None:
        YourData.__init__(self, product=product, number=number, expired=expired, who=who)

    def describe(self) -> str:
        by = f" by {self.facts['who']}" if self.facts["who"] else ""
        return (
            "{product} version {number} was expired on {expired:%Y-%m-%d}{by}: its rows are gone, its "
            "certificate is there (`mesh show {product}@{number}`). Versions that can be read: "
            "`mesh versions {product}`"
        ).format(**self.facts, by=by)


class RegistryIncomplete(YourData):
    template = (
        "Nothing of {domain} was expired: its manifests tell of {lost} released versions that the registry "
        "does not have. Put them back first: `mesh lake check {domain} --repair --yes`"
    )


class GraceTooShort(YourCode):
    template = "A grace of {asked} is too short: a file of a running commit could go. Write at least {least}"


class StrangePath(YourData):
    template = (
        "{path} was not deleted, nor anything else: it is not under {folder}. Somebody changed the catalog, "
        "or the home is a link; look at it before you clean up"
    )


class TagTaken(YourData):
    template = (
        "{product}@{name} is version {number} already. To move the tag: `mesh tag {product}@{wanted} {name} "
        "--move`"
    )


class UnknownTag(YourData):
    template = "{product} has no tag {name!r}. See `mesh versions {product}`"


class UnknownPin(YourData):
    template = "{holder} has no pin on {what}. See `mesh pins`"


class NothingToRollBack(YourData):
    template = "Readers see the content of {product} version {number} already. See `mesh versions {product}`"


class NothingHeld(YourData):
    template = "{product} is not held: no rollback waits to be released. See `mesh versions {product}`"


class CannotReproduce(YourData):
    """What a certificate names is not there any more; a difference would say nothing."""

    template = "{product} version {number} cannot be made again: {reason}"


class VersionLost(YourData):
    """A version's files are gone or damaged: what is not there cannot come back."""

    template = (
        "{product} at snapshot {snapshot} has lost its content ({file}; {count} lost). Nothing was changed; "
        "roll back to another version (`mesh versions {product}`), or build: `mesh build {product} --force`"
    )


class UpstreamMissing(YourData):
    template = (
        "{product} needs {upstream}, which has no published version. Build it first: `mesh build {upstream}`"
    )


class NoPartitionYet(YourData):
    template = (
        "{product} is cut into partitions, and there is none yet: no delivery has come, or its first day is "
        "still to come. It is made with the first one"
    )


class SourceMissing(YourData):
    template = (
        "{product} reads the source {source!r}, and there is no file at {path}. "
        "Put the file there, or make the example's own: `mesh sources`"
    )


class DataUnreadable(YourCode):
    """A file that somebody wants audited, and that is not there or not what its name says."""

    def __init__(self, *, file: Path | str, problem: str, remedy: str = "") -> None:
        super().__init__(file=str(file), problem=problem, remedy=remedy)

    def describe(self) -> str:
        text = "{file} was not audited: {problem}".format(**self.facts)
        return f"{text}. {self.facts['remedy']}" if self.facts["remedy"] else text


class NoSuchTable(YourCode):
    """A table, or a rule, that a contract does not have."""

    def __init__(
        self, *, file: str, table: str, near: str | None, tables: tuple[str, ...], what: str = "table"
    ) -> None:
        super().__init__(file=file, table=table, near=near, tables=tables, what=what)

    def describe(self) -> str:
        hint = f" Did you mean {self.facts['near']}?" if self.facts["near"] else ""
        what, many = self.facts["what"], ", ".join(self.facts["tables"])
        asked = f"{self.facts['file']} has no {what} {self.facts['table']!r}"
        return f"{asked}.{hint} It has {many}: choose with --{what}"


class SourceMalformed(YourData):
    template = (
        "{product} cannot read its source {source!r} ({path}): {problem}. "
        "Readers still see the version before"
    )


class RecipeMalformed(YourCode):
    template = "{file}:{line}: {problem}"


class RecipeFailed(YourCode):
    template = (
        "The recipe of {product} raised {error} at {file}:{line}. Nothing was published; "
        "readers still see the version before"
    )


class WrongColumns(YourCode):
    """Recipe and contract disagree on what the product looks like."""

    def __init__(
        self,
        *,
        product: Any,
        missing: tuple[str, ...],
        unexpected: tuple[str, ...],
        mistyped: tuple[str, ...],
    ) -> None:
        super().__init__(product=product, missing=missing, unexpected=unexpected, mistyped=mistyped)

    def describe(self) -> str:
        parts = [
            f"missing: {', '.join(self.facts['missing'])}" if self.facts["missing"] else "",
            f"not in the contract: {', '.join(self.facts['unexpected'])}" if self.facts["unexpected"] else "",
            f"of another type: {', '.join(self.facts['mistyped'])}" if self.facts["mistyped"] else "",
        ]
        told = "; ".join(part for part in parts if part)
        return (
            f"The recipe and the contract of {self.facts['product']} disagree on its columns ({told}). "
            "Nothing was published; mend the recipe or the contract"
        )


class PromiseBroken(YourData):
    """A blocking rule failed on a draft. The draft and its failing rows are kept for `mesh why`."""

    def __init__(self, *, product: Any, rule: str, summary: str, more: int, live: int | None) -> None:
        super().__init__(product=product, rule=rule, summary=summary, more=more, live=live)

    def describe(self) -> str:
        facts = self.facts
        more = f" ({facts['more']} more rules failed)" if facts["more"] else ""
        readers = (
            f"Readers still see version {facts['live']}"
            if facts["live"] is not None
            else "There is no version before it to read"
        )
        return (
            f"{facts['product']} was not published: `{facts['rule']}` {facts['summary']}{more}. "
            f"{readers}. See the rows: `mesh why {facts['product']}`"
        )


class MayNotSee(YourData):
    template = (
        "{product} has personal columns ({columns}), and this reader may not see them. Ask for the rows "
        "masked (without --unmasked), or set MESH_MAY_SEE={product} where that is allowed"
    )


class CorrectionRefused(YourData):
    template = "The corrected rows of {product} in {file} are not taken: {problem}. {remedy}"


class NoFailingRows(YourData):
    template = "{product} has no failing rows of {rule!r} to write: {problem}. See `mesh why {product}`"


class ReleaseConflict(YourData):
    """A head moved while a product was being built. `expected` or `actual` is None for no version."""

    def __init__(
        self, *, product: Any, moved: Any, expected: int | None, actual: int | None, winner: str
    ) -> None:
        super().__init__(product=product, moved=moved, expected=expected, actual=actual, winner=winner)

    def describe(self) -> str:
        facts = self.facts
        built, now = (
            "no version" if number is None else f"version {number}"
            for number in (facts["expected"], facts["actual"])
        )
        return (
            f"{facts['product']} was not released: it was built against {built} of {facts['moved']}, and "
            f"{facts['moved']} is at {now} now (released by {facts['winner']}). "
            f"Build again: `mesh build {facts['product']}`"
        )


class ExtraMissing(YourCode):
    template = "{package} is not installed, and this needs it: pip install 'mesh-assets[{extra}]'"


class SettingMalformed(YourCode):
    template = "The setting {setting} is {value!r}: {problem}"


class ProgramFailed(YourCode):
    template = "The program of {product} ({program}) ended with exit code {code}: {tail}"


class LakeBusy(YourData):
    template = (
        "The lake of {domain} was not free for {seconds:.0f} seconds: {holder} has it. Who waits: `mesh lake "
        "waiting`"
    )


class RegistryBusy(YourData):
    template = (
        "The registry was not free for {seconds:.0f} seconds: another process is writing to it, and a write "
        "takes milliseconds. Nothing was changed; look for a process that is stopped, and try again"
    )


class RowsOutsidePartitions(YourCode):
    template = (
        "The recipe of {product} returned rows whose {column} is {seen}, which is not among the partitions "
        "being built ({wanted}). Nothing was published; return rows of the partitions asked for"
    )


class PartitionsLeftBehind(YourCode):
    template = (
        "{product} changes its columns ({change}), and this build replaces some of its partitions alone: "
        "{left} others would stay in the old form. Nothing was published; build all partitions together"
    )
