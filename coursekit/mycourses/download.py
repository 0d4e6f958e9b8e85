"""Read MyCourses' zip of all submissions, trusting nothing in it."""

import mmap
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from coursekit.errors import KitError
from coursekit.grading.files import ENTRY as LISTED
from coursekit.grading.wording import listing
from coursekit.mycourses.entries import refused_name, shown

# "Full Name_1204518_assignsubmission_file/a.ipynb"; before Moodle 4.1 the folder ended in "_";
# with folders turned off, "Full Name_1204518_assignsubmission_file_a.ipynb". A group has its name
# and number there, and the group of those who are in none has no number. The name ends at its
# first "_", for MyCourses makes spaces of the others.
FORM = re.compile(
    r"([^/]*?)(?:_([0-9]{1,20}))?_assignsubmission_(file|onlinetext)(?:_?/(.+)|_([^/]+))",
    re.DOTALL,
)
ONLINE_TEXT = ".onlinetext"  # hidden, so that neither grading nor nbgrader takes work from it
# What stands after the list of a zip; the last two are of a large one, a zip64.
END, LOCATOR_64, END_64 = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
MOST_ENTRIES = 200_000  # in the whole zip
LONGEST_ENTRY = 1000  # characters; whatever is longer is refused


class DownloadError(KitError):
    """The file is not a download of submissions."""


@dataclass(frozen=True)
class Ignored:
    """A file that was not collected, and why.

    Attributes
    ----------
    student : str
        The participant number, or empty where the entry belongs to nobody.
    name : str
    reason : str
        Names nobody and holds no number of a participant, so that it may be logged.
    among : tuple of str
        Participants of whom one may have handed it in.
    """

    student: str
    name: str
    reason: str
    among: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Tell it in one sentence that is safe to print."""
        whose = self.student or "nobody"
        among = f" (participants {listing(self.among)})" if self.among else ""
        return f"{whose}: {shown(self.name)} was refused: {self.reason}{among}."


@dataclass(frozen=True)
class Entry:
    """One file of the download.

    Attributes
    ----------
    label : str
        The name in front of the number, as MyCourses cleaned it: of a person or a group.
    number : str
        Of the participant or the group; empty for the group of those who are in none.
    path : str
        Where it belongs in the student's folder.
    packed : zipfile.ZipInfo
    """

    label: str
    number: str
    path: str
    packed: zipfile.ZipInfo


@dataclass(frozen=True)
class Download:
    """A MyCourses zip that is open for reading; made by `open_download`.

    Attributes
    ----------
    archive : zipfile.ZipFile
    entries : tuple of Entry
        Files with safe names; nothing else of them is trusted.
    ignored : tuple of Ignored
        The other ones.
    """

    archive: zipfile.ZipFile
    entries: tuple[Entry, ...]
    ignored: tuple[Ignored, ...]


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
        If the file is no zip, lists too many files, or holds no submission in MyCourses' form.
    """
    try:
        too_many = _lists_too_many(path)
        archive = None if too_many else zipfile.ZipFile(path)
    except OSError as problem:
        raise DownloadError(f"{path} cannot be read: {problem.strerror}.") from problem
    except Exception as problem:  # a damaged zip trips zipfile in many ways
        raise DownloadError(
            f"{path} is not a zip, or only a part of one; download all submissions again."
        ) from problem
    if too_many:
        raise DownloadError(
            f"{path} lists more than {MOST_ENTRIES} files, which no class hands in; download all "
            "submissions again."
        )
    with archive:
        download = _sorted(archive)
        if download is None:
            raise DownloadError(
                f"{path} holds no folder like 'Name_1204518_assignsubmission_file'; choose "
                "'Download all submissions' in MyCourses and give me that zip, not unpacked."
            )
        yield download


def _lists_too_many(path: Path) -> bool:
    """Count what the zip lists, before zipfile keeps a record of each."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = data.find(LISTED, _start_of_list(data))
        for _ in range(MOST_ENTRIES):
            if found < 0:
                return False
            found = data.find(LISTED, found + len(LISTED))
        return found >= 0


def _start_of_list(data: mmap.mmap) -> int:
    """Find where the list of a zip starts: before it lie the files, which may be zips as well."""
    end = data.rfind(END)
    place, size = end, data[end + 12 : end + 16]
    if data[end - 20 : end - 16] == LOCATOR_64 and data[end - 76 : end - 72] == END_64:
        place, size = end - 76, data[end - 36 : end - 28]
    return max(0, place - int.from_bytes(size, "little"))


def _sorted(archive: zipfile.ZipFile) -> Download | None:
    """Tell what each entry is; None if there is not one in MyCourses' form."""
    entries, ignored, known = [], [], False
    for packed in archive.infolist():
        if packed.filename.endswith("/") and not packed.file_size:
            continue
        long = len(packed.filename) > LONGEST_ENTRY
        match = None if long else FORM.fullmatch(packed.filename)
        label, number, kind, inside, flat = match.groups("") if match else [""] * 5
        known = known or match is not None
        name = inside or flat or packed.filename
        reason = refused_name(packed, name)
        if reason is None and match is None:
            reason = "no participant number and file submission in its folder's name"
        if reason is not None:
            ignored.append(Ignored(number, name, reason))
        else:
            where = f"{ONLINE_TEXT}/{name}" if kind == "onlinetext" else name
            entries.append(Entry(label, number, where, packed))
    return Download(archive, tuple(entries), tuple(ignored)) if known else None
