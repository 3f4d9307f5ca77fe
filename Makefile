# The commands of the README. Each makes what it needs first; none needs more than Python 3.11 and a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
ifndef SEED
SEED := $(shell date +%s)
endif
# A worker that has nothing left takes tests from the others; whole processes, which are slow, come first.
TOGETHER := --numprocesses auto --maxprocesses 4 --dist worksteal
# pg_textsearch 1.0 now and then takes one database's index for another's (docs/decisions/0012); nothing else is retried.
TOGETHER += --reruns 1 --only-rerun "could not read blocks"
# The workers of a run and the processes that they start compile our modules once, whatever the environment says.
TESTING := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest $(TOGETHER)
ON_TIMESCALE := $(TESTING) --server timescale tests/end_to_end tests/integration

.DEFAULT_GOAL := help

.PHONY: help run test fuzz test-timescale test-difference demo lint types check drill bench bench-windows bench-backups bench-timescale clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 17

run: $(VENV)/prepared ## Run the bot (Discord with a token, else the terminal); pass flags with ARGS="..."
	@$(BIN)/python main_async.py $(ARGS)

# Without hypothesis' plugin, no worker reads all our sources for values to try but the one that has a property to try.
test: $(VENV)/installed-dev ## Run the whole test suite
	$(TESTING) -p no:hypothesispytest $(ARGS)

fuzz: $(VENV)/installed-dev ## Try thousands of inputs on each property of tests/fuzz; SEED=... tries the same ones again
	@echo "SEED=$(SEED) tries these inputs again."
	$(TESTING) tests/fuzz --hypothesis-profile=long --hypothesis-seed=$(SEED) --timeout 7200 $(ARGS)

test-timescale: $(VENV)/installed-dev ## Run what needs a database on a real TimescaleDB, made when missing; root only
	$(BIN)/python -m tests.timescale start
	@trap '$(BIN)/python -m tests.timescale stop' EXIT; trap 'exit 130' INT TERM; $(ON_TIMESCALE) $(ARGS)

test-difference: $(VENV)/installed-dev ## Run there only what differs between PostgreSQL and TimescaleDB, as CI does
	$(BIN)/python -m tests.timescale start
	@trap '$(BIN)/python -m tests.timescale stop' EXIT; trap 'exit 130' INT TERM; $(ON_TIMESCALE) -m server $(ARGS)

demo: $(VENV)/prepared ## Import the sample server and ask it five questions
	@$(BIN)/python main_async.py --terminal --session demo --yes --as visitor --import db/sample.csv < db/demo.txt

drill: $(VENV)/installed ## Lose all memory and get it back; promote, undo, forget; kill -9 in the middle of each
	$(BIN)/python -m bench.drill

bench: $(VENV)/installed ## Prove by counting that nothing is lost, time the embedder; with EVALUATION=folder also measure what is found
	$(BIN)/python -m bench.kill --messages 5000
	$(BIN)/python -m bench.outage --messages 500
	$(BIN)/python -m bench.embedding
	$(BIN)/python -m bench.reading
	$(BIN)/python -m bench.questions
ifdef EVALUATION
	$(BIN)/python -m bench.retrieval --data "$(EVALUATION)"/locomo/*.json
	$(BIN)/python -m bench.time_chats --data "$(EVALUATION)/time_chats"
	for list in "$(EVALUATION)"/time_phrases/*.json; do $(BIN)/python -m bench.time_phrases --data "$$list" || exit; done
else
	@echo "What search and the time grammar find is left out: it needs EVALUATION=folder (docs/howto/measure.md)."
endif

bench-windows: $(VENV)/installed ## Search windows of 200,000 messages in four ways; takes long
	$(BIN)/python -m bench.windowed_search

bench-backups: $(VENV)/installed ## Measure backups, restores and promotion of 1,000,000 messages beside pg_dump and COPY; takes long
	$(BIN)/python -m bench.backups

bench-timescale: $(VENV)/installed ## Measure bulk loads, moves and chunks on the TimescaleDB at BACKSCROLL_TIMESCALE_DSN; takes hours
	$(BIN)/python -m bench.bulk
	$(BIN)/python -m bench.chunk_intervals
	$(BIN)/python -m bench.windowed_search --timescale --rows 1000000 --no-hnsw --explain

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
	$(BIN)/python install.py requirements.txt
	@touch $@

$(VENV)/prepared: $(VENV)/installed
	@$(BIN)/python main_async.py prepare
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	$(BIN)/python install.py requirements-dev.txt
	@touch $@
