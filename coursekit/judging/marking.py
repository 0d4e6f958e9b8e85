"""From a task, a seed and the answers to a verdict; the kernel has no part in it."""

import numpy as np

from coursekit.judging import wire
from coursekit.judging.compare import Failure
from coursekit.judging.verdict import Finding, Verdict

NOTHING = "nothing arrived"


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
    challenges = draw(task, seed)
    answers = _read(messages, len(challenges), why)
    findings = tuple(
        Finding(
            prop.title,
            # a property never sees the arrays of another, so that none can change them
            _problem(prop, draw(task, seed), list(answers)),
        )
        for prop in task.properties
    )
    return Verdict(task.name, task.title, task.points, findings, seed)


def _problem(prop, challenges, answers):
    """Check a property; no answer, however odd its form, may stop the grading of a class."""
    try:
        problem = prop.check(challenges, answers)
    except Exception:
        return "The answer has another form than the task asks for."
    return problem and problem.encode("utf-8", "replace").decode()  # a file must hold it


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
    """Take a student's words as one line of printable characters, ending without a full stop."""
    words = "".join(character if character.isprintable() else " " for character in text).split()
    return " ".join(words)[:300].rstrip(".")
