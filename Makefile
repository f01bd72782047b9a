# Everything a developer runs. Needs only Python 3.11 or later, git and make: uv and the rest come from PyPI.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

TOOLS := .tools
UV := $(TOOLS)/bin/uv
VENV := .venv
BIN := $(VENV)/bin
SANDBOX := tests/sandbox
SANDBOX_PY := $(SANDBOX)/.venv/bin/python
export PATH := $(CURDIR)/$(BIN):$(PATH)
export MELTANO_SEND_ANONYMOUS_USAGE_STATS := false
# As pip does: where Python may not write bytecode itself, each start of a program would compile all it imports.
export UV_COMPILE_BYTECODE := 1

# The project's own code for the tests, which start hundreds of programs; what is older than its source is not used.
COMPILE = $(BIN)/python -m compileall -q -x '/[.]venv/' tap-sagex3/tap_sagex3 target-snowflake-audit/target_snowflake_audit tests

.PHONY: help setup demo test test-full test-live lint types bench peers probes generate lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F':.*?## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(UV):
	python3 -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --require-hashes -r requirements/uv.txt

$(VENV)/.ready: $(UV) requirements/dev.txt tap-sagex3/pyproject.toml target-snowflake-audit/pyproject.toml tests/sandbox/launcher/pyproject.toml
	$(UV) venv --quiet --allow-existing --python 3.11 $(VENV)
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps -e tap-sagex3 -e target-snowflake-audit -e tests/sandbox/launcher
	touch $@

$(SANDBOX)/.venv/.ready: $(UV) requirements/sandbox.txt
	$(UV) venv --quiet --allow-existing --python 3.11 $(SANDBOX)/.venv
	$(UV) pip sync --quiet --python $(SANDBOX_PY) --require-hashes requirements/sandbox.txt
	touch $@

# Meltano keeps each plugin in an environment of its own; made here so that the first run shows only the run.
.meltano/.ready: $(VENV)/.ready requirements/constraints.txt
	$(BIN)/meltano --log-level=warning install --clean
	touch $@

setup: $(VENV)/.ready $(SANDBOX)/.venv/.ready ## Make .venv and the sandbox's own environment

demo: setup .meltano/.ready ## Sage X3 to Snowflake and the audit trail, step by step, in the sandbox
	$(BIN)/sandbox run --scale 60 -- $(BIN)/python tests/e2e/demo.py

lint: setup ## ruff: style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## mypy strict, each environment on its own
	$(BIN)/mypy tap-sagex3/tap_sagex3 target-snowflake-audit/target_snowflake_audit tests
	cd $(SANDBOX) && ../../$(BIN)/mypy --config-file mypy.ini --python-executable .venv/bin/python local_x3 local_snowflake sandbox_runner

test: .meltano/.ready lint types ## Lint, types and all tests except full matrices
	$(COMPILE)
	$(BIN)/python tests/support/run_tests.py -q -n 2 --dist worksteal -m "not full and not live"

test-full: .meltano/.ready lint types ## The full matrices too
	$(COMPILE)
	$(BIN)/python tests/support/run_tests.py -q -n 2 --dist worksteal -m "not live"

test-live: setup ## The target's tests on the Snowflake account that LIVE_SNOWFLAKE_* name; says what it skips
	$(BIN)/python -m pytest -q -rs -m "live and not full" tests/live

generate: setup ## Rewrite what is generated from the plugins' own --about: settings in meltano.yml and READMEs; rules in docs/sandbox.md
	$(BIN)/python tests/support/meltano_file.py
	$(BIN)/python tests/support/readme_tables.py tap-sagex3 target-snowflake-audit
	$(BIN)/python tests/support/sandbox_docs.py
	$(BIN)/python tests/support/sql_snapshots.py

bench: setup ## Both plugins against a peer on the sandbox: prints a table, writes build/bench.json
	PYTHONPATH=tests/support $(BIN)/python -m tests.bench $(ARGS)

peers: setup ## The standard suite of another loader on stock fakesnow and on our local Snowflake: prints a table
	PYTHONPATH=tests/support $(BIN)/python -m tests.peers $(ARGS)

probes: setup ## Probes of Snowflake's rules: stock fakesnow beside ours, through both connectors; what each correction is for
	PYTHONPATH=tests/support $(BIN)/python tests/support/probe_table.py

lock: $(UV) ## Pin every requirement again, with hashes and without registry addresses
	$(UV) export --quiet --no-emit-workspace --no-emit-project --all-groups --no-header --no-annotate -o requirements/dev.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url $(SANDBOX)/pyproject.toml -o requirements/sandbox.txt
	$(UV) export --quiet --no-emit-workspace --no-emit-project --no-dev --no-hashes --no-header --no-annotate -o requirements/constraints.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -c requirements/sandbox.txt requirements/connector4.in -o requirements/connector4.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url requirements/bench-peer.in -o requirements/bench-peer.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --override requirements/peer-connector5.override requirements/bench-peer.in -o requirements/peer-connector5.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url requirements/target-jsonl.in -o requirements/target-jsonl.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url requirements/target-postgres.in -o requirements/target-postgres.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url requirements/tap-jsonl.in -o requirements/tap-jsonl.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url requirements/tap-dbf.in -o requirements/tap-dbf.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url requirements/tap-postgres.in -o requirements/tap-postgres.txt
	rm -f uv.lock

clean: ## Remove environments and build output
	rm -rf $(VENV) $(TOOLS) $(SANDBOX)/.venv .meltano build
