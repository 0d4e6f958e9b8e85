"""Grade a class: this process finds, poses, judges and saves; workers run the students' code."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Protocol

from nbgrader.utils import setenv

from coursekit.course import private_files
from coursekit.errors import KitError
from coursekit.grading import trouble
from coursekit.grading.halves import Posed
from coursekit.grading.interrupt import PATIENCE, Interrupt
from coursekit.grading.outcome import FAILED, Outcome
from coursekit.grading.running import Job
from coursekit.grading.submission import Round, Submission, begin

# The sections of the configuration that running a notebook needs.
SETTINGS = (
    *("BoundedExecute", "Execute", "ExecutePreprocessor", "NotebookClient"),
    *("CourseDirectory", "PoseChallenges", "SandboxProvisioner"),
)
AHEAD = 2  # notebooks posed for each worker: enough to keep it busy, few enough to fit in memory


class Workers(Protocol):
    """Those who run notebooks: threads here, or a cluster."""

    width: int

    def submit(self, job: Job) -> Future:
        """Run a notebook; the future gives its text after the run."""


class Pipeline:
    """The grading of a class.

    Parameters
    ----------
    round_ : Round
    workers : Workers
    """

    def __init__(self, round_: Round, workers: Workers):
        self._round, self._workers = round_, workers
        config = round_.course.config
        self._settings = {name: dict(config[name]) for name in SETTINGS}
        self._running: dict[Future, tuple[Submission, Posed]] = {}
        self._left: dict[str, int] = {}  # by student, the notebooks that still run

    def run(self, students: Iterable[str], told: Callable[[Outcome], None]) -> None:
        """Grade students, whatever happens to each.

        Parameters
        ----------
        students : iterable of str
        told : callable
            Told the outcome of each student, in the order in which they are done.

        Raises
        ------
        KitError
            If the disk is full: then nobody else could be graded either.
        """
        waiting = deque(students)
        execution = setenv(NBGRADER_EXECUTION="autograde")
        with private_files(), execution, Interrupt() as interrupt:
            while waiting or self._running:
                while waiting and len(self._running) < AHEAD * self._workers.width:
                    interrupt.check()
                    self._begin(waiting.popleft(), told)
                interrupt.check()
                done, _ = wait(self._running, PATIENCE, return_when=FIRST_COMPLETED)
                for future in done:
                    interrupt.check()
                    self._take(future, told)

    def _begin(self, student, told):
        submission = _safely(student, begin, self._round, student)
        if isinstance(submission, Outcome):
            _tell(submission, told)
        elif not submission.posed:
            _tell(_safely(student, submission.end), told)
        else:
            self._left[student] = len(submission.posed)
            for posed in submission.posed:
                job = Job(posed.text, str(submission.folder), self._settings)
                self._running[self._workers.submit(job)] = submission, posed

    def _take(self, future, told):
        submission, posed = self._running.pop(future)
        try:
            submission.ran[posed] = future.result()
        except Exception as problem:  # of a kernel that would not start, say
            failure = KitError(f"{posed.name}.ipynb: {trouble.told(problem)}")
            failure.__cause__ = problem
            submission.fail(failure)
        self._left[submission.student] -= 1
        if not self._left[submission.student]:
            del self._left[submission.student]
            _tell(_safely(submission.student, submission.end), told)


def _safely(student, step, *arguments):
    """Take a step for one student; whatever is wrong with this one, the others go on."""
    try:
        return step(*arguments)
    except Exception as problem:
        return Outcome(student, FAILED, trouble.told(problem), cause=problem)


def _tell(outcome, told):
    if outcome.cause is not None and trouble.is_full_disk(outcome.cause):
        raise KitError(
            f"The disk is full ({outcome.detail}); what was graded stays: make room, and the same "
            "command goes on."
        ) from outcome.cause
    told(outcome)
