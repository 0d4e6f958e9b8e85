"""Read MyCourses' grading worksheet: who takes part, and who handed in when."""

import csv
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from coursekit.course import CONFIG_FILE, Course
from coursekit.errors import KitError

IDENTIFIER = "Identifier"
NAME = "Full name"
EMAIL = "Email address"
ID_NUMBER = "ID number"
GROUP = "Group"
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
DATE_FORMAT = "%A, %d %B %Y, %I:%M %p"  # c.MyCourses.date_format where a site writes otherwise
EXAMPLE = datetime(2026, 11, 19, 12, 30)
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
    group : str
        Empty unless groups hand in together; those who are in none have a group, too.
    """

    number: str
    name: str
    email: str
    id_number: str
    submitted: datetime | None
    group: str = ""


def read_worksheet(path: Path, course: Course) -> dict[str, Participant]:
    """Read a grading worksheet.

    Parameters
    ----------
    path : Path
        The CSV file as MyCourses wrote it, in English.
    course : Course
        Gives the time zone of the dates, and their form: ``c.MyCourses.date_format``, as
        `datetime.strptime` has it.

    Returns
    -------
    dict
        Participants by number, in the order of the file.

    Raises
    ------
    WorksheetError
        If the file is no worksheet, is one in another language, or has a row that is broken; or
        if the form of the dates is none.
    """
    path, date_format = Path(path), _date_format(course)
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
        cells = dict(zip(header, row, strict=True))
        participant = _participant(cells, course, date_format, where)
        if participant.number in participants:
            raise WorksheetError(
                f"{where}: participant {participant.number} stands there twice; "
                "download the grading worksheet again."
            )
        participants[participant.number] = participant
    return participants


def _participant(
    cells: dict[str, str], course: Course, date_format: str, where: str
) -> Participant:
    identifier = re.fullmatch(r"Participant ([0-9]{1,20})", cells[IDENTIFIER])
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
        submitted=_moment(cells[SUBMITTED], course, date_format, where),
        group=cells.get(GROUP, ""),
    )


def _date_format(course: Course) -> str:
    """Return the form of the dates, if a date and a time can be written in it and read again."""
    date_format = course.config.MyCourses.get("date_format", DATE_FORMAT)
    try:
        fits = datetime.strptime(EXAMPLE.strftime(date_format), date_format) == EXAMPLE
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise WorksheetError(
            f"{course.root / CONFIG_FILE} sets c.MyCourses.date_format = {date_format!r}, which "
            f"tells no date and time; write for example {DATE_FORMAT!r}."
        )
    return date_format


def _moment(text: str, course: Course, date_format: str, where: str) -> datetime | None:
    """Read a date such as ``Thursday, 19 November 2026, 12:30 PM``."""
    if text in NEVER:
        return None
    try:
        return course.to_utc(datetime.strptime(text, date_format))
    except (OverflowError, ValueError) as problem:
        english = not set(MONTHS).isdisjoint(re.findall(r"\w+", text))
        remedy = (
            f"set c.MyCourses.date_format in {CONFIG_FILE} to the form that it has"
            if english
            else "set the language of MyCourses to English and download the worksheet again, or, "
            f"if the date is in numbers, set c.MyCourses.date_format in {CONFIG_FILE}"
        )
        raise WorksheetError(
            f"{where}: the date {text!r} is not of the form {EXAMPLE.strftime(date_format)!r}; "
            f"{remedy}."
        ) from problem
