"""`judge` in an instructor's own notebook: the verdict at once, in the notebook's process."""

import secrets
import sys

from coursekit.judging import answering, marking, wire
from coursekit.judging.rounds import TASKS


class NotRightError(AssertionError):
    """The verdict of a judged cell that did not get all its points."""

    def _render_traceback_(self):
        """Show the verdict alone (IPython calls this), not the judge's own frames."""
        return [str(self)]


def judge(name):
    """Judge the notebook's functions or variables for one task and print the verdict.

    In grading this line never runs: a preprocessor puts the challenges in its place.

    Parameters
    ----------
    name : str
        Name of a task of the round.

    Raises
    ------
    KeyError
        If there is no task of that name.
    NotRightError
        With the verdict's words, if a property does not hold.
    """
    if name not in TASKS:
        raise KeyError(f"no task is called {name!r}; the round has {', '.join(TASKS)}")
    task, seed = TASKS[name], secrets.randbits(48)
    namespace = sys._getframe(1).f_globals
    messages = answering.answer_all(
        namespace, task.asks, marking.pose(task, seed), task.harness, wire.encode, wire.decode
    )
    verdict = marking.mark(task, seed, messages)
    if not verdict.passed:
        raise NotRightError(verdict.text)
    print(verdict.text)
