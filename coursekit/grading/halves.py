"""nbgrader's autograder in two halves, so that students' code can run elsewhere in between."""

import json
import os
import shutil
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.converters.base import BaseConverter
from nbgrader.utils import find_all_files

from coursekit.conversion import take_one_submission
from coursekit.grading.execute import BoundedExecute
from coursekit.grading.finding import Found
from coursekit.grading.gradebook import OpenGradebook
from coursekit.grading.mending import RESOURCE
from coursekit.grading.together import shared


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
    """What both halves know: which notebooks of one student are in work.

    nbgrader writes the sanitised notebook and reads it again; here it stays in memory.
    """

    def __init__(self, coursedir, names, gradebook: OpenGradebook, **options):
        coursedir.notebook_id = ",".join(names)  # not "*": a failure costs these alone
        super().__init__(coursedir, **options)
        self._names, self._gradebook = names, gradebook

    def init_notebooks(self):
        """Name the notebooks as if they lay in the student's folder, wherever they were found."""
        take_one_submission(self, self._input_directory, self._names)

    def init_destination(self, assignment_id, student_id):
        """Leave it to the caller what becomes of earlier work."""
        return True

    def _preprocess(self, notebook, resources, preprocessors):
        """Do what nbconvert's exporters do, without three copies and a check for each step."""
        self.exporter._preprocessors = []  # as nbgrader's own `Autograde` does
        for preprocessor in shared(preprocessors, self._gradebook, self.exporter):
            self.exporter.register_preprocessor(preprocessor)
        for preprocessor in self.exporter._preprocessors:
            notebook, resources = preprocessor(notebook, resources)
        nbformat.validate(notebook)
        return notebook, resources

    def _around_the_execution(self):
        """Split the configured preprocessors at the one that runs the notebook."""
        preprocessors = self.autograde_preprocessors
        position = next(
            index
            for index, preprocessor in enumerate(preprocessors)
            if isinstance(preprocessor, type) and issubclass(preprocessor, BoundedExecute)
        )
        return preprocessors[:position], preprocessors[position + 1 :]


class FirstHalf(_Half):
    """Copies what was handed in, sanitises it, and does all that comes before the execution.

    Parameters
    ----------
    coursedir : CourseDirectory
    found : mapping of str to Found
        The notebooks by their names.
    gradebook : OpenGradebook

    Attributes
    ----------
    posed : list of Posed
    """

    def __init__(self, coursedir, found: Mapping[str, Found], **options):
        super().__init__(coursedir, list(found), **options)
        self._found = found
        self.posed = []

    def init_assignment(self, assignment_id, student_id):
        """Copy the student's files and the round's, and note the time of submission."""
        BaseConverter.init_assignment(self, assignment_id, student_id)
        self._gradebook.update_or_create_student(student_id)
        timestamp = self.coursedir.get_existing_timestamp(
            self._format_source(assignment_id, student_id)
        )
        self._gradebook.update_or_create_submission(assignment_id, student_id, timestamp=timestamp)
        source = self.coursedir.format_path(self.coursedir.source_directory, ".", assignment_id)
        theirs = self.exclude_overwriting.get(assignment_id, ())
        for path in find_all_files(source, [*self.coursedir.ignore, "*.ipynb"]):
            if os.path.relpath(path, source) not in theirs:
                target = os.path.join(
                    self._format_dest(assignment_id, student_id), os.path.relpath(path, source)
                )
                os.makedirs(os.path.dirname(target), exist_ok=True)
                Path(target).unlink(missing_ok=True)
                shutil.copy(path, target)

    def convert_single_notebook(self, notebook_filename):
        """Sanitise a notebook and pose its challenges."""
        self.log.info("Converting notebook %s", notebook_filename)
        name = Path(notebook_filename).stem
        resources = self.init_single_notebook_resources(notebook_filename)
        found = self._found[name]
        resources[RESOURCE] = found.sentences + found.mended
        sanitised, resources = self._preprocess(
            found.notebook, resources, self.sanitize_preprocessors
        )
        asking, resources = self._preprocess(
            deepcopy(sanitised), resources, self._around_the_execution()[0]
        )
        mended = resources.pop(RESOURCE)
        self.posed.append(Posed(name, sanitised, json.dumps(asking), resources, mended))

    def set_permissions(self, assignment_id, student_id):
        """Leave the permissions to the second half, which still writes."""


class SecondHalf(_Half):
    """Does all that comes after the execution, and writes the graded notebooks.

    Parameters
    ----------
    coursedir : CourseDirectory
    ran : mapping of Posed to str
        The JSON text of each notebook after its run.
    gradebook : OpenGradebook
    """

    def __init__(self, coursedir, ran: Mapping[Posed, str], **options):
        super().__init__(coursedir, sorted(posed.name for posed in ran), **options)
        self._sanitizing = False
        self._ran = {posed.name: (posed, text) for posed, text in ran.items()}

    def init_assignment(self, assignment_id, student_id):
        """Go on with what the first half made."""

    def convert_single_notebook(self, notebook_filename):
        """Judge and save a notebook that was run."""
        self.log.info("Converting notebook %s", notebook_filename)
        posed, text = self._ran[Path(notebook_filename).stem]
        notebook, _ = self._preprocess(
            _with_outputs(posed.sanitised, text), posed.resources, self._around_the_execution()[1]
        )
        names = posed.resources["nbgrader"]
        folder = Path(self._format_dest(names["assignment"], names["student"]))
        (folder / f"{posed.name}.ipynb").write_text(f"{nbformat.writes(notebook)}\n", "utf-8")


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
