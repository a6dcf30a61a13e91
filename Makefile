# Every target sets up what it needs in .venv by itself, and again when pyproject.toml or constraints.txt change.
#
#   make demo    a spatial transformer learns to straighten real handwritten digits (about three minutes on two cores)
#   make test    every test
#   make test-types    the library's annotations, shapes among them, checked while its tests run
#   make lint    style, types, spelling
#   make docs    the documentation, in docs/_build/html

PYTHON ?= python3
VENV ?= .venv
# Arguments of your own for pytest or the demo: make test ARGS="-k grid", make demo ARGS="--out /tmp/demo"
ARGS ?=

bin := $(VENV)/bin
stamps := $(VENV)/.stamps
pip := $(bin)/python -m pip install --disable-pip-version-check --constraint constraints.txt
# One thread a test process: two processes of two threads each on two cores only get in one another's way.
one_thread := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
pytest := $(one_thread) $(bin)/python -m pytest --numprocesses logical --maxprocesses 8

# What reaches every annotation of the library in half a minute: checks make tests several times slower.
typed := tests/localisation $(patsubst %,tests/test_%.py,parallel spatial_transformer spatial_transformer_state) \
  $(patsubst %,tests/grid/test_%.py,composition coverage lazy mapping pytree) \
  $(patsubst %,tests/sampler/test_%.py,broadcast bspline kernels module padding scipy) \
  $(patsubst %,tests/transform/test_%.py,constrain convention fields free_form matrices rotations thin_plate)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-types lint docs clean

help:
	@awk '!/^#/ { exit } { sub(/^# ?/, ""); print }' Makefile

demo: $(stamps)/cli
	$(bin)/torchstn demo $(ARGS)

test: $(stamps)/test
	$(pytest) $(ARGS)

# A session of its own: the checks come before the library's own refusals. The plugin leaves out what cannot run in it.
test-types: $(stamps)/test
	PYTHONPATH=tests $(pytest) -p support.typecheck $(typed) $(ARGS)

lint: $(stamps)/lint
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/codespell src tests docs README.md CHANGELOG.md CONTRIBUTING.md

docs: $(stamps)/docs
	$(one_thread) $(bin)/python -m sphinx -b html -W --keep-going -n docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

clean:
	rm -rf $(VENV) docs/_build docs/_generated .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(stamps)/venv:
	@command -v $(PYTHON) >/dev/null || { echo "There is no '$(PYTHON)' here: name a Python 3.11 or newer with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "torchstn needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make a virtual environment: install its venv module (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@test -x $(bin)/python || { echo "Creating $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@mkdir -p $(stamps)
	@touch $@

# torch goes first and alone: nothing that comes after can then pull in another version of it.
$(stamps)/torch: $(stamps)/venv constraints.txt
	@echo "Installing PyTorch (once; this can take some minutes)"
	@$(pip) torch
	@touch $@

$(stamps)/%: $(stamps)/torch pyproject.toml constraints.txt
	@echo "Installing what 'make $(if $(filter cli,$*),demo,$*)' needs"
	@$(pip) --quiet --editable '.[$*]'
	@touch $@
