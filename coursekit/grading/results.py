"""Read who got what, and why, from the gradebook and the graded notebooks."""

import csv
import os
import re
from pathlib import Path
from textwrap import shorten
from typing import TextIO

import nbformat
from nbgrader.api import Gradebook, MissingEntry, SubmittedNotebook

from coursekit.course import Course
from coursekit.errors import KitError
from coursekit.grading.execute import UNSAFE
from coursekit.grading.halves import HALF_DONE
from coursekit.grading.notebook import read_graded
from coursekit.grading.student import LostPoints, NotebookResult, StudentResult, points, why
from coursekit.judging.verdict import METADATA_KEY, read_verdict

LONGEST_REASON = 200
# Some spreadsheets take a semicolon for the end of a cell, even between quotes.
FORMULA_START = re.compile(r"(^|;)(\s*)(?=[=+@-])")


def results(course: Course, assignment: str) -> list[StudentResult]:
    """Read the results of everybody whom the gradebook knows or who handed something in.

    Parameters
    ----------
    course : Course
    assignment : str
        A released assignment.

    Returns
    -------
    list of StudentResult
        In the order of the students' ids.

    Raises
    ------
    KitError
        If the assignment was never released, or a graded notebook is damaged.
    """
    course.released_assignment(assignment)
    handed_in = {folder.parent.name for folder in course.submissions(assignment)}
    with course.gradebook() as gradebook:
        names = {
            student.id: f"{student.first_name or ''} {student.last_name or ''}".strip()
            for student in gradebook.students
        }
        return [
            _student(course, gradebook, assignment, student, names.get(student, ""), handed_in)
            for student in sorted(names.keys() | handed_in)
        ]


def _student(
    course: Course,
    gradebook: Gradebook,
    assignment: str,
    student: str,
    name: str,
    handed_in: set[str],
) -> StudentResult:
    try:
        submission = gradebook.find_submission(assignment, student)
    except MissingEntry:
        state = "not graded" if student in handed_in else "absent"
        return StudentResult(student, name, state)
    folder = course.autograded / student / assignment
    work = course.submitted / student / assignment
    notebooks = sorted(submission.notebooks, key=lambda notebook: notebook.name)
    half_done = (folder / HALF_DONE).exists()
    if half_done or any(_is_ungraded(work, folder, notebook.name) for notebook in notebooks):
        return StudentResult(student, name, "not graded")
    return StudentResult(
        student,
        name,
        "graded",
        notebooks=tuple(
            NotebookResult(
                notebook.name,
                notebook.score,
                notebook.max_score,
                not (folder / f"{notebook.name}.ipynb").is_file(),
            )
            for notebook in notebooks
        ),
        penalty=submission.late_submission_penalty,
        needs_manual=sum(
            grade.max_score
            for notebook in notebooks
            for grade in notebook.grades
            if grade.needs_manual_grade
        ),
        late_seconds=submission.total_seconds_late,
        lost=tuple(points for notebook in notebooks for points in _lost(notebook, folder)),
        unanswered=sum(_unanswered(notebook, folder) for notebook in notebooks),
        changed=any(_is_changed(work, folder, notebook.name) for notebook in notebooks),
        unsafe=any(_is_unsafe(folder, notebook.name) for notebook in notebooks),
    )


def _is_ungraded(work: Path, folder: Path, notebook: str) -> bool:
    """Tell a notebook that was handed in and not graded, or could not be."""
    return (work / f"{notebook}.ipynb").is_file() and not (folder / f"{notebook}.ipynb").is_file()


def _is_changed(work: Path, folder: Path, notebook: str) -> bool:
    """Tell a notebook that was collected again after it had been graded."""
    handed_in, graded = (place / f"{notebook}.ipynb" for place in (work, folder))
    if not (handed_in.is_file() and graded.is_file()):
        return False
    return handed_in.stat().st_mtime > graded.stat().st_mtime


def _is_unsafe(folder: Path, notebook: str) -> bool:
    """Tell a notebook that was run without the sandbox."""
    path = folder / f"{notebook}.ipynb"
    return path.is_file() and UNSAFE in read_graded(path).metadata.get(METADATA_KEY, {})


def _unanswered(notebook: SubmittedNotebook, folder: Path) -> float:
    """Add up the points of written answers that were left as they came."""
    if not (folder / f"{notebook.name}.ipynb").is_file():
        return 0.0
    return sum(
        grade.max_score
        for grade in notebook.grades
        if not _is_test(grade.name, notebook)
        and grade.auto_score == 0
        and grade.manual_score is None
    )


def _lost(notebook: SubmittedNotebook, folder: Path) -> list[LostPoints]:
    """List the test cells of one notebook that lost points."""
    path = folder / f"{notebook.name}.ipynb"
    cells = read_graded(path).cells if path.is_file() else []
    by_id = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in cells}
    order = list(by_id)
    tests = [grade for grade in notebook.grades if _is_test(grade.name, notebook)]
    if order:
        tests.sort(key=lambda grade: order.index(grade.name))
    return [
        LostPoints(
            grade.name, grade.score, grade.max_score, _reason(by_id.get(grade.name), path.name)
        )
        for grade in tests
        if grade.score < grade.max_score and not grade.needs_manual_grade
    ]


def _is_test(cell_name: str, notebook: SubmittedNotebook) -> bool:
    """Tell a test cell from an answer that a person grades."""
    return cell_name not in {comment.name for comment in notebook.comments}


def _reason(cell: nbformat.NotebookNode | None, notebook: str) -> str:
    """Say in one sentence why a cell lost points."""
    if cell is None:
        return f"{notebook} was not handed in"
    verdict = read_verdict(cell)
    if verdict is not None:
        return _one_line(verdict.summary)
    errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    return _one_line(f"{errors[-1].ename}: {errors[-1].evalue}") if errors else ""


def _one_line(text: str) -> str:
    """Shorten a student's words to a line that is safe to print on a terminal."""
    words = "".join(character if character.isprintable() else " " for character in text).split()
    return shorten(" ".join(words), LONGEST_REASON, placeholder=" ...")


def write_grades(results: list[StudentResult], path: Path) -> None:
    """Write a CSV file with one row a student, readable by its owner only.

    Parameters
    ----------
    results : list of StudentResult
    path : Path
        Replaced if it exists.

    Raises
    ------
    KitError
        If the file cannot be written.
    """
    scratch = path.with_name(f".{path.name}.new")
    try:
        scratch.unlink(missing_ok=True)
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            _write_rows(results, file)
        os.replace(scratch, path)
    except OSError as problem:
        raise KitError(f"{path} cannot be written: {problem.strerror}.") from problem


def _write_rows(results: list[StudentResult], file: TextIO):
    notebooks = sorted({notebook.name for result in results for notebook in result.notebooks})
    before, after = ["student", "name", "state"], ["penalty", "total", "max", "by_hand"]
    header = [*before, *notebooks, *after, "late_seconds", "missing", "why"]
    writer = csv.DictWriter(file, header, lineterminator="\n")
    writer.writeheader()
    for result in results:
        row = {"student": result.student, "name": result.name, "state": result.state}
        if result.state == "graded":
            row |= {notebook.name: points(notebook.score) for notebook in result.notebooks}
            row |= {
                "penalty": points(result.penalty),
                "total": points(result.score),
                "max": points(result.max_score),
                "by_hand": points(result.needs_manual),
                "late_seconds": f"{result.late_seconds:.0f}",
                "missing": " ".join(result.missing),
                "why": "; ".join(why(result)),
            }
        writer.writerow({column: _harmless(text) for column, text in row.items()})


def _harmless(text: str) -> str:
    """Keep a spreadsheet from taking a student's text for a formula."""
    return FORMULA_START.sub(r"\1\2'", text)
