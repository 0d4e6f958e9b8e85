"""Bring MyCourses' submissions into the course, and tell what is in them."""

import filecmp
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from nbformat import NotebookNode

from coursekit.course import Course, private_files
from coursekit.grading.finding import FOUND, MISSING, NEEDS_PERSON, Found, find_notebooks
from coursekit.grading.released import released_notebooks
from coursekit.mycourses.download import Download, DownloadError, Ignored, open_download
from coursekit.mycourses.worksheet import Participant, read_worksheet

TIMESTAMP = "timestamp.txt"
LONGEST_PATH = 500  # bytes; macOS ends at 1024, with the course's own folder


@dataclass(frozen=True)
class Submission:
    """What one student handed in.

    Attributes
    ----------
    student : str
        The participant number, which is nbgrader's student id.
    notebooks, missing : tuple of str
        Names, without ``.ipynb``, of the assignment's notebooks that are there and that are not.
    unclear : tuple of str
        A sentence for whatever a person has to look at before the other notebooks can be graded.
    told : tuple of str
        Sentences on notebooks that were found under another name, or among several files.
    change : str
        ``new``, ``changed`` or ``unchanged``, compared with what had been collected before.
    time_lost : bool
        Whether the time of submission was known before, and is not known of the changed work.
    """

    student: str
    notebooks: tuple[str, ...]
    missing: tuple[str, ...]
    unclear: tuple[str, ...]
    told: tuple[str, ...]
    change: str
    time_lost: bool


@dataclass(frozen=True)
class Collected:
    """What a download brought.

    Attributes
    ----------
    submissions : tuple of Submission
    ignored : tuple of Ignored
    absent : tuple of str
        Participants of the worksheet of whom the download holds nothing.
    unknown : tuple of str
        Students of the download whom the worksheet does not list.
    """

    submissions: tuple[Submission, ...]
    ignored: tuple[Ignored, ...]
    absent: tuple[str, ...]
    unknown: tuple[str, ...]


def collect(
    course: Course, assignment: str, download_zip: Path, worksheet: Path | None = None
) -> Collected:
    """Unpack a MyCourses download into ``submitted/<participant number>/<assignment>``.

    A student's folder is replaced as a whole, and only when something in it differs, so that
    collecting again is safe. Every file keeps its own name and sub-folder. The notebooks are
    looked for as the grading does it; without a release they are known by their names alone.

    Parameters
    ----------
    course : Course
    assignment : str
    download_zip : Path
        The zip of "Download all submissions".
    worksheet : Path, optional
        The grading worksheet: gives the times of submission, and names for the gradebook.

    Returns
    -------
    Collected

    Raises
    ------
    KitError
        If the zip, the worksheet or a notebook of the release cannot be read; nothing is written
        then.
    """
    participants = {} if worksheet is None else read_worksheet(worksheet, course)
    is_released = (course.release / assignment).is_dir()
    released = released_notebooks(course, assignment) if is_released else None
    with open_download(download_zip) as download, private_files():
        if participants:
            _enrol(course, participants.values())
        submissions = tuple(
            _place(course, assignment, student, download, released, participants.get(student))
            for student in sorted(download.files)
        )
        return Collected(
            submissions,
            tuple(download.ignored),
            tuple(number for number in participants if number not in download.files),
            tuple(s for s in sorted(download.files) if participants and s not in participants),
        )


def _enrol(course: Course, participants: Iterable[Participant]):
    """Write the participants into the gradebook, those without a submission too."""
    with course.gradebook() as gradebook:
        for participant in participants:
            first, _, last = participant.name.rpartition(" ")
            known = {
                "first_name": first,
                "last_name": last,
                "email": participant.email,
                "lms_user_id": participant.id_number,
            }
            gradebook.update_or_create_student(
                participant.number, **{key: value for key, value in known.items() if value}
            )


def _place(
    course: Course,
    assignment: str,
    student: str,
    download: Download,
    released: Mapping[str, NotebookNode] | None,
    participant: Participant | None,
) -> Submission:
    """Write one student's folder and say what is in it."""
    home = course.submitted / student
    home.mkdir(parents=True, exist_ok=True)
    folder = home / assignment
    scratch = Path(tempfile.mkdtemp(prefix=f".{assignment}-", dir=home))
    try:
        new = scratch / "new"
        new.mkdir()
        for name in sorted(download.files[student]):
            try:
                content = _content(student, download, name)
            except DownloadError as problem:
                download.ignored.append(Ignored(student, str(name), str(problem)))
                continue
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        time_lost = not _stamp(new, folder, participant.submitted if participant else None)
        change = _swap(new, folder, scratch / "old")
    finally:
        # Should the old folder not find its way back, it is the student's only copy.
        if folder.exists() or not (scratch / "old").exists():
            shutil.rmtree(scratch)
    found = _find(folder, course.notebooks(assignment), released)
    by_status = {
        status: {name: one for name, one in found.items() if one.status == status}
        for status in (FOUND, MISSING, NEEDS_PERSON)
    }
    return Submission(
        student,
        tuple(by_status[FOUND]),
        tuple(by_status[MISSING]),
        _sentences(by_status[NEEDS_PERSON]),
        _sentences(by_status[FOUND]),
        change,
        time_lost,
    )


def _content(student: str, download: Download, name: PurePosixPath) -> bytes:
    """Return one of a student's files, if it may be kept and can be.

    Raises
    ------
    DownloadError
        If it would forge the time of submission, lies too deep, or cannot be unpacked.
    """
    if name.parts[0].lower() == TIMESTAMP:  # not every file system knows upper and lower case
        raise DownloadError("the time of submission comes from MyCourses alone")
    if len(bytes(name)) > LONGEST_PATH:
        raise DownloadError(f"its path is longer than {LONGEST_PATH} bytes")
    return download.read(download.files[student][name])


def _find(
    folder: Path, expected: list[str], released: Mapping[str, NotebookNode] | None
) -> dict[str, Found]:
    """Look for the notebooks in a student's folder."""
    if released is not None:
        return find_notebooks(folder, released)
    names = {path.name for path in folder.rglob("*.ipynb")}
    return {name: Found(FOUND if f"{name}.ipynb" in names else MISSING) for name in expected}


def _sentences(found: Mapping[str, Found]) -> tuple[str, ...]:
    """Join the sentences on several notebooks; what holds for all of them is told once."""
    return tuple(dict.fromkeys(told for one in found.values() for told in one.sentences))


def _stamp(new: Path, folder: Path, submitted: datetime | None) -> bool:
    """Write the time of submission; where it is not told, an unchanged folder keeps its own.

    Returns False if an earlier time is given up, because it is not that of the changed work.
    """
    if submitted is not None:
        (new / TIMESTAMP).write_text(f"{submitted:%Y-%m-%d %H:%M:%S} UTC\n")
    elif (folder / TIMESTAMP).is_file():
        shutil.copyfile(folder / TIMESTAMP, new / TIMESTAMP)
        if not _same(new, folder):
            (new / TIMESTAMP).unlink()
            return False
    return True


def _swap(new: Path, folder: Path, old: Path) -> str:
    """Put the new folder in the place of the old one, unless they are the same."""
    if not folder.exists():
        os.rename(new, folder)
        return "new"
    if _same(new, folder):
        return "unchanged"
    try:
        os.rename(folder, old)
        os.rename(new, folder)
    except BaseException:  # an interruption too
        if not folder.exists():
            os.rename(old, folder)
        raise
    return "changed"


def _same(one: Path, other: Path) -> bool:
    """Tell whether two folders hold the same files with the same contents."""
    names = [
        {path.relative_to(top) for path in top.rglob("*") if path.is_file()} for top in (one, other)
    ]
    return names[0] == names[1] and all(
        filecmp.cmp(one / name, other / name, shallow=False) for name in names[0]
    )
