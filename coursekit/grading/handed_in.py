"""What a student's folder under ``submitted/`` tells beside its notebooks."""

from datetime import UTC, datetime

from coursekit.course import Course


def unusable(course: Course, assignment: str, student: str) -> str:
    """Say why nbgrader cannot take a student's folder, whatever lies in it.

    Parameters
    ----------
    course : Course
    assignment, student : str

    Returns
    -------
    str
        One sentence with the remedy; empty if there is no trouble.
    """
    name = student.encode(errors="replace").decode()
    if name != student.strip() or not name.isprintable():
        return (
            f"nbgrader cannot keep a student under the id {name!r}; rename the folder under "
            f"{course.submitted.name}, without blanks at its ends and without odd characters."
        )
    try:
        _told_time(course, assignment, student)
    except (AttributeError, ArithmeticError, ValueError, OSError):  # nbgrader trips over no time
        return (
            "timestamp.txt holds no time; write one such as 2026-11-20 12:00:00 UTC, or remove "
            "the file if the time is not known."
        )
    return ""


def handed_in_at(course: Course, assignment: str, student: str) -> datetime:
    """Tell when a student handed in, or else when that was collected.

    Parameters
    ----------
    course : Course
    assignment, student : str

    Returns
    -------
    datetime
        In UTC; long ago, if nothing was handed in.
    """
    told = (
        None if unusable(course, assignment, student) else _told_time(course, assignment, student)
    )
    if told is not None:
        return told.replace(tzinfo=UTC)
    folder = course.submitted / student / assignment
    return datetime.fromtimestamp(folder.stat().st_mtime if folder.is_dir() else 0, UTC)


def _told_time(course, assignment, student):
    return course.directory().get_existing_timestamp(str(course.submitted / student / assignment))
