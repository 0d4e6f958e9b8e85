"""Put what a student handed in under ``submitted/``, never losing what lies there."""

import filecmp
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from coursekit.course import Course
from coursekit.grading.handed_in import unusable
from coursekit.mycourses.owners import TIMESTAMP

NEW = "new"
CHANGED = "changed"
UNCHANGED = "unchanged"
OLDER = "older"
UNDATED = "undated"
REFUSED = "refused"

SCRATCH = ".collecting-"  # a folder beside the assignment's, with these two in it
NEW_FILES, OLD = "new", "old"


@dataclass(frozen=True)
class Placed:
    """What became of one student's folder.

    Attributes
    ----------
    change : str
        ``new``, ``changed``, ``unchanged``; ``older`` where the folder holds later work, which
        stayed; ``undated`` where it holds other work whose time is known, which stayed because the
        time of this is not; ``refused`` where there was nothing to write, so that nothing was.
    files : tuple of str
        Names of the files that are new, other or gone.
    """

    change: str
    files: tuple[str, ...] = ()


def put_back(course: Course) -> None:
    """Put back what a collection that was killed had moved aside, and remove what it left.

    Parameters
    ----------
    course : Course
        In which nobody else is at work.
    """
    for scratch in course.submitted.glob(f"*/{SCRATCH}*/"):
        folder = scratch.with_name(scratch.name.removeprefix(SCRATCH))
        if (scratch / OLD).exists() and not folder.exists():
            os.rename(scratch / OLD, folder)
        shutil.rmtree(scratch)


def place(
    course: Course,
    assignment: str,
    student: str,
    contents: Iterable[tuple[PurePosixPath, bytes]],
    submitted: datetime | None,
) -> Placed:
    """Write one student's folder as a whole, unless it is the same or what lies there is later.

    Parameters
    ----------
    course : Course
    assignment, student : str
    contents : iterable of (PurePosixPath, bytes)
        Each file under its path, which is safe.
    submitted : datetime or None
        In UTC; None if it is not known.

    Returns
    -------
    Placed
    """
    home = course.submitted / student
    folder, scratch = home / assignment, home / f"{SCRATCH}{assignment}"
    new = scratch / NEW_FILES
    new.mkdir(parents=True)
    try:
        for name, content in contents:
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if not any(new.iterdir()):
            return Placed(REFUSED)
        if not folder.exists():
            _stamp(new, submitted)
            os.rename(new, folder)
            return Placed(NEW)
        files = tuple(sorted(_differences(new, folder)))
        before = _known_time(course, assignment, student)
        if files and before is not None and (submitted is None or submitted < before):
            return Placed(UNDATED if submitted is None else OLDER, files)
        # nbgrader zip_collect writes the same time in other characters.
        same_time = None not in (submitted, before) and _written(submitted) == _written(before)
        if not files and (same_time or submitted is None):
            return Placed(UNCHANGED)
        if same_time:
            shutil.copy2(folder / TIMESTAMP, new / TIMESTAMP)
        else:
            _stamp(new, submitted)
        _swap(new, folder, scratch / OLD)
        return Placed(CHANGED, files)
    finally:
        # Should the old folder not find its way back, it is the student's only copy.
        if folder.exists() or not (scratch / OLD).exists():
            shutil.rmtree(scratch)
        with suppress(OSError):  # it is not empty
            home.rmdir()


def _known_time(course: Course, assignment: str, student: str) -> datetime | None:
    """Tell when the work that lies there was handed in, if its file of the time can be read."""
    folder = course.submitted / student / assignment
    if not (folder / TIMESTAMP).is_file() or unusable(course, assignment, student):
        return None
    told = course.directory().get_existing_timestamp(str(folder))  # None if the file is empty
    return told and told.replace(tzinfo=UTC)


def _stamp(folder: Path, submitted: datetime | None):
    if submitted is not None:
        (folder / TIMESTAMP).write_text(_written(submitted))


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC\n"


def _differences(new: Path, folder: Path) -> set[str]:
    """Name the files that differ; to the others, their times are given back."""
    names = {
        path.relative_to(top).as_posix()
        for top in (new, folder)
        for path in top.rglob("*")
        if not path.is_dir()
    } - {TIMESTAMP}
    differing = {name for name in names if not _same(new / name, folder / name)}
    for name in names - differing:
        _keep_time(new / name, folder / name)
    return differing


def _keep_time(new: Path, before: Path):
    """Give a file the time of the one that it equals: grading sees by it that nothing changed."""
    told = before.stat()
    os.utime(new, ns=(told.st_atime_ns, told.st_mtime_ns))


def _same(one: Path, other: Path) -> bool:
    """Tell whether both are files, with the same contents."""
    return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)


def _swap(new: Path, folder: Path, old: Path):
    """Put the new folder in the place of the old one."""
    try:
        os.rename(folder, old)
        os.rename(new, folder)
    except BaseException:  # an interruption too
        if not folder.exists():
            os.rename(old, folder)
        raise
