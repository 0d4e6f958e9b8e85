"""Judged cells of `optimisation.ipynb` (Exercise 3).

Mini-batches, the momentum update and the training loop are judged on a simple objective, so that
a wrong gradient of Exercise 2 costs nothing twice.
"""

import numpy as np

from coursekit.judging import answering
from coursekit.judging.compare import Failure, difference, unusable
from coursekit.judging.round09 import training_loop
from coursekit.judging.round09.inputs import digits
from coursekit.judging.round09.optimisation_mistakes import MISTAKES
from coursekit.judging.task import Property, Task, agrees, no_calls, picked
from coursekit.reference import network as reference
from coursekit.reference import training

LEARNING_RATES = (0.002, 0.01, 0.05, 0.2, 1.0, 5.0, 20.0)
MOMENTA = (0.0, 0.9)
SWEEP_ITERATIONS = 70
HIGHEST_TEST_ERROR = 0.06


# --- Parts -----------------------------------------------------------------------------------


def _batch_challenges(rng):
    """Draw calls with batch sizes that divide the number of cases, then as many that do not."""
    sizes = ((4, 12), (7, 7), (100, 600)), ((5, 12), (7, 9), (64, 600))
    return [
        {"iteration": iteration, "batch_size": batch_size, "n_cases": n_cases}
        for batch_size, n_cases in (*sizes[0], *sizes[1])
        for iteration in (0, 1, 2, int(rng.integers(3, 50)))
    ]


def _batches(title, calls):
    return agrees(title, "the case numbers", training.batch_indices, calls=calls)


def _momentum_challenges(rng):
    drawn = [
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
    return [*drawn, {**drawn[0], "gradient": -drawn[0]["gradient"]}]


def call_and_keep_arguments(momentum_step, *arguments):
    """Give the new weights and velocity, and the arguments as they then are (in the kernel)."""
    result = momentum_step(*arguments)
    pair = isinstance(result, list | tuple | np.ndarray) and len(result) == 2
    return [*(result if pair else [result, result]), list(arguments)]


def _momentum(w, v, gradient, learning_rate, momentum):
    return training.momentum_step(w, v, gradient, learning_rate, momentum)


def _new_weights(challenges, answers):
    """Ask for the right weights, or at least a right step along the student's own velocity."""
    for call, answer in zip(challenges, answers, strict=True):
        w, v = (picked(answer, item) for item in range(2))
        problem = difference(w, _momentum(**call)[0], name="w")
        if problem and (
            unusable(w, call["w"].shape, name="w")
            or unusable(v, call["w"].shape, name="v")
            or difference(w, call["w"] + call["learning_rate"] * v, name="w")
        ):
            return problem
    return None


def _arguments_unchanged(challenges, answers):
    """Ask for unchanged arguments of an update that follows the gradient, right or wrong."""
    for call, answer in zip(challenges, answers, strict=True):
        for item, name in enumerate(("w", "v")):
            problem = unusable(picked(answer, item), call[name].shape, name=name)
            if problem:
                return problem
    slope = challenges[0]["gradient"]
    changes = [np.subtract(answers[0][item], answers[-1][item]) for item in range(2)]
    norms = [np.linalg.norm(change) * np.linalg.norm(slope) for change in changes]
    if not any(
        norm and abs(np.vdot(change, slope)) > 0.99 * norm
        for change, norm in zip(changes, norms, strict=True)
    ):
        return "Neither the new weights nor the new velocity follow the gradient yet."
    for call, answer in zip(challenges, answers, strict=True):
        for (name, before), after in zip(call.items(), answer[2], strict=True):
            if not np.array_equal(before, after):
                return f"The function changes its argument {name}; return new arrays instead."
    return None


# --- Sweep and last network ------------------------------------------------------------------


def read_sweep(train, loss, gradient, sweep, best_setting, learning_rates, momenta):
    """Read the table of a sweep, and run two of its settings again (runs in the kernel)."""
    import nnlab

    digits = nnlab.load_digits()

    def network_loss(weights, inputs, targets):
        return loss(*weights, inputs, targets, 0.0)

    def network_gradient(weights, inputs, targets):
        return list(gradient(*weights, inputs, targets, 0.0))

    def run(learning_rate, momentum):
        start = list(nnlab.cosine_weights(len(digits.training.inputs), 10, 10))
        data = digits.training, digits.validation
        settings = 70, learning_rate, momentum, 4, False
        _, history = train(start, network_loss, network_gradient, *data, *settings)
        return history["training_loss"]

    table = [[sweep[rate, momentum] for momentum in momenta] for rate in learning_rates]
    return [table, [run(0.05, 0.9), run(1.0, 0.0)], list(best_setting)]


def _sweep_challenges(rng):
    return [{"learning_rates": list(LEARNING_RATES), "momenta": list(MOMENTA)}]


def _table(answer):
    """Give the sweep's losses as an array (rates, momenta, iterations), or say what is wrong."""
    if isinstance(answer, Failure):
        return None, f"No answer: {answer}."
    rows = picked(answer, 0)
    if not _has_length(rows, len(LEARNING_RATES)) or not _has_length(answer, 3):
        return None, "sweep and best_setting do not have the form that section 5 describes."
    table = np.zeros((len(LEARNING_RATES), len(MOMENTA), SWEEP_ITERATIONS))
    for i, row in enumerate(rows):
        for j, losses in enumerate(row if _has_length(row, len(MOMENTA)) else MOMENTA):
            values = _numbers(losses)
            if len(values) != SWEEP_ITERATIONS:
                return None, (
                    f"sweep[{LEARNING_RATES[i]}, {MOMENTA[j]}] holds {len(values)} losses; "
                    f"expected {SWEEP_ITERATIONS}, one for each iteration."
                )
            table[i, j] = values
    return table, None


def _has_length(items, length):
    return isinstance(items, list) and len(items) == length


def _numbers(values):
    """Give a list or array of real numbers as an array, anything else as an empty one."""
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "biuf":
        return values.astype(np.float64)
    if isinstance(values, list) and all(isinstance(value, int | float) for value in values):
        return np.array(values, dtype=np.float64)
    return np.zeros(0)


@np.errstate(all="ignore")
def _sweep_honest(challenges, answers):
    table, problem = _table(answers[0])
    if problem:
        return problem
    again = answers[0][1] if _has_length(answers[0][1], 2) else [None, None]
    for rate, momentum, losses in zip((0.05, 1.0), (0.9, 0.0), again, strict=True):
        own = table[LEARNING_RATES.index(rate), MOMENTA.index(momentum)]
        if not np.ptp(own):
            return f"sweep[{rate}, {momentum}] holds the same loss at every iteration."
        if difference(_numbers(losses), own, name="", rtol=1e-7):
            return f"sweep[{rate}, {momentum}] is not what your own training gives."
    return None


def _best_is_lowest(challenges, answers):
    table, problem = _table(answers[0])
    if problem:
        return problem
    last = np.nan_to_num(table[:, :, -1], nan=np.inf)
    row, column = np.unravel_index(np.argmin(last), last.shape)
    if difference(answers[0][2], [LEARNING_RATES[row], MOMENTA[column]], name=""):
        return "best_setting is not the setting with the lowest last training loss in your table."
    return None


@np.errstate(all="ignore")
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
            "test_error is not the share, between 0 and 1, of test cases that final_weights "
            "classifies wrongly."
        )
    return None


@np.errstate(all="ignore")
def _error_is_low(challenges, answers):
    weights, problem = _final_weights(answers[0])
    if problem:
        return problem
    error = reference.error_rate(weights, *digits().test)
    if error > HIGHEST_TEST_ERROR:
        return f"The test error is above {HIGHEST_TEST_ERROR:.0%}, which is within reach."
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
        title="Mini-batches in order, with wrap-around",
        points=3,
        asks=("batch_columns",),
        challenges=_batch_challenges,
        properties=(
            _batches("batch sizes that divide the number of cases", slice(0, 12)),
            _batches("batch sizes that do not", slice(12, 24)),
        ),
        mistakes=MISTAKES["batch_columns"],
    ),
    Task(
        name="momentum-update",
        title="Momentum update",
        points=3,
        asks=("momentum_step",),
        challenges=_momentum_challenges,
        properties=(
            agrees("new velocity", "v", lambda **call: _momentum(**call)[1], item=1),
            Property("new weights", _new_weights),
            Property("its arguments stay as they were", _arguments_unchanged, item=2),
        ),
        mistakes=MISTAKES["momentum_step"],
        harness=call_and_keep_arguments,
    ),
    training_loop.TASK,
    Task(
        name="learning-rate-sweep",
        title="Sweep over learning rates and momentum",
        points=4,
        asks=("train", "loss", "gradient", "sweep", "best_setting"),
        challenges=_sweep_challenges,
        properties=(
            Property("14 settings, as your own training gives them", _sweep_honest),
            Property("best_setting is the lowest of your table", _best_is_lowest, item=2),
        ),
        mistakes=MISTAKES["sweep"],
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
            Property(f"at most {HIGHEST_TEST_ERROR:.0%} wrong", _error_is_low, item=0),
        ),
        mistakes=MISTAKES["final_weights"],
        harness=answering.read,
    ),
)
