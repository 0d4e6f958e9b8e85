from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from coursekit.demo.handing_in import Answers, Student, hand_in, read_students
from coursekit.errors import KitError

STUB = "raise NotImplementedError"


def cell(make, name, source, **roles):
    return make(source, id=name, metadata={"nbgrader": {"grade_id": name, **roles}})


def notebook(answer, essay, test):
    return new_notebook(
        cells=[
            cell(new_code_cell, "add", answer, solution=True),
            cell(new_markdown_cell, "essay", essay, solution=True),
            cell(new_code_cell, "test", test, solution=False),
            new_code_cell("train_for_long()", id="units-code"),
        ]
    )


@pytest.fixture
def folders(tmp_path):
    """Folders with the source and the release of one notebook."""
    solved = "def add(a, b):\n    ### BEGIN SOLUTION\n    return a + b\n    ### END SOLUTION"
    source, release = tmp_path / "source", tmp_path / "release"
    source.mkdir()
    release.mkdir()
    nbformat.write(notebook(solved, "Because.", "secret test"), source / "sums.ipynb")
    nbformat.write(notebook(STUB, "...", "test"), release / "sums.ipynb")
    return source, release


def handed_in(folders, answers=None):
    given = {"key": "aino", "name": "Aino", "number": "1", "story": "", "expected": {}}
    notebooks = {} if answers is None else {"sums": answers}
    student = Student(**given, notebooks=notebooks, lost=frozenset())
    files = hand_in(student, *folders)
    return {
        name: [cell.source for cell in nbformat.reads(text, as_version=4).cells]
        for name, text in files.items()
    }


@pytest.mark.parametrize(
    ("answers", "first_two"),
    [
        (None, ["def add(a, b):\n    return a + b", "Because."]),
        (Answers(blank=True), [STUB, "..."]),
        (Answers(blank_cells=("add",)), [STUB, "Because."]),
        (Answers(cells={"add": "add = sum\n"}), ["add = sum", "Because."]),
    ],
)
def test_a_notebook_is_the_release_with_the_students_answers_and_without_the_experiments(
    folders, answers, first_two
):
    assert handed_in(folders, answers) == {"sums.ipynb": [*first_two, "test", ""]}


def test_a_missing_notebook_is_not_handed_in(folders):
    assert handed_in(folders, Answers(missing=True)) == {}


@pytest.mark.parametrize("answers", [Answers(blank_cells=("sub",)), Answers(cells={"test": "1"})])
def test_an_answer_to_a_cell_that_cannot_be_answered_is_refused(folders, answers):
    with pytest.raises(KitError, match=r"aino\.toml, sums\.ipynb: no cell to answer is called"):
        handed_in(folders, answers)


def test_an_answer_to_a_notebook_that_was_not_released_is_refused(folders):
    (Path(folders[1]) / "sums.ipynb").unlink()
    with pytest.raises(KitError, match=r"aino\.toml answers sums\.ipynb"):
        handed_in(folders, Answers())


def test_the_class_is_large_and_everybody_has_a_number_of_their_own():
    students = read_students()
    assert len(students) >= 13
    assert len({student.number for student in students}) == len(students)


def test_some_of_the_class_can_be_read_alone():
    assert [student.key for student in read_students(["late", "blank"])] == ["late", "blank"]


def test_an_unknown_student_is_told_with_the_names_of_all():
    with pytest.raises(KitError, match=r"No student 'nobody' in the demo; there are: .*perfect"):
        read_students(["nobody"])
