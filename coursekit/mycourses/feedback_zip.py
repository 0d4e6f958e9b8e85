"""Pack the feedback files as MyCourses wants them under "Upload feedback files in a zip"."""

import io
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from coursekit.course import Course, private_files
from coursekit.errors import KitError
from coursekit.grading.results import results
from coursekit.mycourses.ready import ABSENT, not_ready
from coursekit.writing import written_whole

# The number has to be the second part between underscores; hidden names are skipped in silence.
FOLDER = re.compile(r"[^/\\_.~\x00-\x1f][^/\\_\x00-\x1f]{0,150}_([0-9]+)_assignsubmission_file")
LIMIT = 100 * 10**6
LONGEST_NAME = 200  # MyCourses stops at a name over 255 characters
BEGIN = (1980, 1, 1, 0, 0, 0)  # the same files make the same zip, whenever they were written


@dataclass
class Packed:
    """What was packed.

    Attributes
    ----------
    archives : list of Path
        In the order of the participants' numbers.
    students : list of str
        The participants with feedback files in them.
    left_out : dict
        The reasons why there is none, each with its students.
    too_large : list of str
        Participants whose files alone are larger than the limit.
    """

    archives: list[Path] = field(default_factory=list)
    students: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    too_large: list[str] = field(default_factory=list)


def pack_feedback(
    course: Course,
    assignment: str,
    download_zip: Path | None = None,
    limit: int = LIMIT,
    provisional: bool = False,
    pdf: bool = True,
    failed: Collection[str] = (),
) -> Packed:
    """Pack what lies under ``feedback/<participant number>/<assignment>``.

    Zips of an earlier run are replaced. Who gets no grade yet gets no feedback either: MyCourses
    would take the next worksheet's row for an old one.

    Parameters
    ----------
    course : Course
    assignment : str
        A released assignment.
    download_zip : Path, optional
        The zip of "Download all submissions": its folder names are used again.
    limit : int
        Bytes of a zip; what is larger becomes several, with all files of a student in one.
    provisional : bool
        Pack feedback, too, on points that are not the last word.
    pdf : bool
        Pack the PDFs as well as the pages.
    failed : collection of str
        Students whose feedback could not be written; what lies there is of an earlier run.

    Returns
    -------
    Packed

    Raises
    ------
    KitError
        If the download is no zip, or the zips cannot be written.
    """
    folders = {} if download_zip is None else _folders(download_zip)
    packed = Packed()
    contents: dict[str, list[tuple[str, Path]]] = {}
    for result in results(course, assignment):
        reason = not_ready(result, provisional)
        files = _files(course, assignment, result.student, pdf)
        if not reason and not result.student.isdecimal():
            reason = "the student's id is no participant number of MyCourses"
        if not reason and (result.student in failed or not files):
            reason = "no feedback was written"
        if reason:
            if reason != ABSENT:
                packed.left_out.setdefault(reason, []).append(result.student)
            continue
        folder = folders.get(result.student, f"Participant_{result.student}_assignsubmission_file")
        contents[result.student] = [(f"{folder}/{name}", path) for name, path in files]
    packed.students = sorted(contents, key=lambda number: (int(number), number))
    groups = list(_groups(packed, contents, limit))
    try:
        with private_files():
            course.build.mkdir(parents=True, exist_ok=True)
            packed.archives = _write(course.build, assignment, groups)
    except OSError as problem:
        raise KitError(f"{problem.filename} cannot be written: {problem.strerror}.") from problem
    return packed


def _folders(download_zip: Path) -> dict[str, str]:
    """Return the folder names of a download, with folders or without, by participant number."""
    try:
        with zipfile.ZipFile(download_zip) as archive:
            matches = map(FOLDER.match, archive.namelist())
            return {match[1]: match[0] for match in matches if match}
    except (OSError, zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as problem:
        raise KitError(
            f"{download_zip} cannot be read as a zip; download all submissions again, or leave it "
            "out: the folders are then named by number alone."
        ) from problem


def _files(course: Course, assignment: str, student: str, pdf: bool) -> list[tuple[str, Path]]:
    """Return a student's feedback files with their names in the zip.

    Only those that feedback is written to: beside them lie copies of the student's own.
    """
    names = [f"{notebook}.html" for notebook in course.notebooks(assignment)]
    names += [f"{assignment}.pdf"] * pdf
    paths = [course.feedback / student / assignment / name for name in names]
    return [(_name(assignment, path), path) for path in paths if path.is_file()]


def _name(assignment: str, path: Path) -> str:
    """Name a file after its assignment, so that students can tell those of several rounds apart."""
    stem = assignment if path.stem == assignment else f"{assignment}-{path.stem}"
    return f"{stem[:LONGEST_NAME]}{path.suffix}"


def _groups(packed: Packed, contents: dict, limit: int) -> Iterator[list[tuple[str, Path]]]:
    """Split the files, those of a student together, so that each zip stays under the limit."""
    group: list[tuple[str, Path]] = []
    size = 0
    for student in packed.students:
        alone = io.BytesIO()
        _pack(alone, contents[student])
        added = alone.tell()  # more than it adds to a zip that has an end already
        if added > limit:
            packed.too_large.append(student)
        if group and size + added > limit:
            yield group
            group, size = [], 0
        group += contents[student]
        size += added
    if group:
        yield group


def _write(folder: Path, assignment: str, groups: list[list[tuple[str, Path]]]) -> list[Path]:
    """Write the zips, and remove those of an earlier run."""
    stem = f"{assignment}-feedback"
    numbers = [f"-{number}" for number in range(1, len(groups) + 1)] if len(groups) > 1 else [""]
    archives = [folder / f"{stem}{number}.zip" for number in numbers[: len(groups)]]
    for path, files in zip(archives, groups, strict=True):
        with written_whole(path) as file:
            _pack(file, files)
    ours = re.compile(rf"{re.escape(stem)}(-[0-9]+)?\.zip")
    for path in folder.iterdir():
        if ours.fullmatch(path.name) and path not in archives:
            path.unlink()
    return archives


def _pack(file: io.BufferedIOBase, files: Iterable[tuple[str, Path]]):
    with zipfile.ZipFile(file, "w") as archive:
        for name, path in files:
            entry = zipfile.ZipInfo(name, BEGIN)
            entry.create_system = 3  # the same on every machine
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
