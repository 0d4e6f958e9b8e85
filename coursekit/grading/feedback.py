"""Write the feedback pages of the graded students."""

from glob import escape

from nbgrader.converters import GenerateFeedback

from coursekit.conversion import convert
from coursekit.course import Course, private_files
from coursekit.errors import KitError


def feedback(course: Course, assignment: str) -> dict[str, str]:
    """Write ``feedback/<student>/<assignment>/*.html`` for every graded student.

    Parameters
    ----------
    course : Course
    assignment : str

    Returns
    -------
    dict
        For each graded student an empty string, or the sentence why there is no feedback.

    Raises
    ------
    CourseError
        If the assignment was never released.
    """
    course.released_assignment(assignment)
    outcomes = {}
    for folder in sorted(course.autograded.glob(f"*/{escape(assignment)}/")):
        student = folder.parent.name
        try:
            with private_files():
                convert(GenerateFeedback, course, assignment, escape(student))
        except KitError as problem:
            outcomes[student] = str(problem)
        else:
            outcomes[student] = ""
    return outcomes
