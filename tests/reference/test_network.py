"""The reference network against differences, an autodiff library, its laws and numbers by hand."""

import math
from typing import NamedTuple

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.reference import network

# A decorator rather than a loaded profile, so that it holds in this file only.
many_networks = settings(max_examples=60, deadline=None, derandomize=True)


class Problem(NamedTuple):
    weights: list[np.ndarray]
    inputs: np.ndarray
    targets: np.ndarray


def make_problem(sizes, cases, seed=0, one_hot=True):
    """Draw a network of the given sizes and as many cases for it."""
    rng = np.random.default_rng(seed)
    weights = [
        rng.normal(size=(rows, columns))
        for columns, rows in zip(sizes[:-1], sizes[1:], strict=True)
    ]
    inputs = rng.normal(size=(sizes[0], cases))
    if one_hot:
        targets = np.eye(sizes[-1])[:, rng.integers(sizes[-1], size=cases)]
    else:
        targets = rng.dirichlet(np.ones(sizes[-1]), size=cases).T
    return Problem(weights, inputs, targets)


problems = st.builds(
    make_problem,
    sizes=st.lists(st.integers(1, 6), min_size=3, max_size=5),
    cases=st.integers(1, 7),
    seed=st.integers(0, 2**32 - 1),
    one_hot=st.booleans(),
)
weight_decays = st.one_of(st.just(0.0), st.floats(1e-4, 2.0))


def centred_differences(function, weights, step=1e-5):
    """Differentiate a function of the weights by moving one element at a time."""
    weights = [matrix.copy() for matrix in weights]
    derivatives = [np.empty_like(matrix) for matrix in weights]
    for matrix, derivative in zip(weights, derivatives, strict=True):
        for index in np.ndindex(matrix.shape):
            value = matrix[index]
            matrix[index] = value + step
            above = function(weights)
            matrix[index] = value - step
            below = function(weights)
            matrix[index] = value
            derivative[index] = (above - below) / (2 * step)
    return derivatives


def textbook_loss(weights, inputs, targets, weight_decay):
    """Eq. (2) as it is printed, in functions that autograd can follow."""
    y = inputs
    for matrix in weights[:-1]:
        y = 1 / (1 + anp.exp(-anp.dot(matrix, y)))
    exponentials = anp.exp(anp.dot(weights[-1], y))
    y = exponentials / anp.sum(exponentials, axis=0)
    squares = sum(anp.sum(matrix**2) for matrix in weights)
    return -anp.sum(targets * anp.log(y)) / inputs.shape[1] + weight_decay / 2 * squares


def assert_close(got, expected, relative, absolute=0.0):
    """Compare lists of matrices, each by the norm of the difference."""
    assert [matrix.shape for matrix in got] == [matrix.shape for matrix in expected]
    for layer, (a, b) in enumerate(zip(got, expected, strict=True), start=1):
        difference = np.linalg.norm(a - b)
        assert difference <= relative * np.linalg.norm(b) + absolute, f"layer {layer}"


# Against other ways to the same numbers


@many_networks
@given(problem=problems, weight_decay=weight_decays)
def test_gradient_agrees_with_centred_differences(problem, weight_decay):
    weights, inputs, targets = problem
    expected = centred_differences(
        lambda moved: network.loss(moved, inputs, targets, weight_decay), weights
    )
    got = network.gradient(weights, inputs, targets, weight_decay)
    assert_close(got, expected, relative=1e-6, absolute=1e-9)  # absolute: rounding / step


@many_networks
@given(problem=problems, weight_decay=weight_decays)
def test_loss_and_gradient_agree_with_autodiff(problem, weight_decay):
    weights, inputs, targets = problem
    expected = autograd.grad(textbook_loss)(weights, inputs, targets, weight_decay)
    assert_close(network.gradient(*problem, weight_decay), expected, relative=1e-10, absolute=1e-14)
    assert network.loss(*problem, weight_decay) == pytest.approx(
        textbook_loss(*problem, weight_decay), rel=1e-12, abs=1e-14
    )


def test_gradient_equals_the_stages_of_the_sheet_written_out():
    weights, inputs, targets = make_problem((5, 7, 10), cases=4, seed=1)
    W1, W2 = weights
    weight_decay = 0.3
    dW1, dW2 = np.zeros_like(W1), np.zeros_like(W2)
    for x, t in zip(inputs.T, targets.T, strict=True):
        y1 = 1 / (1 + np.exp(-W1 @ x))
        y2 = np.exp(W2 @ y1) / np.exp(W2 @ y1).sum()
        dE_dz2 = y2 - t  # stage 2
        dE_dy1 = dE_dz2 @ W2  # stage 3
        dy1_dz1 = np.diag(y1 * (1 - y1))  # stage 5
        dE_dz1 = dE_dy1 @ dy1_dz1  # stage 6
        dW2 += np.outer(dE_dz2, y1)  # stage 4
        dW1 += np.outer(dE_dz1, x)  # stage 7
    expected = [dW1 / 4 + weight_decay * W1, dW2 / 4 + weight_decay * W2]  # stages 8 and 9
    assert_close(network.gradient(weights, inputs, targets, weight_decay), expected, 1e-13)


def test_smallest_network_worked_by_hand():
    # x = 2 and W1 = 0 give y1 = 1/2; W2 = (2 ln 3, 0) gives logits (ln 3, 0), so y2 = (3/4, 1/4).
    ln3 = 1.0986122886681098
    weights = [np.array([[0.0]]), np.array([[2 * ln3], [0.0]])]
    inputs, targets = np.array([[2.0]]), np.array([[0.0], [1.0]])

    z, y = network.forward(weights, inputs)
    np.testing.assert_allclose(z[0], [[0.0]])
    np.testing.assert_allclose(y[0], [[0.5]])
    np.testing.assert_allclose(z[1], [[1.0986122886681098], [0.0]])
    np.testing.assert_allclose(y[1], [[0.75], [0.25]])
    assert network.classification_loss(weights, inputs, targets) == pytest.approx(
        1.3862943611198906  # -ln(1/4)
    )
    assert network.loss(weights, inputs, targets, weight_decay=0.5) == pytest.approx(
        1.3862943611198906 + 0.25 * 4.827795843250328  # (2 ln 3)^2
    )

    # dE/dz2 = (3/4, -3/4); dE/dy1 = 3/2 ln 3; dE/dz1 = 3/8 ln 3; dE/dW1 = 3/4 ln 3.
    dW1, dW2 = network.gradient(weights, inputs, targets)
    np.testing.assert_allclose(dW1, [[0.8239592165010823]])
    np.testing.assert_allclose(dW2, [[0.375], [-0.375]])
    dW1, dW2 = network.gradient(weights, inputs, targets, weight_decay=0.5)
    np.testing.assert_allclose(dW1, [[0.8239592165010823]])
    np.testing.assert_allclose(dW2, [[0.375 + 1.0986122886681098], [-0.375]])

    assert network.predict(weights, inputs).tolist() == [0]
    assert network.error_rate(weights, inputs, targets) == 1.0


# Laws


@many_networks
@given(problem=problems, weight_decay=weight_decays, seed=st.integers(0, 1000))
def test_order_of_the_cases_changes_nothing(problem, weight_decay, seed):
    weights, inputs, targets = problem
    order = np.random.default_rng(seed).permutation(inputs.shape[1])
    permuted = Problem(weights, inputs[:, order], targets[:, order])
    assert network.loss(*permuted, weight_decay) == pytest.approx(
        network.loss(*problem, weight_decay), rel=1e-13
    )
    assert_close(
        network.gradient(*permuted, weight_decay),
        network.gradient(*problem, weight_decay),
        relative=1e-12,
        absolute=1e-15,
    )


@many_networks
@given(problem=problems, weight_decay=weight_decays)
def test_repeating_every_case_changes_nothing(problem, weight_decay):
    weights, inputs, targets = problem
    doubled = Problem(weights, np.repeat(inputs, 2, axis=1), np.repeat(targets, 2, axis=1))
    assert network.loss(*doubled, weight_decay) == pytest.approx(
        network.loss(*problem, weight_decay), rel=1e-13
    )
    assert_close(
        network.gradient(*doubled, weight_decay),
        network.gradient(*problem, weight_decay),
        relative=1e-12,
        absolute=1e-15,
    )


@many_networks
@given(problem=problems, constant=st.floats(-50, 50))
def test_adding_a_constant_to_the_logits_changes_no_probability(problem, constant):
    z, y = network.forward(problem.weights, problem.inputs)
    np.testing.assert_allclose(network.softmax(z[-1] + constant), y[-1], rtol=1e-12)
    np.testing.assert_allclose(
        network.log_softmax(z[-1] + constant), network.log_softmax(z[-1]), atol=1e-12
    )


@many_networks
@given(problem=problems, seed=st.integers(0, 1000))
def test_adding_one_row_to_all_rows_of_the_last_matrix_changes_nothing(problem, seed):
    *hidden, last = problem.weights
    row = np.random.default_rng(seed).normal(size=last.shape[1])
    moved = problem._replace(weights=[*hidden, last + row])
    assert network.classification_loss(*moved) == pytest.approx(
        network.classification_loss(*problem), abs=1e-12
    )
    assert_close(network.gradient(*moved), network.gradient(*problem), 1e-10, absolute=1e-13)


@many_networks
@given(problem=problems)
def test_probabilities_are_positive_and_sum_to_one(problem):
    _, y = network.forward(problem.weights, problem.inputs)
    assert (y[-1] > 0).all()
    np.testing.assert_allclose(y[-1].sum(axis=0), 1.0, rtol=1e-14)


@many_networks
@given(problem=problems)
def test_forward_returns_sums_and_outputs_of_every_layer(problem):
    weights, inputs, _ = problem
    z, y = network.forward(weights, inputs)
    shapes = [(len(matrix), inputs.shape[1]) for matrix in weights]
    assert [array.shape for array in z] == shapes
    assert [array.shape for array in y] == shapes
    below = [inputs, *y[:-1]]
    for matrix, before, total in zip(weights, below, z, strict=True):
        np.testing.assert_array_equal(total, matrix @ before)
    for total, after in zip(z[:-1], y[:-1], strict=True):
        np.testing.assert_array_equal(after, network.logistic(total))
    np.testing.assert_array_equal(y[-1], network.softmax(z[-1]))
    np.testing.assert_allclose(network.log_softmax(z[-1]), np.log(y[-1]), rtol=1e-11, atol=1e-14)


@many_networks
@given(problem=problems, weight_decay=weight_decays)
def test_arguments_keep_their_values_and_may_be_read_only(problem, weight_decay):
    weights, inputs, targets = problem
    arrays = [*weights, inputs, targets]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    gradients = network.gradient(*problem, weight_decay)
    z, y = network.forward(weights, inputs)
    network.loss(*problem, weight_decay)
    network.error_rate(*problem)
    for result in [*gradients, *z, *y]:
        result[...] = np.nan  # results are the caller's own: nothing below may see this
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_classification_loss_is_the_loss_without_weight_decay():
    problem = make_problem((4, 3, 5), cases=6, seed=2)
    assert network.classification_loss(*problem) == network.loss(*problem)
    assert network.loss(*problem, 0.1) > network.loss(*problem)


# Classes


def test_predict_names_the_most_probable_class_of_each_column():
    weights = [np.eye(3), np.eye(3)]
    inputs = np.array([[5.0, 0.0, 0.0, 1.0], [0.0, 0.0, 5.0, 1.0], [0.0, 5.0, 0.0, 1.0]])
    classes = network.predict(weights, inputs)
    assert classes.tolist() == [0, 2, 1, 0]
    assert classes.dtype.kind == "i"


@pytest.mark.parametrize(
    ("correct", "expected"), [([0, 2, 1, 2], 0.0), ([0, 2, 1, 0], 0.25), ([1, 1, 0, 1], 1.0)]
)
def test_error_rate_is_the_share_of_wrong_classes(correct, expected):
    weights = [np.eye(3), np.eye(3)]
    inputs = np.eye(3)[:, [0, 2, 1, 2]]
    rate = network.error_rate(weights, inputs, np.eye(3)[:, correct])
    assert isinstance(rate, float)
    assert rate == expected


# Extreme numbers


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [40.0, 740.0, 1e4])
def test_functions_of_large_logits_raise_no_floating_point_error(size):
    with np.errstate(all="raise"):
        assert network.logistic([size, 0.0]).tolist() == [1.0, 0.5]
        assert network.logistic(-size) == pytest.approx(math.exp(-size), rel=1e-14, abs=0)
        logits = np.array([[size, 0.0], [-size, 0.0]])
        np.testing.assert_allclose(network.log_softmax(logits)[:, 0], [0.0, -2 * size])
        np.testing.assert_allclose(network.softmax(logits)[:, 1], [0.5, 0.5])
        np.testing.assert_allclose(network.softmax(logits)[0, 0], 1.0)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("input_size", [1.0, 370.0, 1e4])
def test_loss_and_gradient_of_a_saturated_network_are_finite(input_size):
    weights = [np.array([[1.0], [-1.0]]), np.array([[1e4, 0.0], [-1e4, 0.0]])]
    inputs = np.array([[input_size, -input_size]])
    targets = np.array([[0.0, 1.0], [1.0, 0.0]])
    with np.errstate(all="raise"):
        loss = network.loss(weights, inputs, targets, weight_decay=0.0)
        dW1, dW2 = network.gradient(weights, inputs, targets)
    assert math.isfinite(loss)
    assert np.isfinite(dW1).all()
    assert np.isfinite(dW2).all()


@pytest.mark.filterwarnings("error")
def test_loss_and_gradient_of_a_confidently_wrong_network_are_exact():
    weights = [np.array([[1e4]]), np.array([[1e4], [-1e4]])]  # y1 = 1, logits +1e4 and -1e4
    inputs, targets = np.array([[1.0]]), np.array([[0.0], [1.0]])
    with np.errstate(all="raise"):
        assert network.classification_loss(weights, inputs, targets) == 2e4
        dW1, dW2 = network.gradient(weights, inputs, targets)
    assert dW1.tolist() == [[0.0]]
    assert dW2.tolist() == [[1.0], [-1.0]]


# Types


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.uint8, np.bool_, np.longdouble])
def test_every_real_type_gives_float64(dtype):
    rng = np.random.default_rng(3)
    shapes = [(4, 3), (2, 4), (3, 5)]
    *weights, inputs = [rng.integers(0, 2, size=shape).astype(dtype) for shape in shapes]
    targets = np.eye(2)[:, [0, 1, 1, 0, 1]].astype(dtype)
    gradients = network.gradient(weights, inputs, targets, weight_decay=0.5)
    z, y = network.forward(weights, inputs)
    assert {array.dtype for array in [*gradients, *z, *y]} == {np.dtype(np.float64)}
    as_float64 = [matrix.astype(np.float64) for matrix in weights]
    expected = network.gradient(as_float64, inputs.astype(float), targets.astype(float), 0.5)
    assert_close(gradients, expected, relative=0.0)
    assert isinstance(network.loss(weights, inputs, targets, 0.5), float)


def test_small_integers_do_not_overflow_in_the_weight_decay_term():
    weights = [np.full((1, 1), 100, dtype=np.int8), np.full((2, 1), 100, dtype=np.int8)]
    inputs, targets = [[1]], [[1], [0]]
    without = network.loss(weights, inputs, targets)
    assert network.loss(weights, inputs, targets, weight_decay=2.0) == without + 30_000.0


# Refusals

W1, W2, X, T = np.ones((8, 64)), np.ones((10, 8)), np.ones((64, 5)), np.eye(10)[:, :5]
BAD_WEIGHTS_AND_INPUTS = [
    ([W1, np.ones((10, 7))], X, "W2 has shape (10, 7): expected 8 columns, one for each output of"),
    ([W1, W2, W2], X, "W3 has shape (10, 8): expected 10 columns, one for each output of layer 2"),
    ([W1, W2.T], X, "W2 has shape (8, 10): expected 8 columns"),
    ([W1], X, "weights has length 1: expected at least 2 matrices"),
    ([W1, np.ones(8)], X, "W2 has shape (8,): expected a matrix"),
    ([np.ones((0, 64)), W2], X, "W1 has shape (0, 64): expected a matrix with at least one row"),
    ([W1, W2], X.T, "inputs has shape (5, 64): expected (64, m)"),
    ([W1, W2], X[:, 0], "inputs has shape (64,): expected (64, m)"),
    ([W1, W2], X[:, :0], "inputs has shape (64, 0): expected (64, m)"),
    ([W1, W2 * 1j], X, "W2 has dtype complex128: expected real numbers"),
    ([W1, W2], X.astype(str), "inputs has dtype <U32: expected real numbers"),
    ([W1, W2], X.astype(object), "inputs has dtype object: expected real numbers"),
    ([W1, W2], [[1.0, 2.0], [3.0]], "inputs does not form an array: expected rows of equal"),
]
HALF = np.where(np.arange(5) == 3, 0.5, 1.0)
BAD_TARGETS = [
    (T.T, "targets has shape (5, 10): expected (10, 5), one row for each class"),
    (T[:, :4], "targets has shape (10, 4): expected (10, 5)"),
    (T[:, 0], "targets has shape (10,): expected (10, 5)"),
    (T * HALF, "targets[:, 3] sums to 0.5: expected 1"),
    (T * (1 + 2e-9), "targets[:, 0] sums to 1.000000002: expected 1"),
    (T * np.where(HALF < 1, np.nan, 1.0), "targets[:, 3] sums to nan: expected 1"),
    (T * 1j, "targets has dtype complex128: expected real numbers"),
]


def refusal(function, *arguments):
    """Return the sentence with which a function refuses its arguments."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - callers compare the whole sentence
        function(*arguments)
    return str(error.value)


@pytest.mark.parametrize(("weights", "inputs", "sentence"), BAD_WEIGHTS_AND_INPUTS)
def test_wrong_weights_or_inputs_are_refused_with_expected_and_got(weights, inputs, sentence):
    for function in (network.forward, network.predict):
        assert refusal(function, weights, inputs).startswith(sentence)
    for function in (network.classification_loss, network.gradient, network.error_rate):
        assert refusal(function, weights, inputs, T).startswith(sentence)


@pytest.mark.parametrize(("targets", "sentence"), BAD_TARGETS)
@pytest.mark.parametrize(
    "function",
    [network.classification_loss, network.loss, network.gradient, network.error_rate],
)
def test_wrong_targets_are_refused_with_expected_and_got(function, targets, sentence):
    assert refusal(function, [W1, W2], X, targets).startswith(sentence)


@pytest.mark.parametrize("weight_decay", [-0.1, math.nan, math.inf])
@pytest.mark.parametrize("function", [network.loss, network.gradient])
def test_impossible_weight_decay_is_refused(function, weight_decay):
    sentence = refusal(function, [W1, W2], X, T, weight_decay)
    assert sentence == f"weight_decay is {weight_decay}: expected a number of zero or more"


@pytest.mark.parametrize("logits", [3.0, np.ones((0, 2)), np.ones((2, 0))])
@pytest.mark.parametrize("function", [network.softmax, network.log_softmax])
def test_logits_without_classes_or_cases_are_refused(function, logits):
    sentence = refusal(function, logits)
    assert sentence == f"logits has shape {np.shape(logits)}: expected at least one class and case"


def test_targets_within_the_tolerance_are_accepted():
    problem = make_problem((3, 4, 5), cases=6, seed=4)
    nearly = problem._replace(targets=problem.targets * (1 + 5e-10))
    assert network.loss(*nearly) == pytest.approx(network.loss(*problem))
