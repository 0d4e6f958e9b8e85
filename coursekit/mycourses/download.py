"""Read MyCourses' zip of all submissions, trusting nothing in it."""

import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from coursekit.errors import KitError

# "Full Name_1204518_assignsubmission_file/a.ipynb"; before Moodle 4.1 the folder ended in "_";
# with folders turned off, "Full Name_1204518_assignsubmission_file_a.ipynb".
ENTRY = re.compile(r"[^/]*?_(\d+)_assignsubmission_file(?:_?/(.+)|_([^/]+))", re.DOTALL)
DRIVE = re.compile(r"[A-Za-z]:")
LONGEST_NAME = 200  # bytes; common file systems end at 255
MOST_PER_STUDENT = 200 * 2**20  # bytes, unpacked


class DownloadError(KitError):
    """The file is not a download of submissions."""


@dataclass(frozen=True)
class Ignored:
    """A file that was not collected, and why.

    Attributes
    ----------
    student : str
        The participant number, or empty where the entry belongs to nobody.
    name, reason : str
    """

    student: str
    name: str
    reason: str


class Download:
    """A MyCourses zip that is open for reading; made by `open_download`.

    Attributes
    ----------
    files : dict
        By participant number, the zip entries by their path in the student's folder.
    ignored : list of Ignored
        What cannot be collected.
    """

    def __init__(self, archive: zipfile.ZipFile):
        self.archive = archive
        self.files: dict[str, dict[PurePosixPath, zipfile.ZipInfo]] = {}
        self.ignored: list[Ignored] = []
        for entry in archive.infolist():
            if not entry.is_dir():
                self._sort(entry)

    def _sort(self, entry: zipfile.ZipInfo):
        match = ENTRY.fullmatch(entry.filename)
        student = match[1] if match else ""
        name = (match[2] or match[3]) if match else entry.filename
        reason = _refusal(entry) or _foreign(match)
        path = PurePosixPath(name)
        files = self.files.setdefault(student, {}) if match else {}
        if not reason:
            if path in files:
                reason = "the zip holds a second file of this name"
            elif any(path in taken.parents or taken in path.parents for taken in files):
                reason = "the zip holds a file and a folder of this name"
            elif sum(file.file_size for file in files.values()) + entry.file_size > (
                MOST_PER_STUDENT
            ):
                reason = f"more than {MOST_PER_STUDENT >> 20} MB from one student"
        if reason:
            self.ignored.append(Ignored(student, name, reason))
        else:
            files[path] = entry

    def read(self, entry: zipfile.ZipInfo) -> bytes:
        """Unpack one entry.

        Raises
        ------
        DownloadError
            If the entry is damaged, or packed in a way that cannot be read.
        """
        try:
            return self.archive.read(entry)
        except RuntimeError as problem:  # NotImplementedError is one
            raise DownloadError(f"it cannot be unpacked: {problem}") from problem
        except (zipfile.BadZipFile, EOFError, zlib.error, UnicodeDecodeError) as problem:
            raise DownloadError("damaged in the zip") from problem


@contextmanager
def open_download(path: Path) -> Iterator[Download]:
    """Open a MyCourses zip.

    Parameters
    ----------
    path : Path

    Yields
    ------
    Download

    Raises
    ------
    DownloadError
        If the file is no zip, or holds no submission in MyCourses' form.
    """
    try:
        archive = zipfile.ZipFile(path)
    except OSError as problem:
        raise DownloadError(f"{path} cannot be read: {problem.strerror}.") from problem
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as problem:
        raise DownloadError(
            f"{path} is not a zip, or only a part of one; download all submissions again."
        ) from problem
    with archive:
        download = Download(archive)
        if not download.files:
            raise DownloadError(
                f"{path} holds no folder like 'Name_1204518_assignsubmission_file'; choose "
                "'Download all submissions' in MyCourses and give me that zip, not unpacked."
            )
        yield download


def _refusal(entry: zipfile.ZipInfo) -> str | None:
    """Say why an entry is not safe to unpack."""
    name = entry.filename
    parts = name.split("/")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if any(ord(character) < 32 for character in name):
        return "its name holds a control character"
    if name.startswith("/") or "\\" in name or any(DRIVE.match(part) for part in parts):
        return "its name is a path of a whole disk or of Windows"
    if not {"", ".", ".."}.isdisjoint(parts):
        return "its name leads out of the student's folder"
    if any(len(part.encode(errors="surrogateescape")) > LONGEST_NAME for part in parts):
        return f"its name is longer than {LONGEST_NAME} bytes"
    if kind not in (0, stat.S_IFREG):
        return "it is a link or a device, not a file"
    if entry.flag_bits & 0x1:
        return "it is locked with a password"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "it is packed in a way that MyCourses does not use"
    return None


def _foreign(match: re.Match | None) -> str | None:
    """Say why an entry belongs to nobody."""
    return None if match else "no participant number and file submission in its folder's name"
