import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.judging.compare import Failure, difference, unusable
from coursekit.judging.wire import Unsendable

EXPECTED = np.random.default_rng(5).normal(size=(3, 4))


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (EXPECTED, EXPECTED),
        (EXPECTED * (1 + 1e-12), EXPECTED),
        (2.0, 2),
        (True, 1.0),
        (np.array([1, 2], dtype=np.uint8), np.array([1.0, 2.0])),
        (np.zeros((0, 3)), np.zeros((0, 3))),
        ([EXPECTED, 1.0], (EXPECTED, 1.0)),
        (np.stack([EXPECTED, EXPECTED]), [EXPECTED, EXPECTED]),
        (np.array([1.0, 2.0]), [1.0, 2.0]),
        (np.array([1.0, 1e-13]), np.array([1.0, 0.0])),
    ],
    ids=str,
)
def test_equal_values_agree(got, expected):
    assert difference(got, expected, name="answer") is None


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (None, "dE/dW1 is None: does the function end with a return statement?"),
        (Failure("ValueError: no"), "No answer: ValueError: no."),
        (Unsendable("set"), "dE/dW1 is of type set; expected an array of shape (3, 4)."),
        ("text", "dE/dW1 is of type str; expected an array of shape (3, 4)."),
        ({}, "dE/dW1 is of type dict; expected an array of shape (3, 4)."),
        (EXPECTED.tolist(), "dE/dW1 is of type list; expected an array of shape (3, 4)."),
        (1.0, "dE/dW1 has shape (); expected an array of shape (3, 4)."),
        (EXPECTED + 0j, "dE/dW1 holds complex128 values; expected real numbers."),
        (EXPECTED[:1], "dE/dW1 has shape (1, 4); expected an array of shape (3, 4)."),
        (EXPECTED[:, :1], "dE/dW1 has shape (3, 1); expected an array of shape (3, 4)."),
        (EXPECTED[None], "dE/dW1 has shape (1, 3, 4); expected an array of shape (3, 4)."),
    ],
    ids=str,
)
def test_other_kinds_and_shapes_are_named(got, words):
    assert difference(got, EXPECTED, name="dE/dW1") == words
    assert unusable(got, (3, 4), name="dE/dW1") == words


def test_transposed_shape_is_named():
    assert difference(EXPECTED.T, EXPECTED, name="dE/dW1") == (
        "dE/dW1 has shape (4, 3); expected an array of shape (3, 4). It looks transposed."
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_single_nan_or_infinity_is_seen(bad):
    got = EXPECTED.copy()
    got[1, 2] = bad
    assert "holds NaN or infinity" in difference(got, EXPECTED, name="E")
    assert "E holds NaN or infinity" in difference(bad, 1.0, name="E")


def test_an_array_is_no_number():
    assert difference(np.ones(1), 1.0, name="E") == "E has shape (1,); expected a number."
    assert difference([1.0], 1.0, name="E") == "E is of type list; expected a number."


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (None, "Expected 2 values (W1, W2), got None."),
        (1.0, "Expected 2 values (W1, W2), got one value."),
        ([EXPECTED], "Expected 2 values (W1, W2), got 1 values."),
        ([EXPECTED] * 3, "Expected 2 values (W1, W2), got 3 values."),
        ({"W1": EXPECTED, "W2": EXPECTED}, "Expected 2 values (W1, W2), got one value."),
        ([EXPECTED, None], "W2 is None: does the function end with a return statement?"),
        ([-EXPECTED, EXPECTED], "W1: the sign is the wrong way round."),
    ],
    ids=["None", "number", "one", "three", "dict", "second None", "first negative"],
)
def test_lists_are_compared_item_by_item(got, words):
    assert difference(got, [EXPECTED, EXPECTED], name="W1, W2") == words


def test_items_without_names_of_their_own_are_numbered():
    problem = difference([EXPECTED, -EXPECTED], [EXPECTED, EXPECTED], name="the weights")
    assert problem == "the weights[1]: the sign is the wrong way round."


SQUARE = np.random.default_rng(6).normal(size=(3, 3))


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (np.zeros((3, 3)), "all entries are zero"),
        (-SQUARE, "sign is the wrong way round"),
        (SQUARE.T, "transposed"),
        (SQUARE * 2.5, "wrong by the same factor"),
        (SQUARE / -1000, "wrong by the same factor"),
        (SQUARE + 0.1, "differs from the reference, relative error"),
        (SQUARE.astype(np.float32), "relative error"),
    ],
    ids=["zeros", "sign", "transposed", "factor", "negative factor", "offset", "float32"],
)
def test_simple_patterns_are_recognised(got, words):
    problem = difference(got, SQUARE, name="dE/dW")
    assert problem.startswith("dE/dW: ")
    assert words in problem


def test_tolerance_is_relative_to_the_largest_entry():
    expected = np.array([1000.0, 1e-3])
    assert difference(expected + 0.9e-6, expected, name="y") is None
    assert difference(expected + 1.1e-6, expected, name="y") is not None
    assert difference(expected + 0.9, expected, name="y", rtol=1e-3) is None


def test_tolerance_is_absolute_where_zero_is_expected():
    assert difference(1e-13, 0.0, name="E") is None
    assert difference(1e-11, 0.0, name="E") is not None


@pytest.mark.parametrize("scale", [1e308, -1e308, 1e-320])
def test_extreme_answers_are_wrong_without_a_warning(scale):
    assert difference(np.full((3, 4), scale), EXPECTED, name="y") is not None
    assert difference(np.full((3, 4), scale), -1e308 * np.sign(EXPECTED), name="y") is not None


WRONG = {
    "zeros": lambda y: 0 * y,
    "sign": lambda y: -y,
    "transposed": lambda y: y.T,
    "offset": lambda y: y + 0.37,
    "one row": lambda y: y[:1],
    "nan": lambda y: y * np.nan,
    "ones": np.ones_like,
    "text": str,
    "list": lambda y: y.tolist(),
    "complex": lambda y: y + 0j,
    "noise": lambda y: y * (1 + 0.01 * np.sin(np.arange(y.size).reshape(y.shape))),
}


@pytest.mark.parametrize("kind", WRONG)
@given(st.integers(0, 2**32), st.sampled_from([(4, 4), (2, 5), (3, 2)]))
def test_sentence_never_shows_expected_values(kind, seed, shape):
    expected = np.random.default_rng(seed).normal(size=shape)
    problem = difference(WRONG[kind](expected), expected, name="y")
    assert problem is not None
    assert not re.search(r"[1-9]\d*\.?\d{3}", problem)


@given(st.floats(1.01, 900), st.integers(0, 2**32))
def test_a_scaled_answer_is_told_without_a_number(ratio, seed):
    expected = np.random.default_rng(seed).normal(size=(3, 4))
    problem = difference(ratio * expected, expected, name="y")
    assert re.findall(r"\d", problem) == []
