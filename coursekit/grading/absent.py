"""What was not handed in: who that is, and the zeros that it gets."""

from collections.abc import Collection

from nbgrader.api import Gradebook

from coursekit.course import Course


def record_without_notebooks(
    course: Course, gradebook: Gradebook, assignment: str, student: str
) -> None:
    """Record a submission without notebooks; what an earlier one had earned is lost.

    Parameters
    ----------
    course : Course
    gradebook : Gradebook
    assignment, student : str
    """
    folder = course.submitted / student / assignment
    gradebook.update_or_create_student(student)
    timestamp = course.directory().get_existing_timestamp(str(folder))
    gradebook.update_or_create_submission(assignment, student, timestamp=timestamp)
    give_nothing(gradebook, assignment, student, course.notebooks(assignment))


def give_nothing(
    gradebook: Gradebook, assignment: str, student: str, missing: Collection[str]
) -> None:
    """Give 0 points in notebooks that are missing, whatever an earlier submission earned there.

    Parameters
    ----------
    gradebook : Gradebook
        Who calls this commits.
    assignment, student : str
    missing : collection of str
        Names of notebooks.
    """
    for notebook in gradebook.find_submission(assignment, student).notebooks if missing else ():
        if notebook.name not in missing:
            continue
        notebook.late_submission_penalty = None
        for grade in notebook.grades:
            grade.auto_score = 0
            grade.manual_score = None
            grade.extra_credit = None
            grade.needs_manual_grade = False


def not_handed_in(course: Course, assignment: str) -> list[str]:
    """List the students of the gradebook of whom nothing was collected.

    Parameters
    ----------
    course : Course
    assignment : str

    Returns
    -------
    list of str
    """
    handed_in = {folder.parent.name for folder in course.submissions(assignment)}
    with course.gradebook() as gradebook:
        return sorted({student.id for student in gradebook.students} - handed_in)
