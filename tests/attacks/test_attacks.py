"""Hostile notebooks through the whole chain: each earns what its honest part is worth."""

import re
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from jupyter_core.utils import ensure_event_loop
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade

from coursekit.grading.execute import BoundedExecute
from coursekit.judging.preprocessors import MIME, JudgeAnswers, PoseChallenges, asking_source
from coursekit.judging.round09 import TASKS
from coursekit.judging.verdict import read_verdict

from .attacks import BY_KERNEL, BY_VALUE, HONEST, LARGE

GRADE = {"grade": True, "locked": True, "solution": False, "task": False, "schema_version": 3}


def judged(name, number=0):
    """Make the locked test cell of a task."""
    role = GRADE | {"grade_id": f"{name}-{number}", "points": TASKS[name].points}
    return new_code_cell(f'judge("{name}")', metadata={"nbgrader": role})


def submission(attacks):
    """Make a notebook of attacks, each followed by the cells that it wants to win."""
    cells = [new_code_cell(HONEST)]
    for number, attack in enumerate(attacks):
        cells.append(new_code_cell(attack.source))
        cells += [judged(name, number) for name in attack.earns]
    return new_notebook(cells=[*cells, new_code_cell(attacks[-1].later or "pass")])


def run(folder, attacks):
    """Run and judge a notebook; return its posed text and the notebook."""
    folder.mkdir()
    notebook, resources = submission(attacks), {"metadata": {"path": str(folder)}}
    notebook, resources = PoseChallenges(secret_file=str(folder / "secret")).preprocess(
        notebook, resources
    )
    posed = [cell.source for cell in notebook.cells]
    seconds = max(attack.seconds for attack in attacks)
    # generous for all attacks together: a busy machine must not change what an attack earns
    execute = BoundedExecute(cell_timeout=seconds, notebook_timeout=600, iopub_timeout=5)
    for step in (execute, JudgeAnswers()):
        notebook, resources = step.preprocess(notebook, resources)
    return posed, nbformat.reads(nbformat.writes(notebook), 4)


def run_in_thread(folder, attacks):
    """Run a notebook in a thread, and close the event loop that nbclient leaves there."""
    try:
        return run(folder, attacks)
    finally:
        ensure_event_loop().close()


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Runs by name; two kernels at a time."""
    folder = tmp_path_factory.mktemp("attacks")
    groups = [BY_VALUE, *((attack,) for attack in BY_KERNEL)]
    with ThreadPoolExecutor(2) as pool:
        return {
            attacks[0].name: pool.submit(run_in_thread, folder / str(number), attacks)
            for number, attacks in enumerate(groups)
        }


def judged_cells(notebook, number, attack):
    """Give an attack's judged cells by task."""
    return {
        name: cell
        for name in attack.earns
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == f"{name}-{number}"
    }


def shares(cells):
    """Give the share of the points of each cell, as nbgrader reads it."""
    scores = {name: determine_grade(cell) for name, cell in cells.items()}
    return {name: score / most for name, (score, most) in scores.items()}


@pytest.mark.parametrize("number", range(len(BY_VALUE)), ids=[a.name for a in BY_VALUE])
def test_what_a_function_returns(graded, number):
    _, notebook = graded[BY_VALUE[0].name].result()
    cells = judged_cells(notebook, number, BY_VALUE[number])
    assert shares(cells) == BY_VALUE[number].earns


@pytest.mark.parametrize("attack", BY_KERNEL, ids=[a.name for a in BY_KERNEL])
def test_what_becomes_of_the_kernel(graded, attack):
    _, notebook = graded[attack.name].result()
    assert shares(judged_cells(notebook, 0, attack)) == attack.earns


@pytest.mark.parametrize("name", [BY_VALUE[0].name, *(attack.name for attack in BY_KERNEL)])
def test_judged_cells_hold_the_verdict_and_nothing_else(graded, name):
    posed, notebook = graded[name].result()
    assert MIME not in str([cell.get("outputs") for cell in notebook.cells] + [notebook.metadata])
    for asked, cell in zip(posed, notebook.cells, strict=True):
        if "nbgrader" in cell.metadata:
            assert cell.source != asked
            assert cell.source.startswith('judge("')
            assert [output.output_type for output in cell.outputs] == ["stream", "execute_result"]
            assert cell.outputs[0].text == read_verdict(cell).text + "\n"


@pytest.mark.parametrize("name", [BY_VALUE[0].name, *(attack.name for attack in BY_KERNEL)])
def test_no_attack_fails_by_a_slip_of_its_own(graded, name):
    _, notebook = graded[name].result()
    errors = [
        output.evalue
        for cell in notebook.cells[:-1]
        for output in cell.get("outputs", [])
        if "nbgrader" not in cell.metadata and output.output_type == "error"
    ]
    assert errors == (["name 'judge' is not defined"] if "open cell" in name else [])


def test_nonce_of_a_cell_is_not_that_of_another(graded):
    posed, _ = graded[BY_VALUE[0].name].result()
    nonces = re.findall(r"[0-9a-f]{32}", "".join(posed))
    assert len(set(nonces)) == len(nonces) == sum(len(attack.earns) for attack in BY_VALUE)


@pytest.mark.parametrize("task", TASKS)
def test_posed_cell_holds_no_answer(task):
    source = asking_source(TASKS[task], seed=1, nonce="0" * 32).replace(MIME, "")
    assert "import" in source
    for word in ("coursekit", "reference", "expected", "rtol", "tolerance"):
        assert word not in source.lower()


def test_huge_answers_take_little_memory(tmp_path):
    large = [attack for attack in BY_VALUE if attack.name in LARGE]
    assert len(large) == len(LARGE)
    tracemalloc.start()
    try:
        run(tmp_path / "run", large)
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()
