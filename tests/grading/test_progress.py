"""What an instructor sees while a class is graded, and at its end."""

import io

import pytest
from rich.console import Console

from coursekit.grading.outcome import FAILED, GRADED, KEPT, MISSING, NEEDS_PERSON, Outcome
from coursekit.grading.progress import ClassProgress
from coursekit.grading.table import outcome_table

OUTCOMES = [
    Outcome("1", KEPT),
    Outcome("2", GRADED, "", 3),
    Outcome("3", GRADED, "Not handed in, 0 points: sums.ipynb.", 2),
    Outcome("4", NEEDS_PERSON, "sums.ipynb: The file is [b]empty[/b]."),
    Outcome("5", FAILED, "sums.ipynb: The kernel did not answer."),
    Outcome("6", MISSING, "Nothing of round was handed in."),
]


def shown(terminal=False, quiet=False):
    console = Console(
        file=io.StringIO(), width=120, force_terminal=terminal, markup=False, highlight=False
    )
    with ClassProgress(console, quiet) as progress:
        for done, outcome in enumerate(OUTCOMES, start=1):
            progress(done, len(OUTCOMES), outcome)
    return console.file.getvalue(), progress


def test_without_a_terminal_each_student_who_was_not_graded_before_gets_a_plain_line():
    text, _ = shown()
    assert text.splitlines() == [
        "2/6 2: graded.",
        "3/6 3: graded. Not handed in, 0 points: sums.ipynb.",
        "4/6 4: needs a person. sums.ipynb: The file is [b]empty[/b].",
        "5/6 5: failed. sums.ipynb: The kernel did not answer.",
        "6/6 6: not handed in. Nothing of round was handed in.",
    ]


def test_terminal_shows_a_bar_with_pace_and_trouble_and_lines_only_for_what_matters():
    text, _ = shown(terminal=True)
    assert "6/6" in text
    assert "notebooks/s" in text
    assert "2 not graded" in text
    assert "2: graded." not in text
    assert "4: needs a person." in text


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_shows_nothing(terminal):
    assert shown(terminal, quiet=True)[0] == ""


def test_pace_counts_the_notebooks_that_were_run():
    _, progress = shown()
    assert progress.pace.startswith("5 notebooks in ")
    assert ClassProgress(Console(file=io.StringIO())).pace == "no notebook was run"


def test_table_at_the_end_tells_who_is_graded_needs_a_person_and_did_not_hand_in():
    console = Console(file=io.StringIO(), width=100)
    console.print(outcome_table(OUTCOMES, ["7", "8"]))
    rows = [
        [cell.strip() for cell in line.strip("│").split("│")]
        for line in console.file.getvalue().splitlines()
        if line.startswith("│")
    ]
    assert rows == [
        ["graded", "3", "1 of them before"],
        ["needs a person", "1", "4: sums.ipynb: The file is [b]empty[/b]."],
        ["failed", "1", "5: sums.ipynb: The kernel did not answer."],
        ["not handed in", "3", "6, 7, 8"],
    ]
