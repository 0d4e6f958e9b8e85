"""nbgrader's autograder in two halves, so that students' code can run elsewhere in between."""

import json
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat.v4.rwbase import strip_transient
from nbgrader.converters import Autograde
from nbgrader.utils import find_all_files

from coursekit.conversion import take_one_submission
from coursekit.errors import KitError
from coursekit.grading.execute import BoundedExecute
from coursekit.grading.finding import Found
from coursekit.grading.mending import RESOURCE
from coursekit.grading.together import Preprocessors
from coursekit.grading.trouble import told
from coursekit.writing import replace_whole


@dataclass(frozen=True, eq=False)
class Posed:
    """A notebook of a student, ready to run.

    Attributes
    ----------
    name : str
        Without ``.ipynb``.
    sanitised : str
        JSON text, with the locked cells as they were released.
    text : str
        The same with its challenges.
    resources : dict
        What the preprocessors before the execution left for those after it.
    mended : tuple of str
        A sentence for each thing that was mended.
    """

    name: str
    sanitised: str = field(repr=False)
    text: str = field(repr=False)
    resources: dict = field(repr=False)
    mended: tuple[str, ...]


class _Half(Autograde):
    """What both halves know: which notebooks of one student are in work.

    nbgrader writes the sanitised notebook and reads it again; here it stays in memory.
    """

    def __init__(self, coursedir, names, preprocessors: Preprocessors, **options):
        super().__init__(coursedir, **options)
        self._names, self._preprocessors = names, preprocessors
        self._gradebook = preprocessors.gradebook

    def init_notebooks(self):
        """Name the notebooks as if they lay in the student's folder, wherever they were found."""
        take_one_submission(self, self._input_directory, self._names)

    def convert_notebooks(self):
        """Convert the notebooks; unlike in nbgrader, what goes wrong reaches the caller.

        Raises
        ------
        KitError
            With the name of the notebook.
        """
        directory = self.coursedir
        (paths,) = self.assignments.values()
        self.init_assignment(directory.assignment_id, directory.student_id)
        for path in paths:
            try:
                self.convert_single_notebook(path)
            except Exception as problem:
                raise KitError(f"{Path(path).name}: {told(problem)}") from problem
        self.set_permissions(directory.assignment_id, directory.student_id)

    def _preprocess(self, notebook, resources, preprocessors):
        """Do what nbconvert's exporters do, without three copies and a check for each step."""
        for given in preprocessors:
            preprocessor = self._preprocessors.make(given, self.exporter)
            notebook, resources = preprocessor(notebook, resources)
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
    preprocessors : Preprocessors

    Attributes
    ----------
    posed : list of Posed
    """

    def __init__(self, coursedir, found: Mapping[str, Found], **options):
        super().__init__(coursedir, list(found), **options)
        self._found = found
        self.posed = []

    def init_assignment(self, assignment_id, student_id):
        """Copy the round's files and the student's, and note the time of submission."""
        directory = self.coursedir
        source = Path(directory.format_path(directory.source_directory, ".", assignment_id))
        work = Path(self._format_source(assignment_id, student_id))
        graded = Path(self._format_dest(assignment_id, student_id))
        theirs = {Path(name) for name in self.exclude_overwriting.get(assignment_id, ())}
        ignored = [*directory.ignore, "*.ipynb"]
        _copy_files(source, graded, ignored, leave_out=theirs)
        _copy_files(work, graded, ignored)
        self._gradebook.update_or_create_student(student_id)
        timestamp = directory.get_existing_timestamp(str(work))
        self._gradebook.update_or_create_submission(assignment_id, student_id, timestamp=timestamp)

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
        nbformat.validate(sanitised)
        text = json.dumps(sanitised)
        asking, resources = self._preprocess(sanitised, resources, self._around_the_execution()[0])
        mended = resources.pop(RESOURCE)
        self.posed.append(Posed(name, text, json.dumps(asking), resources, mended))

    def set_permissions(self, assignment_id, student_id):
        """Leave the permissions to the second half, which still writes."""


class SecondHalf(_Half):
    """Does all that comes after the execution, and writes the graded notebooks.

    Parameters
    ----------
    coursedir : CourseDirectory
    ran : mapping of Posed to str
        The JSON text of each notebook after its run.
    preprocessors : Preprocessors
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
        nbformat.validate(notebook)
        names = posed.resources["nbgrader"]
        folder = Path(self._format_dest(names["assignment"], names["student"]))
        # Indenting it, as nbformat does, would take three times as long.
        graded = json.dumps(strip_transient(notebook), ensure_ascii=False)
        replace_whole(folder / f"{posed.name}.ipynb", f"{graded}\n".encode())


def _with_outputs(sanitised, text):
    """Give a notebook the outputs and metadata of its run; sources and roles stay its own."""
    notebook, ran = (nbformat.from_dict(json.loads(told)) for told in (sanitised, text))
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


def _copy_files(source: Path, target: Path, ignored: list[str], leave_out=frozenset()):
    """Copy ordinary files that are not there yet; links lead out of a student's own folder."""
    for path in map(Path, find_all_files(str(source), ignored)):
        name = path.relative_to(source)
        there = target / name
        if name in leave_out or not stat.S_ISREG(path.lstat().st_mode) or there.exists():
            continue
        if any(parent.is_file() for parent in list(there.parents)[: len(name.parts) - 1]):
            continue  # a file of the round has the name of the student's folder
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, there)
