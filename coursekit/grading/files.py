"""The files that one student handed in, those in zips too; nothing is ever unpacked to the disk."""

import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from coursekit.grading.parsing import MOST_BYTES
from coursekit.grading.wording import plain

MOST_NOTEBOOKS = 50
MOST_ENTRIES = 5000  # of all zips together
MOST_RATIO = 500  # of the sizes before and after packing
ALWAYS_UNPACKED = 2**20  # bytes; a smaller entry may be packed as tightly as it likes
ZIP_LEVELS = 2  # a zip, and a zip in it
ENTRY = b"PK\x01\x02"  # how each entry begins in the list at the end of a zip
OTHER_ARCHIVES = {".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz"}


@dataclass
class Others:
    """What a student's folder holds beside notebooks.

    Attributes
    ----------
    pdfs : list of str
        Paths; a zip is part of a path, as a folder is.
    problems : list of str
        What could not be looked into, each with the reason: "work.rar (…)".
    """

    pdfs: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def look_through(folder: Path, take: Callable[[str, bytes], None]) -> Others:
    """Look for notebooks under a folder, in any sub-folder and in zips.

    Hidden files and folders, Jupyter's checkpoints, what macOS adds to a zip, and links are passed
    over.

    Parameters
    ----------
    folder : path
        Nothing in it is trusted; a folder that does not exist holds nothing.
    take : callable
        Called with the path and the contents of each ``.ipynb``, one after the other.

    Returns
    -------
    Others
    """
    looking = _Looking(take)
    for path in _walk(folder, looking.others.problems):
        looking.add_file(path, path.relative_to(folder).as_posix())
    return looking.others


def _walk(folder: Path, problems: list[str]) -> Iterator[Path]:
    """Yield the ordinary files under a folder, those that lie less deep first."""
    paths = []
    for top, folders, names in os.walk(folder, onerror=lambda e: _unseen(e, folder, problems)):
        folders[:] = [name for name in folders if not _passed_over(name)]
        paths += [Path(top, name) for name in names if not _passed_over(name)]
    for path in sorted(paths, key=lambda path: (len(path.parts), str(path))):
        if os.path.isfile(path) and not os.path.islink(path):
            yield path


def _unseen(error: OSError, folder: Path, problems: list[str]):
    if Path(error.filename) != folder or folder.exists():
        problems.append(f"{plain(Path(error.filename).name)} (it cannot be opened)")


def _passed_over(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


class _Looking:
    """A look through a student's files, and how much may still be unpacked."""

    def __init__(self, take: Callable[[str, bytes], None]):
        self.take = take
        self.others = Others()
        self.notebooks_left = MOST_NOTEBOOKS
        self.bytes_left = MOST_BYTES
        self.entries_left = MOST_ENTRIES

    def problem(self, path: str, reason: str):
        self.others.problems.append(f"{plain(path)} ({reason})")

    def add_file(self, path: Path, shown: str):
        """Take in a file of the folder."""
        shown = os.fsencode(shown).decode(errors="replace")
        kind = PurePosixPath(shown).suffix.lower()
        if kind in (".ipynb", ".zip"):
            try:
                size = path.stat().st_size
                data = path.read_bytes() if size <= MOST_BYTES else None
            except OSError as problem:
                self.problem(shown, f"it cannot be read: {problem.strerror}")
                return
            if data is None:
                self.problem(shown, f"it has {size >> 20} MB, more than {MOST_BYTES >> 20} MB")
            else:
                self.add(shown, kind, data, level=0)
        else:
            self.add(shown, kind, b"", level=0)

    def add(self, shown: str, kind: str, data: bytes, level: int):
        """Take in one file by its kind."""
        if kind == ".ipynb":
            self.notebooks_left -= 1
            if self.notebooks_left >= 0:
                self.take(shown, data)
            else:
                self.problem(shown, f"there are more than {MOST_NOTEBOOKS} notebooks")
        elif kind == ".pdf":
            self.others.pdfs.append(shown)
        elif kind in OTHER_ARCHIVES:
            self.problem(shown, "an archive of this kind is not opened")
        elif kind == ".zip" and level == ZIP_LEVELS:
            self.problem(shown, "a zip so deep in other zips is not opened")
        elif kind == ".zip":
            self.add_zip(shown, data, level + 1)

    def add_zip(self, shown: str, data: bytes, level: int):
        """Take in the files of a zip."""
        self.entries_left -= data.count(ENTRY)  # before zipfile keeps a record of each
        if self.entries_left < 0:
            self.problem(shown, f"it holds more than {MOST_ENTRIES} files")
            return
        try:
            archive = zipfile.ZipFile(io.BytesIO(data))
        except Exception:  # a damaged zip trips zipfile in many ways
            self.problem(shown, "the zip is damaged")
            return
        with archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            for entry in sorted(entries, key=lambda entry: entry.filename.count("/")):
                self.add_entry(shown, archive, entry, level)

    def add_entry(self, zip_name: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, level):
        """Take in one file of a zip."""
        name = entry.filename.replace("\\", "/").encode(errors="replace").decode()
        if any(map(_passed_over, set(name.split("/")) - {".", ".."})):
            return
        shown, kind = f"{zip_name}/{name}", PurePosixPath(name).suffix.lower()
        if kind not in (".ipynb", ".zip"):
            self.add(shown, kind, b"", level)
            return
        reason = self.refusal(entry)
        if reason:
            self.problem(shown, reason)
            return
        try:
            with archive.open(entry) as packed:
                data = packed.read(self.bytes_left + 1)
        except Exception:  # as above
            self.problem(shown, "it is damaged in the zip")
            return
        if len(data) > self.bytes_left:
            self.problem(shown, f"more than {MOST_BYTES >> 20} MB in zips")
            return
        self.bytes_left -= len(data)
        self.add(shown, kind, data, level)

    def refusal(self, entry: zipfile.ZipInfo) -> str | None:
        """Say why an entry of a zip is not unpacked."""
        if entry.flag_bits & 0x1:
            return "it is locked with a password"
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            return "it is a link, not a file"
        if entry.file_size > max(ALWAYS_UNPACKED, MOST_RATIO * entry.compress_size):
            return "it is packed more tightly than a notebook can be"
        if entry.file_size > self.bytes_left:
            return f"more than {MOST_BYTES >> 20} MB in zips"
        return None
