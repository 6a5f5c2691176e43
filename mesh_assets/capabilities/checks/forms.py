"""The page of all forms: what the readers and the audit do with each, version by version.

Here: asking them with the probes, and the page.
Not here: the forms themselves (probes).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby

from mesh_assets.capabilities.checks.plan import plan
from mesh_assets.capabilities.checks.probes import VERSIONS, Probe, probes
from mesh_assets.capabilities.contracts.alone import Finding, Reading, read_text_alone
from mesh_assets.capabilities.contracts.kinds import KINDS
from mesh_assets.capabilities.contracts.sla import ServiceLevel

#: What stands in the page's cells for a version whose schema forbids the form.
ABSENT = "-"
#: Rules that every product has, whatever its contract writes.
IMPLIED = frozenset(("row_count_positive", "physical_types"))


def forms_page() -> str:
    """docs/forms.md, from what the code does."""
    lines = [*_HEAD]
    for section, group in groupby(probes(), key=lambda probe: probe.section):
        lines += ["", f"## {section}", "", _columns(), "| --- | --- | --- | --- | --- |"]
        lines += [_row(probe) for probe in group]
    lines += ["", "## Kinds of `custom` rules, engine `mesh`", "", "| kind | arguments |", "| --- | --- |"]
    lines += [f"| `{name}` | {', '.join(f'`{key}`' for key in kind.keys)} |" for name, kind in KINDS.items()]
    return "\n".join(lines) + "\n"


_HEAD = (
    "# Every form of the standard, and what becomes of it",
    "",
    "Made by `mesh contract forms`: a small contract of each form was read and its rules compiled, in each",
    "version of ODCS. A test fails when this page is not what the code does.",
    "",
    "- **run**: the rule's kind, and in brackets the pass over the data, see [checks](checks.md)",
    "- **watched**: Dagster's daemon evaluates a freshness policy ([contracts](contracts.md#service-levels))",
    "- **kept**: expiry of versions holds to it",
    "- **said**: shown to readers, never counted as run",
    "- **refused**: an error with file and line; the reason",
    "- **taken**: read, and there is nothing to check beyond the column's type",
    f"- {ABSENT}: the version's own JSON schema does not have the form (an error with file and line, too)",
)


def _columns() -> str:
    return f"| form | {' | '.join(VERSIONS)} | why refused |"


def _row(probe: Probe) -> str:
    answers = [answer(probe, version) for version in VERSIONS]
    reasons = dict.fromkeys(reason for word, reason in answers if reason)
    words = " | ".join(word for word, _ in answers)
    return f"| {probe.form} | {words} | {'; '.join(reasons)} |"


def answer(probe: Probe, version: str) -> tuple[str, str]:
    """What becomes of the form in a contract of this version, and the reason if it is refused."""
    reading = read_text_alone("contract.yaml", json.dumps(probe.contract(version)), of_the_mesh=True)
    if reading.findings:
        return _found(reading.findings[0])
    told = list(_done(reading, bare=probe.bare))
    return "; ".join(told) or "taken", ""


def _found(finding: Finding) -> tuple[str, str]:
    if finding.kind == "standard":
        return ABSENT, ""
    return "refused", " ".join(finding.problem.split()).replace("|", "\\|")


def _done(reading: Reading, *, bare: bool) -> Iterator[str]:
    for each in reading.objects:
        rules = each.rules if bare else [rule for rule in each.rules if rule.kind not in IMPLIED]
        for planned in plan(rules, each.columns):
            kind = planned.rule.kind
            yield f"run: {kind} ({planned.by})" if planned.by else f"error of the rule: {planned.reason}"
        yield from ("said" for _ in each.documentation)
        yield from (_level(level) for level in each.service_levels if not level.rules)


def _level(level: ServiceLevel) -> str:
    if level.within is not None:
        return "watched: time window"
    if level.keeps is not None:
        return "kept: versions"
    return "watched: deadline" if level.deadline is not None else "said"
