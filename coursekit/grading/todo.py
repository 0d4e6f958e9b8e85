"""Which notebooks of a student are still to be graded, told by the files alone.

A student's graded folder holds a small file that says what the work looked like when it was read,
and which of its notebooks are not graded yet. It is written before anything else is changed, and
its last name goes when all is saved: so a run that ends in the middle, however it ends, leaves
nobody half graded who looks graded.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from coursekit.course import Course
from coursekit.writing import replace_whole

STATE = ".coursekit.json"


def fingerprint(work: Path) -> str:
    """Describe the files of a folder by their names, sizes and times, so that a change shows.

    Parameters
    ----------
    work : Path

    Returns
    -------
    str
    """
    found = []
    for top, folders, files in os.walk(work):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (os.path.join(top, name) for name in files):
            told = os.lstat(path)
            found.append((os.path.relpath(path, work), told.st_size, told.st_mtime_ns))
    return hashlib.sha256(repr(sorted(found)).encode(errors="replace")).hexdigest()


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
    graded = [path.stat() for path in folder.glob("*.ipynb")]
    if not graded or not all(told.st_size for told in graded):
        return None
    state = _state(folder)
    if state is not None:
        return state["left"] if state["handed_in"] == fingerprint(work) else None
    if (folder / STATE).exists():
        return None
    return _left_by_nbgrader(course, work, folder, min(told.st_mtime for told in graded))


def unfinished(folder: Path) -> bool:
    """Tell whether a graded folder says that notebooks of it are still to be graded.

    Parameters
    ----------
    folder : Path
    """
    state = _state(folder)
    return bool(state["left"]) if state is not None else (folder / STATE).exists()


def note_left(folder: Path, handed_in: str, names: Iterable[str]) -> None:
    """Write down which notebooks are to be graded, of which state of the work.

    Parameters
    ----------
    folder : Path
        The student's graded folder of the assignment.
    handed_in : str
        The work's `fingerprint`.
    names : iterable of str
    """
    folder.mkdir(parents=True, exist_ok=True)
    left = json.dumps({"handed_in": handed_in, "left": sorted(names)})
    replace_whole(folder / STATE, left.encode())


def forget_graded(folder: Path, names: Iterable[str]) -> None:
    """Remove graded notebooks, and with the last of them all that was beside them.

    What says that they are to be graded stays.

    Parameters
    ----------
    folder : Path
    names : iterable of str
    """
    for name in names:
        (folder / f"{name}.ipynb").unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.glob("*.ipynb")):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != STATE:
                path.unlink()


def forget_student(folder: Path, names: Iterable[str]) -> None:
    """Remove graded notebooks; where none is left, the folder as well.

    Parameters
    ----------
    folder : Path
    names : iterable of str
    """
    forget_graded(folder, names)
    if folder.is_dir() and not any(folder.glob("*.ipynb")):
        (folder / STATE).unlink(missing_ok=True)
        folder.rmdir()


def _state(folder: Path) -> dict | None:
    """Read the state; None if there is none, or none that can be read."""
    try:
        told = json.loads((folder / STATE).read_text("utf-8"))
        return {"handed_in": str(told["handed_in"]), "left": {str(name) for name in told["left"]}}
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _left_by_nbgrader(course, work, folder, graded):
    """Tell by times whether work that nbgrader's own command graded has changed since."""
    times = {course.directory().get_existing_timestamp(str(place)) for place in (work, folder)}
    changed = [work.stat().st_mtime]
    for top, _, files in os.walk(work):
        changed += [os.lstat(os.path.join(top, name)).st_mtime for name in files]
    return set() if len(times) == 1 and max(changed) <= graded else None
