"""Pack a graded round into one file for keeping."""

import hashlib
import importlib.metadata
import json
import os
import platform
import sqlite3
import stat
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.engine import make_url

import coursekit
from coursekit.course import CONFIG_FILE, Course, private_files
from coursekit.errors import KitError
from coursekit.keeping.scratch import scratch_folder
from coursekit.lock import alone
from coursekit.release import EPOCH
from coursekit.writing import written_whole

MANIFEST = "manifest.json"
GRADEBOOK = "gradebook.db"
COURSE_FILES = [CONFIG_FILE, "requirements.txt", "constraints.txt", "pyproject.toml"]
CACHES = {"__pycache__", ".ipynb_checkpoints"}
BLOCK = 2**20  # bytes that are read at once


@dataclass(frozen=True)
class Archived:
    """What an archive holds.

    Attributes
    ----------
    path : Path
    files : int
        How many, without the manifest.
    students : tuple of str
        Whose graded work it holds.
    ungraded : tuple of str
        Who handed in and is not graded.
    left_out : tuple of str
        Links and special files, relative to the course; and files whose names no zip can keep.
    """

    path: Path
    files: int
    students: tuple[str, ...]
    ungraded: tuple[str, ...]
    left_out: tuple[str, ...]


def archive(course: Course, assignment: str, output: Path) -> Archived:
    """Pack one round: the work, its grades and feedback, and what appeals need.

    The zip unpacks to a course folder in which ``coursekit verdict`` works. It also holds the kit's
    own code, for a later version may judge differently. ``manifest.json`` has the SHA-256 sum of
    each file, and the versions of Python and of all packages. The same round gives the same bytes.

    Parameters
    ----------
    course : Course
    assignment : str
    output : Path
        The zip, which only its owner will be able to read. It must not exist.

    Returns
    -------
    Archived

    Raises
    ------
    KitError
        If the archive exists, nobody is graded, the gradebook cannot be copied, a grading is at
        work, or what was written does not read back the same. Then no archive is left.
    """
    output = Path(output)
    course.released_assignment(assignment)
    students = _students(course.autograded, assignment)
    if not students:
        raise KitError(
            f"Nobody is graded yet under {course.autograded}; run: coursekit grade {assignment}"
        )
    _check_new(output)
    left_out: list[str] = []
    with alone(course), private_files(), scratch_folder(course) as scratch:
        files = dict(_files(course, assignment, left_out))
        files[GRADEBOOK] = _copy_gradebook(course, scratch)
        with written_whole(output) as file:
            _write(file, files, {"assignment": assignment, **_versions()})
            file.flush()
            os.fsync(file.fileno())
            check_archive(Path(file.name))
            _check_new(output)
    handed_in = _students(course.submitted, assignment)
    return Archived(
        output,
        len(files),
        tuple(students),
        tuple(student for student in handed_in if student not in students),
        tuple(left_out),
    )


def check_archive(path: Path) -> None:
    """Check that an archive holds the files of its manifest, byte for byte, and no others.

    Parameters
    ----------
    path : Path

    Raises
    ------
    KitError
        If it does not.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            expected = dict(json.loads(packed.read(MANIFEST))["files"])
            names = [name for name in packed.namelist() if name != MANIFEST]
            wrong = set(expected).symmetric_difference(names)
            for name in set(names) & set(expected):
                with packed.open(name) as file:
                    if hashlib.file_digest(file, "sha256").hexdigest() != expected[name]:
                        wrong.add(name)
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, OSError) as problem:
        raise KitError(f"{path} is not a whole archive of coursekit: {problem}.") from problem
    if wrong:
        raise KitError(
            f"{path} does not hold what its {MANIFEST} says: {', '.join(sorted(wrong))}."
        )


def _check_new(output: Path):
    if os.path.lexists(output):
        raise KitError(
            f"{output} exists, and an archive is never replaced; name another file with -o."
        )
    if not output.parent.is_dir():
        raise KitError(f"There is no folder {output.parent} to write an archive to.")


def _students(step: Path, assignment: str) -> list[str]:
    """List the students of whom a step has a folder, none of them a link."""
    homes = sorted(step.iterdir()) if step.is_dir() else []
    return [home.name for home in homes if _is_folder(home) and _is_folder(home / assignment)]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _files(course: Course, assignment: str, left_out: list[str]) -> Iterator[tuple[str, Path]]:
    """List what goes into the archive, by its name there; note what cannot."""
    root = course.root
    secret = Path(course.config.PoseChallenges.secret_file)
    singles = [root / name for name in COURSE_FILES]
    if secret.is_relative_to(root):
        singles.append(secret)
    for path in singles:
        if path.is_file():
            yield path.relative_to(root).as_posix(), path
    folders = [course.source / assignment, course.release / assignment]
    for step in (course.submitted, course.autograded, course.feedback):
        folders += [step / student / assignment for student in _students(step, assignment)]
    for folder in folders:
        yield from _tree(folder, root, left_out)
    kit = Path(coursekit.__file__).parent
    yield from _tree(kit, kit.parent, left_out)


def _tree(folder: Path, top: Path, left_out: list[str]) -> Iterator[tuple[str, Path]]:
    """List the files below a folder by their names relative to `top`; no link is followed."""
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(set(folders) - CACHES)
        links = [name for name in folders if (here / name).is_symlink()]
        for path in (here / name for name in [*links, *sorted(names)]):
            name = path.relative_to(top).as_posix()
            if stat.S_ISREG(path.lstat().st_mode) and _can_be_told(name):
                yield name, path
            else:
                left_out.append(name.encode(errors="replace").decode())


def _can_be_told(name: str) -> bool:
    """Tell whether a name is text: a zip has no place for one that is mere bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _copy_gradebook(course: Course, folder: Path) -> Path:
    """Copy the gradebook as it stands between two changes, without what was removed from it."""
    url = make_url(course.directory().db_url)
    if url.get_backend_name() != "sqlite":
        raise KitError(f"The gradebook {url} is not an SQLite file, so it cannot be packed.")
    path = folder / GRADEBOOK
    try:
        with closing(sqlite3.connect(url.database)) as live, closing(sqlite3.connect(path)) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, whatever the live one keeps
            copy.execute("VACUUM")
    except sqlite3.DatabaseError as problem:
        raise KitError(f"The gradebook {url.database} cannot be copied: {problem}.") from problem
    return path


def _write(file: BinaryIO, files: dict[str, Path], about: dict):
    """Write the zip, and last the manifest with the sums of what was written."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        sums = {name: _add(packed, name, files[name]) for name in sorted(files)}
        manifest = json.dumps({**about, "files": sums}, indent=1, ensure_ascii=False)
        packed.writestr(_entry(MANIFEST), manifest + "\n")


def _add(packed: zipfile.ZipFile, name: str, path: Path) -> str:
    """Add one file, block by block, and return its SHA-256 sum."""
    digest = hashlib.sha256()
    entry = _entry(name)
    entry.file_size = path.stat().st_size  # from which the zip decides on its format
    with path.open("rb") as file, packed.open(entry, "w") as target:
        while block := file.read(BLOCK):
            digest.update(block)
            target.write(block)
    return digest.hexdigest()


def _entry(name: str) -> zipfile.ZipInfo:
    """Describe a file of the archive: no date, and for the owner alone once it is unpacked."""
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix
    entry.external_attr = (stat.S_IFREG | 0o600) << 16
    return entry


def _versions() -> dict:
    """Name what the round was graded with, as far as it is installed now."""
    installed = {dist.metadata["Name"]: dist.version for dist in importlib.metadata.distributions()}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": dict(sorted(installed.items())),
    }
