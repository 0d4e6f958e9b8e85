"""nbgrader's autograder in two halves, so that students' code can run elsewhere in between."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import nbformat
from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from nbgrader.converters import Autograde

from coursekit.grading.execute import BoundedExecute
from coursekit.grading.finding import Found
from coursekit.grading.mending import RESOURCE


@dataclass(frozen=True, eq=False)
class Posed:
    """A notebook of a student, ready to run.

    Attributes
    ----------
    name : str
        Without ``.ipynb``.
    sanitised : nbformat.NotebookNode
        With the locked cells as they were released.
    text : str
        The same with its challenges, as JSON.
    resources : dict
        What the preprocessors before the execution left for those after it.
    mended : tuple of str
        A sentence for each thing that was mended.
    """

    name: str
    sanitised: NotebookNode = field(repr=False)
    text: str = field(repr=False)
    resources: dict = field(repr=False)
    mended: tuple[str, ...]


class _Half(Autograde):
    """What both halves know: which notebooks of one student are in work."""

    def __init__(self, coursedir, names, **options):
        coursedir.notebook_id = ",".join(names)  # not "*": a failure costs these alone
        super().__init__(coursedir, **options)
        self._names = names

    def init_notebooks(self):
        """Name the notebooks as if they lay in the student's folder, wherever they were found."""
        directory = self.coursedir
        folder = self._format_source(directory.assignment_id, directory.student_id)
        self.assignments = {folder: [os.path.join(folder, f"{name}.ipynb") for name in self._names]}

    def _use(self, preprocessors):
        self.exporter._preprocessors = []  # as nbgrader's own `Autograde` does
        for preprocessor in preprocessors:
            self.exporter.register_preprocessor(preprocessor)


class FirstHalf(_Half):
    """Copies what was handed in, sanitises it, and does all that comes before the execution.

    Parameters
    ----------
    coursedir : CourseDirectory
    found : mapping of str to Found
        The notebooks by their names.

    Attributes
    ----------
    posed : list of Posed
    """

    def __init__(self, coursedir, found: Mapping[str, Found], **options):
        super().__init__(coursedir, list(found), **options)
        self.exporter_class = Exporter
        self._found = found
        self.posed = []

    def init_destination(self, assignment_id, student_id):
        """Leave it to the caller what becomes of earlier work."""
        return True

    def convert_single_notebook(self, notebook_filename):
        """Sanitise a notebook and pose its challenges."""
        name = os.path.splitext(os.path.basename(notebook_filename))[0]
        self.log.info("Sanitizing %s", notebook_filename)
        resources = self.init_single_notebook_resources(notebook_filename)
        resources[RESOURCE] = self._found[name].sentences + self._found[name].mended
        self._use(self.sanitize_preprocessors)
        sanitised, resources = self.exporter.from_notebook_node(
            self._found[name].notebook, resources
        )
        self._use(_around_the_execution(self.autograde_preprocessors)[0])
        asking, resources = self.exporter.from_notebook_node(sanitised, resources)
        mended = resources.pop(RESOURCE)
        self.posed.append(Posed(name, sanitised, json.dumps(asking), dict(resources), mended))

    def set_permissions(self, assignment_id, student_id):
        """Leave the permissions to the second half, which still writes."""


class SecondHalf(_Half):
    """Does all that comes after the execution, and writes the graded notebooks.

    Parameters
    ----------
    coursedir : CourseDirectory
    ran : mapping of Posed to str
        The JSON text of each notebook after its run.
    """

    def __init__(self, coursedir, ran: Mapping[Posed, str], **options):
        super().__init__(coursedir, sorted(posed.name for posed in ran), **options)
        self._sanitizing = False
        self._ran = {posed.name: (posed, text) for posed, text in ran.items()}

    def init_destination(self, assignment_id, student_id):
        """Go on with what the first half made."""
        return True

    def init_assignment(self, assignment_id, student_id):
        """Go on with what the first half made."""

    def convert_single_notebook(self, notebook_filename):
        """Judge and save a notebook that was run."""
        name = os.path.splitext(os.path.basename(notebook_filename))[0]
        posed, text = self._ran[name]
        self.log.info("Autograding %s", notebook_filename)
        self._use(_around_the_execution(self.autograde_preprocessors)[1])
        output, resources = self.exporter.from_notebook_node(
            _with_outputs(posed.sanitised, text), posed.resources
        )
        self.write_single_notebook(output, resources)


def _around_the_execution(preprocessors):
    """Split the configured preprocessors at the one that runs the notebook."""
    position = next(
        index
        for index, preprocessor in enumerate(preprocessors)
        if isinstance(preprocessor, type) and issubclass(preprocessor, BoundedExecute)
    )
    return preprocessors[:position], preprocessors[position + 1 :]


def _with_outputs(notebook, text):
    """Give a notebook the outputs and metadata of its run; sources and roles stay its own."""
    ran = nbformat.from_dict(json.loads(text))
    roles = [cell.metadata.get("nbgrader") for cell in notebook.cells]
    notebook.metadata = ran.metadata
    for cell, role, after in zip(notebook.cells, roles, ran.cells, strict=True):
        cell.metadata = after.metadata
        cell.metadata.pop("nbgrader", None)
        if role is not None:
            cell.metadata.nbgrader = role
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = after.outputs, after.execution_count
    return notebook
