"""Which files of a student may hold the scan? PDFs and pictures, those in a zip too."""

import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from coursekit.grading.wording import plain
from nnlab.handing_in.scan import BESIDE, FOLDERS, natural

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
# What may hold a scan all the same, so that a person has a look.
NOT_SHOWN = {
    **dict.fromkeys([".heic", ".heif"], "in Apple's HEIC format"),
    **dict.fromkeys([".zip"], "a zip within a zip"),
    **dict.fromkeys([".rar", ".7z", ".gz", ".tar", ".xz"], "an archive that is no zip"),
    **dict.fromkeys([".doc", ".docx", ".odt", ".pages", ".rtf"], "a text document"),
    **dict.fromkeys([".svg", ".djvu", ".xopp", ".one", ".note"], "neither a PDF nor a photo"),
}
MOST_FILES = 40
MOST_BYTES = 100 * 2**20  # of all files together
NAMED_SCAN, NAMED_OTHERWISE, NAMED_NOTEBOOK = range(3)


@dataclass(frozen=True)
class Candidate:
    """A file that may hold the scan.

    Attributes
    ----------
    name : str
        Its path in the student's folder, fit for a sentence.
    rank : int
        How likely its name makes it, the least likeliest: `NAMED_SCAN`, and so on.
    data : bytes
        Hostile.
    """

    name: str
    rank: int
    data: bytes = field(repr=False)


@dataclass
class Candidates:
    """What was found.

    Attributes
    ----------
    files : list of Candidate
        In the order of their pages.
    problems : list of str
        A sentence for each file that could not be taken.
    """

    files: list[Candidate] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Entry:
    """A file in the folder or in a zip: its path, its size, and how to read so many bytes."""

    path: PurePosixPath
    size: int
    read: Callable[[int], bytes]


def find_candidates(folder: Path, notebooks: Collection[str]) -> Candidates:
    """Find the files that may hold the scan.

    Hidden files and links are passed over; zips within zips are named and not opened.

    Parameters
    ----------
    folder : Path
        Of one student's submission; nothing in it is trusted.
    notebooks : collection of str
        Names of the round's notebooks, without ``.ipynb``: a PDF of that name is a print of one.

    Returns
    -------
    Candidates
    """
    found = Candidates()
    left = MOST_BYTES
    for entry in sorted(_entries(folder, found.problems), key=_in_order):
        kind, shown = entry.path.suffix.lower(), plain(str(entry.path))
        if why := NOT_SHOWN.get(kind):
            found.problems.append(f"{shown}: not shown, because it is {why}.")
        elif kind not in (".pdf", *PICTURES):
            continue
        elif entry.size > left or len(found.files) == MOST_FILES:
            limit = f"{MOST_FILES} files or {MOST_BYTES >> 20} MB"
            found.problems.append(f"{shown}: not shown, because there are more than {limit}.")
        else:
            try:
                data = entry.read(left)
            except Exception as problem:  # a damaged zip makes zipfile raise nearly anything
                found.problems.append(f"{shown}: cannot be read ({type(problem).__name__}).")
                continue
            left -= len(data)
            if all(data != other.data for other in found.files):  # the same lies in hand_in's zip
                found.files.append(Candidate(shown, _rank(entry.path, notebooks), data))
    return found


def _entries(folder: Path, problems: list[str]) -> Iterator[_Entry]:
    for path in folder.rglob("*"):
        name = PurePosixPath(path.relative_to(folder).as_posix())
        if _passed_over(name) or path.is_symlink() or not path.is_file():
            continue
        if name.suffix.lower() != ".zip":
            yield _Entry(name, path.stat().st_size, lambda most, path=path: _read(path.open, most))
            continue
        try:
            with zipfile.ZipFile(path) as archive:
                packed = archive.infolist()
        except Exception as problem:
            problems.append(f"{plain(str(name))}: cannot be opened ({type(problem).__name__}).")
            continue
        for info in packed:
            inside = name / info.filename
            if not info.is_dir() and not _passed_over(inside):
                yield _Entry(
                    inside, info.file_size, lambda most, z=path, i=info: _unpack(z, i, most)
                )


def _read(opened: Callable, most: int) -> bytes:
    with opened("rb") as file:
        return file.read(most)


def _unpack(path: Path, info: zipfile.ZipInfo, most: int) -> bytes:
    with zipfile.ZipFile(path) as archive, archive.open(info) as file:
        return file.read(most)


def _passed_over(path: PurePosixPath) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def _in_order(entry: _Entry):
    return [part.casefold() for part in entry.path.parts[:-1]], natural(entry.path)


def _rank(path: PurePosixPath, notebooks: Collection[str]) -> int:
    if path.name.lower().startswith(BESIDE) or any(part.lower() in FOLDERS for part in path.parts):
        return NAMED_SCAN
    return NAMED_NOTEBOOK if path.stem in notebooks else NAMED_OTHERWISE
