# Run `make` for the list of targets. Everything made lands in build/ or .venv/.

.POSIX:
.DEFAULT_GOAL := help
.PHONY: help demo test mutants bench bench-judge bench-kernel bench-pdf bench-collect lint e2e-setup e2e screenshots release lab clean

# The Python that makes the virtual environment: make PYTHON=/path/to/python3.12 test
# Root's kernels run as a throw-away user, who must reach it: one in a closed home comes last.
USABLE = import os, sys, ensurepip, venv; assert sys.version_info >= (3, 11)
SHARED = path = os.path.realpath(sys.executable); \
    folders = [path[:i + 1] for i, letter in enumerate(path) if letter == "/"]; \
    assert os.getuid() or all(os.stat(folder).st_mode & 1 for folder in folders)
PYTHON ?= $(shell for test in '$(USABLE); $(SHARED)' '$(USABLE)'; do \
    for python in python3 python3.11 python3.12 python3.13 python3.14 /usr/bin/python3; do \
    $$python -c "$$test" 2>/dev/null && echo $$python && exit; done; done; echo python3)

# The round's matrices are small: more than one thread of BLAS costs twice the processor time.
export OPENBLAS_NUM_THREADS = 1

BIN = .venv/bin
READY = .venv/.ready

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1:/p' Makefile | awk -F: '{ printf "  make %-14s %s\n", $$1, $$2 }'

demo: $(READY) ## grade a class of invented students and print the grade table
	@$(BIN)/python -m coursekit.demo

test: $(READY) ## run all tests but those in a browser
	@$(BIN)/python -m pytest -q -n logical --dist loadfile

mutants: $(READY) ## send every known mistake through the judge
	@$(BIN)/python -m tests.mutants.report

bench: $(READY) ## grade a class with stock nbgrader and with this kit, and compare (half an hour)
	@$(BIN)/python -m benchmarks.grading

bench-judge: $(READY) ## measure what judging costs
	@$(BIN)/python benchmarks/judge.py

bench-kernel: $(READY) ## measure how long kernels and notebooks take, against stock nbgrader
	@$(BIN)/python benchmarks/kernel.py

bench-pdf: $(READY) ## measure how long a PDF takes, against nbconvert's webpdf
	@$(BIN)/python -m benchmarks.pdf

bench-collect: $(READY) ## measure how long a class takes to collect
	@$(BIN)/python -m benchmarks.collect

lint: $(READY) ## check the code and the notebooks
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/python -m coursekit.notebooks source/*/

e2e-setup: $(READY) ## install what the tests in a browser need, and a browser if there is none
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[e2e]"
	@command -v chromium > /dev/null \
	    || { test "$$(id -u)" = 0 && apt-get install -y -qq chromium; } \
	    || $(BIN)/python -m playwright install --with-deps chromium

e2e: $(READY) ## do in a real browser what students and instructors do
	@$(BIN)/python -c "import playwright" 2> /dev/null || { echo "make: run make e2e-setup" >&2; exit 1; }
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/e2e

screenshots: $(READY) ## make the pictures in docs/images anew, after make demo
	@$(BIN)/python -m pytest -q tests/e2e/screenshots.py

release: $(READY) ## make the students' version and its zip for MyCourses
	@for round in source/*/; do $(BIN)/coursekit release "$$(basename "$$round")" || exit; done

lab: $(READY) ## open the course in JupyterLab
	@$(BIN)/jupyter lab

clean: ## remove everything made, the virtual environment too
	rm -rf build .venv coursekit.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "make: Python 3.11 or newer is needed, and $(PYTHON) is not;" \
	         "name one that is: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "make: $(PYTHON) cannot make virtual environments;" \
	         "on Debian or Ubuntu install python3-venv" >&2; exit 1; }
	@echo "Setting up .venv (once; a few minutes on a slow line) ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	@touch $@
