"""Grade what the students handed in, one student after the other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from glob import escape

from nbgrader.converters import Autograde
from nbgrader.utils import rmtree

from coursekit.conversion import convert
from coursekit.course import Course, private_files
from coursekit.errors import KitError
from coursekit.grading.selftest import check_sandbox
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
    by hand are kept, and marked for another look, unless their notebook is not there any more.

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
    KitError
        If the assignment was never released, nobody knows one of the students, or this machine
        cannot lock student code in.
    """
    course.released_assignment(assignment)
    handed_in = [folder.parent.name for folder in course.submissions(assignment)]
    if students is None:
        students = handed_in
    else:
        students = list(students)
        _check_known(course, assignment, set(students) - set(handed_in))
    if course.sandboxed:
        check_sandbox(course.config)
    seeds.new_run()
    outcomes = []
    for done, student in enumerate(students, start=1):
        outcomes.append(_grade_student(course, assignment, student))
        if progress is not None:
            progress(done, len(students), outcomes[-1])
    return outcomes


def _check_known(course: Course, assignment: str, students: set[str]):
    """Refuse students who handed in nothing and whom the gradebook does not list either."""
    with course.gradebook() as gradebook:
        unknown = sorted(students - {student.id for student in gradebook.students})
    if unknown:
        raise KitError(
            f"Nobody knows {', '.join(unknown)}: neither the gradebook nor what was handed in of "
            f"{assignment} under {course.submitted}; is it a participant number of MyCourses?"
        )


def _grade_student(course: Course, assignment: str, student: str) -> Outcome:
    folder = course.submitted / student / assignment
    if not folder.is_dir():
        return Outcome(student, MISSING, f"Nothing of {assignment} was handed in.")
    expected = course.notebooks(assignment)
    missing = [name for name in expected if not (folder / f"{name}.ipynb").is_file()]
    if missing == expected:
        _grade_without_notebooks(course, assignment, student)
        return Outcome(student, MISSING, "No notebook was handed in: 0 points.")
    _forget_unknown_time(course, assignment, student)
    try:
        with private_files():
            convert(Autograde, course, assignment, escape(student))
    except KitError as problem:
        return Outcome(student, FAILED, str(problem))
    if missing:
        _give_nothing(course, assignment, student, missing)
        names = ", ".join(f"{name}.ipynb" for name in missing)
        return Outcome(student, GRADED, f"Not handed in, 0 points: {names}.")
    return Outcome(student, GRADED)


def _forget_unknown_time(course: Course, assignment: str, student: str):
    """Drop the time of an earlier submission where that of this one is not known."""
    folder = course.submitted / student / assignment
    if course.directory().get_existing_timestamp(str(folder)) is None:
        with course.gradebook() as gradebook:
            for submission in gradebook.student_submissions(student):
                if submission.assignment.name == assignment:
                    submission.timestamp = None
            gradebook.db.commit()


def _grade_without_notebooks(course: Course, assignment: str, student: str):
    """Record a submission without notebooks, and remove what an earlier one had earned."""
    folder = course.submitted / student / assignment
    for earlier in (course.autograded, course.feedback):
        if (earlier / student / assignment).is_dir():
            rmtree(str(earlier / student / assignment))
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student(student)
        timestamp = course.directory().get_existing_timestamp(str(folder))
        gradebook.update_or_create_submission(assignment, student, timestamp=timestamp)
    _give_nothing(course, assignment, student, course.notebooks(assignment))


def _give_nothing(course: Course, assignment: str, student: str, missing: list[str]):
    """Give 0 points in notebooks that are missing, whatever an earlier submission earned there."""
    with course.gradebook() as gradebook:
        for notebook in gradebook.find_submission(assignment, student).notebooks:
            if notebook.name not in missing:
                continue
            notebook.late_submission_penalty = None
            for grade in notebook.grades:
                grade.auto_score = 0
                grade.manual_score = None
                grade.extra_credit = None
                grade.needs_manual_grade = False
        gradebook.db.commit()
