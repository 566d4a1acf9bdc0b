# Every command a contributor or a first-time user needs; `make help` lists them.
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
NAME ?= quickstart
# One process for each of the two machines that the tests sit on; the other tests fill in.
PYTEST = $(PY) -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests quickstart test test-fast test-e2e test-az test-guest-pythons lint format bench extension lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what is missing and make .venv/bin/dockyard
	@scripts/setup

setup-tests: ## The same, and what the tests alone need
	@scripts/setup tests

quickstart: setup ## A Docker-enabled VM from nothing to `docker run` over mutual TLS
	@scripts/quickstart $(NAME)

test: setup-tests test-guest-pythons ## The tests, real VMs included (about forty minutes)
	@$(PYTEST) -m "not lengthy"

test-guest-pythons: setup ## The guest's tests on every other Python from 3.9 on that this computer has
	@scripts/test-guest-pythons

test-fast: setup-tests ## The tests that need no root and no VM (about five minutes)
	@$(PYTEST) -m "not privileged and not e2e"

test-az: setup-tests ## Azure's own command line against Dockyard (installs it first: 750 MB, into build/az)
	@scripts/test-az

test-e2e: setup-tests ## The tests that boot a real VM, the lengthy ones too
	@$(PYTEST) -m e2e

lint: setup ## Format, lint, types and import contracts
	@$(PY) -m pytest -q tests/architecture

format: setup ## Rewrite the code in the house's format
	@$(VENV)/bin/ruff format src tests benchmarks
	@$(VENV)/bin/ruff check --fix src tests benchmarks

bench: setup ## Measure; prints figures, judges nothing
	@$(PY) -m benchmarks

extension: setup ## Build the Docker VM extension's package into dist/
	@$(PY) -c "from pathlib import Path; from dockyard.gallery.packages import PackageGallery; \
	  print(*(package.archive for package in PackageGallery.open(folder=Path('dist')).list()), sep='\n')"

lock: ## Write requirements.lock anew from pyproject.toml (needs uv)
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-annotate --no-header pyproject.toml --group dev -o requirements.lock
	@uv pip compile --universal --python-version 3.9 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-annotate --no-header --group guest-pythons -o requirements-guest.lock
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-annotate --no-header --group az -o requirements-az.lock

clean: ## Remove what the other targets made in this folder
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
