"""What a verdict quotes of a student's exception: enough to find it, no values of a challenge."""

import numpy as np
import pytest

from coursekit.judging import marking, wire
from coursekit.judging.round09 import TASKS

TASK = TASKS["stage2-dE-dz2"]


def quoted(error):
    """Give what a verdict makes of the words of an exception."""
    problem = marking.mark(TASK, 1, [{"error": error}] * 9).findings[0].problem
    return problem.removeprefix("No answer: ").removesuffix(".")


@pytest.mark.parametrize(
    "error",
    [
        "NameError: name 'W1' is not defined",
        "ValueError: operands could not be broadcast together with shapes (3,4) (10,)",
        "ValueError: matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc "
        "signature (n?,k),(k,m?)->(n?,m?) (size 5 is different from 4)",
        "IndexError: index 12 is out of bounds for axis 0 with size 10",
        "TypeError: stage2() takes 1 positional argument but 2 were given",
        "AttributeError: 'NoneType' object has no attribute 'shape'",
        "NotImplementedError: not answered yet",
        "FileNotFoundError: [Errno 2] No such file or directory: 'data.mat'",
        "UnreadableError: the answer has more than 10000 items",
    ],
)
def test_words_that_help_stay(error):
    assert quoted(error) == error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("ValueError: got 0.25 here", "ValueError: got … here"),
        ("ValueError: 1e-05", "ValueError: …"),
        ("ValueError: 123456789", "ValueError: …"),
        ("ValueError: [0 1 0 0] is odd", "ValueError: […] is odd"),
        ("ValueError: W = [[0.5 1.]\n [2. 3.]] is odd", "ValueError: W = […] is odd"),
        ("ValueError: 3, 1, 4, 1, 5, 9, 2 of them", "ValueError: … of them"),
        ("seen0.3312: x", "seen…: x"),
    ],
)
def test_values_become_dots(error, words):
    assert quoted(error) == words


WRITERS = [str, repr, np.array2string, np.ndarray.tolist, list]


@pytest.mark.parametrize("text", WRITERS, ids=[writer.__name__ for writer in WRITERS])
def test_no_array_of_a_challenge_is_quoted(text):
    for name, task in TASKS.items():
        for call in marking.draw(task, seed=1):
            for values in call.values():
                if isinstance(values, np.ndarray) and values.dtype.kind == "f" and values.ndim:
                    problem = quoted(f"ValueError: {text(values)}")
                    kept = {number[:6] for number in map(str, values.ravel()) if len(number) > 7}
                    assert not any(number in problem for number in kept), name


@pytest.mark.parametrize("name", ["x" * 10**6, "a right\n  one", "seen-0.25", "seen123456", ""])
def test_a_type_with_an_odd_name_is_not_named(name):
    message = {"value": {"other": name}}
    problem = marking.mark(TASK, 1, [message] * 9).findings[0].problem
    assert problem == "dE/dz2 is of type unknown; expected an array of shape (10,)."


def test_problem_is_one_line_of_bounded_length():
    huge = "a\n" * 10**6
    for message in ({"error": huge}, {"value": wire.encode({huge[:1000]: 1.0})}):
        for task in TASKS.values():
            for finding in marking.mark(task, 1, [message] * 30).findings:
                assert len(finding.problem) <= marking.LONGEST_PROBLEM
                assert finding.problem.isprintable()


@pytest.mark.parametrize(
    "value",
    [{"a": np.ones(3)}, [{"a": np.ones(3)}] * 3, {"a": {}}, np.ones((2, 2), complex)],
    ids=repr,
)
def test_no_form_of_an_answer_stops_the_grading(value):
    for task in TASKS.values():
        assert marking.mark(task, 1, [{"value": wire.encode(value)}] * 30).points == 0
