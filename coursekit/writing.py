"""Write a file as a whole or not at all, and tables that no spreadsheet takes for formulas."""

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# Some spreadsheets take a semicolon for the end of a cell, even between quotes.
FORMULA_START = re.compile(r"(^|;)([\s\x00-\x1f\u200b-\u200f\u2060\ufeff]*)(?=[=+@\-＝＋＠－])")


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its place when all is written, and until then leaves what is there.

    After a power cut, too, the file is there as a whole or as it was.

    Parameters
    ----------
    path : Path
        Its folder is there.

    Yields
    ------
    BinaryIO
    """
    scratch = path.with_name(f".{path.name}.new")
    try:
        scratch.unlink(missing_ok=True)  # of a run that was killed; it may be a link
        with scratch.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def replace_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there as a whole or as it was.

    Parameters
    ----------
    path : Path
        Its folder is there.
    data : bytes
    """
    with written_whole(path) as file:
        file.write(data)


def table(rows: Iterable[Iterable[str | float | None]]) -> bytes:
    """Write rows as CSV in UTF-8, in which no text is a formula.

    Parameters
    ----------
    rows : iterable of iterable of str, float or None
        None becomes an empty cell.

    Returns
    -------
    bytes
        With the line ends of RFC 4180; cells that hold a part of one are quoted.
    """
    text = io.StringIO()
    csv.writer(text).writerows([_no_formula(cell) for cell in row] for row in rows)
    return text.getvalue().encode(errors="replace")


def _no_formula(cell):
    return FORMULA_START.sub(r"\1\2'", cell) if isinstance(cell, str) else cell
