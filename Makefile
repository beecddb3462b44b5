# Everything runs in .venv, built from requirements.lock the first time it is needed.
PYTHON ?= python3
PORT ?= 3000
# of the suite: as many as there are cores, two at least and four at most; the long tests also wait for processes
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 2 ? 2 : n > 4 ? 4 : n)))
LONG_WORKERS ?= $(shell expr $(WORKERS) + 1)
VENV := .venv
BIN := $(VENV)/bin
# compiled modules make every process start in half the time; what no command imports is a third of all, and left out
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install run test suite test-long emulators dev lint check bench docs lock clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | while IFS='|' read -r name text; do \
	  printf '%-16s %s\n' "$$name" "$$text"; done

install: $(VENV)/.ready  ## build .venv, which every other target does as well where it is missing
	@echo "$(VENV) is ready. Type: . $(VENV)/bin/activate   and then: nba-props -h"

run: $(VENV)/.ready  ## predict two nights of a simulated league (or the newest odds of NBA_PROPS_LANDING)
	@$(BIN)/nba-props demo

test: $(VENV)/.ready  ## lint, type-check and test
	@$(MAKE) --no-print-directory emulators
	@$(MAKE) --no-print-directory -j 2 lint suite || (echo "make test: lint or tests failed, see above" && exit 1)

suite: $(VENV)/.ready
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

dev: $(VENV)/.ready  ## the Dagster UI and daemon on http://127.0.0.1:3000 (or PORT)
	@$(BIN)/nba-props dev --port $(PORT)

test-long: $(VENV)/.ready emulators  ## the long tests: a day with webserver and daemon, incidents, kills, random orders, real payloads, both profiles at full size
	HYPOTHESIS_EXAMPLES=long $(BIN)/python -m pytest -n $(LONG_WORKERS) --dist loadgroup --no-loadscope-reorder -m "long or hypothesis"

emulators: $(VENV)/.ready  ## BigQuery's emulator in an environment of its own, where a Python 3.13 is found; its analyzer
	@$(BIN)/python -m nba_props_tests.gcp.bootstrap
	@$(BIN)/python -c "from nba_props_tests.gcp import googlesql; googlesql.service()"

lint: $(VENV)/.ready  ## ruff, mypy, and which package may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy nba_props nba_props_tests benchmarks
	$(BIN)/lint-imports --no-logo --no-cache

check: $(VENV)/.ready  ## the definitions load
	$(BIN)/dagster definitions validate -w workspace.yaml

bench: $(VENV)/.ready  ## ratios measured in one run
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.models
	$(BIN)/python -m benchmarks.markets
	$(BIN)/python -m benchmarks.backfill
	$(BIN)/python -m benchmarks.kills

# uv installs in seconds where pip takes a minute; pip does it where uv can't be had
$(VENV)/.ready: requirements.lock setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15) and "Python 3.11 to 3.14 is needed, this is " + sys.version)'
	@echo "building $(VENV), once: about $$(grep -c == requirements.lock) packages, about a minute with a good network"
	@echo "  1/3 an environment with uv"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if $(BIN)/python -m pip install -q --disable-pip-version-check uv 2>/dev/null; then \
	  echo "  2/3 downloading and installing the packages (2 GB on the disk)" && \
	  $(BIN)/uv pip install -q --python $(BIN)/python -r requirements.lock && \
	  $(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e . ; \
	else \
	  echo "  2/3 no uv: downloading and installing the packages with pip, which takes some minutes" && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.lock && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e . ; \
	fi
	@echo "  3/3 compiling, so that every command starts in half the time (about 15 s)"
	@$(BIN)/python -m compileall -q -j 0 -x '/(tests?|kubernetes|plotly)/' $(VENV)/lib nba_props >/dev/null || true
	@touch $@

# nothing newer is locked: anybody gets the same lock, and a release that is withdrawn within a week is never in it
LOCK_DATE := 2026-11-23

lock: $(VENV)/.ready  ## resolve requirements.lock again from setup.cfg, by what was released until LOCK_DATE
	$(BIN)/uv pip compile -q setup.cfg --extra dev --extra gcp --extra deploy --extra serve --python-version 3.11 --universal --no-header --no-emit-index-url \
	  --no-annotate --exclude-newer $(LOCK_DATE) -o requirements.lock
	@sed -i "s/ ; python_full_version < '3.15'$$//; s/python_full_version < '3.15' and //; s/ and python_full_version < '3.15'//" \
	  requirements.lock

clean:  ## remove environment, lake and build files
	rm -rf $(VENV) .emulators .nba_props build *.egg-info

docs: $(VENV)/.ready  ## the generated pages: data dictionary, commands, and the tables of variables
	$(BIN)/python -m nba_props.presentation.dictionary > docs/data-dictionary.md
	$(BIN)/python -m nba_props.cli.reference > docs/commands.md
	$(BIN)/python -m nba_props.presentation.variables docs/settings.md docs/automation.md docs/production.md
