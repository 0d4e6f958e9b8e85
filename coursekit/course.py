"""Where a course keeps its things, and how nbgrader is configured there."""

import os
import sysconfig
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from glob import escape
from pathlib import Path

from dateutil.tz import gettz
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.abc import Exchange
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, SAWarning
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from coursekit.errors import CourseError
from coursekit.judging.preprocessors import PoseChallenges

CONFIG_FILE = "nbgrader_config.py"


@dataclass(frozen=True)
class Course:
    """A course folder.

    Parameters
    ----------
    root : path
        The folder that holds ``nbgrader_config.py``.

    Raises
    ------
    CourseError
        If the folder holds no ``nbgrader_config.py``, or that file cannot be read.
    """

    root: Path
    config: Config = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        """Read the configuration."""
        root = Path(self.root).resolve()
        if not (root / CONFIG_FILE).is_file():
            raise CourseError(
                f"{root} is not a course folder: it holds no {CONFIG_FILE}; "
                "name the folder that does with --course."
            )
        try:
            config = PyFileConfigLoader(CONFIG_FILE, path=str(root)).load_config()
        except Exception as problem:
            raise CourseError(
                f"{root / CONFIG_FILE} cannot be read: {type(problem).__name__}: {problem}."
            ) from problem
        config.CourseDirectory.root = str(root)
        secret = config.PoseChallenges.get("secret_file", PoseChallenges.secret_file.default_value)
        config.PoseChallenges.secret_file = str(root / secret)  # wherever a command is run
        object.__setattr__(self, "root", root)
        object.__setattr__(self, "config", config)

    def directory(self, **options) -> CourseDirectory:
        """Return nbgrader's own view of the folder, with traits such as ``student_id`` set."""
        return CourseDirectory(config=self.config, **options)

    @cached_property
    def _directory(self):
        return self.directory()

    @property
    def source(self) -> Path:
        """Folder of the instructor's notebooks, with solutions."""
        return self.root / self._directory.source_directory

    @property
    def release(self) -> Path:
        """Folder of the students' notebooks, made from `source`."""
        return self.root / self._directory.release_directory

    @property
    def submitted(self) -> Path:
        """Folder of what the students handed in."""
        return self.root / self._directory.submitted_directory

    @property
    def autograded(self) -> Path:
        """Folder of the graded notebooks."""
        return self.root / self._directory.autograded_directory

    @property
    def feedback(self) -> Path:
        """Folder of the feedback pages."""
        return self.root / self._directory.feedback_directory

    @property
    def build(self) -> Path:
        """Folder of made files that may be thrown away."""
        return self.root / "build"

    @property
    def sandboxed(self) -> bool:
        """Whether student code runs in the sandbox."""
        return not self.config.BoundedExecute.get("unsafe_no_sandbox", False)

    def give_up_sandbox(self) -> None:
        """Run student code with all rights of this user from now on."""
        self.config.BoundedExecute.unsafe_no_sandbox = True

    @property
    def timezone(self) -> tzinfo:
        """Time zone in which MyCourses and the instructor write dates.

        Raises
        ------
        CourseError
            If the configuration names a time zone that does not exist.
        """
        name = self.config.Exchange.get("timezone", Exchange.timezone.default_value)
        zone = gettz(name)
        if zone is None:
            raise CourseError(
                f'{self.root / CONFIG_FILE} sets c.Exchange.timezone = "{name}", which is no '
                'time zone; write for example "Europe/Helsinki".'
            )
        return zone

    def to_utc(self, moment: datetime) -> datetime:
        """Turn a date and time without a time zone, meant in the course's, into one in UTC."""
        return moment.replace(tzinfo=self.timezone).astimezone(UTC)

    @contextmanager
    def gradebook(self, kind: type[Gradebook] = Gradebook) -> Iterator[Gradebook]:
        """Open the gradebook; a new one can be read by its owner only.

        Parameters
        ----------
        kind : type, optional
            The class to open it with.

        Raises
        ------
        CourseError
            If the gradebook is damaged, locked or of another version of nbgrader, also where that
            turns out only later, in its use.
        """
        directory = self.directory()
        try:
            with private_files(), _own_programs():
                gradebook = kind(directory.db_url, directory.course_id)
            with gradebook, known_warnings_ignored():
                yield gradebook
        except DatabaseError as problem:
            raise CourseError(
                f"The gradebook {make_url(directory.db_url)} cannot be used: {problem.orig}; put "
                "back a copy that was right, or, if nbgrader was upgraded, run: nbgrader db upgrade"
            ) from problem

    def assignment(self, name: str | None = None) -> str:
        """Check that an assignment exists.

        Parameters
        ----------
        name : str, optional
            Its name; may be left out where the course has only one.

        Returns
        -------
        str

        Raises
        ------
        CourseError
            If there is no folder of that name under `source`, or no name is given and the
            course has none or several.
        """
        found = sorted(
            path.name
            for path in (self.source.iterdir() if self.source.is_dir() else ())
            if path.is_dir() and any(path.glob("*.ipynb"))
        )
        there = f"there are: {', '.join(found)}" if found else "there are none"
        if name is None and len(found) == 1:
            return found[0]
        if name is None:
            raise CourseError(f"Name the assignment; under {self.source} {there}.")
        if name not in found:
            raise CourseError(
                f"No assignment {name!r} with notebooks under {self.source}; {there}."
            )
        return name

    def released_assignment(self, name: str | None = None) -> str:
        """Check that an assignment exists and that the gradebook knows it.

        Parameters
        ----------
        name : str, optional

        Returns
        -------
        str

        Raises
        ------
        CourseError
            As in `assignment`, and if the assignment was never released.
        """
        name = self.assignment(name)
        with self.gradebook() as gradebook:
            try:
                gradebook.find_assignment(name)
            except MissingEntry:
                raise CourseError(
                    f"The gradebook does not know {name}; run: coursekit release {name}"
                ) from None
        return name

    def submissions(self, assignment: str) -> list[Path]:
        """Return the folders of what was handed in, ``submitted/<student>/<assignment>``."""
        return sorted(self.submitted.glob(f"*/{escape(assignment)}/"))

    def notebooks(self, assignment: str) -> list[str]:
        """Return the names, without ``.ipynb``, of an assignment's notebooks."""
        return sorted(path.stem for path in (self.source / assignment).glob("*.ipynb"))


@contextmanager
def private_files() -> Iterator[None]:
    """Make every file and folder created inside readable by its owner only."""
    with _umask(0o077):
        yield


@contextmanager
def public_files() -> Iterator[None]:
    """Make every file and folder created inside readable by everybody, as a release has to be."""
    with _umask(0o022):
        yield


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def known_warnings_ignored() -> Iterator[None]:
    """Hide what SQLAlchemy 2 remarks on nbgrader 0.9 making a submission in two steps."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Object of type <Submitted", SAWarning)
        yield


@contextmanager
def _own_programs() -> Iterator[None]:
    """Let nbgrader find alembic, which makes a new gradebook, in an environment not activated."""
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before
