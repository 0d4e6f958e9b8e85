"""Are the source notebooks fit to be released? Run as ``python -m coursekit.notebooks FOLDERS``."""

import re
import sys
from pathlib import Path

import click
import nbformat
from nbgrader.utils import is_grade, is_locked, is_solution

from coursekit.judging.preprocessors import JUDGE_LINE
from coursekit.judging.rounds import TASKS

READABLE_ID = re.compile(r"[a-z][a-z0-9]*(-[A-Za-z0-9]+)*")
CELL_METADATA = {"nbgrader", "tags"}
TAGS = {"instructor", "raises-exception"}
HIDDEN_TEST = r"""# Hidden test, {points}: .+
### BEGIN HIDDEN TESTS
judge\("{name}"\)
### END HIDDEN TESTS"""


def problems(notebook):
    """List what is wrong with a source notebook.

    A source notebook holds no outputs; its cell ids can be read and stay the same, so that two
    releases differ only where the text does; a judged cell holds its points and one hidden line.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        As read from its file.

    Returns
    -------
    list of str
        One sentence a problem; empty if the notebook is fit to be released.
    """
    found = []
    for cell in notebook.cells:
        for rule in (_outputs, _ids, _metadata, _judged, _solution):
            problem = rule(cell)
            if problem:
                found.append(f"cell {cell.get('id')!r}: {problem}")
    seen = [cell.get("id") for cell in notebook.cells]
    found += [f"cell {name!r} occurs twice" for name in set(seen) if seen.count(name) > 1]
    return found


def _outputs(cell):
    if cell.get("outputs") or cell.get("execution_count"):
        return "holds outputs; clear them before you save"
    return None


def _ids(cell):
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    if not READABLE_ID.fullmatch(cell.get("id") or ""):
        return "has an id that says nothing; use words such as stage5-check"
    if grade_id is not None and grade_id != cell.id:
        return f"has the grade id {grade_id!r}; use the same name for both"
    return None


def _metadata(cell):
    extra = set(cell.metadata) - CELL_METADATA
    extra |= set(cell.metadata.get("tags", [])) - TAGS
    return f"holds metadata that nobody reads: {', '.join(sorted(extra))}" if extra else None


def _judged(cell):
    if cell.cell_type != "code" or not (is_grade(cell) and is_locked(cell)):
        misplaced = cell.cell_type == "code" and JUDGE_LINE.search(cell.source)
        return "calls judge but is no locked test cell" if misplaced else None
    task = TASKS.get(cell.id)
    if task is None:
        return "is a test cell without a task of its name under coursekit/judging"
    points = cell.metadata.nbgrader.points
    if points != task.points:
        return f"gives {points:g} points, its task {task.points:g}; make them equal"
    words = "no points" if not points else f"{points:g} point{'s' * (points != 1)}"
    pattern = HIDDEN_TEST.format(points=words, name=re.escape(cell.id))
    if not re.fullmatch(pattern, cell.source):
        return (
            f'is a test cell; it should say "# Hidden test, {words}: ..." and hold nothing '
            f'but judge("{cell.id}") between the marks of a hidden test'
        )
    return None


def _solution(cell):
    if cell.cell_type == "code" and is_solution(cell) and "### BEGIN SOLUTION" not in cell.source:
        return "is a solution cell without ### BEGIN SOLUTION: all of it would be taken out"
    return None


@click.command()
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
def main(folders):
    """Check the source notebooks in FOLDERS; exit 1 if one is not fit to be released."""
    paths = []
    for folder in folders:
        found = sorted(folder.glob("*.ipynb"))
        if not found:
            raise click.UsageError(f"{folder} holds no notebook.")
        paths += found
    count = 0
    for path in paths:
        for problem in problems(nbformat.read(path, as_version=4)):
            count += 1
            click.echo(f"{path}: {problem}", err=True)
    click.echo(f"{len(paths)} notebooks checked, {count} problems")
    sys.exit(count > 0)


if __name__ == "__main__":
    main()
