"""The commands that bring work from MyCourses, and points and feedback back."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coursekit.command import FILE, course_command, end_with, write_feedback

# nbgrader takes seconds to import: each command imports what it needs, so that help comes at once.
if TYPE_CHECKING:
    from coursekit.course import Course
    from coursekit.mycourses.collect import Collected
    from coursekit.mycourses.feedback_zip import Packed
    from coursekit.mycourses.filling import Filled

ORDER = (
    "Upload the worksheet first ('Upload grading worksheet'), the feedback zip second ('Upload "
    "multiple feedback files in a zip'): the zip gives each student a newer grade record, and then "
    "MyCourses skips, in silence, the rows of a worksheet that was downloaded before."
)
MEGABYTE = 10**6


@course_command
@click.argument("arguments", nargs=-1, required=True, metavar="[ASSIGNMENT] DOWNLOAD.zip")
@click.option("--worksheet", type=FILE, metavar="CSV", help="The grading worksheet of MyCourses.")
def collect_(course: "Course", arguments: tuple[str, ...], worksheet: Path | None):
    """Unpack MyCourses' zip of all submissions into submitted/."""
    from coursekit.mycourses.collect import collect

    name, download = _name_and_file(arguments, "DOWNLOAD.zip")
    _tell_collected(collect(course, course.assignment(name), download, worksheet))


@course_command
@click.argument("arguments", nargs=-1, required=True, metavar="[ASSIGNMENT] WORKSHEET.csv")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="CSV",
    help="Where to write; default: beside the worksheet, as WORKSHEET-graded.csv.",
)
@click.option(
    "--provisional",
    is_flag=True,
    help="Fill in points, too, that a person has still to add to, or that are of earlier work.",
)
@click.option(
    "--unknown",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="How many who handed in may be missing in the worksheet, as those who left the course.",
)
def worksheet_(course: "Course", arguments: tuple[str, ...], **options):
    """Fill grades and comments into a copy of your own grading worksheet.

    WORKSHEET.csv is what MyCourses gives under 'Download grading worksheet'; it stays as it is. In
    the copy only the cells Grade and Feedback comments of graded students are other ones.
    """
    from coursekit.mycourses.filling import fill

    name, worksheet = _name_and_file(arguments, "WORKSHEET.csv")
    _tell_filled(fill(course, course.assignment(name), worksheet, **options))


@course_command
@click.argument("arguments", nargs=-1, metavar="[ASSIGNMENT] [DOWNLOAD.zip]")
@click.option(
    "--zip",
    "packed",
    is_flag=True,
    help="Write PDFs, too, and pack all for MyCourses; with the folder names of DOWNLOAD.zip.",
)
@click.option(
    "--limit",
    type=click.FloatRange(0, min_open=True),
    default=100,
    show_default=True,
    metavar="MB",
    help="With --zip: the size of a file that MyCourses takes; what is larger is split.",
)
@click.option(
    "--provisional",
    is_flag=True,
    help="With --zip: pack feedback, too, on points that a person has still to add to.",
)
@click.option("--no-pdf", is_flag=True, help="With --zip: pack the pages alone.")
def feedback_(
    course: "Course",
    arguments: tuple[str, ...],
    packed: bool,
    limit: float,
    provisional: bool,
    no_pdf: bool,
):
    """Write the feedback pages of the graded students, and pack them for MyCourses."""
    from coursekit.grading.feedback import feedback

    download = None
    if packed and arguments and arguments[-1].endswith(".zip"):
        *arguments, file = arguments
        download = FILE.convert(file, None, click.get_current_context())
    if len(arguments) > 1:
        raise click.UsageError("Expected an assignment, and with --zip the zip of all submissions.")
    if not packed and (provisional or no_pdf):
        raise click.UsageError("--provisional and --no-pdf are for --zip.")
    name = course.assignment(next(iter(arguments), None))
    failed = write_feedback(course, "pages", lambda told: feedback(course, name, told))
    if packed:
        from coursekit.grading.feedback_pdf import feedback_pdfs
        from coursekit.mycourses.feedback_zip import pack_feedback

        if not no_pdf:
            failed |= write_feedback(
                course, "PDFs", lambda told: feedback_pdfs(course, name, progress=told)
            )
        size = int(limit * MEGABYTE)
        made = pack_feedback(course, name, download, size, provisional, not no_pdf, failed)
        _tell_packed(made, limit)
    end_with(failed, "feedback" if packed else "pages")


MYCOURSES = (collect_, worksheet_, feedback_)


def _name_and_file(arguments: tuple[str, ...], expected: str) -> tuple[str | None, Path]:
    """Tell an assignment, which may be left out, from the file after it."""
    *names, file = arguments
    if len(names) > 1:
        raise click.UsageError(f"Expected one assignment and one {expected}.")
    if not names and not Path(file).suffix and not Path(file).is_file():
        raise click.UsageError(f"{expected} is missing after {file!r}: name the file, too.")
    return next(iter(names), None), FILE.convert(file, None, click.get_current_context())


def _tell_collected(collected: "Collected"):
    from coursekit.grading.wording import listing

    changes = Counter(submission.change for submission in collected.submissions)
    counts = ", ".join(f"{count} {change}" for change, count in sorted(changes.items()))
    click.echo(f"{len(collected.submissions)} submissions: {counts}")
    for submission in collected.submissions:
        if submission.missing:
            click.echo(f"  {submission.student}: not handed in: {', '.join(submission.missing)}")
        for sentence in submission.unclear:
            click.echo(f"  {submission.student}: needs a person: {sentence}")
        if submission.told:
            click.echo(f"  {submission.student}: {' '.join(submission.told)}")
        if submission.files:
            click.echo(f"  {submission.student}: {submission.change}: {listing(submission.files)}")
    for ignored in collected.ignored:
        click.echo(f"  {ignored}")
    for student in collected.unknown:
        click.echo(f"  {student}: is not in the worksheet, so the time of submission is unknown")
    _tell_some("nothing handed in", collected.absent)
    _tell_some(
        "not in this download, and the earlier work stays and will be graded; if it was withdrawn, "
        "remove the folder under submitted/",
        collected.staying,
    )
    for note in collected.notes:
        click.echo(f"  {note}")


def _tell_filled(filled: "Filled"):
    click.echo(f"{_count(filled.students, 'grade')} written to {filled.path}")
    for reason, participants in filled.blank.items():
        _tell_some(f"left as it was, {reason.rstrip('.')}", participants)
    for participant, before in filled.grades.items():
        click.echo(f"  {participant}: replaces the grade {before}")
    notes = {
        "the points were more than the maximum, which is written": filled.cut,
        "replaces a comment that a person wrote; it stays in the downloaded worksheet": (
            filled.comments
        ),
        "handed in, and is not in the worksheet: no grade": filled.unknown,
    }
    for note, participants in notes.items():
        _tell_some(note, participants)
    if not filled.has_comments:
        click.echo(
            "  no comments: the worksheet has no column for them; turn on Feedback types, Feedback "
            "comments in the assignment's settings, if you want them"
        )
    click.echo(
        ORDER if filled.students else "No grade was filled in, so there is nothing to upload yet."
    )


def _tell_packed(packed: "Packed", limit: float):
    for path in packed.archives:
        click.echo(f"{path}: {path.stat().st_size / MEGABYTE:.1f} MB")
    click.echo(f"Feedback of {_count(packed.students, 'student')} packed")
    for reason, students in packed.left_out.items():
        _tell_some(f"left out, {reason.rstrip('.')}", students)
    _tell_some(f"the files alone are larger than {limit:g} MB (--limit)", packed.too_large)
    if packed.archives:
        click.echo(ORDER)


def _count(things: list, name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _tell_some(what: str, students: Iterable[str]):
    if students:
        click.echo(f"  {what}: {', '.join(students)}")
