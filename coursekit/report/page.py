"""Write the class report: one page that needs nothing else, and a CSV file behind each figure."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from coursekit.course import Course, private_files
from coursekit.errors import KitError
from coursekit.grading.student import points
from coursekit.report.anonymous import FEWEST, anonymous
from coursekit.report.charts import histogram, range_words
from coursekit.report.figures import Figures
from coursekit.report.fingerprints import CODE_RUN, TEXT_RUN
from coursekit.report.mistakes import KINDS, by_question
from coursekit.report.sheets import Sheet, anonymous_sheets, sheets
from coursekit.report.similar import FEWEST_SHARED, USUAL_LEAST, USUAL_SHARE
from coursekit.writing import replace_whole

QUESTIONS_SHOWN = 12
"""Questions with trouble that no mistake explains; the CSV file lists all."""

PAIRS_SHOWN = 40
"""Pairs whose answers the page shows; the CSV file lists all."""

FIRST_THINGS = 4
"""Mistakes, and questions, that the first screen names."""


@dataclass(frozen=True)
class Written:
    """What was written: the page, and the CSV files beside it."""

    page: Path
    tables: list[Path]


def full_report(course: Course, figures: Figures, made: datetime) -> tuple[str, list[Sheet]]:
    """Make the page and the sheets for the teachers.

    Parameters
    ----------
    course : Course
    figures : Figures
    made : datetime
        When, in the course's time zone.

    Returns
    -------
    tuple of str and list of Sheet
    """
    totals = figures.totals
    return _render(
        "report.html",
        figures=figures,
        read=figures.read,
        names={one.student: one.name for one in figures.read.students},
        made=f"{made:%d %B %Y, %H:%M}",
        due=_moment(figures.read.due, course),
        chart=histogram(totals.bins, totals.by_tests if totals.pending else None),
        first_mistakes=figures.mistakes[:FIRST_THINGS],
        hardest=figures.hardest[:FIRST_THINGS],
        kinds=KINDS,
        by_question=by_question(figures.unexplained),
        questions_shown=QUESTIONS_SHOWN,
        pairs_shown=PAIRS_SHOWN,
        method={
            "code": CODE_RUN,
            "text": TEXT_RUN,
            "least": FEWEST_SHARED,
            "usual": f"{USUAL_LEAST} and more than {USUAL_SHARE:.0%} of those who answered",
        },
    ), sheets(figures)


def anonymous_report(figures: Figures, made: datetime) -> tuple[str, list[Sheet]]:
    """Make the page and the sheets for the class.

    Parameters
    ----------
    figures : Figures
    made : datetime
        When, in the course's time zone.

    Returns
    -------
    tuple of str and list of Sheet
    """
    shown = anonymous(figures)
    html = _render(
        "anonymous.html",
        shown=shown,
        made=f"{made:%d %B %Y}",
        chart=histogram(shown.bins),
        fewest=FEWEST,
    )
    return html, anonymous_sheets(shown)


def write_report(folder: Path, name: str, html: str, tables: list[Sheet]) -> Written:
    """Write the files, readable by their owner only.

    Parameters
    ----------
    folder : Path
        Made if it is not there; files of the same names are replaced.
    name : str
        Of the page, without ``.html``; the tables' names begin with it too.
    html : str
    tables : list of Sheet

    Returns
    -------
    Written

    Raises
    ------
    KitError
        If a file cannot be written.
    """
    page = folder / f"{name}.html"
    paths = {folder / f"{name}-{sheet.name}.csv": sheet.data for sheet in tables}
    try:
        with private_files():
            folder.mkdir(parents=True, exist_ok=True)
            for path, data in {**paths, page: html.encode(errors="replace")}.items():
                replace_whole(path, data)
    except OSError as problem:
        raise KitError(
            f"{problem.filename2 or problem.filename or folder} cannot be written: "
            f"{problem.strerror}; make room for it, or choose another folder with --output."
        ) from problem
    return Written(page, list(paths))


def _render(template: str, **shown) -> str:
    environment = Environment(
        loader=PackageLoader("coursekit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "points": points,
        "percent": lambda share: f"{round(100 * share)}\N{NO-BREAK SPACE}%",
        "range": range_words,
    }
    style = (files("coursekit.report") / "templates" / "style.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template(template).render(style=style, digest=digest, **shown)


def _moment(moment: datetime | None, course: Course) -> str:
    return f"{moment.astimezone(course.timezone):%d %B %Y, %H:%M}" if moment else ""
