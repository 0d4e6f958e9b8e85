"""Write the feedback pages of the graded students, several at a time."""

from collections.abc import Callable

from nbgrader.converters import GenerateFeedback

from coursekit.conversion import convert, take_one_submission
from coursekit.course import Course
from coursekit.grading.each import write_for_each


class _Feedback(GenerateFeedback):
    """nbgrader's, for students with any id."""

    def init_notebooks(self):
        """Take the student's graded notebooks."""
        take_one_submission(self, self._input_directory)


def feedback(
    course: Course,
    assignment: str,
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> dict[str, str]:
    """Write ``feedback/<student>/<assignment>/*.html`` for every graded student.

    Parameters
    ----------
    course : Course
    assignment : str
    progress : callable, optional
        Called with the number of students done and of all.
    workers : int, optional
        Students at a time; by default one for each processor.

    Returns
    -------
    dict
        For each graded student an empty string, or the sentence why there is no feedback.

    Raises
    ------
    CourseError
        If the assignment was never released.
    """
    return write_for_each(_write, course, assignment, progress=progress, workers=workers)


def _write(course: Course, assignment: str, student: str):
    convert(_Feedback, course, assignment, student)
