"""Read MyCourses' grading worksheet: who takes part, and who handed in when."""

import csv
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from coursekit.course import Course
from coursekit.errors import KitError

IDENTIFIER = "Identifier"
NAME = "Full name"
EMAIL = "Email address"
ID_NUMBER = "ID number"
SUBMITTED = "Last modified (submission)"

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
MOMENT = re.compile(r"\w+, (\d{1,2}) (\w+) (\d{4}), (\d{1,2}):(\d{2}) ([AP]M)")
NEVER = {"", "-"}


class WorksheetError(KitError):
    """The file is not a grading worksheet that can be read."""


@dataclass(frozen=True)
class Participant:
    """One row of the worksheet.

    Attributes
    ----------
    number : str
        The participant number, which MyCourses gives anew in every assignment.
    name, email, id_number : str
        Empty where the worksheet does not tell (blind marking).
    submitted : datetime or None
        In UTC; None if nothing was handed in.
    """

    number: str
    name: str
    email: str
    id_number: str
    submitted: datetime | None


def read_worksheet(path: Path, course: Course) -> dict[str, Participant]:
    """Read a grading worksheet.

    Parameters
    ----------
    path : Path
        The CSV file as MyCourses wrote it, in English.
    course : Course
        Gives the time zone of the dates.

    Returns
    -------
    dict
        Participants by number, in the order of the file.

    Raises
    ------
    WorksheetError
        If the file is no worksheet, is one in another language, or has a row that is broken.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except OSError as problem:
        raise WorksheetError(f"{path} cannot be read: {problem.strerror}.") from problem
    except (UnicodeDecodeError, csv.Error) as problem:
        raise WorksheetError(
            f"{path} is not a CSV file in UTF-8 ({problem}); download the grading worksheet "
            "again, and do not save it from a spreadsheet."
        ) from problem
    header, *rows = rows or [[]]
    if not {IDENTIFIER, SUBMITTED} <= set(header):
        raise WorksheetError(
            f'{path} has no columns "{IDENTIFIER}" and "{SUBMITTED}"; set the language of '
            "MyCourses to English and download the grading worksheet again."
        )
    participants = {}
    for line, row in enumerate(rows, start=2):
        where = f"{path}, row {line}"
        if len(row) != len(header):
            raise WorksheetError(
                f"{where}: {len(row)} cells, expected {len(header)}; "
                "download the grading worksheet again."
            )
        participant = _participant(dict(zip(header, row, strict=True)), course, where)
        if participant.number in participants:
            raise WorksheetError(
                f"{where}: participant {participant.number} stands there twice; "
                "download the grading worksheet again."
            )
        participants[participant.number] = participant
    return participants


def _participant(cells: dict[str, str], course: Course, where: str) -> Participant:
    identifier = re.fullmatch(r"Participant (\d+)", cells[IDENTIFIER])
    if identifier is None:
        raise WorksheetError(
            f'{where}: the identifier is {cells[IDENTIFIER]!r}, expected "Participant" and a '
            "number; set the language of MyCourses to English and download the worksheet again."
        )
    return Participant(
        number=identifier[1],
        name=cells.get(NAME, ""),
        email=cells.get(EMAIL, ""),
        id_number=cells.get(ID_NUMBER, ""),
        submitted=_moment(cells[SUBMITTED], course, where),
    )


def _moment(text: str, course: Course, where: str) -> datetime | None:
    """Read a date such as ``Thursday, 19 November 2026, 12:30 PM``, whatever the locale."""
    if text in NEVER:
        return None
    parts = MOMENT.fullmatch(text)
    try:
        day, month, year, hour, minute, half = parts.groups()
        local = datetime(
            int(year),
            MONTHS.index(month) + 1,
            int(day),
            int(hour) % 12 + 12 * (half == "PM"),
            int(minute),
        )
    except (AttributeError, ValueError) as problem:
        raise WorksheetError(
            f"{where}: the date {text!r} is not of the form 'Thursday, 19 November 2026, "
            "12:30 PM'; set the language of MyCourses to English and download the worksheet again."
        ) from problem
    return course.to_utc(local)
