"""Judged cells of `classification.ipynb` (Exercise 2); those of the gradient are in `gradient`.

Where one mistake would cost the points of two properties, the second is judged by a law that a
function can keep though it is wrong elsewhere.
"""

import functools

import numpy as np

from coursekit.judging import answering
from coursekit.judging.compare import Failure, difference, unusable
from coursekit.judging.round09 import classification_mistakes as mistakes
from coursekit.judging.round09 import gradient
from coursekit.judging.round09.inputs import SIZES, digits, draw_batch
from coursekit.judging.task import Property, Task, agrees, no_calls, picked
from coursekit.judging.unchanged import posed_again_read_only
from coursekit.reference import network as reference
from coursekit.reference import training

LAW_RTOL = gradient.LAW_RTOL


def _loss(W1, W2, x, t, weight_decay):
    return reference.loss([W1, W2], x, t, weight_decay)


def _hidden(W1, W2, x):
    return reference.forward([W1, W2], x)[1][0]


# --- Forward pass and loss -------------------------------------------------------------------


def _logit_challenges(rng):
    moderate = rng.normal(scale=3, size=(10, 6))
    extreme = rng.choice([-1000.0, 0.0, 1000.0], size=(10, 5)) + rng.normal(size=(10, 5))
    extreme[:, 0] -= 2000  # a case whose logits are all far below those of the others
    drawn = (moderate, rng.normal(scale=3, size=(4, 1)), moderate + 1000, moderate - 1000, extreme)
    return [{"z2": logits} for logits in drawn]


def _stable_log_softmax(challenges, answers):
    """Ask that large logits stay finite, and that only differences of logits count."""
    for call, answer in zip(challenges, answers, strict=True):
        problem = unusable(answer, call["z2"].shape, name="log_softmax(z2)")
        if problem:
            return problem
    if not np.ptp(answers[0]):
        return "log_softmax(z2) has the same value everywhere."
    for shifted in answers[2:4]:
        if difference(shifted, answers[0], name="", rtol=LAW_RTOL):
            return "log_softmax(z2) changes when the same number is added to all logits."
    return None


def _forward_challenges(rng):
    drawn = [draw_batch(rng), draw_batch(rng, (5, 3, 4), 7), draw_batch(rng, (6, 8, 3), 1)]
    return [{name: batch[name] for name in ("W1", "W2", "x")} for batch in drawn]


def _log_y2_from_own_y1(challenges, answers):
    """Compare log_y2 with what the student's own y1 should give."""
    for call, answer in zip(challenges, answers, strict=True):
        y1, log_y2 = picked(answer, 0), picked(answer, 1)
        problem = unusable(y1, (len(call["W1"]), call["x"].shape[1]), name="y1")
        problem = problem or difference(
            log_y2, reference.log_softmax(call["W2"] @ np.asarray(y1)), name="log_y2"
        )
        if problem:
            return problem
    return None


def _loss_challenges(rng):
    moderate = draw_batch(rng, (5, 3, 4), 6)
    decayed = draw_batch(rng, (6, 8, 3), 9)
    return [
        moderate,
        draw_batch(rng, SIZES, 1, soft=True),
        {**moderate, "W2": moderate["W2"] * 2000},
        decayed,
        {**decayed, "weight_decay": 0.7},
    ]


def _stable_loss(challenges, answers):
    """Ask that E at large logits is to E at moderate ones as the reference's."""
    moderate, large = answers[0], answers[2]
    for answer in (moderate, large):
        problem = unusable(answer, (), name="E")
        if problem:
            return problem
    expected = _loss(**challenges[2]) * moderate / _loss(**challenges[0])
    if not moderate or difference(large, expected, name="", rtol=LAW_RTOL):
        return "E is wrong at large logits, though it is finite."
    return None


def _loss_weight_decay(challenges, answers):
    """Look at the loss with minus the loss without weight decay."""
    without, with_decay = answers[-2:]
    call = challenges[-1]
    expected = call["weight_decay"] / 2 * sum(np.sum(call[name] ** 2) for name in ("W1", "W2"))
    for answer in (without, with_decay):
        problem = unusable(answer, (), name="E")
        if problem:
            return problem
    problem = difference(with_decay - without, expected, name="the weight-decay term")
    return problem and f"{problem} Eq. (2) adds λ/2 times the sum of all squared weights."


# --- The trained network ---------------------------------------------------------------------

SHEET_RUN = {"iterations": 30, "learning_rate": 0.01, "batch_size": 10}
LEARNING_RUN = {"hidden_units": 30, "iterations": 400, "learning_rate": 3.0}


@functools.cache
def _reference_run(hidden_units, iterations, learning_rate, batch_size=None):
    """Train the reference network on the digits by plain gradient descent (λ = 0)."""
    data = digits()
    features, count = data.training.inputs.shape
    weights, history = training.train(
        training.cosine_weights((features, hidden_units, 10)),
        reference.loss,
        reference.gradient,
        tuple(data.training),
        tuple(data.validation),
        iterations=iterations,
        learning_rate=learning_rate,
        batch_size=batch_size or count,
    )
    return weights, history.training_loss[-1]


def run_as_the_sheet(gradient, loss, sheet_loss):
    """Give `sheet_loss`, and the sheet's run with the student's functions (runs in the kernel)."""
    import nnlab

    x, t = nnlab.load_digits().training
    W1, W2 = nnlab.cosine_weights(len(x), 10, len(t))
    before = loss(W1, W2, x, t, 0.0)
    for i in range(30):
        columns = slice(10 * i, 10 * (i + 1))
        dW1, dW2 = gradient(W1, W2, x[:, columns], t[:, columns], 0.0)
        W1, W2 = W1 - 0.01 * dW1, W2 - 0.01 * dW2
    return [sheet_loss, before, loss(W1, W2, x, t, 0.0)]


def _sheet_loss(challenges, answers):
    """Accept the reference's number, and the number that a right run of wrong functions gives."""
    expected = _reference_run(10, **SHEET_RUN)[1]
    if isinstance(answers[0], Failure):
        return f"No answer: {answers[0]}."
    sheet_loss, before, after = (picked(answers[0], item) for item in range(3))
    problem = difference(sheet_loss, expected, name="sheet_loss", rtol=1e-6)
    if not problem or unusable(before, (), name="") or unusable(after, (), name=""):
        return problem
    trained = difference(after, before, name="", rtol=1e-6)
    return problem if not trained or difference(sheet_loss, after, name="", rtol=1e-6) else None


def _learned(challenges, answers):
    """Compare the test error of the student's weights with the reference's, trained alike."""
    weights = picked(answers[0], 0)
    if isinstance(weights, Failure):
        return f"No answer: {weights}."
    data = digits()
    features = data.test.inputs.shape[0]
    hidden = LEARNING_RUN["hidden_units"]
    if not isinstance(weights, list) or len(weights) != 2:
        return "learned should be the pair of matrices (W1, W2) after training."
    for matrix, shape, name in zip(
        weights, ((hidden, features), (10, hidden)), ("learned W1", "learned W2"), strict=True
    ):
        problem = unusable(matrix, shape, name=name)
        if problem:
            return problem
    allowed = reference.error_rate(_reference_run(**LEARNING_RUN)[0], *data.test) + 0.01
    if reference.error_rate(weights, *data.test) > allowed:
        return (
            "The network makes more than one percentage point more test errors than a right "
            "gradient does with the same settings."
        )
    return None


def _evaluation_challenges(rng):
    """Draw two networks with cases, until they make different shares of errors."""
    while True:
        drawn = [draw_batch(rng, (8, 6, 10), 40), draw_batch(rng, (5, 3, 4), 30)]
        calls = [{name: batch[name] for name in ("W1", "W2", "x", "t")} for batch in drawn]
        if _error_rate(**calls[0]) != _error_rate(**calls[1]):
            return calls


def _error_rate(W1, W2, x, t):
    return reference.error_rate([W1, W2], x, t)


def _confusion_matrix(W1, W2, x, t):
    counts = np.zeros((t.shape[0], t.shape[0]))
    np.add.at(counts, (t.argmax(axis=0), reference.predict([W1, W2], x)), 1)
    return counts


TASKS = (
    posed_again_read_only(
        Task(
            name="log-softmax",
            title="Stable log-softmax",
            points=2,
            asks=("log_softmax",),
            mistakes=mistakes.LOG_SOFTMAX,
            challenges=_logit_challenges,
            properties=(
                agrees(
                    "moderate logits, any number of cases",
                    "log_softmax(z2)",
                    lambda z2: reference.log_softmax(z2),
                    calls=slice(0, 2),
                ),
                Property("logits of ±1000", _stable_log_softmax),
            ),
        ),
        points=0.5,
    ),
    posed_again_read_only(
        Task(
            name="forward-pass",
            title="Forward pass",
            points=2,
            asks=("forward",),
            mistakes=mistakes.FORWARD,
            challenges=_forward_challenges,
            properties=(
                agrees("hidden outputs", "y1", _hidden, item=0),
                Property("log probabilities, from these y1", _log_y2_from_own_y1),
            ),
        ),
        points=0.5,
    ),
    posed_again_read_only(
        Task(
            name="batch-loss",
            title="Loss of a batch",
            points=4,
            asks=("loss",),
            mistakes=mistakes.LOSS,
            challenges=_loss_challenges,
            properties=(
                agrees("mean cross-entropy, Eq. (1)", "E", _loss, calls=slice(0, 2), points=1.5),
                Property("large logits", _stable_loss, calls=slice(2, 3)),
                Property("weight decay, Eq. (2)", _loss_weight_decay, calls=slice(3, 5)),
            ),
        ),
        points=0.5,
    ),
    *gradient.TASKS,
    Task(
        name="sheet-loss",
        title="Training loss of the sheet's run",
        points=2,
        asks=("gradient", "loss", "sheet_loss"),
        mistakes=mistakes.SHEET_LOSS,
        challenges=no_calls,
        properties=(Property("loss after 30 iterations", _sheet_loss, item=0),),
        harness=run_as_the_sheet,
    ),
    Task(
        name="test-accuracy",
        title="The trained network on the hidden test digits",
        points=3,
        asks=("learned",),
        mistakes=mistakes.LEARNED,
        challenges=no_calls,
        properties=(Property("as good as the reference, trained alike", _learned),),
        harness=answering.read,
    ),
    posed_again_read_only(
        Task(
            name="error-rate",
            title="Error rate",
            points=2,
            asks=("error_rate",),
            mistakes=mistakes.ERROR_RATE,
            challenges=_evaluation_challenges,
            properties=(agrees("share of wrongly classified cases", "error rate", _error_rate),),
        ),
        points=0.5,
    ),
    posed_again_read_only(
        Task(
            name="confusion-matrix",
            title="Confusion matrix",
            points=2,
            asks=("confusion_matrix",),
            mistakes=mistakes.CONFUSION_MATRIX,
            challenges=_evaluation_challenges,
            properties=(agrees("true digits on the rows", "confusion matrix", _confusion_matrix),),
        ),
        points=0.5,
    ),
)
