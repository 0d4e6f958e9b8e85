"""Run one of nbgrader's converters, and say in a sentence what went wrong."""

import logging
import re
from glob import escape
from pathlib import Path

from nbgrader.converters.base import BaseConverter, NbGraderException
from traitlets.config import Config

from coursekit.course import Course, known_warnings_ignored
from coursekit.errors import KitError

# The line of a traceback that tells the exception, without its module.
EXCEPTION = re.compile(r"^(?:\w+\.)*(\w+: .*|\w+)$", re.MULTILINE)
# Of a file or folder: Python's own words tell the reason first, and its number.
OF_A_FILE = re.compile(r"\w+: \[Errno \d+\] (.+?): '(.+)'")
LOG = logging.getLogger("coursekit.nbgrader")


class _Listener(logging.Handler):
    """Remembers the notebook in work and the first error that nbgrader logged."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.notebook = ""
        self.error = ""
        self.exception = ""

    def emit(self, record):
        message = record.getMessage().strip()
        if message.startswith("Converting notebook "):
            self.notebook = message.rpartition("/")[2]
        elif message.startswith("Traceback "):
            last = EXCEPTION.findall(message)[-1:]
            self.exception = self.exception or OF_A_FILE.sub(r"\2: \1.", "".join(last))
        elif record.levelno >= logging.ERROR:
            self.error = self.error or message

    @property
    def sentence(self):
        where = f"{self.notebook}: " if self.notebook else ""
        return f"{where}{self.exception or self.error or 'nbgrader gave no reason.'}"


def take_one_submission(converter: BaseConverter, step: str, names: list[str] | None = None):
    """Give a converter the notebooks of its one student, in the place of nbgrader's own search.

    nbgrader takes the ids of students for patterns of file names, and they may hold brackets.

    Parameters
    ----------
    converter : BaseConverter
        Its `coursedir` names the student and the assignment.
    step : str
        The folder of the course where the notebooks lie.
    names : list of str, optional
        The notebooks, without ``.ipynb``; they need not lie there. By default those that do.
    """
    directory = converter.coursedir
    folder = Path(directory.format_path(step, directory.student_id, directory.assignment_id))
    there = sorted(folder.rglob("*.ipynb"))
    # For the same reason nbgrader would take these for other files, and copy them.
    directory.ignore = [*directory.ignore, *(escape(str(path)) for path in there)]
    paths = [folder / f"{name}.ipynb" for name in names or ()]
    if names is None:
        paths = [path for path in there if path.parent == folder]
    converter.assignments = {str(folder): [str(path) for path in paths]}


def convert(
    converter: type[BaseConverter],
    course: Course,
    assignment: str,
    student: str | None = None,
    **others,
) -> BaseConverter:
    """Run a converter on one assignment, replacing what an earlier run made.

    Parameters
    ----------
    converter : type
        ``GenerateAssignment``, ``Autograde`` or ``GenerateFeedback`` of nbgrader.
    course : Course
    assignment : str
    student : str, optional
        The one student to convert.
    **others
        More arguments of the converter.

    Returns
    -------
    BaseConverter
        The converter, at the end of its work.

    Raises
    ------
    KitError
        If nbgrader fails, with the notebook and the last error it logged.
    """
    options = {"student_id": student} if student else {}
    directory = course.directory(assignment_id=assignment, **options)
    # The converter writes into its configuration; a copy keeps the course's as it was.
    config = Config(course.config.copy())
    # A grading run is more than one student's conversion: who grades a class begins it.
    config.Autograde.pre_convert_hook = None
    run = converter(directory, config=config, log=LOG, force=True, **others)
    listener = _Listener()
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    LOG.addHandler(listener)
    try:
        with known_warnings_ignored():
            run.start()
    except (NbGraderException, SystemExit) as problem:
        raise KitError(listener.sentence) from problem
    finally:
        LOG.removeHandler(listener)
    return run
