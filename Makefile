# `make help` tells the words. PYTHON=python3.12 chooses the Python of .venv.

BIN := .venv/bin
TOPOLOGY := examples/human-defined-dvr.yaml
# What needs no lab runs on all processors, a file's tests on one.
AT_ONCE := -n auto --dist loadfile
# Labs wait more than they work; more of them at a time are in each other's way.
TWO_AT_A_TIME := -n 2 --dist loadfile

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test bench down deps venv lint unit docs clean root another-python

help: ## this text
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: root deps venv ## (sudo) bring up the article's lab, prove that it works, and leave it up
	@$(BIN)/dvr lab down >/dev/null
	@$(BIN)/dvr lab up $(TOPOLOGY)
	@$(BIN)/dvr lab test

test: root deps venv lint ## (sudo) every test
	@$(BIN)/pytest $(AT_ONCE) tests/unit tests/switch
	@$(BIN)/pytest $(TWO_AT_A_TIME) -m "not alone" tests/lab
	@$(BIN)/pytest -m alone tests/lab

bench: root deps venv ## (sudo) measure how fast all is beside its peers; takes some minutes
	@$(BIN)/python -m bench

down: root ## (sudo) take the lab down without a trace
	@if [ -x $(BIN)/dvr ]; then $(BIN)/dvr lab down; fi

deps: ## (sudo) install the Debian packages that are missing
	@tools/debian-packages $(PYTHON)

# Python compiles by itself what it imports, but keeps that only where nobody told it not to: in a container, say.
venv: .venv/stamp ## make .venv: this project and the releases of constraints.txt
	@$(BIN)/python -m compileall -q dvr_ryu

lint: venv ## ruff and mypy
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

unit: venv ## the tests that need no root
	@$(BIN)/pytest $(AT_ONCE) tests/unit

docs: venv ## write the generated documents anew, and build all of them in docs/_build/html
	@$(BIN)/dvr docs > flows/README.rst.fresh
	@mv flows/README.rst.fresh flows/README.rst
	@$(BIN)/dvr docs --topology > docs/topology.rst.fresh
	@mv docs/topology.rst.fresh docs/topology.rst
	@$(BIN)/sphinx-build --quiet --fail-on-warning docs docs/_build/html

clean: ## remove what was built, .venv too
	@rm -rf .venv .tox build dist docs/_build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find dvr_ryu tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

root:
	@[ "$$(id -u)" = 0 ] || { echo "This makes network namespaces; type: sudo make $(MAKECMDGOALS)" >&2; exit 1; }

# A Python asked for by name makes another .venv; otherwise .venv stays with the Python that it has.
ifdef PYTHON
VERSION := --version 2>/dev/null || echo none
ifneq ($(shell $(PYTHON) $(VERSION)),$(shell $(BIN)/python $(VERSION)))
.venv/stamp: another-python
endif
else
PYTHON := $(if $(wildcard $(BIN)/pip),$(BIN)/python,python3)
endif

.venv/stamp: setup.cfg setup.py pyproject.toml constraints.txt tools/venv
	@tools/venv $(PYTHON) .venv
