# Everything here creates and uses .venv by itself. `make` alone lists the commands.
#
# A stamp in .venv records each dependency group that is installed; a change of pyproject.toml
# installs it again. The package itself is installed editable, so that an edit needs nothing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# .venv keeps the Python that it was made with. Another one is refused there, not ignored.
ifeq ($(origin PYTHON),command line)
ifneq ($(wildcard $(BIN)/python),)
ifneq ($(shell $(PYTHON) --version 2>&1),$(shell $(BIN)/python --version 2>&1))
$(error $(VENV) has $(shell $(BIN)/python --version 2>&1); \
give $(PYTHON) a folder of its own: make $(or $(MAKECMDGOALS),help) PYTHON=$(PYTHON) VENV=.venv-other)
endif
endif
endif
PIP := $(BIN)/python -m pip --disable-pip-version-check
# On Linux the default torch wheels carry gigabytes of CUDA. To get those for the CPU:
#   make parity TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# More arguments for the command that is run: make test ARGS="-k conv -x"
ARGS ?=

# Bytecode is kept even where the environment forbids it: each process that a test starts would
# compile the package again, which takes three times as long as importing it.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-long test-accel test-browser parity lint format format-check types names bench bench-compare
.PHONY: reports clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/installed ## train an MLP and a CNN on the bundled digits; pictures go to out/
	$(BIN)/python examples/demo.py $(ARGS)

# A process per core, each with one thread of BLAS: more would only wait for each other. The browser
# measures frames, and has a command of its own.
PYTEST := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto \
  --dist worksteal
DEFAULT := -m "not browser and not long"

test: $(VENV)/test ## run the test suite
	$(PYTEST) $(DEFAULT) $(ARGS)

test-long: $(VENV)/test ## run the tests that `make test` leaves out for the time they take
	$(PYTEST) -m long $(ARGS)

test-accel: $(VENV)/test $(VENV)/accel ## run the test suite with oneDNN (installs it)
	$(BIN)/python -c "import tensorgrad.backends.mkldnn as m; exit(m.why_not() or 0)"
	$(PYTEST) $(DEFAULT) $(ARGS)

# One process: it measures how long a page takes. Needs the programs chromium and chromedriver.
test-browser: $(VENV)/test $(VENV)/browser ## drive the explorer's page in Chromium
	$(BIN)/python -m pytest tests/viz/browser $(ARGS)

parity: $(VENV)/test $(VENV)/parity ## compare with PyTorch (installs it)
	$(PYTEST) $(DEFAULT) tests/parity $(ARGS)

lint: $(VENV)/lint ## check the code with ruff
	$(BIN)/python -m ruff check $(ARGS) .

format: $(VENV)/lint ## format the code with ruff
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --select I --fix .

format-check: $(VENV)/lint ## say which files `make format` would change
	$(BIN)/python -m ruff format --check .

# The package is checked as a user's type checker sees it: from a wheel, unpacked into the
# site-packages of a bare environment, where tensorgrad/nn and tensorgrad/viz are real folders and
# only py.typed makes the annotations count. Checking the checkout would look at nn twice (as nn
# and through the link) and would not notice a file or a py.typed that the wheel lacks; an
# editable install is an import hook that type checkers cannot see. The bare environment borrows
# numpy and mypy from .venv by a .pth file, which does not run .venv's own editable hook.
# build/lib is removed because setuptools packs whatever an earlier build left there.
TYPES := build/types
types: $(VENV)/lint ## mypy --strict on the package as installed from a wheel
	rm -rf $(TYPES) build/lib build/bdist.*
	$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir $(TYPES)/dist .
	rm -rf build/lib build/bdist.*
	$(BIN)/python -m venv --without-pip $(TYPES)/env
	site=$$($(TYPES)/env/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && \
	  $(BIN)/python -m zipfile -e $(TYPES)/dist/tensorgrad-*.whl "$$site" && \
	  $(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$$site/borrowed.pth"
	cd $(TYPES) && ../../$(BIN)/python -m mypy --strict --config-file ../../pyproject.toml \
	  --cache-dir ../../.mypy_cache --python-executable env/bin/python -p tensorgrad
	cd $(TYPES) && ../../$(BIN)/python -m mypy --strict --config-file ../../pyproject.toml \
	  --cache-dir ../../.mypy_cache --python-executable env/bin/python ../../tests/typing/user_program.py

names: $(VENV)/installed ## compare PyTorch's names with tensorgrad's and write docs/names.md
	$(BIN)/python docs/names/names.py

bench: $(VENV)/installed ## time training steps (beside PyTorch, where `make parity` installed it)
	$(BIN)/python benchmarks/run.py $(ARGS)

bench-compare: $(VENV)/installed ## measure, and fail where it is slower than the last release
	$(BIN)/python benchmarks/run.py --repeat 3 --no-peers --compare $(ARGS)

reports: $(VENV)/installed ## five reports reproduced, in quick form (ARGS=--full: hours, resumable)
	failed=0; for number in 000 001 002 003 004; do \
	  $(BIN)/python -m examples.reports.r$$number $(ARGS) || failed=1; done; exit $$failed

clean: ## remove everything that these commands made, .venv included
	rm -rf $(VENV) build dist out *.egg-info .mypy_cache .ruff_cache .pytest_cache
	rm -rf .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment -------------------------------------------------------------------------

# pip is brought up to date first: the one that comes with Python 3.11 does not know --group.
$(VENV)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo >&2 "tensorgrad needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1)."; \
	  echo >&2 "Name another one, for example: make $(or $(MAKECMDGOALS),demo) PYTHON=python3.12"; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade 'pip>=25.1'
	@touch $@

# PYTHONWARNINGS: setuptools warns on each editable install that a folder named like the package
# may hide it. Here that folder is the package.
$(VENV)/installed: $(VENV)/pip pyproject.toml
	PYTHONWARNINGS=ignore $(PIP) install --quiet --editable .
	@touch $@

$(VENV)/test $(VENV)/lint: $(VENV)/installed
	$(PIP) install --quiet --group $(@F)
	@touch $@

$(VENV)/data-prep $(VENV)/browser: $(VENV)/installed
	$(PIP) install --quiet --group $(@F)
	@touch $@

$(VENV)/accel: $(VENV)/installed
	PYTHONWARNINGS=ignore $(PIP) install --quiet --editable '.[accel]'
	@touch $@

# Two steps: the CPU wheel alone from its own index, where that answers (--retries 0: where it does
# not, go on at once), then whatever is still missing from the usual one.
$(VENV)/parity: $(VENV)/installed
	$(if $(TORCH_INDEX),-$(PIP) install --quiet --no-deps --retries 0 --extra-index-url $(TORCH_INDEX) --group parity)
	$(PIP) install --quiet --group parity
	@touch $@
