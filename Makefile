# The commands of the README. Each makes what it needs first; none needs more than Python 3.11 and a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help

.PHONY: help run test demo lint types check bench clean

help: ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: $(VENV)/installed ## Run the bot (Discord with a token, else the terminal); pass flags with ARGS="..."
	@$(BIN)/python main_async.py $(ARGS)

test: $(VENV)/installed-dev ## Run the whole test suite
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

demo: $(VENV)/installed ## Import the sample server and ask it five questions
	@$(BIN)/python main_async.py --terminal --session demo --yes --as visitor --import db/sample.csv < db/demo.txt

bench: $(VENV)/installed ## Prove by counting that a kill and an outage lose nothing
	$(BIN)/python -m bench.kill --messages 5000
	$(BIN)/python -m bench.outage --messages 500

lint: $(VENV)/installed-dev ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev ## Check types
	$(BIN)/mypy

check: test lint types ## Everything that must be green

clean: ## Remove what the other commands made, memory not included
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Backscroll needs Python 3.11 or newer.")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
