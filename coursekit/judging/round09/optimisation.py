"""Judged cells of `optimisation.ipynb` (Exercise 3).

Mini-batches, the momentum update and the training loop are judged on a simple objective, so that
a wrong gradient of Exercise 2 costs nothing twice.
"""

import numpy as np

from coursekit.judging import answering
from coursekit.judging.compare import Failure, difference, unusable
from coursekit.judging.round09.inputs import digits
from coursekit.judging.task import Property, Task, agrees, no_calls, picked
from coursekit.reference import network as reference
from coursekit.reference import training

LEARNING_RATES = (0.002, 0.01, 0.05, 0.2, 1.0, 5.0, 20.0)
MOMENTA = (0.0, 0.9)
SWEEP_ITERATIONS = 70
HIGHEST_TEST_ERROR = 0.06


# --- Parts -----------------------------------------------------------------------------------


def _batch_challenges(rng):
    drawn = []
    for batch_size, n_cases in ((4, 12), (5, 12), (7, 7), (100, 600)):
        for iteration in (0, 1, 2, int(rng.integers(3, 50))):
            drawn.append({"iteration": iteration, "batch_size": batch_size, "n_cases": n_cases})
    return drawn


def _fits(challenges, answers, *, dividing):
    for call, answer in zip(challenges, answers, strict=True):
        if (call["n_cases"] % call["batch_size"] == 0) == dividing:
            problem = difference(answer, training.batch_indices(**call), name="the case numbers")
            if problem:
                return problem
    return None


def _momentum_challenges(rng):
    return [
        {
            "w": rng.normal(size=shape),
            "v": rng.normal(size=shape),
            "gradient": rng.normal(size=shape),
            "learning_rate": learning_rate,
            "momentum": momentum,
        }
        for shape, learning_rate, momentum in (
            ((3, 4), 0.1, 0.0),
            ((5, 2), 0.35, 0.9),
            ((2, 2), 2.0, 0.5),
        )
    ]


def _momentum(w, v, gradient, learning_rate, momentum):
    return training.momentum_step(w, v, gradient, learning_rate, momentum)


# --- Training loop, on least squares ---------------------------------------------------------


def call_with_least_squares(train, weights, training, validation, *settings):
    """Run a student's training loop on a linear least-squares objective (runs in the kernel)."""

    def loss(weights, inputs, targets):
        return sum(0.5 * np.mean(np.sum((W @ inputs - targets) ** 2, axis=0)) for W in weights)

    def gradient(weights, inputs, targets):
        return [(W @ inputs - targets) @ inputs.T / inputs.shape[1] for W in weights]

    weights, history = train(weights, loss, gradient, tuple(training), tuple(validation), *settings)
    return [list(weights), [history["training_loss"], history["validation_loss"]]]


def _training_challenges(rng):
    """Draw training problems; in those with early stopping the validation loss turns upwards."""
    drawn = []
    for batch_size, momentum, iterations, early_stopping in (
        (12, 0.0, 5, False),  # the whole training set at each step
        (5, 0.0, 9, False),  # mini-batches that do not divide it, several passes
        (5, 0.9, 9, False),
        (12, 0.0, 40, True),
        (5, 0.9, 40, True),
    ):
        start = [rng.normal(size=(2, 3)) for _ in range(2)]
        goal = rng.normal(size=(2, 3))
        halfway = (np.mean(start, axis=0) + goal) / 2
        inputs, other_inputs = rng.normal(size=(3, 12)), rng.normal(size=(3, 8))
        drawn.append(
            {
                "weights": start,
                "training": [inputs, goal @ inputs],
                "validation": [other_inputs, halfway @ other_inputs],
                "iterations": iterations,
                "learning_rate": 0.2,  # fast enough for the validation loss to turn
                "momentum": momentum,
                "batch_size": batch_size,
                "early_stopping": early_stopping,
            }
        )
    return drawn


def _reference_train(weights, loss, gradient, training_cases, validation_cases, *settings):
    iterations, learning_rate, momentum, batch_size, early_stopping = settings
    weights, history = training.train(
        weights,
        loss,
        gradient,
        training_cases,
        validation_cases,
        iterations=iterations,
        learning_rate=learning_rate,
        momentum=momentum,
        batch_size=batch_size,
        early_stopping=early_stopping,
    )
    return weights, {
        "training_loss": history.training_loss,
        "validation_loss": history.validation_loss,
    }


def _expected_run(item):
    """Give the reference's answer to one call, item by item as the harness lists them."""

    def expected(**call):
        return call_with_least_squares(_reference_train, *call.values())[item]

    return expected


# --- Sweep and last network ------------------------------------------------------------------


def read_sweep(run, sweep, best_setting, learning_rates, momenta):
    """Read the table of a sweep, and run two of its settings again (runs in the kernel)."""
    table = [[sweep[rate, momentum] for momentum in momenta] for rate in learning_rates]
    again = [run(0.05, 0.9)["training_loss"], run(1.0, 0.0)["training_loss"]]
    return [table, again, list(best_setting)]


def _sweep_challenges(rng):
    return [{"learning_rates": list(LEARNING_RATES), "momenta": list(MOMENTA)}]


def _table(answer):
    """Give the sweep's losses as an array (rates, momenta, iterations), or say what is wrong."""
    if isinstance(answer, Failure):
        return None, f"No answer: {answer}."
    shape = (len(LEARNING_RATES), len(MOMENTA), SWEEP_ITERATIONS)
    for rate, row in zip(LEARNING_RATES, answer[0], strict=True):
        for momentum, losses in zip(MOMENTA, row, strict=True):
            length = len(losses) if isinstance(losses, list) or np.ndim(losses) else 0
            if length != SWEEP_ITERATIONS:
                return None, (
                    f"sweep[{rate}, {momentum}] holds {length} losses; "
                    f"expected {SWEEP_ITERATIONS}, one for each iteration."
                )
    return np.array(answer[0], dtype=np.float64).reshape(shape), None


def _sweep_honest(challenges, answers):
    table, problem = _table(answers[0])
    if problem:
        return problem
    for rate, momentum, again in zip((0.05, 1.0), (0.9, 0.0), answers[0][1], strict=True):
        own = table[LEARNING_RATES.index(rate), MOMENTA.index(momentum)]
        if not np.ptp(own):
            return f"sweep[{rate}, {momentum}] holds the same loss at every iteration."
        if difference(np.array(again, dtype=np.float64), own, name="", rtol=1e-7):
            return f"sweep[{rate}, {momentum}] is not what run({rate}, {momentum}) gives."
    return None


def _best_is_lowest(challenges, answers):
    table, problem = _table(answers[0])
    if problem:
        return problem
    last = np.nan_to_num(table[:, :, -1], nan=np.inf)
    row, column = np.unravel_index(np.argmin(last), last.shape)
    lowest = np.array([LEARNING_RATES[row], MOMENTA[column]])
    if difference(np.array(answers[0][2]), lowest, name=""):
        return "best_setting is not the setting with the lowest last training loss in your table."
    return None


def _error_is_true(challenges, answers):
    weights, problem = _final_weights(answers[0])
    if problem:
        return problem
    true_error = reference.error_rate(weights, *digits().test)
    problem = unusable(picked(answers[0], 1), (), name="test_error")
    if problem:
        return problem
    reported = float(answers[0][1])
    if abs(reported - true_error) > 1e-9:
        return (
            f"test_error is {reported:.4f}, but final_weights name {true_error:.4f} "
            "of the test cases wrongly (a share between 0 and 1)."
        )
    return None


def _error_is_low(challenges, answers):
    weights, problem = _final_weights(answers[0])
    if problem:
        return problem
    error = reference.error_rate(weights, *digits().test)
    if error > HIGHEST_TEST_ERROR:
        return f"The test error is {error:.1%}; {HIGHEST_TEST_ERROR:.0%} or less is within reach."
    return None


def _final_weights(answer):
    if isinstance(answer, Failure):
        return None, f"No answer: {answer}."
    weights = picked(answer, 0)
    if not isinstance(weights, list) or len(weights) != 2:
        return None, "final_weights should be the list [W1, W2]."
    hidden = len(weights[0]) if isinstance(weights[0], np.ndarray) and weights[0].ndim else 0
    features = digits().test.inputs.shape[0]
    shapes = ((hidden, features), (10, hidden))
    for number, (matrix, shape) in enumerate(zip(weights, shapes, strict=True), start=1):
        problem = unusable(matrix, shape, name=f"W{number} of final_weights")
        if problem:
            return None, problem
    return weights, None


TASKS = (
    Task(
        name="mini-batches",
        title="Mini-batches in order, with wrap-round",
        points=3,
        asks=("batch_columns",),
        challenges=_batch_challenges,
        properties=(
            Property(
                "batch sizes that divide the number of cases",
                lambda challenges, answers: _fits(challenges, answers, dividing=True),
            ),
            Property(
                "batch sizes that do not",
                lambda challenges, answers: _fits(challenges, answers, dividing=False),
            ),
        ),
    ),
    Task(
        name="momentum-update",
        title="Momentum update",
        points=3,
        asks=("momentum_step",),
        challenges=_momentum_challenges,
        properties=(
            agrees("new velocity", "v", lambda **call: _momentum(**call)[1], item=1),
            agrees("new weights", "w", lambda **call: _momentum(**call)[0], item=0),
        ),
    ),
    Task(
        name="training-loop",
        title="Training loop with early stopping, on a simple objective",
        points=6,
        asks=("train",),
        challenges=_training_challenges,
        properties=(
            agrees("whole batch", "the weights", _expected_run(0), item=0, calls=slice(0, 1)),
            agrees(
                "mini-batches and momentum",
                "the weights",
                _expected_run(0),
                item=0,
                calls=slice(1, 3),
            ),
            agrees(
                "training and validation loss after every update",
                "training_loss, validation_loss",
                _expected_run(1),
                item=1,
                calls=slice(0, 1),
            ),
            agrees(
                "early stopping gives back the best weights",
                "the weights",
                _expected_run(0),
                item=0,
                calls=slice(3, 5),
            ),
        ),
        harness=call_with_least_squares,
    ),
    Task(
        name="learning-rate-sweep",
        title="Sweep over learning rates and momentum",
        points=4,
        asks=("run", "sweep", "best_setting"),
        challenges=_sweep_challenges,
        properties=(
            Property("14 settings, as your own training gives them", _sweep_honest),
            Property("best_setting is the lowest of your table", _best_is_lowest),
        ),
        harness=read_sweep,
    ),
    Task(
        name="final-network",
        title="The final network on the test digits",
        points=3,
        asks=("final_weights", "test_error"),
        challenges=no_calls,
        properties=(
            Property("test_error is the error rate of final_weights", _error_is_true),
            Property(f"at most {HIGHEST_TEST_ERROR:.0%} wrong", _error_is_low),
        ),
        harness=answering.read,
    ),
)
