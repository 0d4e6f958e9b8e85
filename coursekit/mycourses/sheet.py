"""The grading worksheet of MyCourses: its columns and rows, checked; every byte of it is kept."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from coursekit.errors import KitError
from coursekit.mycourses.cells import BOM, Row, rows_of, text_of, value

IDENTIFIER = "Identifier"
GRADE = "Grade"
MAXIMUM = ("Maximum grade", "Maximum Grade")  # the second in Moodle 4.3
GRADED = "Last modified (grade)"
CHANGEABLE = "Grade can be changed"
COMMENTS = "Feedback comments"

PARTICIPANT = re.compile(r"Participant ([0-9]{1,20})")
POINTS = re.compile(r"[0-9]{1,10}(\.[0-9]{1,5})?")
AGAIN = "download the grading worksheet again"
ENGLISH = f"set the language of MyCourses to English and {AGAIN}, not saved from a spreadsheet"


class SheetError(KitError):
    """The text is not a worksheet, or not one that can be filled and uploaded."""


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
        return default if place is None else value(self.participants[participant].cells[place])

    def where(self, participant: str) -> str:
        """Say in which row a participant stands: "row 2" is the first below the header."""
        row = self.participants[participant]
        return f"row {next(i for i, one in enumerate(self.rows, start=1) if one is row)}"

    def put(self, participant: str, column: str, raw: str) -> None:
        """Replace a cell by another raw one."""
        self.participants[participant].cells[self.columns[column]] = raw


def sheet_of(text: str) -> Sheet:
    """Take the text of a worksheet apart, and check that it takes points.

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
        As in `listed`, and if it takes no points.
    """
    sheet = listed(text, (GRADE, MAXIMUM[0], GRADED))
    for participant in sheet.participants:
        maximum = sheet.told(participant, MAXIMUM[0])
        if not POINTS.fullmatch(maximum):
            raise SheetError(
                f"{sheet.where(participant)}: the maximum grade is {maximum!r}, expected one such "
                f'as "100.00"; {ENGLISH}'
            )
    return sheet


def listed(text: str, needed: Iterable[str]) -> Sheet:
    """Take the text of a worksheet apart, and check whom it lists.

    Parameters
    ----------
    text : str
        With its line ends and its byte order mark, as it is in the file.
    needed : iterable of str
        Names of the columns that have to be there, beside the identifier.

    Returns
    -------
    Sheet

    Raises
    ------
    CellsError, SheetError
        If it is no worksheet in English, or if a row is broken. The sentence neither names the
        file nor ends in a full stop.
    """
    mark = BOM if text.startswith(BOM) else ""
    rows = rows_of(text.removeprefix(BOM))
    columns = _columns(rows[0] if rows else Row([], ""), (IDENTIFIER, *needed))
    return Sheet(mark, rows, columns, _participants(rows, columns[IDENTIFIER]))


def _columns(header: Row, needed: tuple[str, ...]) -> dict[str, int]:
    """Find the columns by their names, the one of the maximum under its usual name."""
    names = [MAXIMUM[0] if name in MAXIMUM else name for name in header.values]
    if MAXIMUM[0] in needed and MAXIMUM[0] not in names and {"Scale", GRADE} & set(names):
        raise SheetError(
            f'there is no column "{MAXIMUM[0]}": the assignment is graded with a scale or with '
            "advanced grading; set Grade, Type: Point and Simple direct grading in the "
            f"assignment's settings, and {AGAIN}"
        )
    for name in needed:
        if name not in names:
            raise SheetError(f'there is no column "{name}"; {ENGLISH}')
    columns = {name: place for place, name in enumerate(names)}
    if len(columns) != len(names):
        raise SheetError(f"two columns have the same name; {AGAIN}")
    if columns.get(COMMENTS) == 0:  # MyCourses takes no comments from the first column
        del columns[COMMENTS]
    return columns


def _participants(rows: list[Row], identifier: int) -> dict[str, Row]:
    """Check every row, and return each by the participant's number."""
    participants: dict[str, Row] = {}
    for number, row in enumerate(rows[1:], start=2):
        where = f"row {number}"
        if row.blank:
            continue
        if len(row.cells) != len(rows[0].cells):
            raise SheetError(
                f"{where}: {len(row.cells)} cells, expected {len(rows[0].cells)}; {AGAIN}, and if "
                "that does not help, look for a text that ends in a backslash"
            )
        told = value(row.cells[identifier])
        match = PARTICIPANT.fullmatch(told)
        if match is None:
            raise SheetError(
                f'{where}: the identifier is {told!r}, expected "Participant" and a number; '
                f"{ENGLISH}"
            )
        if match[1] in participants:
            raise SheetError(f"{where}: participant {match[1]} stands there twice; {AGAIN}")
        participants[match[1]] = row
    return participants
