"""Pages that are made from the code say what the code does."""

from __future__ import annotations

from mesh_assets.capabilities.checks.contract_files import corpus_page
from mesh_assets.capabilities.checks.forms import answer, forms_page
from mesh_assets.capabilities.checks.generated_audits import generated_section, planned
from mesh_assets.capabilities.checks.probes import VERSIONS, probes
from mesh_assets.capabilities.contracts.compared_page import changes_page
from mesh_assets.cli.contract import GENERATED
from mesh_assets.words.settings import PROJECT


def test_the_page_of_forms_says_what_the_readers_do() -> None:
    page = (PROJECT / "docs" / "forms.md").read_text(encoding="utf-8")

    assert page == forms_page(), "forms run or are refused otherwise now; run `mesh contract forms`"


def test_the_page_of_changes_says_whom_each_breaks() -> None:
    page = (PROJECT / "docs" / "contract-changes.md").read_text(encoding="utf-8")

    assert page == changes_page(), "changes have other classes now; run `mesh contract changes`"


def test_the_page_of_the_corpus_says_what_becomes_of_it() -> None:
    page = (PROJECT / "docs" / "corpus.md").read_text(encoding="utf-8")

    # Auditing the generated ones takes a quarter of a minute: the page says that none was wrong, and a
    # sample of them is audited in tests/unit/checks/test_generated.py.
    said = generated_section(planned(range(GENERATED)))
    assert page == corpus_page(PROJECT / "tests" / "corpus", said), "run `mesh contract corpus`"


def test_no_form_that_loads_is_an_error_when_it_runs() -> None:
    told = {probe.form: answer(probe, version)[0] for version in VERSIONS for probe in probes()}

    assert not {form: said for form, said in told.items() if "error of the rule" in said}


def test_every_contract_of_the_corpus_is_listed_with_its_source() -> None:
    folder = PROJECT / "tests" / "corpus"
    listed = (folder / "PROVENANCE.md").read_text(encoding="utf-8")
    lost = [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*.yaml"))
        if f"{path.relative_to(folder).parent.as_posix()}/" not in listed
    ]

    assert not lost, f"say in tests/corpus/PROVENANCE.md where these are from, and their licence: {lost}"
