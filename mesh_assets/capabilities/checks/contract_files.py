"""The verdict on a contract file: what would run, and by which pass; what would not, and why.

Here: one file, and the page on a folder of other people's contracts.
Not here: reading contracts (contracts/alone), verdicts on data (audit).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.checks.plan import Planned, plan
from mesh_assets.capabilities.contracts.alone import Finding, Object, read_alone

#: Beside the contracts of a corpus: `file | source | licence` lines.
PROVENANCE = "PROVENANCE.md"


@dataclass(frozen=True)
class Judged:
    """A contract file: its objects, each with its rules as planned, and everything found against it."""

    file: str
    version: str
    objects: tuple[tuple[Object, tuple[Planned, ...]], ...]
    findings: tuple[Finding, ...]
    #: What a product of this mesh would need beyond that; refuses nothing.
    notes: tuple[Finding, ...] = ()

    @property
    def loads(self) -> bool:
        return not self.findings

    @property
    def rules(self) -> int:
        return sum(not each.reason for _, planned in self.objects for each in planned)

    @property
    def told(self) -> str:
        """ODCS v3.1.0, 2 objects, 14 rules run, 1 is said, 3 are refused."""
        said = sum(len(each.documentation) for each, _ in self.objects)
        parts = [
            f"ODCS {self.version}" if self.version else "no version",
            _counted(len(self.objects), "object"),
            f"{_counted(self.rules, 'rule')} would run",
            f"{said} said only" if said else "",
            f"{_counted(len(self.findings), 'finding')}" if self.findings else "",
            f"{_counted(len(self.notes), 'note')}" if self.notes else "",
        ]
        return ", ".join(filter(None, parts))

    def rule_rows(self) -> Iterator[tuple[str, ...]]:
        """(object, rule, kind, run by, severity, line) of every rule that would run."""
        for each, planned in self.objects:
            for one in planned:
                line = str(one.rule.place.line) if one.rule.place else ""
                by = one.by or f"error: {one.reason}"
                yield (each.name.product, one.rule.id, one.rule.kind, by, str(one.rule.severity), line)

    def as_json(self) -> dict[str, Any]:
        """Plain values, for scripts."""
        return {
            "file": self.file,
            "version": self.version,
            "loads": self.loads,
            "objects": [_object_json(each, planned) for each, planned in self.objects],
            "findings": [vars(finding) for finding in self.findings],
            "notes": [vars(note) for note in self.notes],
        }


def judge_file(path: Path) -> Judged:
    """Read the file by itself and plan its rules; a rule that no pass can answer is a finding too."""
    reading = read_alone(path)
    objects = tuple((each, plan(each.rules, each.columns)) for each in reading.objects)
    findings = list(reading.findings)
    for _, planned in objects:
        findings += [_cannot_run(reading.file, each) for each in planned if each.reason]
    ordered = sorted(findings, key=lambda finding: (finding.line, finding.column))
    return Judged(reading.file, reading.version, objects, tuple(ordered), reading.notes)


def _cannot_run(file: str, planned: Planned) -> Finding:
    place = planned.rule.place
    line, column = (place.line, place.column) if place else (1, 1)
    problem = f"the rule {planned.rule.id} cannot run on the declared types: {planned.reason}"
    return Finding("run", file, line, column, problem, "")


def _object_json(each: Object, planned: tuple[Planned, ...]) -> dict[str, Any]:
    return {
        "name": str(each.name),
        "columns": {column.name: column.physical_type for column in each.columns},
        "rules": [
            {
                "id": one.rule.id,
                "kind": one.rule.kind,
                "run_by": one.by or None,
                "cannot_run": one.reason or None,
                "columns": list(one.rule.columns),
                "severity": str(one.rule.severity),
                "dimension": one.rule.dimension,
                "description": one.rule.description,
                "line": one.rule.place.line if one.rule.place else None,
            }
            for one in planned
        ],
        "documentation": list(each.documentation),
        "service_levels": [
            {"property": level.name, "promise": level.description, "line": level.place.line}
            for level in each.service_levels
        ],
    }


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def corpus_page(folder: Path, more: Sequence[str] = ()) -> str:
    """Every contract of the folder with its verdict, and every reason; `more` are the page's next lines."""
    paths = sorted(path for path in folder.rglob("*.y*ml") if path.is_file())
    judged = [(path.relative_to(folder).as_posix(), judge_file(path)) for path in paths]
    loaded = [each for _, each in judged if each.loads]
    refused = len(judged) - len(loaded)
    not_odcs = [each for _, each in judged if any(found.kind == "standard" for found in each.findings)]
    kinds = Counter(finding.kind for _, each in judged for finding in each.findings)
    lines = [
        "# Other people's contracts",
        "",
        "Made by `mesh contract corpus` from tests/corpus; where each file is from, and under which licence,",
        f"stands in [tests/corpus/{PROVENANCE}](../tests/corpus/{PROVENANCE}). Judge a file of your own:",
        "",
        "```bash",
        "mesh contract check orders.odcs.yaml",
        "```",
        "",
        f"{len(judged)} contracts: {len(loaded)} load as they are, {refused} have findings,",
        f"and {sum(each.rules for _, each in judged)} rules would run. Of those with findings,",
        f"{len(not_odcs)} are not what their version of ODCS says.",
        "",
        "| findings | |",
        "| --- | --- |",
        *(f"| {kinds[kind]} | {meaning} |" for kind, meaning in _MEANINGS.items() if kinds[kind]),
        f"| {sum(len(each.notes) for _, each in judged)} | notes, which refuse nothing: what a product of "
        "this mesh would need beyond the standard |",
        "",
        "| contract | ODCS | objects | rules that run | findings |",
        "| --- | --- | ---: | ---: | ---: |",
        *(
            f"| {name} | {each.version} | {len(each.objects)} | {each.rules} | "
            f"{len(each.findings) or 'loads'} |"
            for name, each in judged
        ),
        "",
        "## What is refused, and why",
    ]
    for name, each in judged:
        if each.findings:
            lines += ["", f"### {name}", ""]
            lines += [f"- line {finding.line}: {_plain(finding, folder)}" for finding in each.findings]
    return "\n".join((*lines, *(("", *more) if more else ()))) + "\n"


_MEANINGS = {
    "standard": "the file is not what its version of ODCS says",
    "form": "a form that the mesh does not run",
    "contract": "the contract contradicts itself, or names what is not there",
    "run": "a rule that no pass can answer on the declared types",
}


def _plain(finding: Finding, folder: Path) -> str:
    told = f"{finding.problem}. {finding.remedy}" if finding.remedy else finding.problem
    return " ".join(told.replace(str(folder) + os.sep, "").split()).replace("|", "\\|").replace("<", "\\<")
