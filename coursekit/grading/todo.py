"""Which notebooks of a student are still to be graded, told by the files alone.

While a student is being graded, and as long as some notebooks are not, the graded folder holds a
list of those. So a run that ends in the middle, however it ends, leaves nobody half graded who
looks graded.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from coursekit.course import Course

TO_DO = ".to-grade"


def left_to_grade(course: Course, assignment: str, student: str) -> set[str] | None:
    """Tell what of a student's work is not graded as it was handed in last.

    Parameters
    ----------
    course : Course
    assignment, student : str

    Returns
    -------
    set of str or None
        Names of notebooks; empty if all are graded; None if everything is to be graded.
    """
    work = course.submitted / student / assignment
    folder = course.autograded / student / assignment
    graded = [_time(path) for path in folder.glob("*.ipynb")]
    times = {course.directory().get_existing_timestamp(str(place)) for place in (work, folder)}
    if not graded or len(times) > 1 or _changed(work) > min(graded):
        return None
    return _listed(folder / TO_DO)


def note_left(folder: Path, names: Iterable[str]) -> None:
    """Write down which notebooks are to be graded; when none is, the list goes.

    Parameters
    ----------
    folder : Path
        The student's graded folder of the assignment.
    names : iterable of str
    """
    names = sorted(names)
    if not names:
        (folder / TO_DO).unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / f"{TO_DO}.new"
    scratch.write_text(json.dumps(names), "utf-8")
    os.replace(scratch, folder / TO_DO)


def _listed(path: Path) -> set[str] | None:
    try:
        return set(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return set()
    except (ValueError, TypeError):  # of another version, or edited: do all again
        return None


def _changed(work: Path) -> float:
    """Tell when anything in a folder was last written, added, renamed or removed."""
    times = [_time(work)]
    for top, folders, files in os.walk(work):
        folders[:] = [name for name in folders if not name.startswith(".")]
        times += [_time(Path(top, name)) for name in folders + files]
    return max(times)


def _time(path: Path) -> float:
    return path.stat(follow_symlinks=False).st_mtime
