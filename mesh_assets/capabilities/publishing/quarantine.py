"""Quarantine: rows that break a rule are set aside under their rules' names, and the rest is published.

The rows go to a table beside the product's, in the same lake transaction, and are read at the snapshot of the
product's version: whoever sees one sees the other. What is published is audited again, as far as the loss of
rows can have changed an answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.checks.conditions import CONDITIONS
from mesh_assets.capabilities.checks.kinds import ROW_KINDS
from mesh_assets.capabilities.checks.split import BROKEN
from mesh_assets.capabilities.contracts.quarantine import sets_aside
from mesh_assets.capabilities.lake import draft_sql, fingerprint_sql, stage
from mesh_assets.capabilities.publishing.auditor import Auditor
from mesh_assets.capabilities.publishing.workshop import Bench, Work
from mesh_assets.words.rules import Outcome, RuleResult, Verdict
from mesh_assets.words.versions import WHOLE, Draft, Version

#: Rows that break a rule only because others were set aside (a key of the product's own that is gone) are set
#: aside in turn; a chain longer than this refuses the draft.
ROUNDS = 10

#: Sample rows of a result, over all rounds.
SHOWN = 20

#: Rules about single rows: true of all rows is true of fewer. A threshold or a row count is not among them.
_OF_ROWS = frozenset(CONDITIONS) - {"row_count", "row_count_positive"}
_OF_ROWS |= frozenset(ROW_KINDS) | {"unique", "primary_key", "foreign_key"}


@dataclass(frozen=True)
class Sifted:
    """A draft after its audit: what may be published, and what was set aside."""

    draft: Draft
    verdict: Verdict
    #: What replaces rows of the quarantine's table; None for a product that keeps none.
    aside: Draft | None = None
    #: Partition -> {rows, fingerprint, rules} of what was set aside.
    held: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Why the draft is refused, if not for its rules alone.
    over: str = ""

    @property
    def refused(self) -> bool:
        return self.verdict.stops_publication


def sift(auditor: Auditor, draft: Draft) -> Sifted:
    """Audit a draft; if its contract allows it, set aside the rows that would stop it."""
    verdict = auditor.audit(draft)
    if not _keeps_quarantine(auditor.work):
        return Sifted(draft, verdict)
    if verdict.stops_publication:
        return _part(auditor, draft, verdict)
    return Sifted(draft, verdict, aside=nothing_aside(draft))


def _keeps_quarantine(work: Work) -> bool:
    """Also once after the contract has ended it: what is in quarantine then goes."""
    contract, head = work.asset.contract, work.head
    return bool((contract and contract.quarantine) or (head and head.certificate.quarantine.get("rows")))


def _part(auditor: Auditor, draft: Draft, whole: Verdict) -> Sifted:
    """Part good rows from bad ones until what remains keeps every rule, or cannot."""
    bench, work = auditor.bench, auditor.work
    rest, verdict = draft, whole
    found: dict[str, RuleResult] = {}
    asides: list[Draft] = []
    for number in range(1, ROUNDS + 1):
        bad = breaking_rows(work, verdict)
        parts = auditor.split(rest, [result.rule for result in bad]) if bad else None
        if parts is None:
            break
        aside = _stage(bench, rest, parts.aside, f"aside-{number}", aside=True)
        if not aside.rows:
            break  # published partitions break the rule, and no row of this draft does
        asides.append(aside)
        rest = _stage(bench, rest, parts.kept, f"rest-{number}", aside=False)
        found = _counted(found, bad, _rows_by_rule(bench, aside), draft.rows)
        verdict = _again(auditor, verdict, rest)
        if not verdict.stops_publication:
            break
    if not asides:
        return Sifted(draft, whole)
    aside = replace(asides[0], files=tuple(file for each in asides for file in each.files))
    if verdict.stops_publication:
        return Sifted(draft, _told(whole, verdict, {**found, **_not_passed(whole)}))
    over = _over(work, aside.rows, draft.rows)
    if over:
        return Sifted(draft, whole, over=over)
    gone = {name: _set_aside(result) for name, result in found.items()}
    return Sifted(rest, _told(verdict, verdict, gone), aside, held=_facts(bench, aside))


def breaking_rows(work: Work, verdict: Verdict) -> list[RuleResult]:
    """Results whose failing rows the contract wants set aside."""
    contract = work.asset.contract
    if contract is None:
        return []
    failed = [each for each in verdict.broken if each.outcome is Outcome.FAILED and each.failed_rows]
    return [result for result in failed if sets_aside(contract, result.rule)]


def staging_folder(bench: Bench, word: str) -> Path:
    """Beside the recipe's own draft, and swept away with it."""
    return bench.workshop.settings.staging / bench.workshop.run_id / str(bench.asset.name) / word


def _stage(bench: Bench, draft: Draft, query: str, word: str, *, aside: bool) -> Draft:
    name, more = bench.asset.name, ", current_timestamp::timestamp AS mesh_time"
    query = f"SELECT *, '{draft.run_id}' AS mesh_run{more} FROM ({query})" if aside else query
    return stage(
        bench.con,
        query,
        product=name.quarantine if aside else name,
        run_id=draft.run_id,
        settings=bench.workshop.settings,
        partition_column=draft.partition_column,
        partitions=draft.partitions,
        columns=None if aside else draft.columns,
        folder=staging_folder(bench, word),
    )


def _again(auditor: Auditor, before: Verdict, rest: Draft) -> Verdict:
    """The verdict on what remains: rules that held on every row of more rows hold, the others run again."""
    settled = {result.rule.id: result for result in before.results if _still_holds(auditor.work, result)}
    verdict = auditor.audit(
        rest, [result.rule.id for result in before.results if result.rule.id not in settled]
    )
    said = f"holds on {verdict.rows:,} rows"
    held = {name: replace(each, checked_rows=verdict.rows, summary=said) for name, each in settled.items()}
    answered = {result.rule.id: result for result in verdict.results} | held
    return replace(verdict, results=tuple(answered[result.rule.id] for result in before.results))


def _still_holds(work: Work, result: RuleResult) -> bool:
    rule = result.rule
    to_itself = str(rule.arguments.get("to_product", "")) == str(work.asset.name)
    counted = "operator" in rule.arguments
    return result.outcome is Outcome.PASSED and rule.kind in _OF_ROWS and not counted and not to_itself


def _not_passed(verdict: Verdict) -> dict[str, RuleResult]:
    """A draft that is refused is kept as it was made: what its own audit said of it stands."""
    return {each.rule.id: each for each in verdict.results if each.outcome is not Outcome.PASSED}


def _counted(
    found: Mapping[str, RuleResult], bad: Sequence[RuleResult], held: Mapping[str, int], rows: int
) -> dict[str, RuleResult]:
    """The rows set aside for each rule over all rounds, of the rows that the draft had at first.

    They are counted where they are held: a key's count takes in rows of published partitions, which stay.
    """
    told = dict(found)
    for result in bad:
        before = told.get(result.rule.id)
        count = held.get(result.rule.id, 0) + (before.failed_rows or 0 if before else 0)
        if not count:
            continue
        sample = ((before.sample if before else ()) + result.sample)[:SHOWN]
        summary = f"failed on {count:,} of {rows:,} rows"
        told[result.rule.id] = replace(
            result, failed_rows=count, checked_rows=rows, sample=sample, summary=summary
        )
    return told


def _set_aside(result: RuleResult) -> RuleResult:
    told = f"{result.summary}, which are in quarantine"
    return replace(result, quarantined_rows=result.failed_rows or 0, summary=told)


def _told(of: Verdict, verdict: Verdict, found: Mapping[str, RuleResult]) -> Verdict:
    """The verdict's facts with the results of another, and the failing rows where they were found."""
    return replace(of, results=tuple(found.get(each.rule.id, each) for each in verdict.results))


def _over(work: Work, aside: int, rows: int) -> str:
    contract = work.asset.contract
    assert contract is not None and contract.quarantine is not None
    limit = contract.quarantine.limit
    if 100 * aside <= limit * rows:
        return ""
    return f"; {aside:,} of {rows:,} rows would go to quarantine, and its limit is {limit}%"


def nothing_aside(draft: Draft) -> Draft:
    """Nothing was set aside: the partitions of the draft have no quarantined rows any more."""
    added = (("mesh_rules", "VARCHAR[]"), ("mesh_run", "VARCHAR"), ("mesh_time", "TIMESTAMP"))
    return replace(draft, product=draft.product.quarantine, files=(), columns=(*draft.columns, *added))


def _rows_by_rule(bench: Bench, aside: Draft) -> dict[str, int]:
    each = f"SELECT unnest({BROKEN}) AS rule FROM ({draft_sql(aside)})"
    return dict(bench.con.execute(f"SELECT rule, count(*) FROM ({each}) GROUP BY rule").fetchall())


def _facts(bench: Bench, aside: Draft) -> dict[str, dict[str, Any]]:
    """Rows, content and rules of every partition. Run and time are no content: the same rows are the same."""
    content = [(name, kind) for name, kind in aside.columns if name not in ("mesh_run", "mesh_time")]
    key = f'"{aside.partition_column}"::VARCHAR' if aside.partition_column else f"'{WHOLE}'"
    held = f"FROM ({draft_sql(aside)})"
    rows = bench.con.execute(
        f"SELECT {key} AS part, count(*), {fingerprint_sql(content)} {held} GROUP BY part"
    ).fetchall()
    broken = bench.con.execute(
        f"SELECT {key} AS part, rule, count(*) FROM (SELECT *, unnest({BROKEN}) AS rule {held}) "
        "GROUP BY part, rule ORDER BY part, rule"
    ).fetchall()
    return {
        part: {
            "rows": count,
            "fingerprint": fingerprint,
            "rules": {rule: number for each, rule, number in broken if each == part},
        }
        for part, count, fingerprint in rows
    }


def still_aside(verdict: Verdict, version: Version) -> Verdict:
    """What a published version says of its rules, and which of them have rows in its quarantine."""
    held = version.certificate.quarantine.get("rules", {})
    return replace(
        verdict, results=tuple(_still(each, held.get(each.rule.id, 0)) for each in verdict.results)
    )


def _still(result: RuleResult, rows: int) -> RuleResult:
    if not rows or result.outcome is not Outcome.PASSED:
        return result
    told = f"{result.summary}; {rows:,} rows that broke it are in quarantine"
    return replace(
        result, outcome=Outcome.FAILED, failed_rows=rows, quarantined_rows=rows, summary=told, sample=()
    )


def rows_aside(version: Version) -> dict[str, int]:
    """What the record of a build says of quarantine: nothing, or the rows in it."""
    rows = int(version.certificate.quarantine.get("rows", 0))
    return {"quarantined": rows} if rows else {}


def changed_aside(work: Work, sifted: Sifted, partition: str) -> bool:
    """True if other rows of the partition are in quarantine now than in the version that readers see."""
    before = work.head.certificate.quarantine.get("partitions", {}) if work.head else {}
    now = sifted.held.get(partition, {})
    return bool(before.get(partition, {}).get("fingerprint") != now.get("fingerprint"))


def narrowed(sifted: Sifted, partitions: Collection[str]) -> Sifted:
    """Only these partitions, of the product and of its quarantine."""
    return replace(
        sifted,
        draft=_of(sifted.draft, partitions),
        aside=_of(sifted.aside, partitions) if sifted.aside else None,
    )


def _of(draft: Draft, partitions: Collection[str]) -> Draft:
    files = tuple(file for file in draft.files if file.partition in partitions)
    return replace(
        draft, partitions=tuple(each for each in draft.partitions if each in partitions), files=files
    )


def quarantine_after(work: Work, sifted: Sifted, files: tuple[str, ...]) -> dict[str, Any]:
    """What the certificate says: the whole product's quarantine, partitions of earlier builds included."""
    if sifted.aside is None:
        return {}
    contract, head = work.asset.contract, work.head
    kept = head.certificate.quarantine.get("partitions", {}) if head and sifted.draft.partition_column else {}
    held = {key: dict(each) for key, each in kept.items() if key not in sifted.aside.partitions}
    held |= {key: dict(each) for key, each in sifted.held.items() if key in sifted.aside.partitions}
    rules: dict[str, int] = {}
    for name, count in _each_rule(held):
        rules[name] = rules.get(name, 0) + count
    return {
        "table": str(sifted.aside.product),
        "limit": str(contract.quarantine.limit) if contract and contract.quarantine else None,
        "rows": sum(int(each["rows"]) for each in held.values()),
        "rules": rules,
        "partitions": held,
        "files": list(files),
    }


def _each_rule(held: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, int]]:
    for each in held.values():
        yield from each["rules"].items()
