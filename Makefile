# Run `make` for the list of targets. Everything made lands in build/ or .venv/.

.POSIX:
.DEFAULT_GOAL := help
.PHONY: help demo test mutants bench-judge lint release lab clean

# The Python that makes the virtual environment: make PYTHON=/path/to/python3.12 test
PYTHON ?= $(shell for python in python3 python3.11 python3.12 python3.13 python3.14; do \
    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && exit; \
    done; echo python3)

# The round's matrices are small: more than one thread of BLAS costs twice the processor time.
export OPENBLAS_NUM_THREADS = 1

BIN = .venv/bin
READY = .venv/.ready

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1:/p' Makefile | awk -F: '{ printf "  make %-12s %s\n", $$1, $$2 }'

demo: $(READY) ## grade a class of invented students and print the grade table
	@$(BIN)/python -m coursekit.demo

test: $(READY) ## run all tests
	@$(BIN)/python -m pytest -q -n logical --dist loadfile

mutants: $(READY) ## send every known mistake through the judge
	@$(BIN)/python -m tests.mutants.report

bench-judge: $(READY) ## measure what judging costs
	@$(BIN)/python benchmarks/judge.py

lint: $(READY) ## check the code and the notebooks
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/python -m coursekit.notebooks source/round09

release: $(READY) ## make the students' version and its zip for MyCourses
	@$(BIN)/coursekit release

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
