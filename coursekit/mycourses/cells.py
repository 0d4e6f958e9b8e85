"""Take a CSV file of MyCourses apart into cells, and put it together again byte for byte.

Moodle's CSV is PHP's, where a backslash keeps the quote after it from ending a cell.
"""

import re
from dataclasses import dataclass

from coursekit.errors import KitError

CELL = re.compile(r'"(?:[^"\\]|\\.|"")*+"|[^",\r\n][^,\r\n]*|', re.DOTALL)
LINE_END = re.compile(r"\r\n|\n|\r|\Z")
BOM = "\ufeff"


class CellsError(KitError):
    """The text is not CSV with commas."""


@dataclass
class Row:
    """One row, as it is written.

    Attributes
    ----------
    cells : list of str
        The raw cells, with their quotes.
    end : str
        The end of its line; empty in a last row without one.
    """

    cells: list[str]
    end: str

    @property
    def blank(self) -> bool:
        """Whether it is an empty line, which MyCourses skips."""
        return self.cells == [""]

    @property
    def values(self) -> list[str]:
        """What the cells say."""
        return [value(cell) for cell in self.cells]


def rows_of(text: str) -> list[Row]:
    """Take a text apart.

    Parameters
    ----------
    text : str
        Without byte order mark.

    Returns
    -------
    list of Row
        Joined by `text_of` they give the text again.

    Raises
    ------
    CellsError
        If a quoted cell does not end, or goes on after its last quote.
    """
    rows, cells, place = [], [], 0
    while place < len(text):
        cell = CELL.match(text, place)
        cells.append(cell[0])
        place = cell.end()
        if text[place : place + 1] == ",":
            place += 1
            if place < len(text):
                continue
            cells.append("")  # the file ends in a comma: one more cell, an empty one
        end = LINE_END.match(text, place)
        if end is None:
            raise CellsError(
                f"row {len(rows) + 1}: the quotes around a cell do not match, as in a file that a "
                "spreadsheet program has saved; download the grading worksheet again"
            )
        rows.append(Row(cells, end[0]))
        cells, place = [], end.end()
    return rows


def text_of(rows: list[Row]) -> str:
    """Put rows together again."""
    return "".join(",".join(row.cells) + row.end for row in rows)


def value(cell: str) -> str:
    """Tell what a raw cell says."""
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def quoted(text: str) -> str:
    """Write a text as a raw cell.

    Parameters
    ----------
    text : str
        Without backslashes: before a quote they would mean something else to MyCourses.
    """
    return '"' + text.replace('"', '""') + '"'
