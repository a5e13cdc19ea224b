# Bayerboard's commands. Each sets up what it needs in .venv first, and says so; see CONTRIBUTING.md.

.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

# Meant for other projects: in here they would mix foreign packages into the environment. And without compiled files each
# of the many processes that are started here would compile all that it imports, for seconds.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV PYTHONDONTWRITEBYTECODE
export PYTHON CHROMIUM POSTGRES

BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
# One thread in each process within torch and numpy, which would spin on the cores that the other processes need.
PYTEST := env OMP_NUM_THREADS=1 $(BIN)/pytest
# slipcover costs the site's tests a tenth, coverage.py more than half; it sees no processes that tests start, as those of
# scoring do.
MEASURED := env OMP_NUM_THREADS=1 $(BIN)/python -m slipcover --json --out .coverage.site -m pytest
UNMEASURED := -p no:pytest_cov -p no:slipcover
PARALLEL := -p no:playwright --no-loadscope-reorder --numprocesses
CORES := $$(nproc)
# One process more, where tests wait for processes of their own.
CORES_AND_ONE := $$(($$(nproc) + 1))
IN_PROCESS := tests/scoring tests/site tests/workers
# ONCE=1, ONCE=yes; but not ONCE=0, ONCE=no or ONCE=
once := $(if $(filter-out 0 no false,$(ONCE)),--once)
bind := $(if $(BIND),--bind $(BIND))
# djade takes files, not folders; in mails (.txt) white space is text
templates = find platform -path '*/templates/*' -name '*.html'
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(LOCK_ARGS)
LOCK_INPUT := pyproject.toml requirements/build.in

.PHONY: help
help: ## Show this list
	@echo "Bayerboard: challenge evaluation and leaderboards for camera-RAW"
	@echo
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name text; do printf '%-20s %s\n' "$$name" "$$text"; done

# --- Running ----------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: environment ## Start Bayerboard with the demo challenge (ONCE=1: then stop; BIND=127.0.0.1:8000)
	@$(MANAGE) demo $(once) $(bind)

.PHONY: up
up: environment ## Start Bayerboard (BIND=127.0.0.1:8000)
	@$(MANAGE) up $(bind)

# --- Checking ---------------------------------------------------------------------------------------------------------

.PHONY: quick
quick: dev-environment ## While you work: lint, types, and the tests of scoring, site and workers on SQLite (three minutes)
	@$(MAKE) lint types
	$(PYTEST) $(PARALLEL) $(CORES) $(UNMEASURED) -m "not processes" $(IN_PROCESS) $(ARGS)

.PHONY: test
test: dev-environment ## Lint, types, migrations and every test: on SQLite, on PostgreSQL, with a real browser
	@browser=$$(tools/chromium.sh); postgres=$$(tools/postgres.sh); $(MAKE) lint types migrations; \
		CHROMIUM="$$browser" POSTGRES="$$postgres" $(MAKE) pytest

.PHONY: lint
lint: dev-environment ## Lint and format: Python by ruff, templates by djade, JavaScript and CSS by biome (where Node is)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(templates) -exec $(BIN)/djade --check --target-version 5.2 {} +
	@tools/biome.sh

.PHONY: types
types: dev-environment ## mypy --strict
	$(BIN)/mypy

.PHONY: migrations
migrations: dev-environment ## Fail where a model changed without its migration
	$(MANAGE) makemigrations --check --dry-run

.PHONY: pytest
pytest: dev-environment ## The tests alone, with the coverage gates (ARGS=… for pytest: some tests, without the gates)
ifneq ($(ARGS),)
	$(BIN)/pytest $(ARGS)
else
	$(PYTEST) $(PARALLEL) $(CORES) -p no:slipcover --durations=15 --cov --cov-report= tests/scoring
	$(BIN)/coverage report --include='scoring/*' --fail-under=100
	$(MEASURED) $(PARALLEL) $(CORES) -p no:pytest_cov --durations=15 tests/site tests/workers
	$(BIN)/python -m slipcover --merge .coverage.site --out .coverage.site --fail-under 98
	$(BIN)/python -m tests.services $(PYTEST) $(PARALLEL) $(CORES) $(UNMEASURED) --durations=15 -m database tests/site tests/workers
	$(PYTEST) $(PARALLEL) $(CORES_AND_ONE) $(UNMEASURED) --durations=25 -m "not browser" tests $(IN_PROCESS:%=--ignore=%) --ignore=tests/acceptance
	$(PYTEST) $(UNMEASURED) --durations=15 -m browser tests/e2e
endif

.PHONY: acceptance
acceptance: dev-environment ## The checks on real input (need ../shared; they skip, saying so, without it)
	$(BIN)/pytest tests/acceptance $(ARGS)

.PHONY: chaos
chaos: dev-environment ## Kill everything while 300 submissions come in (SUBMISSIONS=300; SEED=1; DATABASES=…; STORES=…; RECORD=1)
	@POSTGRES=$$(tools/postgres.sh) $(BIN)/python -m tests.chaos $(if $(SUBMISSIONS),--submissions $(SUBMISSIONS)) \
		$(if $(SEED),--seed $(SEED)) $(if $(DATABASES),--databases $(DATABASES)) $(if $(STORES),--stores $(STORES)) \
		$(if $(RECORD),--record)

.PHONY: fuzz
fuzz: dev-environment ## Fuzz what reads strangers' files (RUNS=25000 for each; TARGETS="npy png"; RECORD=1: into docs/)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r tests/fuzz/requirements.txt
	@$(BIN)/python -m tests.fuzz $(if $(RUNS),--runs $(RUNS)) $(if $(SEED),--seed $(SEED)) $(if $(RECORD),--record) $(TARGETS)

.PHONY: mutants
mutants: dev-environment ## Run the tests against mutants of what must not fail silently, and write down which are killed (half an hour)
	$(BIN)/python -u -m tests.mutants $(ARGS)

.PHONY: benchmarks
benchmarks: dev-environment ## Measure speed and memory, and write docs/benchmarks.md (several minutes, best on a quiet machine)
	$(BIN)/python -m benchmarks.report

.PHONY: growth
growth: dev-environment ## Measure the site as its data and its users grow, and write docs/growth.md (half an hour, quiet machine)
	$(BIN)/python -m benchmarks.site.report

.PHONY: pictures
pictures: dev-environment ## Take the README's pictures of a running demo (start `make demo` first)
	$(BIN)/python tools/screenshots.py

# --- Keeping house ----------------------------------------------------------------------------------------------------

.PHONY: format
format: dev-environment ## Put Python in ruff's format, templates in djade's and JavaScript in biome's
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(templates) -exec $(BIN)/djade --target-version 5.2 {} +
	@tools/biome.sh --write

.PHONY: lock
lock: dev-environment ## Write the hashed locks anew from pyproject.toml (LOCK_ARGS=--upgrade for newer versions)
	$(LOCK) --output-file requirements/main.txt $(LOCK_INPUT)
	$(LOCK) --output-file requirements/dev.txt --constraints requirements/main.txt --extra dev --extra production --extra export --extra notebooks $(LOCK_INPUT)
	$(LOCK) --output-file requirements/production.txt --constraints requirements/main.txt --extra production $(LOCK_INPUT)

.PHONY: frontend
frontend: ## Build what the browser gets from npm packages anew (needs Node; frontend/README.md)
	cd frontend && npm ci && npm run build

.PHONY: clean
clean: ## Remove the environment and caches; var/ (database, archives, secrets) stays
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* test-results
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

.PHONY: environment dev-environment
environment:
	@tools/setup.sh main
dev-environment:
	@tools/setup.sh dev
