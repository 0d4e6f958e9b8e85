"""Grade what the students handed in, one student after the other."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from nbgrader.converters import Autograde

from coursekit.conversion import convert
from coursekit.course import Course, private_files
from coursekit.errors import KitError
from coursekit.judging import seeds

GRADED = "graded"
FAILED = "failed"
MISSING = "missing"


@dataclass(frozen=True)
class Outcome:
    """How the grading of one student went.

    Attributes
    ----------
    student : str
    status : str
        ``graded``; ``failed``, when nbgrader could not grade; or ``missing``, when there is no
        notebook to grade.
    detail : str
        What an instructor should know, in one sentence; empty if there is nothing to say.
    """

    student: str
    status: str
    detail: str = ""


def grade(
    course: Course,
    assignment: str,
    students: Iterable[str] | None = None,
    progress: Callable[[int, int, Outcome], None] | None = None,
) -> list[Outcome]:
    """Run nbgrader's autograder for each student who handed in the assignment.

    Whatever happens to one student's notebooks never stops the others. Points that a person gave
    by hand are kept, and marked for another look.

    Parameters
    ----------
    course : Course
    assignment : str
        A released assignment.
    students : iterable of str, optional
        Grade only these; by default everybody under `course.submitted`.
    progress : callable, optional
        Called after each student with the number done, the number of all, and the outcome.

    Returns
    -------
    list of Outcome
        In the order of the students.

    Raises
    ------
    CourseError
        If the assignment was never released.
    """
    course.released_assignment(assignment)
    if students is None:
        students = sorted(folder.parent.name for folder in _submissions(course, assignment))
    students = list(students)
    seeds.new_run()
    outcomes = []
    for done, student in enumerate(students, start=1):
        outcomes.append(_grade_student(course, assignment, student))
        if progress is not None:
            progress(done, len(students), outcomes[-1])
    return outcomes


def _submissions(course: Course, assignment: str) -> Iterator[Path]:
    return course.submitted.glob(f"*/{escape(assignment)}/")


def _grade_student(course: Course, assignment: str, student: str) -> Outcome:
    folder = course.submitted / student / assignment
    if not folder.is_dir():
        return Outcome(student, MISSING, f"Nothing of {assignment} was handed in.")
    missing = [
        f"{name}.ipynb"
        for name in course.notebooks(assignment)
        if not (folder / f"{name}.ipynb").is_file()
    ]
    if len(missing) == len(course.notebooks(assignment)):
        _grade_without_notebooks(course, assignment, student)
        return Outcome(student, MISSING, "No notebook was handed in: 0 points.")
    try:
        with private_files():
            convert(Autograde, course, assignment, escape(student))
    except KitError as problem:
        return Outcome(student, FAILED, str(problem))
    if missing:
        return Outcome(student, GRADED, f"Not handed in, 0 points: {', '.join(missing)}.")
    return Outcome(student, GRADED)


def _grade_without_notebooks(course: Course, assignment: str, student: str):
    """Give 0 points everywhere, as nbgrader does where one of several notebooks is missing."""
    folder = course.submitted / student / assignment
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student(student)
        timestamp = course.directory().get_existing_timestamp(str(folder))
        submission = gradebook.update_or_create_submission(assignment, student, timestamp=timestamp)
        for notebook in submission.notebooks:
            for grade in notebook.grades:
                grade.auto_score = 0
                grade.needs_manual_grade = False
        gradebook.db.commit()
