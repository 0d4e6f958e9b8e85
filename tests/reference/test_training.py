"""Training on objectives small enough to follow by hand, and on real digits."""

import math
import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from coursekit.reference import network
from coursekit.reference.training import (
    History,
    batch_indices,
    cosine_weights,
    momentum_step,
    train,
)

# A decorator rather than a loaded profile, so that it holds in this file only.
many_cases = settings(max_examples=100, deadline=None, derandomize=True)


# Initial weights


def test_cosine_weights_go_on_from_one_matrix_to_the_next_row_by_row():
    W1, W2 = cosine_weights((2, 3, 1))
    np.testing.assert_allclose(
        W1,
        [
            [0.1, 0.05403023058681398],
            [-0.04161468365471424, -0.09899924966004454],
            [-0.06536436208636119, 0.028366218546322626],
        ],
    )
    np.testing.assert_allclose(
        W2, [[0.09601702866503661, 0.07539022543433046, -0.014550003380861353]]
    )


def test_cosine_weights_are_separate_float64_matrices_of_the_given_scale():
    W1, W2, W3 = cosine_weights(np.array([64, 30, 20, 10], dtype=np.int8), scale=2.0)
    assert [W1.shape, W2.shape, W3.shape] == [(30, 64), (20, 30), (10, 20)]
    assert {W1.dtype, W2.dtype, W3.dtype} == {np.dtype(np.float64)}
    assert W1[0, 0] == 2.0
    assert W3[-1, -1] == pytest.approx(2.0 * math.cos(30 * 64 + 20 * 30 + 10 * 20 - 1))
    first = W2.copy()
    W1[...] = 0.0
    np.testing.assert_array_equal(W2, first)


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ((64,), "sizes has 1 numbers: expected at least 2"),
        ((64, 0, 10), r"sizes\[1\] is 0: expected a whole number of at least 1"),
        ((64, 10.0), r"sizes\[1\] is 10.0: expected a whole number of at least 1"),
    ],
)
def test_impossible_sizes_are_refused(sizes, sentence):
    with pytest.raises(ValueError, match=sentence):
        cosine_weights(sizes)


# Mini-batches


@pytest.mark.parametrize(
    ("batch_size", "n_cases", "batches"),
    [
        (2, 4, [[0, 1], [2, 3], [0, 1]]),
        (3, 5, [[0, 1, 2], [3, 4, 0], [1, 2, 3], [4, 0, 1]]),
        (4, 4, [[0, 1, 2, 3], [0, 1, 2, 3]]),
        (3, 4, [[0, 1, 2], [3, 0, 1], [2, 3, 0], [1, 2, 3]]),
        (1, 1, [[0], [0]]),
    ],
)
def test_batches_run_in_order_and_wrap_round(batch_size, n_cases, batches):
    got = [batch_indices(i, batch_size, n_cases).tolist() for i in range(len(batches))]
    assert got == batches


@many_cases
@given(data=st.data(), n_cases=st.integers(1, 30), updates=st.integers(1, 40))
def test_batches_use_all_cases_equally_often_and_none_twice(data, n_cases, updates):
    batch_size = data.draw(st.integers(1, n_cases))
    batches = [batch_indices(i, batch_size, n_cases) for i in range(updates)]
    assert all(len(set(batch.tolist())) == batch_size for batch in batches)
    uses = np.bincount(np.concatenate(batches), minlength=n_cases)
    assert len(uses) == n_cases
    assert uses.max() - uses.min() <= 1


def test_late_batches_do_not_overflow_a_small_integer_type():
    got = batch_indices(np.int8(100), np.int8(100), np.int16(600))
    assert got.tolist() == list(range(400, 500))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((0, 6, 5), "batch_size is 6: expected at most 5, the number of cases"),
        ((0, 0, 5), "batch_size is 0: expected a whole number of at least 1"),
        ((0, 2.0, 5), "batch_size is 2.0: expected a whole number of at least 1"),
        ((-1, 2, 5), "iteration is -1: expected a whole number of at least 0"),
        ((0, 1, 0), "n_cases is 0: expected a whole number of at least 1"),
    ],
)
def test_impossible_batches_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        batch_indices(*arguments)


# One update


def test_momentum_step_worked_by_hand():
    weights, velocity, gradient = np.array([1.0, 2.0]), np.array([0.5, 0.0]), np.array([0.2, -1.0])
    for array in (weights, velocity, gradient):
        array.flags.writeable = False
    new_weights, new_velocity = momentum_step(weights, velocity, gradient, 0.1, 0.9)
    np.testing.assert_allclose(new_velocity, [0.25, 1.0])  # 0.9 * 0.5 - 0.2 and 0.9 * 0 + 1
    np.testing.assert_allclose(new_weights, [1.025, 2.1])
    assert weights.tolist() == [1.0, 2.0]
    assert velocity.tolist() == [0.5, 0.0]


def test_step_without_momentum_is_gradient_descent():
    weights, velocity = momentum_step([[1, 2]], [[7, 7]], [[10, -10]], 0.5, 0.0)
    assert weights.tolist() == [[-4.0, 7.0]]
    assert velocity.tolist() == [[-10.0, 10.0]]
    assert weights.dtype == velocity.dtype == np.float64


@pytest.mark.parametrize("name", ["velocity", "gradient"])
def test_transposed_array_in_a_step_is_refused_and_not_broadcast(name):
    arrays = {"velocity": np.ones((3, 1)), "gradient": np.ones((3, 1)), name: np.ones((1, 3))}
    with pytest.raises(ValueError, match=rf"{name} has shape \(1, 3\): expected \(3, 1\)"):
        momentum_step(np.ones((3, 1)), **arrays, learning_rate=0.1, momentum=0.9)


# Training: the mean of the batch attracts a single weight

CASES = (np.array([[0.0, 2.0, 4.0]]), np.zeros((1, 3)))


def half_squared_distance(weights, inputs, targets):
    return float(np.mean((weights[0] - inputs) ** 2) / 2)


def distance_to_mean(weights, inputs, targets):
    return [weights[0] - inputs.mean(axis=1)]


def test_three_updates_worked_by_hand():
    # Batches (0, 2), (4, 0), (2, 4) have the means 1, 2, 3.
    # v = 1, w = 0.5; then v = 0.5 + 1.5 = 2, w = 1.5; then v = 1 + 1.5 = 2.5, w = 2.75.
    weights, history = train(
        [np.array([0.0])],
        half_squared_distance,
        distance_to_mean,
        CASES,
        (np.array([[1.0]]), np.zeros((1, 1))),
        iterations=3,
        learning_rate=0.5,
        momentum=0.5,
        batch_size=2,
    )
    assert weights[0].tolist() == [2.75]
    # Mean of (w - 0)^2, (w - 2)^2, (w - 4)^2, halved, for w = 0.5, 1.5 and 2.75.
    assert history.training_loss == pytest.approx([14.75 / 6, 8.75 / 6, 9.6875 / 6])
    assert history.validation_loss == pytest.approx([0.125, 0.125, 1.53125])
    assert history.best_iteration == 0


def test_every_array_has_its_own_velocity():
    def gradient(weights, inputs, targets):
        return [np.array([1.0]), np.array([[-2.0, 4.0]])]

    weights, _ = train(
        [np.array([0.0]), np.array([[0.0, 0.0]])],
        lambda *_: 0.0,
        gradient,
        CASES,
        CASES,
        iterations=2,
        learning_rate=1.0,
        momentum=0.5,
        batch_size=3,
    )
    assert weights[0].tolist() == [-2.5]  # -1, then -1.5 more
    assert weights[1].tolist() == [[5.0, -10.0]]


def train_on_script(validation_losses, **options):
    """Count updates in a weight, while the validation losses come from a list."""

    def loss(weights, inputs, targets):
        update = int(weights[0][0])
        return validation_losses[update - 1] if inputs[0, 0] == 1.0 else -float(update)

    return train(
        [np.array([0.0])],
        loss,
        lambda weights, inputs, targets: [np.array([-1.0])],
        (np.array([[0.0]]), np.array([[0.0]])),
        (np.array([[1.0]]), np.array([[0.0]])),
        iterations=len(validation_losses),
        learning_rate=1.0,
        batch_size=1,
        **options,
    )


@pytest.mark.parametrize(
    ("validation_losses", "best_iteration"),
    [
        ([3.0, 1.0, 2.0], 1),
        ([3.0, 2.0, 1.0], 2),
        ([1.0, 2.0, 3.0], 0),
        ([2.0, 1.0, 1.0, 2.0], 1),
        ([math.nan, 2.0, 1.0, math.nan, 3.0], 2),
        ([2.0, math.nan, math.nan], 0),
        ([math.nan, math.inf, math.nan], 1),
        ([5.0], 0),
    ],
)
def test_early_stopping_returns_the_weights_of_the_first_lowest_validation_loss(
    validation_losses, best_iteration
):
    weights, history = train_on_script(validation_losses, early_stopping=True)
    assert history.best_iteration == best_iteration
    assert weights[0].tolist() == [best_iteration + 1.0]
    last, same_history = train_on_script(validation_losses)
    assert last[0].tolist() == [float(len(validation_losses))]
    assert same_history.best_iteration == best_iteration
    assert history.training_loss == [-1.0 - i for i in range(len(validation_losses))]
    np.testing.assert_array_equal(history.validation_loss, validation_losses)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_validation_loss_that_is_never_a_number_is_refused(early_stopping):
    with pytest.raises(ValueError, match="validation loss is NaN after every update"):
        train_on_script([math.nan, math.nan], early_stopping=early_stopping)


def test_best_weights_are_a_copy_that_later_updates_cannot_reach():
    start = np.array([1.0])
    losses = iter([0.0, 2.0, 0.0, 1.0, 0.0, 3.0])  # training, validation, training, ...

    def gradient_that_writes_into_the_weights(weights, inputs, targets):
        weights[0] *= 2.0
        return [np.array([-1.0])]

    weights, history = train(
        [start],
        lambda *_: next(losses),
        gradient_that_writes_into_the_weights,
        CASES,
        CASES,
        iterations=3,
        learning_rate=1.0,
        batch_size=1,
        early_stopping=True,
    )
    assert history == History([0.0, 0.0, 0.0], [2.0, 1.0, 3.0], best_iteration=1)
    assert weights[0].tolist() == [7.0]  # 1 -> 3 -> 7 -> 15
    assert start.tolist() == [1.0]


def test_data_and_start_weights_may_be_read_only_and_of_any_real_type():
    start = np.array([0], dtype=np.int16)
    inputs, targets = CASES[0].astype(np.float32), CASES[1].astype(np.int8)
    for array in (start, inputs, targets):
        array.flags.writeable = False
    weights, _ = train(
        [start],
        half_squared_distance,
        distance_to_mean,
        (inputs, targets),
        (inputs, targets),
        iterations=1,
        learning_rate=0.5,
        batch_size=2,
    )
    assert weights[0].tolist() == [0.5]
    assert weights[0].dtype == np.float64


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"iterations": 0}, "iterations is 0: expected a whole number of at least 1"),
        ({"iterations": 1.5}, "iterations is 1.5: expected a whole number of at least 1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0: expected a number above 0"),
        ({"learning_rate": -0.1}, "learning_rate is -0.1: expected a number above 0"),
        ({"learning_rate": math.nan}, "learning_rate is nan: expected a number above 0"),
        ({"momentum": -0.1}, "momentum is -0.1: expected a number from 0 to below 1"),
        ({"momentum": 1.0}, "momentum is 1.0: expected a number from 0 to below 1"),
        ({"batch_size": 4}, "batch_size is 4: expected at most 3, the number of cases"),
        ({"weights": [np.array([1j])]}, r"weights\[0\] has dtype complex128: expected real"),
        (
            {"weights": [np.zeros(1), np.zeros(1)]},
            "gradient returned 1 arrays: expected 2",
        ),
        (
            {"weights": [np.zeros((2, 1))], "gradient": lambda *_: [np.zeros((1, 2))]},
            r"gradient has shape \(1, 2\): expected \(2, 1\)",
        ),
        (
            {"training": (np.ones(3), np.ones((1, 3)))},
            r"training inputs has shape \(3,\): expected a matrix with cases in columns",
        ),
        (
            {"validation": (np.ones((1, 3)), np.ones((1, 2)))},
            "validation targets has 2 columns: expected 3, one for each case",
        ),
    ],
)
def test_impossible_settings_are_refused(changes, sentence):
    arguments = {
        "weights": [np.array([0.0])],
        "loss": half_squared_distance,
        "gradient": distance_to_mean,
        "training": CASES,
        "validation": CASES,
        "iterations": 2,
        "learning_rate": 0.1,
        "batch_size": 2,
    }
    with pytest.raises(ValueError, match=sentence):
        train(**{**arguments, **changes})


# Training on digits


@pytest.fixture(scope="module")
def digits():
    """Give 600 training, 600 validation and 597 test cases of the 8x8 digits."""
    data = load_digits()
    order = np.random.RandomState(0).permutation(len(data.target))
    inputs = (data.data[order] / 16).T
    targets = np.eye(10)[:, data.target[order]]
    parts = (slice(0, 600), slice(600, 1200), slice(1200, None))
    with threadpool_limits(1):  # matrices this small only get slower when threads share them
        yield [(inputs[:, part], targets[:, part]) for part in parts]


def train_on_digits(digits, hidden_units, weight_decay=0.0, **options):
    """Train the network of the sheet from the initial weights that everybody shares."""
    return train(
        cosine_weights((64, hidden_units, 10)),
        network.classification_loss,
        partial(network.gradient, weight_decay=weight_decay),
        digits[0],
        digits[1],
        **options,
    )


@pytest.mark.parametrize(
    ("iterations", "batch_size", "learning_rate", "momentum", "training_loss"),
    [
        (30, 10, 0.01, 0.0, 2.3047),
        (70, 4, 0.2, 0.9, 2.2481),
        (70, 4, 1.0, 0.0, 2.1999),
    ],
)
def test_settings_of_the_exercises_give_the_known_training_losses(
    digits, iterations, batch_size, learning_rate, momentum, training_loss
):
    _, history = train_on_digits(
        digits,
        hidden_units=10,
        iterations=iterations,
        batch_size=batch_size,
        learning_rate=learning_rate,
        momentum=momentum,
    )
    assert len(history.training_loss) == len(history.validation_loss) == iterations
    assert history.training_loss[-1] == pytest.approx(training_loss, abs=5e-5)


def test_early_stopping_on_digits_returns_the_weights_whose_loss_it_reports(digits):
    weights, history = train_on_digits(
        digits,
        hidden_units=10,
        iterations=300,
        batch_size=100,
        learning_rate=2.0,
        momentum=0.9,
        early_stopping=True,
    )
    best = network.classification_loss(weights, *digits[1])
    assert best == history.validation_loss[history.best_iteration] == min(history.validation_loss)
    assert history.best_iteration < 299


def test_weight_decay_keeps_the_weights_small(digits):
    options = {"hidden_units": 10, "iterations": 200, "batch_size": 100, "learning_rate": 0.35}
    free, _ = train_on_digits(digits, **options, momentum=0.9)
    decayed, _ = train_on_digits(digits, **options, momentum=0.9, weight_decay=0.01)
    for without, with_decay in zip(free, decayed, strict=True):
        assert np.linalg.norm(with_decay) < 0.9 * np.linalg.norm(without)


def test_digits_are_learned_as_well_as_by_scikit_learn(digits):
    training, _, test = digits
    weights, _ = train_on_digits(
        digits,
        hidden_units=30,
        iterations=500,
        batch_size=100,
        learning_rate=0.35,
        momentum=0.9,
    )
    classifier = MLPClassifier(
        hidden_layer_sizes=(30,),
        activation="logistic",
        solver="sgd",
        alpha=0.0,
        batch_size=100,
        learning_rate_init=0.35,
        momentum=0.9,
        nesterovs_momentum=False,
        max_iter=83,  # epochs of 6 mini-batches: about as many updates as above
        tol=0.0,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # both stop after a number of updates
        classifier.fit(training[0].T, training[1].argmax(axis=0))
    ours = network.error_rate(weights, *test)
    theirs = 1 - classifier.score(test[0].T, test[1].argmax(axis=0))
    assert ours < 0.07
    assert theirs < 0.07
    assert abs(ours - theirs) < 0.02


def test_probabilities_equal_those_of_scikit_learn_for_the_same_weights(digits):
    inputs, targets = digits[0]
    classifier = MLPClassifier((12, 11), activation="logistic", random_state=0)
    classifier.partial_fit(inputs.T, targets.argmax(axis=0), classes=range(10))
    weights = cosine_weights((64, 12, 11, 10), scale=1.0)
    classifier.coefs_ = [matrix.T for matrix in weights]
    classifier.intercepts_ = [np.zeros(len(matrix)) for matrix in weights]
    _, y = network.forward(weights, inputs)
    np.testing.assert_allclose(y[-1], classifier.predict_proba(inputs.T).T, rtol=1e-12)
