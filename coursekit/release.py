"""Make the students' version of an assignment, and the zip of it for MyCourses."""

import io
import shutil
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nbgrader.converters import GenerateAssignment

from coursekit.conversion import convert
from coursekit.course import Course, public_files

INSTALLED = b"""
# The package beside the notebooks, so that Jupyter finds what it offers
--editable .
"""
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold


@dataclass(frozen=True)
class Released:
    """Where a release lies.

    Attributes
    ----------
    folder, archive : Path
    files : tuple of str
        Names of the released files, relative to `folder`.
    """

    folder: Path
    archive: Path
    files: tuple[str, ...]


def release(course: Course, assignment: str, due: datetime | None = None) -> Released:
    """Make ``release/<assignment>`` and ``build/<assignment>.zip`` from the source.

    Doing it again changes no byte. Files of an earlier release that the source no longer has
    disappear. The gradebook learns the assignment's cells and points.

    Parameters
    ----------
    course : Course
    assignment : str
    due : datetime, optional
        The deadline, in the course's time zone if it names none; without it the gradebook keeps
        the deadline it has.

    Returns
    -------
    Released

    Raises
    ------
    KitError
        If nbgrader refuses the source, or students' work hangs on the notebooks of an earlier
        release that had other ones.
    """
    with course.gradebook() as gradebook:
        if due is not None:
            moment = due if due.tzinfo else course.to_utc(due)
            gradebook.update_or_create_assignment(assignment, duedate=moment)
    with public_files():
        convert(GenerateAssignment, course, assignment)
        return _pack_release(course, assignment)


def _pack_release(course: Course, assignment: str) -> Released:
    """Clean what nbgrader made and zip it, with the requirements."""
    folder = course.release / assignment
    _remove_caches(folder)
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    archive = course.build / f"{assignment}.zip"
    contents = dict(files)
    requirements = course.root / "requirements.txt"
    if requirements.is_file():
        package = INSTALLED if "pyproject.toml" in files else b""
        contents["requirements.txt"] = requirements.read_bytes() + package
    archive.parent.mkdir(exist_ok=True)
    archive.write_bytes(pack(assignment, contents))
    return Released(folder, archive, tuple(files))


def _remove_caches(folder: Path):
    """Remove what tools left in the source and nbgrader copied: hidden folders and caches."""
    for path in list(folder.rglob("*")):
        if path.is_dir() and (path.name.startswith(".") or path.name == "__pycache__"):
            shutil.rmtree(path)


def pack(top: str, files: dict[str, bytes]) -> bytes:
    """Make a zip that depends on nothing but the files' names and contents.

    Parameters
    ----------
    top : str
        Name of the folder that the zip unpacks to.
    files : dict
        Contents by relative name.

    Returns
    -------
    bytes
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{top}/{name}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, on whatever system the zip is made
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()
