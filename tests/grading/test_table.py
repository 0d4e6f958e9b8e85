"""Who got what and why, as the instructor reads it."""

import io

import pytest
from rich.console import Console

from coursekit.grading.student import SHOWN, LostPoints, NotebookResult, StudentResult, why
from coursekit.grading.table import grade_table


def result(*lost, missing=(), late=0.0, **options):
    names = ("classification", "derivation")
    notebooks = tuple(NotebookResult(name, 1.5, 10.0, name in missing) for name in names)
    return StudentResult(
        "12", "Ada", "graded", notebooks=notebooks, late_seconds=late, lost=lost, **options
    )


def test_reason_that_costs_most_comes_first():
    lines = why(result(LostPoints("a", 1, 2, "small."), LostPoints("b", 0, 5, "large.")))
    assert lines == ["b -5: large.", "a -1: small."]


def test_cells_with_one_reason_share_a_line():
    lost = [LostPoints(name, 0, 2, "same.") for name in "abc"]
    assert why(result(*lost)) == ["a and 2 more -6: same."]
    assert why(result(*lost[:2])) == ["a, b -4: same."]


def test_many_reasons_are_counted():
    lost = [LostPoints(name, 0, 2, f"reason {name}.") for name in "abcde"]
    assert why(result(*lost))[SHOWN:] == [f"and {5 - SHOWN} more"]


def test_missing_notebook_is_said_once_and_late_first():
    lost = LostPoints("a", 0, 2, "derivation.ipynb was not handed in")
    lines = why(result(lost, missing=("derivation",), late=9000.0))
    assert lines == ["2.5 h late", "derivation.ipynb was not handed in"]


@pytest.mark.parametrize("state", ["absent", "not graded"])
def test_without_grades_the_state_is_told(state):
    assert why(StudentResult("12", "Ada", state)) == [state]


def test_why_a_person_is_needed_is_told():
    found = StudentResult("12", "Ada", "needs a person", trouble="a.ipynb: The file is empty.")
    assert why(found) == ["needs a person: a.ipynb: The file is empty."]


def test_what_was_mended_and_run_without_a_sandbox_is_told():
    lines = why(result(mended=True, unsafe=True))
    assert lines == [
        "was run without the sandbox: coursekit grade --regrade",
        "mended before it was graded: see the feedback",
    ]


def test_table_names_no_student():
    console = Console(width=110, record=True, file=io.StringIO())
    console.print(grade_table([result(), StudentResult("13", "Eve", "absent")]))
    text = console.export_text()
    assert "1.5" in text
    assert "absent" in text
    assert "Ada" not in text
    assert "Eve" not in text
