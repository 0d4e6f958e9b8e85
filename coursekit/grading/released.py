"""The notebooks as the students got them, to which everything that is handed in is compared."""

from nbformat import NotebookNode

from coursekit.course import Course
from coursekit.grading.notebook import read_release


def released_notebooks(course: Course, assignment: str) -> dict[str, NotebookNode]:
    """Read the notebooks of a release.

    Parameters
    ----------
    course : Course
    assignment : str

    Returns
    -------
    dict of str to nbformat.NotebookNode
        By name, without ``.ipynb``, in the order of `Course.notebooks`; not to be changed.

    Raises
    ------
    KitError
        If a notebook of the source was not released, or its release is damaged.
    """
    folder = course.release / assignment
    return {name: read_release(folder / f"{name}.ipynb") for name in course.notebooks(assignment)}
