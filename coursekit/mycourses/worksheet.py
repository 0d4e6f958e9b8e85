"""Read MyCourses' grading worksheet: who takes part, and who handed in when."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from coursekit.course import CONFIG_FILE, Course
from coursekit.errors import KitError
from coursekit.mycourses.sheet import AGAIN, ENGLISH, GRADED, Sheet, listed

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
    """The file is not a grading worksheet that can be read, or is that of another assignment."""


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
    try:
        sheet = listed(Path(path).read_bytes().decode(), [SUBMITTED])
        return {number: _participant(sheet, number, course) for number in sheet.participants}
    except OSError as problem:
        raise WorksheetError(f"{path} cannot be read: {problem.strerror}.") from problem
    except UnicodeDecodeError as problem:
        raise WorksheetError(
            f"{path} is not in UTF-8, as a file that a spreadsheet program has saved; {AGAIN}."
        ) from problem
    except KitError as problem:
        raise WorksheetError(f"{path}: {problem}.") from problem


def _participant(sheet: Sheet, number: str, course: Course) -> Participant:
    return Participant(
        number=number,
        name=sheet.told(number, NAME),
        email=sheet.told(number, EMAIL),
        id_number=sheet.told(number, ID_NUMBER),
        submitted=date(sheet, number, SUBMITTED, course),
        group=sheet.told(number, GROUP),
    )


def check_dates(sheet: Sheet, course: Course) -> None:
    """Refuse a worksheet in which MyCourses could not read a date.

    It would skip the row in silence.

    Parameters
    ----------
    sheet : Sheet
    course : Course
        As in `read_worksheet`.

    Raises
    ------
    WorksheetError
        As in `date`.
    """
    for number in sheet.participants:
        for column in (SUBMITTED, GRADED):
            date(sheet, number, column, course)


def date(sheet: Sheet, number: str, column: str, course: Course) -> datetime | None:
    """Read a date such as ``Thursday, 19 November 2026, 12:30 PM``.

    Parameters
    ----------
    sheet : Sheet
    number : str
        The participant's.
    column : str
        `SUBMITTED` or `GRADED`.
    course : Course
        As in `read_worksheet`.

    Returns
    -------
    datetime or None
        In UTC; None if nothing was handed in or graded.

    Raises
    ------
    WorksheetError
        If the date has another form, or the form is none. The sentence does not end in a full stop.
    """
    date_format = _date_format(course)
    text = sheet.told(number, column)
    if text in NEVER:
        return None
    try:
        return course.to_utc(datetime.strptime(text, date_format))
    except (OverflowError, ValueError) as problem:
        english = not set(MONTHS).isdisjoint(re.findall(r"\w+", text))
        remedy = (
            f"set c.MyCourses.date_format in {CONFIG_FILE} to the form that it has"
            if english
            else f"{ENGLISH}, or, if MyCourses itself writes dates in numbers, set "
            f"c.MyCourses.date_format in {CONFIG_FILE}"
        )
        raise WorksheetError(
            f'{sheet.where(number)}, "{column}": the date {text!r} is not of the form '
            f"{EXAMPLE.strftime(date_format)!r}; {remedy}"
        ) from problem


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
            f"tells no date and time; write for example {DATE_FORMAT!r}"
        )
    return date_format
