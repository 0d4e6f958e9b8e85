"""Read who got what, and why, from the gradebook and the graded notebooks."""

from collections.abc import Iterator
from pathlib import Path
from textwrap import shorten

import nbformat
from nbgrader.api import Gradebook, MissingEntry, SubmittedNotebook

from coursekit.course import Course, private_files
from coursekit.errors import KitError
from coursekit.grading.execute import UNSAFE
from coursekit.grading.finding import MISSING, NEEDS_PERSON, find_notebooks, unclear
from coursekit.grading.handed_in import unusable
from coursekit.grading.mending import MENDED
from coursekit.grading.notebook import read_graded
from coursekit.grading.released import released_notebooks
from coursekit.grading.student import LostPoints, NotebookResult, StudentResult, points, why
from coursekit.grading.todo import left_to_grade, unfinished
from coursekit.judging.preprocessors import judge_line
from coursekit.judging.verdict import METADATA_KEY, read_verdict
from coursekit.writing import replace_whole, table

LONGEST_REASON = 200


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
        If the assignment was never released, or its release is damaged.
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
    folder = course.autograded / student / assignment
    state, reason = _state(course, assignment, student, handed_in)
    if state != "graded":
        return StudentResult(student, name, state, trouble=reason)
    try:
        submission = gradebook.find_submission(assignment, student)
    except MissingEntry:
        return StudentResult(student, name, "not graded")
    notebooks = sorted(submission.notebooks, key=lambda notebook: notebook.name)
    paths = {notebook.name: folder / f"{notebook.name}.ipynb" for notebook in notebooks}
    try:
        files = {name: read_graded(path) for name, path in paths.items() if path.is_file()}
    except KitError as problem:
        return StudentResult(student, name, "not graded", trouble=str(problem))
    if not files and any(grade.score for notebook in notebooks for grade in notebook.grades):
        return StudentResult(student, name, "not graded")  # points of what is not there any more
    told = [file.metadata.get(METADATA_KEY, {}) for file in files.values()]
    return StudentResult(
        student,
        name,
        "graded",
        notebooks=tuple(
            NotebookResult(
                notebook.name, notebook.score, notebook.max_score, notebook.name not in files
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
        lost=tuple(lost for notebook in notebooks for lost in _lost(notebook, files)),
        unanswered=sum(_unanswered(notebook) for notebook in notebooks if notebook.name in files),
        changed=folder.is_dir() and left_to_grade(course, assignment, student) is None,
        unsafe=any(UNSAFE in words for words in told),
        mended=any(MENDED in words for words in told),
    )


def _state(course, assignment, student, handed_in):
    """Tell how far a student's grading is, and why it got no further."""
    folder = course.autograded / student / assignment
    if student not in handed_in:
        return "absent", ""
    reason = unusable(course, assignment, student)
    if not reason and any(folder.glob("*.ipynb")):
        return "not graded" if unfinished(folder) else "graded", ""
    if not reason:
        released = released_notebooks(course, assignment)
        search = find_notebooks(course.submitted / student / assignment, released)
        reason = unclear(search)
    if reason:
        return NEEDS_PERSON, reason
    nothing = all(found.status == MISSING for found in search.values())
    return "graded" if nothing else "not graded", ""


def _unanswered(notebook: SubmittedNotebook) -> float:
    """Add up the points of written answers that were left as they came."""
    return sum(
        grade.max_score
        for grade in notebook.grades
        if not _is_test(grade.name, notebook)
        and grade.auto_score == 0
        and grade.manual_score is None
    )


def _lost(notebook: SubmittedNotebook, files: dict[str, nbformat.NotebookNode]) -> list[LostPoints]:
    """List the test cells of one notebook that lost points."""
    cells = files[notebook.name].cells if notebook.name in files else []
    by_id = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in cells}
    order = list(by_id)
    tests = [grade for grade in notebook.grades if _is_test(grade.name, notebook)]
    if order:
        tests.sort(key=lambda grade: order.index(grade.name))
    return [
        LostPoints(
            grade.name,
            grade.score,
            grade.max_score,
            _reason(by_id.get(grade.name), f"{notebook.name}.ipynb"),
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
    verdict = read_verdict(cell) if judge_line(cell) else None
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
    try:
        with private_files():
            replace_whole(path, table(_rows(results)))
    except OSError as problem:
        raise KitError(f"{path} cannot be written: {problem.strerror}.") from problem


def _rows(results: list[StudentResult]) -> Iterator[list[str]]:
    notebooks = sorted({notebook.name for result in results for notebook in result.notebooks})
    before, after = ["student", "name", "state"], ["penalty", "total", "max", "by_hand"]
    header = [*before, *notebooks, *after, "late_seconds", "missing", "why"]
    yield header
    for result in results:
        row = {"student": result.student, "name": result.name, "state": result.state}
        row["why"] = "; ".join(why(result)) if result.trouble or result.state == "graded" else ""
        if result.state == "graded":
            row |= {notebook.name: points(notebook.score) for notebook in result.notebooks}
            row |= {
                "penalty": points(result.penalty),
                "total": points(result.score),
                "max": points(result.max_score),
                "by_hand": points(result.needs_manual),
                "late_seconds": f"{result.late_seconds:.0f}",
                "missing": " ".join(result.missing),
            }
        yield [row.get(column, "") for column in header]
