# Everything a newcomer needs: `make mesh` builds the example and shows it, `make test` passes the tests.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: mesh dev test check setup clean

mesh: .venv/.mesh  ## set up, build the example mesh, show the table
	$(BIN)/mesh build

dev: .venv/.mesh  ## the same mesh in Dagster's UI, on http://127.0.0.1:3000
	$(BIN)/mesh dev

test: .venv/.dev check  ## lint, types, import contracts, all tests
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mesh dbt-properties --check

setup: .venv/.dev  ## everything that a developer needs

.venv/.mesh: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12 mesh" if sys.version_info < (3, 11) else 0)'
	test -d .venv || $(PYTHON) -m venv .venv
	$(PIP) --constraint constraints.txt --editable .
	touch $@

.venv/.dev: .venv/.mesh
	$(PIP) --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:  ## forget the built mesh and the environment
	rm -rf .venv .mesh
