"""The marking guides: cells of the source notebooks that tell how an answer is worth its points."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

SUFFIX = "-guide"


def is_graded_by_hand(cell: NotebookNode) -> bool:
    """Tell whether a person gives the points of a cell.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    bool
    """
    return is_grade(cell) and is_solution(cell)


def read_guides(notebook: Path) -> dict[str, str]:
    """Read the marking guides of a source notebook.

    Parameters
    ----------
    notebook : Path

    Returns
    -------
    dict
        The Markdown of each guide by the grade id of its cell; empty if there is no such notebook.
    """
    if not notebook.is_file():
        return {}
    return {
        cell.id.removesuffix(SUFFIX): cell.source
        for cell in nbformat.read(notebook, as_version=4).cells
        if cell.id.endswith(SUFFIX) and "instructor" in cell.metadata.get("tags", [])
    }
