"""Fill grades and comments into the worksheet that was downloaded from MyCourses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from coursekit.course import Course
from coursekit.errors import KitError
from coursekit.grading.results import results
from coursekit.grading.student import StudentResult
from coursekit.mycourses.cells import quoted
from coursekit.mycourses.comment import OURS, comment, written_by_hand
from coursekit.mycourses.ready import ABSENT, LATER, not_ready, outdated
from coursekit.mycourses.replacing import write_copy
from coursekit.mycourses.sheet import (
    AGAIN,
    CHANGEABLE,
    COMMENTS,
    GRADE,
    GRADED,
    MAXIMUM,
    Sheet,
    sheet_of,
)
from coursekit.mycourses.worksheet import NEVER, SUBMITTED, check_dates

CENT = Decimal("0.01")
COPY = "-graded"  # the end of the name of a copy
LOCKED = "MyCourses says that the grade cannot be changed"


class FillingError(KitError):
    """The worksheet cannot be filled."""


@dataclass
class Filled:
    """What was written into a worksheet.

    Attributes
    ----------
    path : Path or None
        Where the filled worksheet lies.
    students : list of str
        The participants who got a grade.
    blank : dict
        The reasons for rows that were left as they were, each with its participants.
    grades : dict
        By participant, the grade that MyCourses had before, where it was another one.
    comments : list of str
        Participants who had a comment that a person had written; it stays in the old worksheet.
    cut : list of str
        Participants whose points were more than the maximum.
    unknown : list of str
        Students who handed in and are not in the worksheet.
    has_comments : bool
        Whether the worksheet takes comments.
    """

    path: Path | None = None
    students: list[str] = field(default_factory=list)
    blank: dict[str, list[str]] = field(default_factory=dict)
    grades: dict[str, str] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    has_comments: bool = True


def fill(
    course: Course,
    assignment: str,
    worksheet: Path,
    output: Path | None = None,
    provisional: bool = False,
    unknown: int = 0,
) -> Filled:
    """Write a copy of a grading worksheet with grades and comments in it.

    Parameters
    ----------
    course : Course
    assignment : str
        A released assignment.
    worksheet : Path
        The CSV file as MyCourses wrote it, in English.
    output : Path, optional
        By default beside the worksheet, with ``-graded`` in its name. Replaced, if it is an
        earlier copy of a worksheet of the same assignment, in which no person wrote.
    provisional : bool
        Fill in points, too, that are not the last word, or that are of other work than MyCourses
        has now.
    unknown : int
        How many students may have handed in without being in the worksheet.

    Returns
    -------
    Filled

    Raises
    ------
    KitError
        If the worksheet is not one, or one of another assignment, or has been filled in, or if
        the copy cannot be written; nothing is written then.
    """
    worksheet = Path(worksheet)
    output = Path(output or worksheet.with_name(f"{worksheet.stem}{COPY}.csv"))
    try:
        before = worksheet.read_bytes()
    except OSError as problem:
        raise FillingError(f"{worksheet} cannot be read: {problem.strerror}.") from problem
    found = {result.student: result for result in results(course, assignment)}
    with course.gradebook() as gradebook:
        max_points = gradebook.find_assignment(assignment).max_score
    if not max_points:
        raise FillingError(f"{assignment} has no points that could become a grade.")
    try:
        text = before.decode()
        sheet = sheet_of(text)
        _check_download(worksheet, sheet)
        check_dates(sheet, course)
        others = {} if provisional else outdated(course, assignment, sheet)
        filled = fill_rows(sheet, found, others, max_points, provisional, unknown)
    except UnicodeDecodeError as problem:
        raise FillingError(f"{worksheet} is not in UTF-8; {AGAIN}.") from problem
    except KitError as problem:
        raise FillingError(f"{worksheet}: {problem}.") from problem
    write_copy(worksheet, sheet_of(text), output, sheet.text)
    filled.path = output
    return filled


def _check_download(worksheet: Path, sheet: Sheet):
    """Refuse a copy that was filled in before: its provisional grades would stay.

    MyCourses writes the time of grading beside each grade, a copy does not.
    """
    ours = any(
        sheet.told(participant, GRADE) not in NEVER
        and sheet.told(participant, GRADED) in NEVER
        and OURS.match(sheet.told(participant, COMMENTS))
        for participant in sheet.participants
    )
    if ours or worksheet.stem.endswith(COPY):
        raise FillingError(
            f"it is a copy that coursekit worksheet has filled in{'' if ours else ', by its name'};"
            " give the worksheet as you downloaded it from MyCourses"
        )


def fill_rows(
    sheet: Sheet,
    found: Mapping[str, StudentResult],
    others: Mapping[str, str],
    max_points: float,
    provisional: bool = False,
    unknown: int = 0,
) -> Filled:
    """Fill grades and comments into the rows of a worksheet.

    Parameters
    ----------
    sheet : Sheet
        Changed in the cells that are filled in, and in no other byte.
    found : mapping of str to StudentResult
        By participant number.
    others : mapping of str to str
        By participant number, why the points are of other work than MyCourses has.
    max_points : float
        Points to be had in the assignment.
    provisional, unknown
        As in `fill`.

    Returns
    -------
    Filled

    Raises
    ------
    FillingError
        As in `fill`; the sentence neither names the file nor ends in a full stop.
    """
    filled = Filled(has_comments=COMMENTS in sheet.columns)
    filled.unknown = _unknown(found, sheet, unknown)
    for participant in sheet.participants:
        result = found.get(participant)
        reason = _reason(sheet, participant, result, provisional)
        reason = reason or others.get(participant, "")
        if reason:
            filled.blank.setdefault(reason, []).append(participant)
        else:
            _fill_row(sheet, participant, result, max_points, filled)
    return filled


def _reason(sheet: Sheet, participant: str, result: StudentResult | None, provisional: bool) -> str:
    """Say why a row stays as it is; empty if it is to be filled in."""
    reason = not_ready(result, provisional) if result else ABSENT
    if reason == ABSENT and sheet.told(participant, SUBMITTED) not in NEVER:
        return LATER
    if not reason and sheet.told(participant, CHANGEABLE, "Yes") != "Yes":
        return LOCKED
    return reason


def _fill_row(
    sheet: Sheet, participant: str, result: StudentResult, max_points: float, filled: Filled
):
    """Fill in one row, and note what was there before."""
    grade = scaled(result.score, max_points, Decimal(sheet.told(participant, MAXIMUM[0])))
    before = sheet.told(participant, GRADE)
    sheet.put(participant, GRADE, grade)
    filled.students.append(participant)
    if before not in NEVER and before != grade:
        filled.grades[participant] = before
    if result.score > max_points:
        filled.cut.append(participant)
    if filled.has_comments:
        if written_by_hand(sheet.told(participant, COMMENTS)):
            filled.comments.append(participant)
        sheet.put(participant, COMMENTS, quoted(comment(result, max_points)))


def _unknown(found: Mapping[str, StudentResult], sheet: Sheet, allowed: int) -> list[str]:
    """Return who handed in and is not listed, if it can be the right worksheet."""
    handed_in = [student for student, result in found.items() if result.state != "absent"]
    unknown = [student for student in handed_in if student not in sheet.participants]
    if unknown and len(unknown) == len(handed_in):
        raise FillingError(
            "it lists nobody of those who handed in, so it is the worksheet of another "
            f"assignment; {AGAIN}, of the assignment that was collected"
        )
    if len(unknown) > allowed:
        raise FillingError(
            f"{len(unknown)} who handed in are not in it, expected at most {allowed}: "
            f"{', '.join(unknown)}; {AGAIN} without a filter or group, or, if these have left the "
            f"course, add --unknown {len(unknown)}"
        )
    return unknown


def scaled(score: float, max_points: float, maximum: Decimal) -> str:
    """Turn points into a grade with a decimal point, in [0, maximum].

    Parameters
    ----------
    score, max_points : float
    maximum : Decimal
        MyCourses' maximum grade.

    Returns
    -------
    str
        To the hundredth; halves are rounded up.
    """
    grade = Decimal(str(score)) / Decimal(str(max_points)) * maximum
    inside = min(max(Decimal(0), grade), maximum)  # in this order: never -0.00
    return f"{min(inside.quantize(CENT, ROUND_HALF_UP), maximum):f}"
