"""From a task, a seed and the answers to a verdict; the kernel has no part in it."""

import re

import numpy as np

from coursekit.judging import wire
from coursekit.judging.compare import Failure
from coursekit.judging.diagnosis import diagnose
from coursekit.judging.verdict import Finding, Verdict

NOTHING = "nothing arrived"
LONGEST_WORDS = 1000
LONGEST_PROBLEM = 500

BRACKET = re.compile(r"\[[^A-Za-z]+")
MANY_NUMBERS = re.compile(r"\d+(?:[^A-Za-z\d]+\d+){6,}")
LONG_NUMBER = re.compile(r"\d*\.\d+(?:e[-+]?\d+)?|\d+e[-+]?\d+|\d{6,}", re.IGNORECASE)


def draw(task, seed):
    """Draw the challenges of a task.

    Parameters
    ----------
    task : Task
    seed : int
        The same seed gives the same challenges.

    Returns
    -------
    list of dict
        The arguments of each call.
    """
    return task.challenges(np.random.default_rng(seed))


def pose(task, seed):
    """Draw the challenges of a task as plain JSON for the kernel.

    Parameters
    ----------
    task : Task
    seed : int

    Returns
    -------
    list of dict
        Encoded arguments of each call.
    """
    return [wire.encode(call) for call in draw(task, seed)]


def mark(task, seed, messages, why=NOTHING):
    """Judge what came back from a student's process.

    Parameters
    ----------
    task : Task
    seed : int
        Seed of the challenges; they are drawn again, since the kernel's copy is not trusted.
    messages : list of dict or None
        What `answering.answer_all` gave, untrusted; None if nothing arrived.
    why : str, optional
        Why nothing arrived, for the student.

    Returns
    -------
    Verdict
    """
    answers = _read(messages, len(draw(task, seed)), why)
    findings = tuple(
        _look(task, prop, worth, seed, answers)
        for prop, worth in zip(task.properties, task.shares, strict=True)
    )
    return Verdict(task.name, task.title, task.points, findings, seed)


def _look(task, prop, worth, seed, answers):
    """Look at one property, on challenges of its own that nothing else has touched."""
    problem = _problem(prop, draw(task, seed), list(answers))
    mistake = diagnose(task, prop, draw(task, seed), answers) if problem else None
    if mistake:
        return Finding(prop.title, worth, mistake.sentence, mistake.name)
    return Finding(prop.title, worth, problem)


def _problem(prop, challenges, answers):
    """Check a property; no answer, however odd its form, may stop the grading of a class."""
    try:
        problem = prop.check(challenges, answers)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return "The answer has another form than the task asks for."
    return problem and _printable(problem)[:LONGEST_PROBLEM]


def _read(messages, count, why):
    """Decode one answer for each call; what is missing or unreadable becomes a `Failure`."""
    if type(messages) is not list:
        return [Failure(_one_line(why))] * count
    answers = [_read_one(message) for message in messages[:count]]
    return answers + [Failure("the calls before it did not finish")] * (count - len(answers))


def _read_one(message):
    if type(message) is dict and set(message) == {"error"} and type(message["error"]) is str:
        return Failure(_one_line(message["error"]))
    if type(message) is dict and set(message) == {"value"}:
        try:
            return wire.decode(message["value"])
        except wire.UnreadableError as error:
            return Failure(str(error))
    return Failure(NOTHING)


def _one_line(text):
    """Take a student's words as one line, ending without a full stop.

    An exception may quote the arrays of a challenge; what a verdict needs of numbers are small
    integers such as shapes and indices, so arrays and all longer numbers become dots.
    """
    text = " ".join(_printable(text[:LONGEST_WORDS]).split())
    text = BRACKET.sub("[…] ", text)
    text = LONG_NUMBER.sub("…", MANY_NUMBERS.sub("…", text))
    return text[:300].rstrip(". ")


def _printable(text):
    """Put a space in the place of line breaks and the like; a file must hold the rest."""
    text = text.encode("utf-8", "replace").decode()
    return "".join(character if character.isprintable() else " " for character in text)
