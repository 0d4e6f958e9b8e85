"""Read a graded class: points of every question, verdicts, times and answers of every notebook."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbgrader.api import Assignment, SubmittedAssignment, SubmittedNotebook
from nbgrader.utils import is_solution

from coursekit.course import Course
from coursekit.errors import KitError
from coursekit.grading.execute import NOT_RUN, STOPPED
from coursekit.grading.matching import Released, claim
from coursekit.grading.released import released_notebooks
from coursekit.grading.results import results
from coursekit.grading.student import StudentResult
from coursekit.judging.preprocessors import judge_line
from coursekit.judging.rounds import TASKS
from coursekit.judging.verdict import Verdict, read_verdict

LONGEST_RUN = 3600.0
"""Seconds; a kernel that tells of more in one cell tells nothing."""


@dataclass(frozen=True)
class Question:
    """A graded cell of the assignment.

    Attributes
    ----------
    notebook, cell : str
        Name of the notebook, and nbgrader's grade id.
    title : str
        What is asked, as a student reads it; the grade id where the judge has no words for it.
    max_score : float
    by_hand : bool
        Whether a person grades it.
    """

    notebook: str
    cell: str
    title: str
    max_score: float
    by_hand: bool


@dataclass(frozen=True)
class Points:
    """Points of one student in one question; `pending` until a person has given them."""

    score: float
    pending: bool


@dataclass(frozen=True)
class Graded:
    """One graded notebook of one student.

    Attributes
    ----------
    id : str
        By which nbgrader's formgrader knows it.
    points : dict of str to Points
        By grade id.
    verdicts : dict of str to Verdict
        By grade id, of the judged cells.
    answers : dict of str to nbformat.NotebookNode
        By grade id, the cells that were answered.
    seconds : float or None
        How long its cells ran, as its kernel told; None if that is not known.
    stopped : str
        Why it was not run to its end; empty if it was.
    there : bool
        Whether the notebook was handed in.
    """

    id: str
    points: dict[str, Points]
    verdicts: dict[str, Verdict]
    answers: dict[str, nbformat.NotebookNode]
    seconds: float | None
    stopped: str
    there: bool


@dataclass(frozen=True)
class ClassRead:
    """A graded class.

    Attributes
    ----------
    course_id, assignment : str
    due : datetime or None
        In UTC.
    students : list of StudentResult
        Everybody, in the order of the ids.
    questions : list of Question
        In the order of the notebooks.
    releases : dict of str to nbformat.NotebookNode
        The notebooks as the students got them.
    notebooks : dict
        `Graded` by student and by notebook, of those who are graded.
    handed_in : dict of str to datetime
        In UTC, by student, where it is known.
    """

    course_id: str
    assignment: str
    due: datetime | None
    students: list[StudentResult]
    questions: list[Question]
    releases: dict[str, nbformat.NotebookNode]
    notebooks: dict[str, dict[str, Graded]]
    handed_in: dict[str, datetime]

    @property
    def graded(self) -> list[StudentResult]:
        """Those who are graded."""
        return [student for student in self.students if student.student in self.notebooks]


def read_class(course: Course, assignment: str) -> ClassRead:
    """Read a graded class.

    Parameters
    ----------
    course : Course
    assignment : str
        A released assignment.

    Returns
    -------
    ClassRead

    Raises
    ------
    KitError
        If the assignment was never released, or its release is damaged.
    """
    students = results(course, assignment)
    graded = {student.student for student in students if student.state == "graded"}
    releases = released_notebooks(course, assignment)
    with course.gradebook() as gradebook:
        known = gradebook.find_assignment(assignment)
        submissions = [
            submission for submission in known.submissions if submission.student.id in graded
        ]
        return ClassRead(
            course.directory().course_id,
            assignment,
            _in_utc(known.duedate),
            students,
            _questions(known, releases),
            releases,
            {
                submission.student.id: _notebooks(course, submission, releases)
                for submission in submissions
            },
            {
                submission.student.id: _in_utc(submission.timestamp)
                for submission in submissions
                if submission.timestamp
            },
        )


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(tzinfo=UTC)


def _questions(known: Assignment, releases: dict) -> list[Question]:
    """List the graded cells as they stand in the notebooks."""
    notebooks = {notebook.name: notebook for notebook in known.notebooks}
    found = []
    for name, release in releases.items():
        order = [claim(cell) for cell in release.cells]
        written = {claim(cell) for cell in release.cells if is_solution(cell)}
        cells = [cell for cell in notebooks[name].grade_cells if cell.name in order]
        for cell in sorted(cells, key=lambda cell: order.index(cell.name)):
            title = TASKS[cell.name].title if cell.name in TASKS else cell.name
            by_hand = cell.name in written
            found.append(Question(name, cell.name, title, cell.max_score, by_hand))
    return found


def _notebooks(course: Course, submission: SubmittedAssignment, releases) -> dict[str, Graded]:
    folder = course.autograded / submission.student.id / submission.assignment.name
    return {
        notebook.name: _graded(notebook, folder / f"{notebook.name}.ipynb", releases)
        for notebook in submission.notebooks
        if notebook.name in releases
    }


def _graded(notebook: SubmittedNotebook, path: Path, releases) -> Graded:
    cells = _cells(path)
    by_id = {claim(cell): cell for cell in cells}
    judged = {name: read_verdict(cell) for name, cell in by_id.items() if judge_line(cell)}
    return Graded(
        id=notebook.id,
        points={
            grade.name: Points(grade.score, grade.needs_manual_grade) for grade in notebook.grades
        },
        verdicts={name: verdict for name, verdict in judged.items() if verdict is not None},
        answers=_answers(by_id, releases[notebook.name]),
        seconds=_seconds(cells),
        stopped=_stopped(cells),
        there=path.is_file(),
    )


def _cells(path: Path) -> list[nbformat.NotebookNode]:
    """Read the cells of a graded notebook, of which `results` has just seen that it is one."""
    if not path.is_file():
        return []
    try:
        return nbformat.v4.reads(path.read_text("utf-8")).cells
    except (OSError, ValueError, AttributeError, KeyError) as problem:
        raise KitError(
            f"{path} was changed while it was read; is a grading under way? Try again after it."
        ) from problem


def _answers(by_id: dict, release: nbformat.NotebookNode) -> dict[str, nbformat.NotebookNode]:
    items = [Released(cell, place) for place, cell in enumerate(release.cells)]
    return {
        item.name: by_id[item.name]
        for item in items
        if item.answer and item.name in by_id and not item.unanswered(by_id[item.name])
    }


def _seconds(cells: list[nbformat.NotebookNode]) -> float | None:
    """Add up how long the cells ran; the times come from the kernel, where student code runs."""
    spans = [_span(cell.metadata.get("execution")) for cell in cells if cell.cell_type == "code"]
    known = [span for span in spans if span is not None]
    return sum(known) if known else None


def _span(told: object) -> float | None:
    try:
        start, end = (
            datetime.fromisoformat(told[moment])
            for moment in ("iopub.execute_input", "shell.execute_reply")
        )
        seconds = (end - start).total_seconds()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= LONGEST_RUN else None


def _stopped(cells: list[nbformat.NotebookNode]) -> str:
    """Tell with which words the first cell was stopped or left out."""
    for cell in cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error" and output.ename in (STOPPED, NOT_RUN):
                return f"{output.ename}: {output.evalue}"
    return ""
