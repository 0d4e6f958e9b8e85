"""Whether a student's points may go to MyCourses."""

import math

from coursekit.course import Course
from coursekit.grading.handed_in import handed_in_at
from coursekit.grading.student import StudentResult, points
from coursekit.mycourses.sheet import Sheet
from coursekit.mycourses.worksheet import SUBMITTED, date

ABSENT = "nothing was handed in"
RESUBMITTED = (
    "handed in after the collection: collect a new download, and grade it, or add --provisional"
)
LATER = (
    "MyCourses has a submission that is not collected: collect a new download, and grade it, "
    "unless you removed it yourself (coursekit forget)"
)
WITHDRAWN = (
    "MyCourses has no submission (any more): if it was withdrawn, remove the folder under "
    "submitted/, else add --provisional"
)


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


def outdated(course: Course, assignment: str, sheet: Sheet) -> dict[str, str]:
    """Say of whom MyCourses has another submission than the one that was collected.

    Parameters
    ----------
    course : Course
    assignment : str
    sheet : Sheet
        The worksheet; without times of submission in it nobody is named.

    Returns
    -------
    dict of str to str
        A reason, with the remedy, by participant; of those alone of whom something was collected.

    Raises
    ------
    WorksheetError
        If a time cannot be read. The sentence does not end in a full stop.
    """
    collected = {folder.parent.name for folder in course.submissions(assignment)}
    reasons = {}
    for participant in sheet.participants if SUBMITTED in sheet.columns else ():
        submitted = date(sheet, participant, SUBMITTED, course)
        if participant not in collected:
            continue
        if submitted is None:
            reasons[participant] = WITHDRAWN
        elif submitted > handed_in_at(course, assignment, participant):
            reasons[participant] = RESUBMITTED
    return reasons
