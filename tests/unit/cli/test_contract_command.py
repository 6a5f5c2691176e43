"""`mesh contract`: judging contract files of anybody's."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Command

GOOD = """\
apiVersion: v3.1.0
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553b
version: 1.0.0
status: active
schema:
  - name: people
    properties:
      - {name: id, logicalType: integer, required: true}
"""
BAD = GOOD.replace("required: true", "quality: [{type: custom, engine: soda, implementation: x}]")


def written(folder: Path, **texts: str) -> list[str]:
    for name, text in texts.items():
        (folder / f"{name}.odcs.yaml").write_text(text, encoding="utf-8")
    return [str(folder / f"{name}.odcs.yaml") for name in texts]


def test_a_contract_that_loads_is_told_with_its_rules(mesh: Command, tmp_path: Path) -> None:
    said = mesh("contract", "check", "--rules", *written(tmp_path, good=GOOD))

    assert said.code == 0
    assert "loads" in said.out
    assert "id_required" in said.out
    assert "scan" in said.out


def test_what_is_refused_is_told_with_file_line_and_reason(mesh: Command, tmp_path: Path) -> None:
    (path,) = written(tmp_path, bad=BAD)

    said = mesh("contract", "check", path)

    assert said.code == 1
    assert f"{path}:9:" in said.out
    assert "the engine 'soda', which the mesh does not run" in said.out


def test_folders_are_judged_file_by_file_and_json_has_it_all(mesh: Command, tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    folder.mkdir()
    written(folder, bad=BAD, good=GOOD)
    (folder / "pipeline.yml").write_text("steps: []", encoding="utf-8")

    said = mesh("contract", "check", "--json", str(folder))

    assert said.code == 1
    bad, good = json.loads(said.out)
    assert (bad["loads"], [finding["line"] for finding in bad["findings"]]) == (False, [9])
    assert good["loads"]
    rules = {rule["id"]: rule for rule in good["objects"][0]["rules"]}
    assert (rules["id_required"]["kind"], rules["id_required"]["run_by"]) == ("required", "scan")


def test_a_rule_that_no_pass_can_answer_is_refused_too(mesh: Command, tmp_path: Path) -> None:
    digit = "quality: [{type: custom, engine: mesh, implementation: {kind: freshness, column: id}}]"
    (path,) = written(tmp_path, odd=GOOD.replace("required: true", digit))

    said = mesh("contract", "check", path)

    assert said.code == 1
    assert f"{path}:9:" in said.out


def test_a_file_that_is_not_there_is_a_mistake_in_the_command(mesh: Command, tmp_path: Path) -> None:
    said = mesh("contract", "check", str(tmp_path / "nowhere.yaml"))

    assert said.code == 2
    assert "does not exist" in said.err
