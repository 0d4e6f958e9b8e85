"""The comment on a student's work that MyCourses shows beside the grade."""

import html
import re
from dataclasses import replace

from coursekit.grading.student import StudentResult, points, why

# MyCourses gives a comment back with or without its markup.
OURS = re.compile(r"\s*(<p>)?\s*Points: ")


def comment(result: StudentResult, max_points: float) -> str:
    """Write points and diagnoses as HTML that is safe in MyCourses and in its CSV.

    Parameters
    ----------
    result : StudentResult
        Of somebody who is graded.
    max_points : float
        Points to be had in the assignment.

    Returns
    -------
    str
        One paragraph without quotes and backslashes; the words of a student are text in it.
    """
    lines = [f"Points: {points(result.score)} of {points(max_points)}"]
    lines += [
        f"{notebook.name}: {points(notebook.score)} of {points(notebook.max_score)}"
        for notebook in result.notebooks
    ]
    if result.penalty:
        lines.append(f"for being late: -{points(result.penalty)}")
    if result.needs_manual:
        lines.append(f"provisional: {points(result.needs_manual)} points are still to be given")
    lines += why(replace(result, changed=False, unsafe=False))  # these are for the instructor
    return f"<p>{'<br>'.join(map(_escaped, lines))}</p>"


def written_by_hand(cell: str) -> bool:
    """Tell whether a comment is there that `comment` did not write."""
    return bool(cell.strip()) and not OURS.match(cell)


def _escaped(line: str) -> str:
    r"""Escape a line; the backslash too, because MyCourses garbles a ``\"`` and a last ``\``."""
    printable = "".join(character if character.isprintable() else " " for character in line)
    return html.escape(printable).replace("\\", "&#92;")
