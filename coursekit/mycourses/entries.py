"""Which entries of a zip are safe to keep, and how one is unpacked within bounds."""

import re
import stat
import unicodedata
import zipfile
from pathlib import PurePosixPath

from coursekit.errors import KitError
from coursekit.grading.files import ALWAYS_UNPACKED, MOST_RATIO

DRIVE = re.compile(r"[A-Za-z]:")
LONGEST_NAME = 200  # bytes; common file systems end at 255
LONGEST_PATH = 500  # bytes; macOS ends at 1024, with the course's own folder
MOST_SHOWN = 80  # characters of a name


class EntryError(KitError):
    """An entry of a zip that cannot be unpacked; its text is the reason alone."""


def refused_name(entry: zipfile.ZipInfo, name: str) -> str | None:
    """Say why an entry's name is not safe to write.

    Parameters
    ----------
    entry : zipfile.ZipInfo
    name : str
        The part of its name that is to become a path in a student's folder.

    Returns
    -------
    str or None
        The reason; None if the name is safe.
    """
    whole = entry.orig_filename  # zipfile ends a name at its first NUL
    parts = whole.removesuffix("/").split("/")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in whole):
        return "its name holds a control character"
    if whole.startswith("/") or "\\" in whole or any(map(DRIVE.match, parts)):
        return "its name is a path of a whole disk or of Windows"
    if not {"", ".", ".."}.isdisjoint([*parts, *name.removesuffix("/").split("/")]):
        return "its name leads out of the student's folder"
    if any(len(part.encode()) > LONGEST_NAME for part in parts):
        return f"its name is longer than {LONGEST_NAME} bytes"
    if len(name.encode()) > LONGEST_PATH:
        return f"its path is longer than {LONGEST_PATH} bytes"
    if whole.endswith("/"):  # empty ones are passed over
        return "it is a folder that holds bytes of its own"
    return None


def folded(path: PurePosixPath) -> PurePosixPath:
    """Write a path as the file system that tells the fewest names apart would.

    Some take upper and lower case for one, some the two forms of an umlaut, and some leave out
    dots and spaces at the end.

    Parameters
    ----------
    path : PurePosixPath

    Returns
    -------
    PurePosixPath
    """
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFD", str(path)).casefold())
    return PurePosixPath(*(part.rstrip(" .") or part for part in text.split("/")))


def shown(name: str) -> str:
    """Write a name in quotes, short, and with all that a terminal would obey escaped.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    return repr(name if len(name) <= MOST_SHOWN else f"{name[:MOST_SHOWN]}…")


def unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Unpack one entry, and never more of it than it says that it holds.

    Parameters
    ----------
    archive : zipfile.ZipFile
    entry : zipfile.ZipInfo
        Its size is checked against the limits of a student before.

    Returns
    -------
    bytes

    Raises
    ------
    EntryError
        If the entry is no ordinary file, is a bomb, damaged, or packed in a way that cannot be
        read.
    """
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        raise EntryError("it is a link or a device, not a file")
    if entry.flag_bits & 0x1:
        raise EntryError("it is locked with a password")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise EntryError("it is packed in a way that MyCourses does not use")
    if entry.file_size > max(ALWAYS_UNPACKED, MOST_RATIO * entry.compress_size):
        raise EntryError("it is packed more tightly than work of a student can be")
    try:
        with archive.open(entry) as packed:
            content = packed.read(entry.file_size + 1)
    except RuntimeError as problem:  # NotImplementedError is one
        raise EntryError(f"it cannot be unpacked: {problem}") from problem
    except Exception as problem:  # a damaged zip trips zipfile in many ways
        if "Overlapped" in str(problem):
            raise EntryError("its bytes belong to another file of the zip, too") from problem
        raise EntryError("damaged in the zip") from problem
    if len(content) != entry.file_size:
        raise EntryError("damaged in the zip: it holds less than it says")
    return content
