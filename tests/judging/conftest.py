"""Run notebooks and the judge without a kernel, on the judge's own code path."""

import contextlib
import functools
import io
import json
from pathlib import Path

import matplotlib
import nbformat
import pytest

from coursekit.judging import answering, marking, wire
from coursekit.judging.round09 import TASKS

matplotlib.use("agg")
SOURCE = Path(__file__).parents[2] / "source" / "round09"
NEEDED_CHECKS = ("network-check",)  # defines names that later cells use


@functools.cache
def read_notebook(name):
    return nbformat.read(SOURCE / f"{name}.ipynb", as_version=4)


def code_cells(notebook):
    """Yield the grade id and source of the cells that a student's answers are made of."""
    for cell in read_notebook(notebook).cells:
        nbgrader = cell.metadata.get("nbgrader", {})
        grade_id = nbgrader.get("grade_id", "")
        is_check = grade_id.endswith("-check") and grade_id not in NEEDED_CHECKS
        is_setup = "import numpy" in cell.source or "load_digits()" in cell.source
        if cell.cell_type != "code" or nbgrader.get("grade") or is_check:
            continue
        if nbgrader or is_setup:
            yield cell.source


def run_notebook(notebook, edits=(), last=None):
    """Run a source notebook in one namespace, each `(old, new)` of `edits` put in its solutions.

    `last` is the start of the last cell that is run. A changed cell may fail, as in a kernel.
    """
    sources = list(code_cells(notebook))
    if last:
        sources = sources[: 1 + [source.startswith(last) for source in sources].index(True)]
    for old, new in edits:
        assert any(old in source for source in sources), f"no cell of {notebook} holds {old!r}"
        sources = [source.replace(old, new) for source in sources]
    namespace = {}
    for source in sources:
        failures = contextlib.suppress(Exception) if edits else contextlib.nullcontext()
        with contextlib.redirect_stdout(io.StringIO()), answering.quiet(), failures:
            exec(source, namespace)
    return namespace


@pytest.fixture(scope="session")
def notebook():
    """Function: a source notebook by name."""
    return read_notebook


@pytest.fixture(scope="session")
def solved():
    """Function: the names of a source notebook after a run; see `run_notebook`."""
    run = functools.cache(run_notebook)
    return lambda *arguments, **options: dict(run(*arguments, **options))


@pytest.fixture(scope="session")
def marks():
    """Function: the verdict on a task for the objects in a namespace."""

    def mark(namespace, name, seed=1):
        task = TASKS[name]
        messages = answering.answer_all(
            namespace, task.asks, marking.pose(task, seed), task.harness, wire.encode, wire.decode
        )
        return marking.mark(task, seed, json.loads(json.dumps(messages)))

    return mark


@pytest.fixture(scope="session")
def lost(marks):
    """Function: of the named tasks, those that lose points, and the share that they lose."""

    def shares(namespace, names, seed=1):
        result = {}
        for name in names:
            findings = marks(namespace, name, seed).findings
            wrong = sum(not finding.holds for finding in findings)
            if wrong:
                result[name] = f"{wrong}/{len(findings)}"
        return result

    return shares
