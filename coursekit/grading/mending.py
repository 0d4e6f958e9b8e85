"""The nbgrader preprocessor that puts damaged cells back in order before anything else looks."""

from pathlib import Path
from textwrap import fill

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor

from coursekit.grading.notebook import read_release
from coursekit.grading.reading import VERSION, new_id, read_notebook
from coursekit.grading.repair import mend
from coursekit.judging.verdict import METADATA_KEY

MENDED = "mended"  # in a notebook's metadata, the sentences
RESOURCE = "coursekit_mended"
NOTE_ID = "coursekit-mended"
KEPT_METADATA = ("kernelspec", "language_info")
HANGING = {"subsequent_indent": "  ", "break_long_words": False, "break_on_hyphens": False}
NOTE = "**This notebook was mended before it was graded.** Nothing is taken off for that."


class MendCells(NbGraderPreprocessor):
    """Mend the cells of a submitted notebook, and tell in a first cell what was mended.

    What was mended before, when the file was found and read, comes as a resource.
    """

    def preprocess(self, nb, resources):
        """Mend one notebook; see `repair.mend`.

        Raises
        ------
        NeedsPerson
            If it has no cell of the release.
        """
        names = resources["nbgrader"]
        directory = CourseDirectory(config=self.config)
        folder = directory.format_path(directory.release_directory, ".", names["assignment"])
        path = Path(folder) / f"{names['notebook']}.ipynb"
        sentences = list(resources.get(RESOURCE, ()))
        if (nb.nbformat, nb.nbformat_minor) != VERSION:
            read = read_notebook(nbformat.writes(nb).encode())
            nb, sentences = read.notebook, [*sentences, *read.mended]
        mended = mend(nb, read_release(path))
        notebook, sentences = mended.notebook, [*sentences, *mended.mended]
        _leave_out_metadata(notebook)
        if sentences:
            notebook.metadata[METADATA_KEY] = {MENDED: sentences}
            notebook.cells.insert(0, _note(sentences, {cell.id for cell in notebook.cells}))
        resources[RESOURCE] = tuple(sentences)
        return notebook, resources


def _leave_out_metadata(notebook):
    """Take away what a student's notebook says of itself, but for kernel and roles.

    The kit's own cells are known by their metadata, and some of Jupyter's reach the grader's page.
    """
    told = notebook.metadata
    notebook.metadata = NotebookNode({name: told[name] for name in KEPT_METADATA if name in told})
    for cell in notebook.cells:
        role = cell.metadata.get("nbgrader")
        cell.metadata = NotebookNode({} if role is None else {"nbgrader": role})


def _note(sentences, taken):
    """Write the cell that tells students and graders what was mended.

    The sentences may quote a student's file names: between fences nothing of them is markup.
    """
    lines = "\n".join(fill(sentence, 88, initial_indent="- ", **HANGING) for sentence in sentences)
    cell = new_markdown_cell(f"{NOTE}\n\n~~~text\n{lines}\n~~~")
    cell.id = new_id(NOTE_ID, taken)
    return cell
