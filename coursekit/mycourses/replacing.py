"""Write a filled worksheet, and never over anything that a person wrote."""

from pathlib import Path

from coursekit.course import private_files
from coursekit.errors import KitError
from coursekit.mycourses.comment import OURS, written_by_hand
from coursekit.mycourses.sheet import COMMENTS, GRADE, Sheet, sheet_of
from coursekit.mycourses.worksheet import NEVER
from coursekit.writing import replace_whole

REMEDY = "rename it, or name another file with --output."


class ReplacingError(KitError):
    """A file is in the place where the filled worksheet should go."""


def write_copy(worksheet: Path, before: Sheet, output: Path, after: str) -> None:
    """Write the copy of a worksheet, readable by its owner only, in place of an earlier one.

    Parameters
    ----------
    worksheet : Path
    before : Sheet
        The worksheet as MyCourses wrote it.
    output : Path
    after : str
        The text of the copy.

    Raises
    ------
    KitError
        If another file is there, or nothing can be written.
    """
    try:
        if output.exists():
            if output.samefile(worksheet):
                raise ReplacingError(
                    f"{output} is the worksheet itself, which stays as it is; name another file "
                    "with --output."
                )
            _check_earlier(output, before)
        with private_files():
            replace_whole(output, after.encode())
    except OSError as problem:
        raise KitError(f"{output} cannot be written: {problem.strerror}.") from problem


def _check_earlier(output: Path, worksheet: Sheet):
    """Refuse to replace what is no earlier copy of a worksheet, or was worked on since.

    A newer download may list others, with other times; but MyCourses gives a participant number
    once, so that two worksheets with a number in common are of one assignment.
    """
    try:
        earlier = sheet_of(output.read_bytes().decode())
    except (UnicodeDecodeError, KitError):
        raise ReplacingError(f"{output} is there, and is no worksheet; {REMEDY}") from None
    common = earlier.participants.keys() & worksheet.participants.keys()
    if list(earlier.columns) != list(worksheet.columns) or not common:
        raise ReplacingError(f"{output} is there, and is no copy of this worksheet; {REMEDY}")
    lost = [
        participant
        for participant in earlier.participants
        if _by_hand(earlier, participant) - _by_hand(worksheet, participant)
    ]
    if lost:
        raise ReplacingError(
            f"{output} is there, with grades or comments that a person wrote in "
            f"{', '.join(map(earlier.where, lost))}; {REMEDY}"
        )


def _by_hand(sheet: Sheet, participant: str) -> set[tuple[str, str]]:
    """Return the cells of a row that a person may have filled in; none, if the comment is ours."""
    if participant not in sheet.participants:
        return set()
    comment = sheet.told(participant, COMMENTS)
    if COMMENTS not in sheet.columns or OURS.match(comment):
        return set()
    cells = {(GRADE, sheet.told(participant, GRADE))} - {(GRADE, told) for told in NEVER}
    return cells | ({(COMMENTS, comment)} if written_by_hand(comment) else set())
