"""What a judged cell asks for, as data."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from coursekit.judging import answering
from coursekit.judging.compare import RTOL, difference


@dataclass(frozen=True)
class Property:
    """One thing that must hold of the answers.

    Attributes
    ----------
    title : str
        Words for the student.
    check : callable
        ``check(challenges, answers)`` gives a sentence if the property does not hold, else None.
        ``challenges`` is the list of calls (dicts of arguments), ``answers`` the decoded answers
        or `Failure` texts, one each.
    calls : slice
        Which of the calls it looks at.
    item : int or None
        Which item of an answer of several values it looks at; None: the whole answer.
    points : float or None
        What it is worth; None: an equal share of what the task's other properties leave.
    """

    title: str
    check: Callable[[list[dict], list], str | None]
    calls: slice = field(default_factory=lambda: slice(None))
    item: int | None = None
    points: float | None = None


@dataclass(frozen=True, eq=False)  # equal if identical, so that it can key a cache
class Mistake:
    """A known wrong solution, by which an answer can be recognised.

    Attributes
    ----------
    name : str
        A few words, for the instructor's statistics.
    sentence : str
        What the student did and what to do instead, with the stage or equation of the sheet.
    variant : callable
        Stands in for the student's function; for a task that asks for variables, ``variant()``
        gives a value for each name.
    loses : tuple of str
        Names of the tasks that take points for it.
    """

    name: str
    sentence: str
    variant: Callable
    loses: tuple[str, ...]


def mistakes(loses, *rows):
    """Make the mistakes that lose the same points.

    Parameters
    ----------
    loses : tuple of str
    *rows : tuple of (name, sentence, variant)

    Returns
    -------
    tuple of Mistake
    """
    return tuple(Mistake(name, sentence, variant, loses) for name, sentence, variant in rows)


@dataclass(frozen=True, eq=False)  # equal if identical, so that it can key a cache
class Task:
    """One judged cell: which of the student's names it asks for, with what, and what must hold.

    Attributes
    ----------
    name : str
        Name in ``judge("name")``; also the cell's grade id.
    title : str
        What is asked, as a student reads it.
    points : float
        Points of the cell, shared out among its properties.
    asks : tuple of str
        Global names of the student: functions or variables.
    challenges : callable
        ``challenges(rng)`` draws the list of calls, each a dict of arguments in the order of the
        function's parameters.
    properties : tuple of Property
    harness : callable
        A self-contained function of this project that turns the student's objects and one call
        into an answer; its text runs inside the kernel (see `answering`).
    mistakes : tuple of Mistake
        Known wrong solutions, by which a wrong answer is explained.
    """

    name: str
    title: str
    points: float
    asks: tuple[str, ...]
    challenges: Callable[[np.random.Generator], list[dict]]
    properties: tuple[Property, ...]
    harness: Callable = answering.call
    mistakes: tuple[Mistake, ...] = ()

    @property
    def shares(self):
        """Points of each property, in their order; they add up to those of the cell."""
        fixed = [prop.points for prop in self.properties if prop.points is not None]
        rest = (self.points - sum(fixed)) / max(len(self.properties) - len(fixed), 1)
        return tuple(rest if prop.points is None else prop.points for prop in self.properties)


def agrees(title, name, reference, *, calls=slice(None), item=None, rtol=RTOL, points=None):
    """Make the usual property: the answers equal the reference's.

    Parameters
    ----------
    title : str
        Words for the student.
    name : str
        What the answer is called, e.g. ``"dE/dW1"`` (see `difference`).
    reference : callable
        ``reference(**call)`` gives the expected value of one call.
    calls : slice, optional
        Which of the calls are looked at.
    item : int, optional
        Which item of an answer of several values is looked at; `reference` gives that item.
    rtol : float, optional
        Allowed error relative to the largest expected entry.
    points : float, optional
        As in `Property`.

    Returns
    -------
    Property
    """

    def check(challenges, answers):
        for call, answer in zip(challenges[calls], answers[calls], strict=True):
            if item is not None and is_single(answer):
                return f"One array came back; return several values, {name} among them."
            got = picked(answer, item)
            problem = difference(got, reference(**call), name=name, rtol=rtol)
            if problem:
                return problem
        return None

    return Property(title, check, calls, item, points)


def picked(answer, item):
    """Take one item of an answer of several values; other answers come back as they are."""
    if isinstance(answer, np.ndarray) and answer.ndim == 3:
        answer = list(answer)  # np.stack([a, b]) in place of (a, b) is no mistake
    if item is None or not isinstance(answer, list) or len(answer) <= item:
        return answer
    return answer[item]


def is_single(answer):
    """Tell whether a single number or matrix stands in the place of several values."""
    return isinstance(answer, int | float) or (
        isinstance(answer, np.ndarray) and answer.ndim in (0, 2)
    )


def no_calls(rng):
    """Give the single, empty call of a task that only reads variables."""
    return [{}]
