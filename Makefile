# Needs Python 3.11 or later with pip; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run test lint typecheck bench docs check

help: ## show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.installed ## install into .venv and serve (settings: docs/settings.md)
	$(BIN)/gunicorn -c gunicorn.conf.py wsgi:app

test: $(VENV)/.installed-test ## run every test
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-test ## look for defects without running anything
	$(BIN)/ruff check .

typecheck: $(VENV)/.installed-test ## check the types, strictly
	$(BIN)/mypy

bench: $(VENV)/.installed-test ## print how the service compares with starting an interpreter for each script
	$(BIN)/python -m benchmarks

docs: $(VENV)/.installed ## write the generated documentation anew
	$(BIN)/python -m lithium_script.documentation

check: lint typecheck test ## what a change must pass

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: setup.cfg setup.py | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@
