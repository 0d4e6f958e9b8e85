"""What was not handed in: who that is, and the zeros that it gets."""

from collections.abc import Collection

from nbgrader.api import Gradebook

from coursekit.course import Course
from coursekit.grading.student import points


def record_without_notebooks(
    course: Course, gradebook: Gradebook, assignment: str, student: str
) -> str:
    """Record a submission without notebooks; what an earlier one had earned is lost.

    Parameters
    ----------
    course : Course
    gradebook : Gradebook
    assignment, student : str

    Returns
    -------
    str
        As of `give_nothing`.
    """
    folder = course.submitted / student / assignment
    gradebook.update_or_create_student(student)
    timestamp = course.directory().get_existing_timestamp(str(folder))
    gradebook.update_or_create_submission(assignment, student, timestamp=timestamp)
    return give_nothing(gradebook, assignment, student, course.notebooks(assignment))


def give_nothing(
    gradebook: Gradebook, assignment: str, student: str, missing: Collection[str]
) -> str:
    """Give 0 points in notebooks that are missing, whatever an earlier submission earned there.

    Parameters
    ----------
    gradebook : Gradebook
        Who calls this commits.
    assignment, student : str
    missing : collection of str
        Names of notebooks.

    Returns
    -------
    str
        A sentence that names the points of a person that are gone; empty if none are.
    """
    gone = []
    for notebook in gradebook.find_submission(assignment, student).notebooks if missing else ():
        if notebook.name not in missing:
            continue
        notebook.late_submission_penalty = None
        for grade in notebook.grades:
            if grade.manual_score is not None:
                gone.append(f"{grade.name} {points(grade.manual_score)}")
            grade.auto_score = 0
            grade.manual_score = None
            grade.extra_credit = None
            grade.needs_manual_grade = False
    return f"Points given by hand there are gone: {', '.join(gone)}." if gone else ""


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
