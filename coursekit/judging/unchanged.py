"""Ask that a function leaves its arguments alone: the first call again, with read-only arrays."""

from dataclasses import replace

import numpy as np

from coursekit.judging.compare import Failure
from coursekit.judging.diagnosis import same
from coursekit.judging.task import Property


def posed_again_read_only(task, points):
    """Pose a task's first call once more at the end, its arrays read-only.

    A function that works in its caller's arrays then raises, and one that keeps something from
    call to call gives another answer. Right or wrong, the answer must be the first one again: it
    costs nothing here that it is wrong.

    Parameters
    ----------
    task : Task
        Its harness gives what the function returns.
    points : float
        What this property is worth, out of the task's points.

    Returns
    -------
    Task
    """

    def challenges(rng):
        calls = task.challenges(rng)
        return [*calls, {name: _read_only(value) for name, value in calls[0].items()}]

    return replace(
        task,
        challenges=challenges,
        properties=(
            *(_without_last_call(prop) for prop in task.properties),
            Property("read-only arguments, the same answer again", _the_same_again, points=points),
        ),
    )


def _without_last_call(prop):
    """Let a property see the calls that it was written for."""
    calls = slice(prop.calls.start, -1) if prop.calls.stop is None else prop.calls
    return replace(
        prop,
        calls=calls,
        check=lambda challenges, answers: prop.check(challenges[:-1], answers[:-1]),
    )


def _read_only(value):
    if isinstance(value, list):
        return [_read_only(item) for item in value]
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.flags.writeable = False
    return value


def _the_same_again(challenges, answers):
    """Compare the last answer with the first, if the function answers anything at all."""
    first, again = answers[0], answers[-1]
    if isinstance(first, Failure):
        return f"No answer: {first}."
    if isinstance(again, Failure) and "read-only" in again:
        return "The function writes into an array that it was given; compute a new one instead."
    if isinstance(again, Failure):
        return f"No answer at the second call with the same arguments: {again}."
    if not same(again, first):
        return "The second call with the same arguments gives another answer."
    given = _arrays(list(challenges[0].values()))
    if any(same(part, argument) for part in _arrays(first) for argument in given):
        return "One of the arguments comes back as it was; compute a new array from them."
    if all(same(answer, first) for answer in answers) or not any(map(_varies, _arrays(answers))):
        return "The answer has nothing to do with the arguments yet."
    return None


def _arrays(value):
    """List the arrays and numbers in a value."""
    if isinstance(value, list):
        return [array for item in value for array in _arrays(item)]
    return [value] if isinstance(value, np.ndarray | int | float) else []


def _varies(array):
    """Tell a finite number, or an array of different finite real numbers."""
    array = np.asarray(array)
    if array.dtype.kind not in "biuf":
        return False
    finite = array[np.isfinite(array)]
    return bool(finite.size) and (array.size == 1 or bool(np.ptp(finite.astype(np.float64))))
