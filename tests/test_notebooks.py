"""What keeps a source notebook from being released, each told in a sentence."""

import copy
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from coursekit.notebooks import main, problems

SOURCE = Path(__file__).parents[1] / "source" / "round09"
DERIVATION = nbformat.read(SOURCE / "derivation.ipynb", as_version=4)


@pytest.fixture
def notebook():
    return copy.deepcopy(DERIVATION)


def cell(notebook, name):
    return next(cell for cell in notebook.cells if cell.id == name)


def outputs(notebook):
    cell(notebook, "setup").outputs = [nbformat.v4.new_output("stream", text="x")]


def execution_count(notebook):
    cell(notebook, "setup").execution_count = 3


def unreadable_id(notebook):
    cell(notebook, "setup").id = "3f2a-9c"


def other_grade_id(notebook):
    cell(notebook, "stage5-jacobian").metadata.nbgrader.grade_id = "stage5"


def metadata(notebook):
    cell(notebook, "setup").metadata["collapsed"] = True


def unknown_tag(notebook):
    cell(notebook, "setup").metadata["tags"] = ["skip-execution"]


def other_points(notebook):
    cell(notebook, "stage5-jacobian").metadata.nbgrader.points = 3


def task_of_no_name(notebook):
    test = cell(notebook, "stage5-jacobian")
    test.id = test.metadata.nbgrader.grade_id = "stage5-jacobean"


def judge_of_another(notebook):
    test = cell(notebook, "stage5-jacobian")
    test.source = test.source.replace("stage5-jacobian", "stage4-dE-dW2")


def visible_test(notebook):
    test = cell(notebook, "stage5-jacobian")
    test.source = test.source.replace("### BEGIN HIDDEN TESTS\n", "")


def judge_elsewhere(notebook):
    cell(notebook, "setup").source += '\njudge("stage5-jacobian")'


def solution_without_marks(notebook):
    cell(notebook, "stage5-code").source = "def stage5(y1):\n    return y1"


def same_id_twice(notebook):
    notebook.cells.append(copy.deepcopy(cell(notebook, "setup")))


FAULTS = {
    outputs: "outputs",
    execution_count: "outputs",
    unreadable_id: "id that says nothing",
    other_grade_id: "grade id",
    metadata: "collapsed",
    unknown_tag: "skip-execution",
    other_points: "gives 3 points, its task 2",
    task_of_no_name: "without a task",
    judge_of_another: 'judge("stage5-jacobian")',
    visible_test: "hidden test",
    judge_elsewhere: "no locked test cell",
    solution_without_marks: "BEGIN SOLUTION",
    same_id_twice: "twice",
}


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.__name__ for fault in FAULTS])
def test_fault_is_told(notebook, fault):
    assert problems(notebook) == []
    fault(notebook)
    assert any(FAULTS[fault] in problem for problem in problems(notebook))


def test_command_exits_1_and_names_file_and_cell(tmp_path, notebook):
    visible_test(notebook)
    nbformat.write(notebook, tmp_path / "derivation.ipynb")
    result = CliRunner().invoke(main, [str(tmp_path)])
    assert result.exit_code == 1
    assert "derivation.ipynb: cell 'stage5-jacobian'" in result.stderr


def test_command_passes_the_round():
    assert CliRunner().invoke(main, [str(SOURCE)]).exit_code == 0


def test_folder_without_notebooks_is_a_usage_error(tmp_path):
    assert CliRunner().invoke(main, [str(tmp_path)]).exit_code == 2


def test_command_checks_all_folders_it_is_given(tmp_path, notebook):
    visible_test(notebook)
    nbformat.write(notebook, tmp_path / "derivation.ipynb")
    result = CliRunner().invoke(main, [str(SOURCE), str(tmp_path)])
    assert result.exit_code == 1
    assert "4 notebooks checked, 1 problems" in result.stdout
