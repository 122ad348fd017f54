# Everything a user, a developer and CI call. `make run` on a fresh machine sets up what it needs, once.
PYTHON ?= python3
BIN := .venv/bin

# No telemetry from any part; compiled bytecode makes every start two to three times faster.
export DO_NOT_TRACK := true
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV

# They share modules.
docs bench ablations learnability coverage gate-sources mutation promotion-errors monitoring-errors replay: export PYTHONPATH := benchmarks:experiments

.PHONY: help setup run test test-fast programs browser git lint format house docs bench bench-postgres ablations learnability coverage \
  gate-sources mutation promotion-errors monitoring-errors replay lock lock-add viz mlflow notebooks clean
help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: .venv/.installed ## virtual environment with the locked, hash-checked packages

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "waste-risk needs Python 3.11 or later: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	@awk '/^[a-z]/ {uv = /^uv==/} uv && !/#/' requirements.lock > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement .venv/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## the main job: simulate, build features, train, validate, register
	$(BIN)/kedro run

test: setup programs ## all tests; ARGS=--cov adds the share of lines and branches that they reach
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

test-fast: setup ## the tests that need no server, browser or run of the project: a minute on two cores
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m "not slow" $(ARGS)

# The programs that tests need beside the locked packages. Each is taken where it is found, else installed where that is
# possible; else a line names the tests that will be skipped and the command that would install it. PostgreSQL, uv and
# the receipts of Complete Journey are locked packages, so `make setup` brings them.
programs: browser git

browser: setup
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome; } > /dev/null \
	  || $(call apt,chromium) \
	  || $(BIN)/playwright install chromium > /dev/null \
	  || echo "The tests of pages in a browser will be skipped: install chromium, for example with: apt-get install chromium"

git:
	@command -v git > /dev/null \
	  || $(call apt,git) \
	  || echo "The tests of the commit on record will be skipped: install git, for example with: apt-get install git"

# A package of Debian or Ubuntu, as root.
apt = { test "$$(id -u)" = 0 && command -v apt-get > /dev/null && apt-get update -qq \
	  && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $(1) > /dev/null; }

lint: setup ## ruff, format check, mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

house: setup ## sizes of functions and modules, direction of imports, what is defined twice or for tests alone
	$(BIN)/python benchmarks/house.py

docs: setup browser ## the generated pages, the pictures, and the output of the last `make run` in README.md
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/draw_pipelines.py

bench: setup .venv-bench/.installed ## speed and memory into docs/benchmarks.md; ARGS=--large or --search: the slow parts
	$(BIN)/python benchmarks/run.py $(ARGS)

bench-postgres: export PYTHONPATH := benchmarks:experiments:tests
bench-postgres: setup ## reading a million pantry entries of a PostgreSQL server, by several clients, into docs/benchmarks.md
	$(BIN)/python benchmarks/run.py --only postgres

.venv-bench/.installed: requirements-bench.lock .venv/.installed
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-bench
	$(BIN)/uv pip sync --quiet --python .venv-bench/bin/python --require-hashes requirements-bench.lock
	@touch $@

ablations: setup ## what single choices are worth, into docs/ablations.md
	$(BIN)/python experiments/ablations.py $(ARGS)

learnability: setup ## what the simulated data test, seed by seed, into docs/learnability.md
	$(BIN)/python experiments/learnability.py

coverage: setup ## how often the intervals of a validation hold the true value, into docs/coverage.md
	$(BIN)/python experiments/interval_coverage.py $(ARGS)

gate-sources: setup ## how often usual and spoilt sources pass the gates, into docs/gates.md
	$(BIN)/python experiments/gate_sources.py $(ARGS)

mutation: setup .venv-bench/.installed ## whether the tests notice small changes in the core, into docs/mutation.md
	.venv-bench/bin/python experiments/mutation.py $(ARGS)

promotion-errors: setup ## how often the rule of promotion errs, into docs/promotion.md
	$(BIN)/python experiments/promotion_errors.py $(ARGS)

replay: setup ## weeks of retraining under several rules of promotion, into docs/promotion.md; a rerun goes on
	$(BIN)/python experiments/replay.py $(ARGS)

monitoring-errors: setup ## how soon monitoring sounds an alarm, and how often in vain, into docs/monitoring.md
	$(BIN)/python experiments/monitoring_errors.py $(ARGS)

lock: setup ## resolve the dependencies anew, each at its newest version
	$(MAKE) lock-add UPGRADE=--upgrade

lock-add: setup ## resolve what pyproject.toml has gained; every other version stays
	$(BIN)/uv pip compile $(LOCK) --group dev --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCK) --group bench --constraint requirements.lock --output-file requirements-bench.lock pyproject.toml

LOCK = --quiet $(UPGRADE) --universal --generate-hashes --no-emit-index-url --python-version 3.11 --custom-compile-command "make lock"

viz: setup ## the pipelines in the browser: one box for each, which a click opens
	$(BIN)/kedro viz run

mlflow: setup ## runs, metrics and registered models in the browser
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/kedro mlflow ui  # it looks for the command mlflow

notebooks: setup ## the notebooks in the browser; JupyterLab is fetched for it, outside of the locked environment
	$(BIN)/uv run --no-project --with jupyterlab jupyter lab notebooks

clean: ## remove data, tracking store and environments
	rm -rf .venv .venv-bench data/*/ mlruns mlflow.db logs
