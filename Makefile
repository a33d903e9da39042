# Everything below needs Python 3.11 or later and make; the rest is installed into .venv.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
# The first of these that runs and is new enough. `make PYTHON=… demo` chooses another one.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && \
	echo $$python && break; done)
# Processes that test at the same time. Many tests wait for a server, so a few more than there are cores do no harm.
WORKERS ?= 3
# Twice quiet: errors only, without the index's asides.
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check
# Where `make lock` writes; `tests/newest.py` has it write elsewhere, to compare.
LOCKS := requirements

.PHONY: help demo demo-check test test-fast lint format format-check types migrations-check docs build lock clean

help: ## what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 20

demo: $(VENV)/.demo ## the site and a local Cognito on loopback (PORT=8000; HISTORY=1: three months of it)
	@$(BIN)/python -m example_project.demo $(if $(HISTORY),--history)

demo-check: $(VENV)/.demo ## the same without a person: one sign-in by each route
	@$(BIN)/python -m example_project.demo --check

test: $(VENV)/.dev ## the whole suite (REQUIRE_SERVICES=1: without a skip)
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(TESTS)

# The rules, the pool's protocol, and the rooms that every sign-in passes: no server, no browser, nothing that takes long.
FAST ?= tests/otp tests/identity tests/cognito tests/delivery tests/checks tests/conf tests/test_architecture.py \
	tests/test_docs.py $(addprefix tests/flows/,accounts challenges limits sign_in)

test-fast: $(VENV)/.dev ## within a minute, for the inner loop (FAST=tests/flows/importing: other rooms)
	@$(BIN)/python -m pytest -q --numprocesses $(WORKERS) -m "not slow and not browser and not own_database" $(FAST)

lint: $(VENV)/.dev ## ruff's rules
	@$(BIN)/ruff check .

format: $(VENV)/.dev ## what ruff can fix
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

format-check: $(VENV)/.dev
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev ## mypy, strict
	@$(BIN)/mypy

migrations-check: $(VENV)/.dev
	@$(BIN)/python manage.py makemigrations --check --dry-run

docs: $(VENV)/.dev ## the documentation as a site, in build/docs (a warning is an error)
	@$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --jobs 2 docs build/docs
	@echo "The documentation is in build/docs/index.html"

build: $(VENV)/.dev ## the wheel and the source distribution, in dist/
	@rm -rf build dist
	@$(BIN)/python -m build --no-isolation --outdir dist . >build.log 2>&1 || { cat build.log; exit 1; }
	@rm -f build.log; ls dist

clean: ## all that make has made
	rm -rf $(VENV) .demo build dist .tox .mypy_cache .pytest_cache .ruff_cache *.egg-info

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed (with venv and pip)." >&2; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv $(VENV)

# Stamps: installed once, and again when the requirements change. The locks hold the build backend too, so that pip fetches
# nothing by itself to build the package.
$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(BIN)/python
	@echo "Installing the package and the demo's requirements …"
	@$(PIP_INSTALL) --require-hashes -r requirements/demo.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing the package and the tools …"
	@$(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.demo

# What pyproject.toml needs to be built (on standard input) and the extras that are named, with the hash of every file of
# the index. For every Python that the package supports: where releases differ, a line each with its marker.
COMPILE = $(BIN)/python -c 'import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' | \
	$(VENV)/uv/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --no-python-downloads \
	--upgrade --generate-hashes --no-annotate --no-emit-index-url --custom-compile-command "make lock"

# demo.txt is a part of dev.txt, so that one environment can hold the demo and the tools. test.txt stands alone: the tools may
# hold a release back, a site has none of them.
lock: | $(BIN)/python ## renew requirements/*.txt: the newest releases that pyproject.toml allows
	@$(BIN)/python -m venv $(VENV)/uv
	@$(VENV)/uv/bin/python -m pip install -qq --disable-pip-version-check --upgrade uv
	@mkdir -p $(LOCKS)
	@$(COMPILE) --output-file $(LOCKS)/dev.txt --extra dev pyproject.toml - >/dev/null
	@$(COMPILE) --output-file $(LOCKS)/docs.txt --constraint $(LOCKS)/dev.txt --extra docs pyproject.toml - >/dev/null
	@$(COMPILE) --output-file $(LOCKS)/test.txt --extra test pyproject.toml - >/dev/null
	@$(COMPILE) --output-file $(LOCKS)/demo.txt --constraint $(LOCKS)/dev.txt --extra local --extra example \
		pyproject.toml - >/dev/null
