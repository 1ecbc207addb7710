# Two commands matter: `make demo` and `make test`. Both install what they need first.
PYTHON ?= python3
BIN := .venv/bin
FRIENDS ?= 3000

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev browsers demo up test lint types unit check lock wheel clean bench-segments bench-understanding bench-delivery bench-ingest bench-handling bench-import bench-emulator

help: ## List these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: .venv/.installed src/hiiki/web/assets/vendor/.copied ## Install Python packages and browser libraries

.venv/.installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

node_modules/.installed: package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

src/hiiki/web/assets/vendor/.copied: node_modules/.installed scripts/copy_assets.py
	$(BIN)/python scripts/copy_assets.py
	touch $@

demo: setup ## Play a shop's story against the LINE emulator (ONCE=1 ends after it)
	$(BIN)/hiiki demo --friends $(FRIENDS) $(if $(ONCE),--once)

up: setup ## Run Hiiki for a real channel
	$(BIN)/hiiki up

browsers:
	scripts/install_browser.sh

test: ## Run everything: lint, types, import contract, unit, integration, browser
	$(MAKE) --no-print-directory -j2 setup browsers
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory -j2 types unit

# Tests wait a good part of their time: types are looked at meanwhile, and three at a time
# keep two processors busy.
unit: setup browsers ## Run the tests alone
	$(BIN)/python -m compileall -q src tests
	$(BIN)/python -m pytest -n 3 --dist loadgroup $(ARGS)

lint: setup ## Style, and which room may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: setup ## Strict types
	$(BIN)/pyright

lock: ## Pin every Python package by version and hash
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --group dev pyproject.toml --output-file requirements.lock

wheel: setup ## Build the wheel, browser libraries included
	$(BIN)/python -m build --wheel --no-isolation

bench-segments: setup ## Segments against hand-written SQL
	$(BIN)/python -m benchmarks.segments

bench-understanding: setup ## RFM, lifetime value, the 9-segment map and personas of many people
	$(BIN)/python -m benchmarks.understanding

bench-delivery: setup ## Sending
	$(BIN)/python -m benchmarks.delivery

bench-ingest: setup ## Webhooks in
	$(BIN)/python -m benchmarks.ingest

bench-handling: setup ## What an event of each kind costs the worker
	$(BIN)/python -m benchmarks.handling

bench-import: setup ## A file of members or orders into the tables (LINES=1000000 KIND=members)
	$(BIN)/python -m benchmarks.imports --lines $(or $(LINES),1000000) --kind $(or $(KIND),members)

bench-emulator: setup ## LINE emulator under load
	$(BIN)/python -m benchmarks.emulator

clean: ## Remove what was built and installed
	rm -rf .venv node_modules dist build var src/hiiki/web/assets/vendor
