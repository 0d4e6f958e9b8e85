"""Bring MyCourses' submissions to where nbgrader looks for them."""

import filecmp
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from coursekit.course import Course, private_files
from coursekit.mycourses.download import Download, DownloadError, Ignored, open_download
from coursekit.mycourses.worksheet import Participant, read_worksheet

TIMESTAMP = "timestamp.txt"


@dataclass(frozen=True)
class Submission:
    """What one student handed in.

    Attributes
    ----------
    student : str
        The participant number, which is nbgrader's student id.
    notebooks, missing : tuple of str
        Names, without ``.ipynb``, of the assignment's notebooks that are there and that are not.
    others : tuple of str
        The student's other files.
    change : str
        ``new``, ``changed`` or ``unchanged``, compared with what had been collected before.
    time_lost : bool
        Whether the time of submission was known before, and is not known of the changed work.
    """

    student: str
    notebooks: tuple[str, ...]
    missing: tuple[str, ...]
    others: tuple[str, ...]
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
    collecting again is safe. Notebooks are recognised by their file name, in any sub-folder.

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
        If the zip or the worksheet cannot be read; nothing is written then.
    """
    participants = {} if worksheet is None else read_worksheet(worksheet, course)
    expected = course.notebooks(assignment)
    with open_download(download_zip) as download, private_files():
        if participants:
            _enrol(course, participants.values())
        submissions = tuple(
            _place(course, assignment, student, download, expected, participants.get(student))
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
    expected: list[str],
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
        placed = []
        for target, source in _targets(student, download, expected).items():
            try:
                content = download.read(download.files[student][source])
            except DownloadError as problem:
                download.ignored.append(Ignored(student, str(source), str(problem)))
                continue
            path = new / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            placed.append(str(target))
        time_lost = not _stamp(new, folder, participant.submitted if participant else None)
        change = _swap(new, folder, scratch / "old")
    finally:
        # Should the old folder not find its way back, it is the student's only copy.
        if folder.exists() or not (scratch / "old").exists():
            shutil.rmtree(scratch)
    notebooks = tuple(name for name in expected if f"{name}.ipynb" in placed)
    return Submission(
        student,
        notebooks,
        tuple(name for name in expected if name not in notebooks),
        tuple(sorted(set(placed) - {f"{name}.ipynb" for name in notebooks})),
        change,
        time_lost,
    )


def _targets(
    student: str, download: Download, expected: list[str]
) -> dict[PurePosixPath, PurePosixPath]:
    """Choose where each of a student's files goes: {place in the folder: path in the zip}."""
    targets: dict[PurePosixPath, PurePosixPath] = {}
    for source in sorted(download.files[student], key=lambda path: (len(path.parts), str(path))):
        target, reason = source, None
        if source.suffix.lower() == ".ipynb":
            target = PurePosixPath(source.name)
            if source.name not in {f"{name}.ipynb" for name in expected}:
                reason = f"not a notebook of this round: {', '.join(expected)}"
            elif target in targets:
                reason = f"a second {source.name}; {targets[target]} was taken"
        elif source.name == TIMESTAMP:
            reason = "the time of submission comes from MyCourses alone"
        if reason:
            download.ignored.append(Ignored(student, str(source), reason))
        else:
            targets[target] = source
    return targets


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
