"""Generated contracts of all versions and forms load, and an audit finds what was planted, to the row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh_assets.capabilities.checks.generated import generated
from mesh_assets.capabilities.checks.generated_audits import planned, wrong_in
from mesh_assets.capabilities.checks.generated_forms import FORMS

#: Seeds whose contracts have every form; `mesh contract corpus --generated 5000` tries many more.
SAMPLE = range(len(FORMS))


@pytest.mark.parametrize("seed", SAMPLE[::3])
def test_an_audit_finds_in_generated_files_what_was_planted_and_nothing_else(seed: int) -> None:
    assert list(wrong_in(generated(seed))) == []


def test_the_generated_contracts_have_every_form_and_plant_against_it() -> None:
    assert all(planned(range(60)).planted[form.name] for form in FORMS)


def test_the_same_seed_makes_the_same_contract() -> None:
    assert generated(7) == generated(7)


def test_a_violation_more_or_less_than_expected_is_told() -> None:
    made = generated(3)
    more = replace(made, expected=tuple(replace(each, count=each.count + 1) for each in made.expected))

    assert len(list(wrong_in(more))) == len(made.expected)
