# Every target sets up what it needs in .venv by itself, and again when pyproject.toml or constraints.txt change.
#
#   make demo    a spatial transformer learns to straighten real handwritten digits (about three minutes on two cores)
#   make test    every test
#   make test-triton   the GPU kernels' tests on a machine without a GPU: Triton interprets them (some minutes)
#   make test-types    the library's annotations, shapes among them, checked while its tests run
#   make lint    style, types, spelling
#   make docs    the documentation, in docs/_build/html
#   make bench   torchstn and its peers side by side (about ten minutes; leave the machine alone meanwhile)
#   make native      the CPU kernels, into src/torchstn; the targets above do it by themselves where they use them
#   make sanitize    the kernels' tests, on a build with AddressSanitizer and UndefinedBehaviorSanitizer
#   make check-neon  the kernels for ARM, cross-compiled and run in an emulator

PYTHON ?= python3
VENV ?= .venv
# Arguments of your own for pytest or the demo: make test ARGS="-k grid", make demo ARGS="--out /tmp/demo"
ARGS ?=
# Warnings of the C++ compiler are errors, but not for someone who only came for the demo.
WERROR ?= ON

bin := $(VENV)/bin
stamps := $(VENV)/.stamps
pip := $(bin)/python -m pip install --disable-pip-version-check --constraint constraints.txt
# One thread a test process: two processes of two threads each on two cores only get in one another's way.
one_thread := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
pytest := $(one_thread) $(bin)/python -m pytest --numprocesses logical --maxprocesses 8

kernels := CMakeLists.txt $(wildcard cmake/*.cmake csrc/*.cpp csrc/core/*.?pp csrc/core/isa/*.?pp)
cmake := $(bin)/cmake -G Ninja -D CMAKE_MAKE_PROGRAM=$(abspath $(bin)/ninja) -D Python_EXECUTABLE=$(abspath $(bin)/python) -S .

neon_compiler := aarch64-linux-gnu-g++
# The tests that reach every compiled loop, with and without threads.
sanitized := $(patsubst %,tests/sampler/test_%.py,native_agreement native_fuzz native_large native_refusals native_threads non_finite layout)

# Everything about the GPU kernels but what a compiler or a GPU is needed for.
interpreted := tests/benchmarks/test_gpu.py $(patsubst %,tests/sampler/test_triton_%.py,agreement autograd exactness refusals)

# What reaches every annotation of the library in half a minute: checks make tests several times slower.
typed := tests/localisation $(patsubst %,tests/test_%.py,parallel spatial_transformer spatial_transformer_state) \
  $(patsubst %,tests/grid/test_%.py,composition coverage lazy mapping pytree) \
  $(patsubst %,tests/sampler/test_%.py,broadcast bspline kernels module padding scipy) \
  $(patsubst %,tests/transform/test_%.py,constrain convention fields free_form matrices rotations thin_plate)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-triton test-types lint docs bench native sanitize check-neon clean

help:
	@awk '!/^#/ { exit } { sub(/^# ?/, ""); print }' Makefile

demo: WERROR := OFF
demo: $(stamps)/cli $(stamps)/native
	$(bin)/torchstn demo $(ARGS)

test: $(stamps)/test $(stamps)/native
	$(pytest) $(ARGS)

# A session of its own: Triton looks at the environment once, when it is first imported.
test-triton: $(stamps)/test
	PYTHONPATH=tests TORCHSTN_REQUIRE_TRITON=1 $(pytest) -p support.interpreted $(interpreted) $(ARGS)

# A session of its own: the checks come before the library's own refusals. The plugin leaves out what cannot run in it.
test-types: $(stamps)/test $(stamps)/native
	PYTHONPATH=tests $(pytest) -p support.typecheck $(typed) $(ARGS)

lint: $(stamps)/lint
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/codespell src csrc cmake tests benchmarks docs README.md CHANGELOG.md CONTRIBUTING.md

docs: $(stamps)/docs
	$(one_thread) $(bin)/python -m sphinx -b html -W --keep-going -n docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

bench: $(stamps)/bench $(stamps)/native
	$(bin)/python -m benchmarks $(ARGS)

native: $(stamps)/native

# AddressSanitizer now and then hangs where the kernel spreads addresses wider than it expects.
fixed_addresses := $(if $(shell setarch --addr-no-randomize echo yes 2>/dev/null),setarch --addr-no-randomize)

# Where one thread forks while another holds the sanitizer's own allocator, the child waits for ever.
forking := --deselect tests/sampler/test_native_threads.py::test_works_in_a_forked_child \
  --deselect tests/sampler/test_native_threads.py::test_works_in_the_workers_of_a_data_loader

# About fifteen minutes on two cores that do other things too, so not part of .ci/run.
# Leaks are not looked for: the interpreter and torch keep a good deal until the process ends.
sanitize: $(stamps)/test
	$(cmake) -B build/sanitize --log-level=WARNING -D CMAKE_BUILD_TYPE=RelWithDebInfo \
	  -D TORCHSTN_SANITIZE=address,undefined -D TORCHSTN_CHECK=ON -D TORCHSTN_OUTPUT=$(abspath build/sanitize/module)
	$(bin)/cmake --build build/sanitize
	$(fixed_addresses) build/sanitize/torchstn_check
	$(fixed_addresses) env LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libstdc++.so.6)" \
	  ASAN_OPTIONS=detect_leaks=0 PYTHONPATH=tests TORCHSTN_NATIVE_MODULE=$(abspath build/sanitize/module) \
	  $(pytest) --timeout 1800 -p support.native_module $(forking) $(sanitized) $(ARGS)

check-neon:
	@command -v $(neon_compiler) >/dev/null && command -v qemu-aarch64 >/dev/null || { echo "This needs $(neon_compiler) and qemu-aarch64 (Debian, Ubuntu: apt install g++-aarch64-linux-gnu qemu-user)." >&2; exit 1; }
	@$(MAKE) --no-print-directory $(stamps)/build
	$(cmake) -B build/neon --log-level=WARNING -D TORCHSTN_WERROR=$(WERROR) -D TORCHSTN_PYTHON=OFF -D TORCHSTN_CHECK=ON \
	  -D CMAKE_SYSTEM_NAME=Linux -D CMAKE_SYSTEM_PROCESSOR=aarch64 -D CMAKE_CXX_COMPILER=$(neon_compiler)
	$(bin)/cmake --build build/neon
	OMP_NUM_THREADS=2 qemu-aarch64 -L /usr/aarch64-linux-gnu build/neon/torchstn_check

clean:
	rm -rf $(VENV) build src/torchstn/_native.* docs/_build docs/_generated .pytest_cache .mypy_cache .ruff_cache .hypothesis

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

# The package goes in without its kernels: these are built once, below, and not again with every extra.
$(stamps)/%: $(stamps)/torch pyproject.toml constraints.txt
	@echo "Installing what 'make $(if $(filter cli,$*),demo,$*)' needs"
	@$(pip) --quiet --config-settings wheel.cmake=false --config-settings wheel.py-api=py3 --editable '.[$*]'
	@touch $@

# Without a compiler everything runs on the reference backend, and the next call looks for one again.
$(stamps)/native: $(stamps)/build $(kernels)
	@if command -v $(or $(CXX),c++) >/dev/null; then \
	  echo "Building the CPU kernels"; \
	  $(cmake) -B build/native --log-level=WARNING -D TORCHSTN_WERROR=$(WERROR) && $(bin)/cmake --build build/native && touch $@; \
	else \
	  echo "There is no C++ compiler here (Debian, Ubuntu: apt install g++): the sampler runs without its CPU kernels." >&2; \
	fi
