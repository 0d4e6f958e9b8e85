"""The judge around a real kernel: one run for all cells, since a kernel takes two seconds."""

import stat

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.utils import determine_grade

from coursekit.grading.execute import BoundedExecute
from coursekit.judging import marking, preprocessors, seeds, wire
from coursekit.judging.preprocessors import MIME, JudgeAnswers, PoseChallenges
from coursekit.judging.round09 import TASKS
from coursekit.judging.verdict import read_verdict

SOLUTION = """
import sys
import warnings
import numpy as np


def stage1(y2, t):
    warnings.warn("careful")
    print("on stderr", file=sys.stderr)
    np.log(np.zeros(2)) / 0
    return -t @ np.log(y2)


def stage2(y2, t):
    return np.exp(1000)


def stage3(y2, t, W2):
    raise ValueError("first line\\nsecond line")


def stage4(y2, t, y1):
    raise SystemExit


def stage5(y1):
    raise KeyboardInterrupt


def momentum_step(w, v, gradient, learning_rate, momentum):
    return w, momentum * v - gradient


calls = []


def batch_columns(iteration, batch_size, n_cases):
    calls.append(n_cases)
    if n_cases % batch_size:
        raise SystemExit
    return (iteration * batch_size + np.arange(batch_size)) % n_cases
"""

STRAY = f"""
from IPython.display import publish_display_data

publish_display_data({{"{MIME}": {{"nonce": "x", "answers": []}}, "text/plain": "a figure"}})
"""


def judged(name, **changes):
    role = {"grade_id": name, "grade": True, "locked": True, "solution": False, "schema_version": 3}
    role |= {"points": TASKS[name].points, "task": False, "cell_type": "code"}
    source = f'# Words for the student.\n### BEGIN HIDDEN TESTS\njudge("{name}")\n### END'
    return new_code_cell(source, metadata={"nbgrader": role | changes})


ASKED = ("stage1-loss", "stage2-dE-dz2", "stage3-dE-dy1", "stage4-dE-dW2", "stage5-jacobian")
ASKED += ("stage6-dE-dz1", "momentum-update", "mini-batches")


def submission():
    stray = [new_code_cell(STRAY), new_markdown_cell('judge("stage1-loss")')]
    return new_notebook(cells=[new_code_cell(SOLUTION), *stray, *map(judged, ASKED)])


@pytest.fixture
def pose(tmp_path):
    def posed(*cells):
        notebook, resources = new_notebook(cells=list(cells)), {}
        PoseChallenges(secret_file=str(tmp_path / "secret")).preprocess(notebook, resources)
        return notebook, resources

    return posed


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The notebook before, posed, and after judging; cells by grade id."""
    folder = tmp_path_factory.mktemp("graded")
    notebook, resources = submission(), {"metadata": {"path": str(folder)}}
    stages = [nbformat.from_dict(notebook)]
    secret = folder / "hidden" / "secret"
    for step in (PoseChallenges(secret_file=str(secret)), BoundedExecute(), JudgeAnswers()):
        notebook, resources = step.preprocess(notebook, resources)
        stages.append(nbformat.reads(nbformat.writes(notebook), 4))
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    return stages


def cell_of(notebook, name):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


# --- Posing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes", [{"grade": False}, {"solution": True, "locked": False}, {"solution": True}], ids=str
)
def test_only_locked_test_cells_are_posed(pose, changes):
    cell = judged("stage1-loss", **changes)
    before = cell.source
    notebook, resources = pose(cell, new_code_cell('judge("stage1-loss")'))
    assert [c.source for c in notebook.cells] == [before, 'judge("stage1-loss")']
    assert resources[preprocessors.RESOURCE] == {}


@pytest.mark.parametrize("line", ['x = judge("stage1-loss")', "judge('stage1-loss')", "pass"])
def test_other_lines_of_a_test_cell_stay(pose, line):
    cell = judged("stage1-loss")
    cell.source = line
    assert pose(cell)[0].cells[0].source == line


def test_lines_around_the_judged_one_stay(pose):
    source = pose(judged("stage1-loss"))[0].cells[0].source
    assert source.startswith("# Words for the student.\n### BEGIN HIDDEN TESTS\n_judge = ")
    assert source.endswith("del _judge\n### END")


@pytest.mark.parametrize("name", TASKS)
def test_posed_cell_holds_nothing_of_the_reference(pose, name):
    source = pose(judged(name))[0].cells[0].source.replace(MIME, "")
    compile(source, name, "exec")
    for word in ("reference", "expected", "coursekit", "tolerance", "property"):
        assert word not in source.lower()


def test_each_cell_gets_a_nonce_of_its_own_and_a_task_one_seed_a_run(pose):
    posed = pose(judged("stage1-loss"), judged("stage1-loss"))[1][preprocessors.RESOURCE]
    (_, seed, nonce, _), (_, other_seed, other_nonce, _) = posed.values()
    assert seed == other_seed
    assert nonce != other_nonce


def test_another_run_poses_other_challenges(pose):
    first = pose(judged("stage1-loss"))[1][preprocessors.RESOURCE][0][1]
    seeds.new_run()
    assert pose(judged("stage1-loss"))[1][preprocessors.RESOURCE][0][1] != first


# --- After a real run ------------------------------------------------------------------------


def test_all_sources_are_as_they_were(graded):
    before, posed, _, after = graded
    assert [c.source for c in after.cells] == [c.source for c in before.cells]
    assert posed.cells[3].source != before.cells[3].source


def test_student_sees_neither_challenges_nor_answers(graded):
    assert MIME in nbformat.writes(graded[2])
    text = nbformat.writes(graded[3])
    for cell in graded[3].cells:
        for output in cell.get("outputs", []):
            assert MIME not in output.get("data", {})
    for nonce in {
        output.data[MIME]["nonce"]
        for cell in graded[2].cells[3:]
        for output in cell.outputs
        if MIME in output.get("data", {})
    }:
        assert nonce not in text


def test_other_outputs_of_the_student_stay(graded):
    assert cell_text(graded[3].cells[1]) == ["a figure"]


def cell_text(cell):
    return [output.data["text/plain"] for output in cell.outputs if "data" in output]


@pytest.mark.parametrize(
    ("name", "points", "words"),
    [
        ("stage1-loss", 1, "all right"),
        ("stage2-dE-dz2", 0, "dE/dz2 has shape (); expected an array of shape (10,)."),
        ("stage3-dE-dy1", 0, "No answer: ValueError: first line second line."),
        ("stage4-dE-dW2", 0, "No answer: SystemExit"),
        ("stage5-jacobian", 0, "No answer: it did not finish in time."),
        ("stage6-dE-dz1", 0, "No answer: NameError: stage6 is not defined."),
        ("momentum-update", 2, "w: differs from the reference"),
        ("mini-batches", 1.5, "No answer: SystemExit"),
    ],
)
def test_nbgrader_reads_the_points_of_the_verdict(graded, name, points, words):
    cell = cell_of(graded[3], name)
    assert determine_grade(cell) == (points, TASKS[name].points)
    verdict = read_verdict(cell)
    assert verdict.points == points
    assert verdict.summary.startswith(words)
    assert [output.output_type for output in cell.outputs] == ["stream", "execute_result"]
    assert cell.outputs[0].name == "stdout"
    assert cell.outputs[0].text == verdict.text + "\n"


def test_verdict_can_be_read_back_and_names_its_seed(graded):
    verdict = read_verdict(cell_of(graded[3], "momentum-update"))
    assert isinstance(verdict.seed, int)
    assert [finding.holds for finding in verdict.findings] == [True, False, True]
    assert read_verdict(new_code_cell("x")) is None


# --- Answers that are not the cell's own -----------------------------------------------------


def publish(nonce, answers=()):
    message = {"nonce": nonce, "answers": list(answers)}
    return new_output("display_data", data={MIME: message, "text/plain": "5"})


NUMBER = new_output("execute_result", data={"text/plain": "99"}, execution_count=1)


def right_batch(iteration, batch_size, n_cases):
    return (iteration * batch_size + np.arange(batch_size)) % n_cases


@pytest.fixture
def judge_outputs(pose):
    """Judge a cell whose outputs are made from its nonce and right answers to its challenges."""

    def judge(make_outputs):
        notebook, resources = pose(judged("mini-batches"))
        task, seed, nonce, source = resources[preprocessors.RESOURCE][0]
        right = [{"value": wire.encode(right_batch(**call))} for call in marking.draw(task, seed)]
        cell = notebook.cells[0]
        cell.outputs = [nbformat.from_dict(output) for output in make_outputs(nonce, right)]
        JudgeAnswers().preprocess(notebook, resources)
        assert cell.source == source
        assert not any(MIME in output.get("data", {}) for output in cell.outputs)
        return determine_grade(cell)[0]

    return judge


def test_the_one_answer_with_the_right_nonce_counts(judge_outputs):
    noise = [new_output("stream", name="stderr", text="noise"), NUMBER]
    noise.append(new_output("error", ename="E", evalue="e", traceback=[]))
    assert judge_outputs(lambda nonce, right: [*noise, publish(nonce, right)]) == 3


@pytest.mark.parametrize(
    "make_outputs",
    [
        lambda nonce, right: [],
        lambda nonce, right: [NUMBER],
        lambda nonce, right: [publish("", right)],
        lambda nonce, right: [publish(nonce[::-1], right)],
        lambda nonce, right: [publish(None, right)],
        lambda nonce, right: [publish(nonce, right)] * 2,
        lambda nonce, right: [publish("stolen", right), publish(nonce, right)],
        lambda nonce, right: [publish(nonce), NUMBER],
        lambda nonce, right: [new_output("display_data", data={MIME: right})],
        lambda nonce, right: [new_output("display_data", data={MIME: nonce})],
        lambda nonce, right: [new_output("display_data", data={MIME: {"nonce": nonce}})],
    ],
    ids=["nothing", "forged number", "no nonce", "wrong nonce", "null nonce", "twice"]
    + ["a second one", "no answers", "bare list", "text", "answers missing"],
)
def test_anything_else_earns_nothing(judge_outputs, make_outputs):
    assert judge_outputs(make_outputs) == 0
