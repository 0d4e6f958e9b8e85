"""Read a graded notebook."""

from pathlib import Path

import nbformat

from coursekit.errors import KitError


def read_graded(path: Path) -> nbformat.NotebookNode:
    """Read a notebook that nbgrader graded.

    Parameters
    ----------
    path : Path

    Returns
    -------
    nbformat.NotebookNode

    Raises
    ------
    KitError
        If the file is damaged.
    """
    try:
        return nbformat.read(path, as_version=4)
    # nbformat trips over text that is JSON but no notebook in ways of its own.
    except (ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as problem:
        raise KitError(
            f"{path} is no notebook any more: {str(problem).splitlines()[0]}; grade it again."
        ) from problem
