"""nbgrader's autograder in two halves, so that students' code can run elsewhere in between."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbgrader.converters import Autograde
from nbgrader.converters.base import BaseConverter

from coursekit.grading.execute import BoundedExecute

HALF_DONE = ".half-graded"  # in a student's graded folder until the points are saved


@dataclass(frozen=True, eq=False)
class Posed:
    """A notebook of a student, ready to run.

    Attributes
    ----------
    path : Path
        The sanitised notebook under ``autograded/``.
    text : str
        The notebook with its challenges, as JSON.
    resources : dict
        What the preprocessors before the execution left for those after it.
    """

    path: Path
    text: str
    resources: dict


class FirstHalf(Autograde):
    """Copies and sanitises what was handed in, and does all that comes before the execution.

    Attributes
    ----------
    posed : list of Posed
    """

    def __init__(self, coursedir, **options):
        super().__init__(coursedir, **options)
        self.posed = []

    def init_assignment(self, assignment_id, student_id):
        """Copy what was handed in, and note that it is not graded yet."""
        super().init_assignment(assignment_id, student_id)
        folder = Path(self._format_dest(assignment_id, student_id))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / HALF_DONE).touch()

    def convert_single_notebook(self, notebook_filename):
        """Sanitise a notebook and pose its challenges."""
        self.log.info("Sanitizing %s", notebook_filename)
        self._sanitizing = True
        self._init_preprocessors()
        BaseConverter.convert_single_notebook(self, notebook_filename)
        path = Path(self.writer.build_directory) / os.path.basename(notebook_filename)
        self._sanitizing = False
        try:
            _use(self.exporter, _around_the_execution(self.autograde_preprocessors)[0])
            resources = self.init_single_notebook_resources(str(path))
            text, resources = self.exporter.from_filename(str(path), resources=resources)
        finally:
            self._sanitizing = True
        self.posed.append(Posed(path, text, dict(resources)))

    def set_permissions(self, assignment_id, student_id):
        """Leave the permissions to the second half, which still writes."""


class SecondHalf(Autograde):
    """Does all that comes after the execution.

    Parameters
    ----------
    coursedir : CourseDirectory
    ran : dict
        For each `Posed` notebook its JSON text after the execution.
    """

    def __init__(self, coursedir, ran, **options):
        super().__init__(coursedir, **options)
        self._ran = {posed.path.name: (posed, text) for posed, text in ran.items()}

    def init_destination(self, assignment_id, student_id):
        """Go on with what the first half made."""
        return True

    def init_assignment(self, assignment_id, student_id):
        """Take the notebooks that were run."""
        paths = {os.path.basename(path): path for path in self.notebooks}
        self.notebooks = [paths[name] for name in sorted(self._ran)]

    def convert_single_notebook(self, notebook_filename):
        """Judge and save a notebook that was run."""
        posed, text = self._ran[os.path.basename(notebook_filename)]

        def take(notebook, resources):
            return _with_outputs(notebook, text), resources | posed.resources

        self.log.info("Autograding %s", posed.path)
        self._sanitizing = False
        try:
            _use(self.exporter, [take, *_around_the_execution(self.autograde_preprocessors)[1]])
            BaseConverter.convert_single_notebook(self, str(posed.path))
        finally:
            self._sanitizing = True


def _use(exporter, preprocessors):
    exporter._preprocessors = []  # as nbgrader's own `Autograde` does
    for preprocessor in preprocessors:
        exporter.register_preprocessor(preprocessor)


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
