"""The scan of Exercise 1: which files it is in, and its pages in order."""

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nnlab.handing_in.pages import PICTURES, ScanError, Size, reduce_pictures, to_pages

BESIDE = ("scan", "exercise1", "exercise_1", "exercise 1", "exercise-1")  # how names begin
FOLDERS = ("scan", "scans", "photos")
KNOWN = (".pdf", *PICTURES)
NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Scan:
    """What was found, and what became of it.

    Attributes
    ----------
    files : tuple of Path
        Those that are used, in the order of their pages.
    pages : int
    pdf : bytes
        All pages; empty if there are none.
    found : tuple of str
        One line for each thing that is wrong.
    """

    files: tuple[Path, ...]
    pages: int
    pdf: bytes
    found: tuple[str, ...]

    def reduced(self, size: Size) -> bytes:
        """Return the pages with smaller pictures.

        Parameters
        ----------
        size : Size

        Returns
        -------
        bytes
        """
        return reduce_pictures(self.pdf, size) if self.pdf else b""


def natural(path: Path) -> list:
    """Return a key that sorts ``page2`` before ``page10``.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list
    """
    parts = NUMBER.split(path.name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def find_scan(folder: Path, given: Iterable[Path] | None) -> tuple[list[Path], list[str]]:
    """Find the files of the scan.

    Parameters
    ----------
    folder : Path
        Of the notebooks.
    given : iterable of Path, optional
        What the student names: files, in the order that they are to have, or folders.

    Returns
    -------
    files : list of Path
    found : list of str
        One line for files that are left out.
    """
    if given is not None:
        files = [file for path in given for file in (_inside(path) if path.is_dir() else [path])]
        return files, []
    there = _inside(folder)
    beside = [path for path in there if path.name.lower().startswith(BESIDE)]
    entries = sorted(folder.iterdir())
    folders = [path for path in entries if path.is_dir() and path.name.lower() in FOLDERS]
    groups = [group for group in (beside, *map(_inside, folders)) if group]
    left_out = [
        f"{group[0].name}: left out, because {groups[0][0].name} is taken for the scan; put all "
        "pages into one folder, scan"
        for group in groups[1:]
    ]
    notebooks = {path.stem for path in entries if path.suffix.lower() == ".ipynb"}
    others = [path.name for path in there if path.stem not in notebooks]
    if not groups and others:
        names = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
        left_out.append(
            f"scan: there is none; if it is {names}, put it into a folder called scan, and run "
            "this again"
        )
    if sum(path.suffix.lower() == ".pdf" for path in beside) > 1:
        order = ", then ".join(path.name for path in beside)
        left_out.append(f"scan: it is put together from {order}; remove what does not belong")
    return (groups[0] if groups else []), left_out


def _inside(folder: Path) -> list[Path]:
    """List the files of a folder that may be pages, in their natural order."""
    files = [path for path in folder.iterdir() if path.suffix.lower() in KNOWN]
    return sorted(
        (path for path in files if path.is_file() and not path.name.startswith(".")), key=natural
    )


def read_scan(folder: Path, given: Iterable[Path] | None, size: Size) -> Scan:
    """Read the scan, leaving out what cannot be read.

    Parameters
    ----------
    folder : Path
        Of the notebooks.
    given : iterable of Path, optional
        See `find_scan`.
    size : Size
        Of the pictures.

    Returns
    -------
    Scan
    """
    from pypdf import PdfReader, PdfWriter

    files, found = find_scan(folder, given)
    writer = PdfWriter()
    used = []
    for path in files:
        try:
            pages = PdfReader(io.BytesIO(to_pages(path, size)))
        except ScanError as problem:
            found.append(f"{path.name}: it {problem}")
        else:
            writer.append(pages, import_outline=False)
            used.append(path)
    if given is not None and not files:
        found.append("scan: there is no PDF and no picture in the folder")
    buffer = io.BytesIO()
    if used:
        writer.write(buffer)
    return Scan(tuple(used), len(writer.pages), buffer.getvalue(), tuple(found))
