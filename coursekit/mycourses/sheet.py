"""The grading worksheet as MyCourses takes it back: its rows and columns, checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from coursekit.errors import KitError
from coursekit.mycourses.cells import BOM, Row, rows_of, text_of
from coursekit.mycourses.worksheet import IDENTIFIER

GRADE = "Grade"
MAXIMUM = ("Maximum grade", "Maximum Grade")  # the second in Moodle 4.3
GRADED = "Last modified (grade)"
CHANGEABLE = "Grade can be changed"
COMMENTS = "Feedback comments"

PARTICIPANT = re.compile(r"Participant ([0-9]+)")
POINTS = re.compile(r"[0-9]{1,10}(\.[0-9]{1,5})?")
AGAIN = "download the grading worksheet again"
ENGLISH = f"set the language of MyCourses to English and {AGAIN}, not saved from a spreadsheet"


class SheetError(KitError):
    """The worksheet is not one that can be filled and uploaded."""


@dataclass(frozen=True)
class Sheet:
    """A worksheet that keeps every byte but those of the cells that are replaced.

    Attributes
    ----------
    mark : str
        The byte order mark, if there is one.
    rows : list of Row
        With the header.
    columns : dict
        Places of the columns by their names; that of the maximum under its usual one.
    participants : dict
        Rows by the participant's number, in the order of the file.
    """

    mark: str
    rows: list[Row]
    columns: dict[str, int]
    participants: dict[str, Row]

    @property
    def text(self) -> str:
        """The text of the file."""
        return self.mark + text_of(self.rows)

    def told(self, participant: str, column: str, default: str = "") -> str:
        """Tell what a participant's row says in a column; the default if there is none."""
        place = self.columns.get(column)
        return default if place is None else self.participants[participant].values[place]

    def put(self, participant: str, column: str, raw: str) -> None:
        """Replace a cell by another raw one."""
        self.participants[participant].cells[self.columns[column]] = raw


def sheet_of(text: str) -> Sheet:
    """Take the text of a worksheet apart, and check it.

    Parameters
    ----------
    text : str
        With its line ends and its byte order mark, as it is in the file.

    Returns
    -------
    Sheet

    Raises
    ------
    CellsError, SheetError
        If it is no worksheet in English, if it takes no points, or if a row is broken. The
        sentence neither names the file nor ends in a full stop.
    """
    mark = BOM if text.startswith(BOM) else ""
    rows = rows_of(text.removeprefix(BOM))
    columns = _columns(rows[0] if rows else Row([], ""))
    return Sheet(mark, rows, columns, _participants(rows, columns))


def _columns(header: Row) -> dict[str, int]:
    """Find the columns by their names, the one of the maximum under its usual name."""
    names = header.values
    if "Scale" in names or GRADE in names and not any(name in names for name in MAXIMUM):
        raise SheetError(
            f'there is no column "{MAXIMUM[0]}": the assignment is graded with a scale or with '
            "advanced grading; set Grade, Type: Point and Simple direct grading in the "
            f"assignment's settings, and {AGAIN}"
        )
    columns = {MAXIMUM[0] if name in MAXIMUM else name: i for i, name in enumerate(names)}
    for name in (IDENTIFIER, GRADE, MAXIMUM[0], GRADED):
        if name not in columns:
            raise SheetError(f'there is no column "{name}"; {ENGLISH}')
    if len(columns) != len(names):
        raise SheetError(f"two columns have the same name; {AGAIN}")
    if columns.get(COMMENTS) == 0:  # MyCourses takes no comments from the first column
        del columns[COMMENTS]
    return columns


def _participants(rows: list[Row], columns: Mapping[str, int]) -> dict[str, Row]:
    """Check every row, and return each by the participant's number."""
    listed: dict[str, Row] = {}
    for number, row in enumerate(rows[1:], start=2):
        where = f"row {number}"
        if row.blank:
            continue
        if len(row.cells) != len(rows[0].cells):
            raise SheetError(
                f"{where}: {len(row.cells)} cells, expected {len(rows[0].cells)}; {AGAIN}, and if "
                "that does not help, look for a text that ends in a backslash"
            )
        identifier, maximum = (row.values[columns[name]] for name in (IDENTIFIER, MAXIMUM[0]))
        match = PARTICIPANT.fullmatch(identifier)
        if match is None:
            raise SheetError(
                f'{where}: the identifier is {identifier!r}, expected "Participant" and a number; '
                f"{ENGLISH}"
            )
        if match[1] in listed:
            raise SheetError(f"{where}: participant {match[1]} stands there twice; {AGAIN}")
        if not POINTS.fullmatch(maximum):
            raise SheetError(
                f'{where}: the maximum grade is {maximum!r}, expected one such as "100.00"; '
                f"{ENGLISH}"
            )
        listed[match[1]] = row
    return listed
