"""Scores do not depend on the sandbox: a part of the class again, with all rights."""

from pathlib import Path

import pytest

from coursekit.demo.handing_in import read_students
from coursekit.demo.run import run
from coursekit.grading.results import points
from coursekit.grading.student import why

REPOSITORY = Path(__file__).parents[2]
# Right, wrong, blank and late; and all ways in which a run can end.
SOME = ["perfect", "unstable-softmax", "hard-coded-sizes", "nesterov", "blank", "late", "absent"]
ENDINGS = ["syntax-error", "endless-loop", "killed-kernel"]
STUDENTS = {student.key: student for student in read_students([*SOME, *ENDINGS])}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Results by the students' keys."""
    folder = tmp_path_factory.mktemp("unsafe") / "demo"
    demo = run(REPOSITORY, folder, list(STUDENTS), report=lambda line: None, sandboxed=False)
    keys = {student.number: student.key for student in demo.students}
    return {keys[result.student]: result for result in demo.results}


@pytest.mark.parametrize("key", STUDENTS)
def test_everybody_gets_the_same_points_without_the_sandbox(found, key):
    got = {notebook.name: float(points(notebook.score)) for notebook in found[key].notebooks}
    assert got == STUDENTS[key].expected
    assert {lost.cell for lost in found[key].lost} == STUDENTS[key].lost


@pytest.mark.parametrize("key", [key for key in STUDENTS if key != "absent"])
def test_the_grades_tell_that_there_was_no_sandbox(found, key):
    assert "was run without the sandbox: coursekit grade --regrade" in why(found[key])
