"""What runs inside the student's kernel: call their code on the challenges, publish the answers.

The text of this module, after that of `wire`, is pasted into the judged cell before execution
(see `preprocessors`); it therefore imports only the standard library and NumPy, and does not know
which answers are right. In a live notebook `live.judge` calls the same functions.
"""

import contextlib
import os
import warnings

import numpy as np


def call(function, *arguments):
    """Call a student's function (a task's usual harness)."""
    return function(*arguments)


def call_and_return_inputs(function, *arguments):
    """Call a student's function and return its result and its arguments as they then are."""
    return [function(*arguments), *arguments]


def read(*values):
    """Return a student's variables as they are."""
    return list(values)


@contextlib.contextmanager
def quiet():
    """Keep warnings, NumPy's complaints and what student code prints from costing points.

    The verdict takes the place of all outputs, so prints go nowhere, however long they are.
    """
    with (
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        open(os.devnull, "w", encoding="utf-8", errors="replace") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        warnings.simplefilter("ignore")
        yield


def answer_all(namespace, names, challenges, harness, encode, decode):
    """Ask the student's objects about every challenge.

    Parameters
    ----------
    namespace : dict
        The student's global names.
    names : list of str
        Functions or variables that the task asks for.
    challenges : list of dict
        Encoded arguments of one call each, in the order of the function's parameters.
    harness : callable
        ``harness(*objects, *arguments)`` gives the answer to one challenge.
    encode, decode : callable
        Those of `wire`.

    Returns
    -------
    list of dict
        For each challenge ``{"value": message}`` or ``{"error": text}``.
    """
    missing = [name for name in names if name not in namespace]
    if missing:
        return [{"error": f"NameError: {missing[0]} is not defined"} for _ in challenges]
    objects = [namespace[name] for name in names]
    answers = []
    for challenge in challenges:
        try:
            with quiet():
                value = harness(*objects, *decode(challenge).values())
                answers.append({"value": encode(value)})
        except KeyboardInterrupt:
            answers.append({"error": "it did not finish in time"})
            break
        except NotImplementedError as error:
            answers.append({"error": f"{error}"[:300]})
        except BaseException as error:  # SystemExit of student code must not end the cell
            answers.append({"error": f"{type(error).__name__}: {error}"[:300]})
    return answers
