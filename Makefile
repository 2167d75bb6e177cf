# `make help` lists the targets. PYTHON=python3.12 chooses the Python of .venv.

BIN := .venv/bin
TOPOLOGY := examples/human-defined-dvr.yaml
# Tests without a lab run on all processors; the tests of a file run on the same one.
AT_ONCE := -n auto --dist loadfile
# Labs mostly wait, so two run at a time; more of them would slow each other down.
TWO_AT_A_TIME := -n 2 --dist loadfile

.DEFAULT_GOAL := help
# Labs mostly wait: meanwhile the tests without one use the processors. Nothing else runs beside another target.
BESIDE_EACH_OTHER := labs-together without-labs
ifneq ($(MAKECMDGOALS),$(BESIDE_EACH_OTHER))
.NOTPARALLEL:
endif
.PHONY: help demo test test-kernel labs labs-together labs-alone without-labs bench down deps test-deps venv lint unit dist wheelhouse test-wheelhouse test-roots deb test-deb test-servers docs clean root deb-deps machine-deps another-python

help: ## print this text
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: root deps venv ## (sudo) bring up the article's lab, prove that it works, and leave it up
	@$(BIN)/dvr lab down >/dev/null
	@$(BIN)/dvr lab up $(TOPOLOGY)
	@$(BIN)/dvr lab test

test: root test-deps venv ## (sudo) run all that continuous integration runs: lint, and tests without machines
	@$(MAKE) --no-print-directory --jobs=2 $(BESIDE_EACH_OTHER)
	@$(MAKE) --no-print-directory labs-alone

# TESTS=tests/lab/packets/test_tunnels.py chooses tests; without it, a failure does not keep the others from running.
test-kernel: root test-deps venv ## (sudo) run the labs' tests on the kernel's datapath, in a guest of qemu if need be
ifdef TESTS
	@$(BIN)/python -m tests.kernel_guest $(BIN)/pytest $(TESTS)
else
	@code=0; $(BIN)/python -m tests.kernel_guest $(MAKE) --keep-going --no-print-directory labs || code=1; \
	$(BIN)/pytest tests/kernel_guest/test_real_machines.py || code=1; exit $$code
endif

without-labs:
	@nice $(MAKE) --no-print-directory lint
	@nice $(BIN)/pytest $(AT_ONCE) tests/unit tests/switch

labs: labs-together labs-alone

labs-together:
	@$(BIN)/pytest $(TWO_AT_A_TIME) -m "not alone" tests/lab

labs-alone:
	@$(BIN)/pytest -m alone tests/lab

bench: root deps venv ## (sudo) measure how fast dvr_ryu and its peers are; takes some minutes
	@$(BIN)/python -m bench

# On a plain clone: the command of README.rst, then all that continuous integration runs.
test-roots: root ## (sudo) run make demo and make test on clean roots of Debian 12 and 13; takes an hour
	@for suite in bookworm trixie; do tools/clean-root $$suite sh -ec 'make demo; make down; make test' || exit 1; done

down: root ## (sudo) take the lab down, with all that it made
	@if [ -x $(BIN)/dvr ]; then $(BIN)/dvr lab down; fi

deps: ## (sudo) install the missing Debian packages
	@tools/debian-packages $(PYTHON)

deb-deps:
	@tools/debian-packages $(PYTHON) deb

machine-deps:
	@tools/debian-packages $(PYTHON) machines

test-deps:
	@tools/debian-packages $(PYTHON) tests

# Python compiles the modules that it imports, but some environments, such as containers, forbid it to save them.
venv: .venv/stamp ## make .venv, with this project and the releases of constraints.txt
	@$(BIN)/python -m compileall -q dvr_ryu

lint: venv ## run ruff and mypy
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

unit: venv ## run the tests that need no root
	@$(BIN)/pytest $(AT_ONCE) tests/unit

# The wheel is built from the sdist, so both have the same files, and none that an earlier build left.
dist: venv ## build the sdist and the wheel in dist/
	@rm -rf dist
	@$(BIN)/python -c 'from setuptools import build_meta; build_meta.build_sdist("dist")' >/dev/null
	@$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist dist/dvr_ryu-*.tar.gz
	@ls dist/*

wheelhouse: dist ## make wheelhouse/: wheels to install dvr_ryu from without a network, on each Python
	@$(BIN)/python tools/wheelhouse.py dist wheelhouse

test-wheelhouse: wheelhouse ## install from wheelhouse/ without a network, and from PyPI, on each Python that is here
	@$(BIN)/pytest $(TWO_AT_A_TIME) --durations=0 --durations-min=1 tests/install

deb: deb-deps venv wheelhouse ## build the Debian package, for Debian 12 and 13, in build/deb
	@$(BIN)/python -m tools.deb wheelhouse build/deb
	@ls build/deb/*.deb

test-deb: root machine-deps deb ## (sudo) install, upgrade and purge the package on machines of qemu
	@$(BIN)/pytest tests/deb

# DVR_DEBIAN=13, or 12,13: the servers' release; without it 12.
test-servers: root machine-deps venv ## (sudo) type docs/three-servers.rst into three machines of qemu
	@$(BIN)/pytest -s tests/machines tests/servers

docs: venv ## regenerate the generated documents, and build all documents in docs/_build/html
	@$(BIN)/dvr docs > flows/README.rst.fresh
	@mv flows/README.rst.fresh flows/README.rst
	@$(BIN)/dvr docs --topology > docs/topology.rst.fresh
	@mv docs/topology.rst.fresh docs/topology.rst
	@$(BIN)/dvr graph $(TOPOLOGY) --trace cirros vm-68 --as svg > docs/_static/way.svg.fresh
	@mv docs/_static/way.svg.fresh docs/_static/way.svg
	@$(BIN)/dvr docs --metrics > docs/metrics.rst.fresh
	@mv docs/metrics.rst.fresh docs/metrics.rst
	@$(BIN)/sphinx-build --quiet --fail-on-warning docs docs/_build/html

clean: ## remove all built files, .venv too
	@rm -rf .venv .tox build dist wheelhouse wheelhouse.fresh docs/_build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find dvr_ryu tests bench tools docs -name __pycache__ -type d -prune -exec rm -rf {} +

root:
	@[ "$$(id -u)" = 0 ] || { echo "This makes network namespaces; type: sudo make $(MAKECMDGOALS)" >&2; exit 1; }

# With PYTHON, a .venv of another Python is made anew; otherwise .venv keeps its Python.
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
