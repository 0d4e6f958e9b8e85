"""Read a notebook that this kit has made."""

from functools import lru_cache
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
    return _read(path, "grade it again: coursekit grade --regrade")


def read_release(path: Path) -> nbformat.NotebookNode:
    """Read a notebook as it was handed out; it is kept, and read again only after a change.

    Parameters
    ----------
    path : Path

    Returns
    -------
    nbformat.NotebookNode
        Not to be changed.

    Raises
    ------
    KitError
        If the file is not there, or damaged.
    """
    remedy = f"run: coursekit release {path.parent.name}"
    try:
        changed = path.stat().st_mtime_ns
    except OSError as problem:
        raise KitError(f"{path} cannot be read: {problem.strerror}; {remedy}") from problem
    return _read_once(path, changed, remedy)


@lru_cache(maxsize=32)
def _read_once(path, changed, remedy):
    return _read(path, remedy)


def _read(path: Path, remedy: str) -> nbformat.NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    # nbformat trips over text that is JSON but no notebook in ways of its own.
    except (ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as problem:
        raise KitError(
            f"{path} is no notebook any more: {str(problem).splitlines()[0]}; {remedy}."
        ) from problem
