"""Whether a student's points may go to MyCourses."""

import math

from coursekit.grading.student import StudentResult, points

ABSENT = "nothing was handed in"


def not_ready(result: StudentResult, provisional: bool = False) -> str:
    """Say why a student's points are not to be told yet.

    Parameters
    ----------
    result : StudentResult
    provisional : bool
        Whether points may go out that are not the last word.

    Returns
    -------
    str
        A reason, with the remedy; empty if there is none.
    """
    if result.state == "absent":
        return ABSENT
    if result.state == "not graded":
        return f"not graded{f' ({result.trouble})' if result.trouble else ''}: run coursekit grade"
    if result.state != "graded":
        return f"{result.state}: {result.trouble}"
    if not math.isfinite(sum(notebook.score for notebook in result.notebooks) - result.penalty):
        return "the points are no number: look at them in nbgrader's formgrader"
    if provisional:
        return ""
    if result.changed:
        return "the work changed since it was graded: run coursekit grade, or add --provisional"
    if result.needs_manual:
        return (
            f"{points(result.needs_manual)} points are still to be given in nbgrader's formgrader; "
            "--provisional tells what there is"
        )
    return ""
