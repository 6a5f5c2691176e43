"""Is a document what its standard says? The standards' own JSON schemas decide.

Here: which schema belongs to which version, running it, remembering verdicts.
Not here: wording the finding (explain), what the mesh asks beyond the standard (read, rules, domain).
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from mesh_assets.capabilities.contracts.document import Document, allowed_words, kind_of
from mesh_assets.capabilities.contracts.explain import explained
from mesh_assets.capabilities.contracts.shape import is_everyday_contract, is_everyday_domain

CONTRACT_VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0")
DOMAIN_VERSIONS = ("v1.0.0", "v1.1.0")

_SCHEMAS = Path(__file__).parent / "schemas"
_ODCS = {"v3.0.0": "odcs-3.0.2", "v3.0.1": "odcs-3.0.2", "v3.0.2": "odcs-3.0.2", "v3.1.0": "odcs-3.1.0"}

#: ODCS 3.2's own pattern of a reference by names.
REFERENCE = r"^[A-Za-z_][A-Za-z0-9_\-]*(\.[A-Za-z_][A-Za-z0-9_\-]*)+$"

#: Documents that passed, by version and content: loading the same text twice in a process validates once.
_passed: set[tuple[str, bytes]] = set()


def check_contract_standard(document: Document) -> None:
    """Raise DocumentMalformed unless the document is valid ODCS of its own apiVersion."""
    version = _version(document, CONTRACT_VERSIONS, "ODCS")
    if version in ("v3.1.0", "v3.2.0") and is_everyday_contract(document.value):
        return
    _check(document, f"ODCS {version}", lambda: _odcs_schema(version))


def check_domain_standard(document: Document) -> None:
    """Raise DocumentMalformed unless the document is valid ODPS of its own apiVersion."""
    version = _version(document, DOMAIN_VERSIONS, "ODPS")
    if is_everyday_domain(document.value):
        return
    _check(document, f"ODPS {version}", lambda: _bundled(f"odps-{version[1:]}"))


def _version(document: Document, known: tuple[str, ...], standard: str) -> str:
    found = document.at(("apiVersion",))
    if "apiVersion" not in document.value:
        raise document.malformed((), "`apiVersion` is missing", f"Write apiVersion: {known[-1]}")
    if found not in known:
        raise document.malformed(
            ("apiVersion",),
            f"`apiVersion` is {kind_of(found)}, which is no version of {standard} that this mesh reads",
            allowed_words(found, known),
        )
    return str(found)


def _check(document: Document, name: str, schema: Callable[[], dict[str, Any]]) -> None:
    verdict = (name, sha256(document.text.encode()).digest())
    if verdict in _passed:
        return
    validator = _validator(name, schema)
    errors = list(validator.iter_errors(document.value))
    if errors:
        raise explained(document, errors, standard=name, schema=validator.schema)
    _passed.add(verdict)


_validators: dict[str, Any] = {}


def _validator(name: str, schema: Callable[[], dict[str, Any]]) -> Any:
    if name not in _validators:
        # Only documents that are not everyday ones, or are wrong, pay for this import.
        from jsonschema import Draft201909Validator

        _validators[name] = Draft201909Validator(schema())
    return _validators[name]


def contract_schema(version: str) -> dict[str, Any]:
    """The JSON schema that contracts of this version are held against."""
    return _odcs_schema(version)


def _odcs_schema(version: str) -> dict[str, Any]:
    if version in _ODCS:
        return _bundled(_ODCS[version])
    # The package of the pydantic model carries the schema of 3.2; found without importing it (and pydantic).
    found = importlib.util.find_spec("open_data_contract_standard")
    folder = next(iter(found.submodule_search_locations or ())) if found else None
    if folder is None:
        raise ModuleNotFoundError(
            "open-data-contract-standard is not installed: `pip install` this project again"
        )
    return _read(Path(folder) / "schema.json")


def _bundled(name: str) -> dict[str, Any]:
    schema = _read(_SCHEMAS / f"{name}.json")
    if name == "odcs-3.1.0":
        # 3.1 allows `table.column` only; 3.2 allows further dots, which a mesh needs: domain.product.column.
        schema["$defs"]["ShorthandReference"]["pattern"] = REFERENCE
    return schema


@cache
def _read(path: Path) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema
