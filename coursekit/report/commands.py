"""The command that writes the class report."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from coursekit.command import console, course_command

# nbgrader takes seconds to import: each command imports what it needs, so that help comes at once.
if TYPE_CHECKING:
    from coursekit.course import Course


def _web_address(ctx, param, value: str) -> str:
    try:
        parts = urlsplit(value)
        fit = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        fit = False
    if not fit or parts.query or parts.fragment:
        raise click.BadParameter(
            f"expected an address such as http://localhost:8888, got {value!r}."
        )
    return value


@course_command
@click.argument("assignment", required=False)
@click.option(
    "--anonymous",
    "unnamed",
    is_flag=True,
    help="Write a version to show in class: no names, no links, no groups of one or two.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where to write; default: build/report/ASSIGNMENT.",
)
@click.option(
    "--formgrader",
    metavar="URL",
    callback=_web_address,
    default="http://localhost:8888",
    show_default=True,
    help="Where Jupyter runs with nbgrader's formgrader, for the links.",
)
@click.option(
    "--similarity",
    type=click.IntRange(1, 100),
    default=80,
    show_default=True,
    metavar="PERCENT",
    help="From which share on two submissions are shown as a pair to look at.",
)
def report_(
    course: "Course",
    assignment: str | None,
    unnamed: bool,
    output: Path | None,
    formgrader: str,
    similarity: int,
):
    """Write a page that tells how the class did, what to explain and whom to look at.

    report.html needs no network; the figures lie beside it as CSV. Both hold names and points:
    they can be read by you only, and the default folder is not in git. With --anonymous the files
    are report-anonymous.html and so on, in a folder of their own.
    """
    from coursekit.report.figures import figures
    from coursekit.report.page import anonymous_report, full_report, write_report
    from coursekit.report.reading import read_class

    name = course.assignment(assignment)
    where = console()
    with where.status("Reading the graded class ..."):
        read = read_class(course, name)
    with where.status("Comparing the submissions ..." if not unnamed else "Counting ..."):
        found = figures(course, read, formgrader, similarity / 100, compare=not unnamed)
    made = datetime.now(course.timezone)
    if unnamed:
        html, tables = anonymous_report(found, made)
    else:
        html, tables = full_report(course, found, made)
    suffix, other = ("-anonymous", "report.html") if unnamed else ("", "report-anonymous.html")
    if output and (output / other).exists():
        raise click.UsageError(
            f"{output} holds {other}: the report with names and the one without must not lie in "
            "one folder; choose another with --output."
        )
    folder = output or course.build / "report" / f"{name}{suffix}"
    written = write_report(folder, f"report{suffix}", html, tables)
    if not read.graded:
        click.echo(f"Nobody is graded yet under {course.autograded}; run coursekit grade.")
    click.echo(f"Written: {written.page} and {len(written.tables)} CSV files beside it")


REPORT = (report_,)
