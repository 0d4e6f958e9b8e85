"""What was not handed in: who that is, and the zeros that it gets."""

from nbgrader.utils import rmtree

from coursekit.course import Course


def forget_unknown_time(course: Course, assignment: str, student: str):
    """Drop the time of an earlier submission where that of this one is not known.

    Parameters
    ----------
    course : Course
    assignment, student : str
    """
    folder = course.submitted / student / assignment
    if course.directory().get_existing_timestamp(str(folder)) is None:
        with course.gradebook() as gradebook:
            for submission in gradebook.student_submissions(student):
                if submission.assignment.name == assignment:
                    submission.timestamp = None
            gradebook.db.commit()


def record_without_notebooks(course: Course, assignment: str, student: str):
    """Record a submission without notebooks, and remove what an earlier one had earned.

    Parameters
    ----------
    course : Course
    assignment, student : str
    """
    folder = course.submitted / student / assignment
    for earlier in (course.autograded, course.feedback):
        if (earlier / student / assignment).is_dir():
            rmtree(str(earlier / student / assignment))
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student(student)
        timestamp = course.directory().get_existing_timestamp(str(folder))
        gradebook.update_or_create_submission(assignment, student, timestamp=timestamp)
    give_nothing(course, assignment, student, course.notebooks(assignment))


def give_nothing(course: Course, assignment: str, student: str, missing: list[str]):
    """Give 0 points in notebooks that are missing, whatever an earlier submission earned there.

    Parameters
    ----------
    course : Course
    assignment, student : str
    missing : list of str
        Names of notebooks.
    """
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
