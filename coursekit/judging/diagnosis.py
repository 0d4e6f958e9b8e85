"""Recognise a known mistake by the numbers it gives."""

import functools
import json
import math

import numpy as np

from coursekit.judging import answering, wire
from coursekit.judging.compare import Failure
from coursekit.judging.task import is_single, picked

RTOL = 1e-6
"""Tells one mistake from another; looser than the judge, since wrong code is not always careful."""


def diagnose(task, prop, challenges, answers):
    """Find the known mistake that gives just these answers.

    Parameters
    ----------
    task : Task
    prop : Property
        The property that does not hold; only the calls and the item it looks at are compared.
    challenges : list of dict
        All calls; a variant may change them.
    answers : list
        Decoded answers, or `Failure`, one for each call.

    Returns
    -------
    Mistake or None
    """
    calls = [json.dumps(wire.encode(call)) for call in challenges[prop.calls]]
    given = answers[prop.calls]
    if all(isinstance(picked(answer, prop.item), Failure) for answer in given):
        return None  # the student's own exception says more
    for item in dict.fromkeys((None, prop.item)):  # the whole answer tells more mistakes apart
        if item is not None and any(is_single(answer) for answer in given):
            break  # an item cannot be told from the whole
        got = [picked(answer, item) for answer in given]
        for mistake in task.mistakes:
            if all(
                same(answer, picked(variant_answer(task, mistake, call), item))
                for call, answer in zip(calls, got, strict=True)
            ):
                return mistake
    return None


def stand_ins(task, mistake):
    """Give what stands in for the student's objects.

    Parameters
    ----------
    task : Task
    mistake : Mistake

    Returns
    -------
    sequence
        One object for each name that the task asks for.
    """
    if len(task.asks) > 1 or task.harness is answering.read:
        return mistake.variant()
    return (mistake.variant,)


@functools.lru_cache(maxsize=4096)  # all students of a grading run get the same calls
def variant_answer(task, mistake, call):
    """Give the answer of a mistake's variant to one call.

    Parameters
    ----------
    task : Task
    mistake : Mistake
    call : str
        Arguments as JSON of an encoded dict.

    Returns
    -------
    object
        As it would be decoded from a student's process; `Failure` if the variant raises.
    """
    arguments = wire.decode(json.loads(call)).values()
    try:
        with answering.quiet():
            value = task.harness(*stand_ins(task, mistake), *arguments)
            return wire.decode(wire.encode(value))
    except Exception as error:  # a wrong variant may fail in any way, like a student's function
        return Failure(f"{type(error).__name__}: {error}")


def same(got, expected):
    """Tell whether two decoded answers are the same numbers.

    Parameters
    ----------
    got, expected : object
        Decoded answers.

    Returns
    -------
    bool
        Also for NaN in the same places, and where both calls failed.
    """
    if isinstance(got, Failure) or isinstance(expected, Failure):
        return isinstance(got, Failure) and isinstance(expected, Failure)
    if isinstance(expected, list):
        return (
            isinstance(got, list)
            and len(got) == len(expected)
            and all(same(*pair) for pair in zip(got, expected, strict=True))
        )
    if isinstance(got, float) and isinstance(expected, float):
        return math.isclose(got, expected, rel_tol=RTOL) or (got != got and expected != expected)
    if not isinstance(expected, np.ndarray | int | float):
        return type(got) is type(expected) and got == expected
    if not isinstance(got, np.ndarray | int | float) or np.shape(got) != np.shape(expected):
        return False
    scale = np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected))
    return bool(np.allclose(got, expected, rtol=RTOL, atol=RTOL * scale, equal_nan=True))
