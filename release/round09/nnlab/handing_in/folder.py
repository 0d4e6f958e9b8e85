"""The folder that is uploaded: written whole or not at all, and nothing of the student's lost."""

import errno
import io
import os
import zipfile
from collections import defaultdict
from pathlib import Path

from nnlab.handing_in.trouble import HandInError

NAME = "hand_in"
MARK = b"made by nnlab.hand_in"
REASONS = {
    errno.ENOSPC: "the disk is full; make room",
    errno.EDQUOT: "your quota of disk space is used up; make room",
    errno.EROFS: "the folder cannot be written to; copy the round to a folder of your own",
    errno.EACCES: "it cannot be written; close it if another program shows it, or copy the round "
    "to a folder of your own",
    errno.EEXIST: "there is a file of that name; rename it",
    errno.ENOTDIR: "there is a file of that name; rename it",
}


def pack(files: dict[str, bytes]) -> bytes:
    """Make a zip of files, marked as one of ours.

    Parameters
    ----------
    files : dict
        Contents by name.

    Returns
    -------
    bytes
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = MARK
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def write(folder: Path, files: dict[str, bytes]) -> tuple[list[str], list[str]]:
    """Write files into the folder ``hand_in``, in place of those of an earlier hand-in.

    All is written under other names first, so that a full disk changes nothing. A file that an
    earlier hand-in did not write, or that was changed since, is kept under another name.

    Parameters
    ----------
    folder : Path
        Of the notebooks.
    files : dict
        Contents by name, the zip last.

    Returns
    -------
    kept : list of str
        New names of the student's files.
    others : list of str
        Names of files that lie in the folder and are not of this hand-in.

    Raises
    ------
    HandInError
        If the files cannot be written.
    """
    target = folder / NAME
    ready: dict[Path, Path] = {}
    path = target
    try:
        target.mkdir(exist_ok=True)
        for name, data in files.items():
            path = target / name
            ready[path] = _write_beside(path, data)
        ours = _written_before(target)
        kept = [
            _keep(path)
            for path in ready
            if path.exists() and path.read_bytes() not in (files[path.name], *ours[path.name])
        ]
        for path, temporary in list(ready.items()):
            os.replace(temporary, path)
            del ready[path]
        others = [path.name for path in sorted(target.iterdir()) if path.name not in files]
    except OSError as problem:
        reason = REASONS.get(problem.errno, problem.strerror or type(problem).__name__)
        where = f"{NAME}/{path.name}" if path != target else f"the folder {NAME}"
        raise HandInError(f"{where}: {reason}, and run hand_in() again.") from None
    finally:
        for temporary in ready.values():
            temporary.unlink(missing_ok=True)
    return kept, [name for name in others if name not in kept and not name.startswith(".")]


def _write_beside(path: Path, data: bytes) -> Path:
    """Write data into a hidden file beside `path`; leave nothing behind if that fails."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _written_before(target: Path) -> dict[str, list[bytes]]:
    """Read from the zips of earlier hand-ins what those wrote."""
    ours = defaultdict(list)
    for path in target.glob("*.zip"):
        try:
            with zipfile.ZipFile(path) as archive:
                if archive.comment != MARK:
                    continue
                for name in archive.namelist():
                    ours[name].append(archive.read(name))
        except zipfile.BadZipFile:
            continue
        ours[path.name].append(path.read_bytes())
    return ours


def _keep(path: Path) -> str:
    """Rename a file of the student's, to a name that is free."""
    number = 1
    while (new := path.with_stem(f"{path.stem} (kept {number})")).exists():
        number += 1
    path.rename(new)
    return new.name
