"""Judged cells of `classification.ipynb` (Exercise 2).

The gradient is judged property by property in cells of their own, and the later properties by laws
that a function can keep though it is wrong elsewhere: one mistake costs its own points and no
others.
"""

import functools

import numpy as np

from coursekit.judging import answering
from coursekit.judging.compare import Failure, difference, unusable
from coursekit.judging.round09.inputs import cases, digits, network
from coursekit.judging.task import Property, Task, agrees, no_calls, picked
from coursekit.reference import network as reference
from coursekit.reference import training

SIZES = (64, 10, 10)
GRADIENTS = ("dE/dW1", "dE/dW2")


def _batch(rng, sizes=SIZES, count=10, weight_decay=0.0, soft=False):
    W1, W2 = network(rng, sizes, scale=0.5)
    x, t = cases(rng, sizes[0], sizes[-1], count, soft)
    return {"W1": W1, "W2": W2, "x": x, "t": t, "weight_decay": weight_decay}


def _gradient(W1, W2, x, t, weight_decay):
    return reference.gradient([W1, W2], x, t, weight_decay)


def _loss(W1, W2, x, t, weight_decay):
    return reference.loss([W1, W2], x, t, weight_decay)


def _forward(W1, W2, x):
    (_, logits), (y1, _) = reference.forward([W1, W2], x)
    return y1, reference.log_softmax(logits)


# --- Forward pass and loss -------------------------------------------------------------------


def _logit_challenges(rng):
    drawn = [rng.normal(scale=3, size=shape) for shape in ((10, 6), (4, 1))]
    extreme = rng.choice([-1000.0, 0.0, 1000.0], size=(10, 5)) + rng.normal(size=(10, 5))
    extreme[:, 0] -= 2000  # a case whose logits are all far below those of the others
    return [{"z2": logits} for logits in (*drawn, extreme)]


def _forward_challenges(rng):
    drawn = [_batch(rng), _batch(rng, (5, 3, 4), 7), _batch(rng, (6, 8, 3), 1)]
    return [{name: batch[name] for name in ("W1", "W2", "x")} for batch in drawn]


def _loss_challenges(rng):
    extreme = _batch(rng, (5, 3, 4), 6)
    extreme["W2"] *= 2000
    decayed = _batch(rng, (6, 8, 3), 9)
    return [
        _batch(rng, (5, 3, 4), 7),
        _batch(rng, SIZES, 1, soft=True),
        extreme,
        decayed,
        {**decayed, "weight_decay": 0.7},
    ]


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


# --- Gradient --------------------------------------------------------------------------------


def _gradient_challenges(rng):
    return [_batch(rng), _batch(rng, count=1), _batch(rng, count=23, soft=True)]


def _gradient_task(item, points):
    name = GRADIENTS[item]
    return Task(
        name=f"gradient-W{item + 1}",
        title=f"Gradient: {name} of the mean cross-entropy (λ = 0)",
        points=points,
        asks=("gradient",),
        challenges=_gradient_challenges,
        properties=(
            agrees(
                f"{name} for batches of 10, 1 and 23 cases",
                name,
                lambda **call: _gradient(**call)[item],
                item=item,
            ),
        ),
    )


def _weight_decay_challenges(rng):
    batch = _batch(rng)
    return [batch, {**batch, "weight_decay": 0.7}]


def _weight_decay(item):
    """Look at the gradient with minus the gradient without weight decay."""

    def check(challenges, answers):
        weights = challenges[1][f"W{item + 1}"]
        without, with_decay = (picked(answer, item) for answer in answers)
        for answer in (without, with_decay):
            problem = unusable(answer, weights.shape, name=GRADIENTS[item])
            if problem:
                return problem
        added = with_decay - without
        if not np.any(added):
            return f"{GRADIENTS[item]} is the same with and without weight decay; stage 9 adds λW."
        return difference(
            added,
            challenges[1]["weight_decay"] * weights,
            name=f"what weight decay adds to {GRADIENTS[item]}",
        )

    return check


def _stability_challenges(rng):
    """Draw a batch, the same with 1000 added to all its logits, and one with logits of ±1000."""
    batch = _batch(rng)
    (_, _), (y1, _) = reference.forward([batch["W1"], batch["W2"]], batch["x"])
    shift = 1000 / y1.sum(axis=0).mean()
    extreme = batch["W2"] * 1000 / np.abs(batch["W2"] @ y1).max(axis=1, keepdims=True)
    return [
        batch,
        {**batch, "W2": batch["W2"] + shift},
        {**batch, "W2": batch["W2"] - shift},
        {**batch, "W2": extreme},
    ]


def _finite_at_large_logits(challenges, answers):
    return _usable_gradients(challenges, answers) or _resembles(challenges[0], answers[0])


def _shift_changes_nothing(challenges, answers):
    problem = _finite_at_large_logits(challenges[:3], answers[:3])
    if problem:
        return problem
    for shifted in answers[1:3]:
        for item, name in enumerate(GRADIENTS):
            if difference(shifted[item], answers[0][item], name=name, rtol=1e-7):
                return (
                    f"{name} changes when the same number is added to all logits; "
                    "the softmax does not."
                )
    return None


def _size_challenges(rng):
    """Draw batches of other sizes, each followed by the same with its hidden units reversed."""
    drawn = []
    for sizes, count in (((3, 5, 4), 6), ((7, 2, 3), 1), ((5, 9, 10), 8)):
        batch = _batch(rng, sizes, count)
        drawn.append(batch)
        drawn.append({**batch, "W1": batch["W1"][::-1].copy(), "W2": batch["W2"][:, ::-1].copy()})
    return drawn


def _works_for_other_sizes(challenges, answers):
    problem = _usable_gradients(challenges, answers)
    if problem:
        return problem
    for call, answer in zip(challenges, answers, strict=True):  # small matrices match by chance
        problem = _resembles(call, answer)
        if problem:
            return problem
    for (dW1, dW2), (reversed_dW1, reversed_dW2) in zip(answers[::2], answers[1::2], strict=True):
        if difference(reversed_dW1[::-1], dW1, name="", rtol=1e-7) or difference(
            reversed_dW2[:, ::-1], dW2, name="", rtol=1e-7
        ):
            return "Numbering the hidden units the other way round should only reorder the result."
    return None


def _inputs_unchanged(challenges, answers):
    """Look at the arguments as they were after the call (see `call_and_return_inputs`)."""
    for call, answer in zip(challenges, answers, strict=True):
        if isinstance(answer, Failure):
            return f"No answer: {answer}."
        for (name, before), after in zip(call.items(), answer[1:], strict=True):
            if not np.array_equal(before, after):
                return f"The function changes its argument {name}; work on a copy."
    results = [answer[0] for answer in answers]
    return _usable_gradients(challenges, results) or _resembles(challenges[0], results[0])


def _usable_gradients(challenges, answers):
    for call, answer in zip(challenges, answers, strict=True):
        if isinstance(answer, Failure):
            return f"No answer: {answer}."
        if isinstance(answer, list) and len(answer) != 2:
            return f"Expected 2 values (dE/dW1, dE/dW2), got {len(answer)} values."
        for item, name in enumerate(GRADIENTS):
            problem = unusable(picked(answer, item), call[f"W{item + 1}"].shape, name=name)
            if problem:
                return problem
    return None


def _resembles(call, answer):
    """Ask that a gradient points roughly along the right line: nonsense earns nothing here."""
    for got, expected in zip(answer, _gradient(**call), strict=True):
        got, expected = got - np.mean(got), expected - np.mean(expected)  # a constant has nothing
        norms = np.linalg.norm(got) * np.linalg.norm(expected)
        if norms and abs(np.vdot(got, expected)) > 0.5 * norms:
            return None
    return "Neither matrix has anything of the gradient yet."


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


def _sheet_loss():
    return [_reference_run(10, **SHEET_RUN)[1]]


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
    error = reference.error_rate(weights, *data.test)
    if error > allowed:
        return (
            f"The test error is {error:.1%}; trained with the same settings, "
            f"a right gradient stays below {allowed:.1%}."
        )
    return None


def _evaluation_challenges(rng):
    drawn = [_batch(rng, (8, 6, 10), 40), _batch(rng, (5, 3, 4), 30)]
    return [{name: batch[name] for name in ("W1", "W2", "x", "t")} for batch in drawn]


def _error_rate(W1, W2, x, t):
    return reference.error_rate([W1, W2], x, t)


def _confusion_matrix(W1, W2, x, t):
    counts = np.zeros((t.shape[0], t.shape[0]))
    np.add.at(counts, (t.argmax(axis=0), reference.predict([W1, W2], x)), 1)
    return counts


TASKS = (
    Task(
        name="log-softmax",
        title="Stable log-softmax",
        points=2,
        asks=("log_softmax",),
        challenges=_logit_challenges,
        properties=(
            agrees(
                "moderate logits, any number of cases",
                "log_softmax(z2)",
                lambda z2: reference.log_softmax(z2),
                calls=slice(0, 2),
            ),
            agrees(
                "logits of ±1000",
                "log_softmax(z2)",
                lambda z2: reference.log_softmax(z2),
                calls=slice(2, 3),
            ),
        ),
    ),
    Task(
        name="forward-pass",
        title="Forward pass",
        points=2,
        asks=("forward",),
        challenges=_forward_challenges,
        properties=(
            agrees("hidden outputs", "y1", lambda **c: _forward(**c)[0], item=0),
            agrees("log probabilities", "log_y2", lambda **c: _forward(**c)[1], item=1),
        ),
    ),
    Task(
        name="batch-loss",
        title="Loss of a batch",
        points=4,
        asks=("loss",),
        challenges=_loss_challenges,
        properties=(
            agrees("mean cross-entropy, Eq. (1)", "E", _loss, calls=slice(0, 2)),
            agrees("finite at large logits", "E", _loss, calls=slice(2, 3)),
            Property("weight decay, Eq. (2)", _loss_weight_decay),
        ),
    ),
    _gradient_task(0, points=5),
    _gradient_task(1, points=4),
    Task(
        name="gradient-weight-decay",
        title="Gradient: weight decay",
        points=3,
        asks=("gradient",),
        challenges=_weight_decay_challenges,
        properties=(
            Property("λW1 is added to dE/dW1", _weight_decay(0)),
            Property("λW2 is added to dE/dW2", _weight_decay(1)),
        ),
    ),
    Task(
        name="gradient-stability",
        title="Gradient: logits of ±1000",
        points=2,
        asks=("gradient",),
        challenges=_stability_challenges,
        properties=(
            Property("finite at logits of ±1000", _finite_at_large_logits),
            Property("adding 1000 to all logits changes nothing", _shift_changes_nothing),
        ),
    ),
    Task(
        name="gradient-sizes",
        title="Gradient: other sizes",
        points=2,
        asks=("gradient",),
        challenges=_size_challenges,
        properties=(Property("any number of inputs, units, cases", _works_for_other_sizes),),
    ),
    Task(
        name="gradient-inputs",
        title="Gradient: arguments left as they were",
        points=2,
        asks=("gradient",),
        challenges=_weight_decay_challenges,
        properties=(Property("W1, W2, x and t are unchanged", _inputs_unchanged),),
        harness=answering.call_and_return_inputs,
    ),
    Task(
        name="sheet-loss",
        title="Training loss of the sheet's run",
        points=2,
        asks=("sheet_loss",),
        challenges=no_calls,
        properties=(agrees("loss after 30 iterations", "sheet_loss", _sheet_loss, rtol=1e-4),),
        harness=answering.read,
    ),
    Task(
        name="test-accuracy",
        title="The trained network on the hidden test digits",
        points=3,
        asks=("learned",),
        challenges=no_calls,
        properties=(Property("as good as the reference, trained alike", _learned),),
        harness=answering.read,
    ),
    Task(
        name="error-rate",
        title="Error rate",
        points=2,
        asks=("error_rate",),
        challenges=_evaluation_challenges,
        properties=(agrees("share of wrongly named cases", "error rate", _error_rate),),
    ),
    Task(
        name="confusion-matrix",
        title="Confusion matrix",
        points=2,
        asks=("confusion_matrix",),
        challenges=_evaluation_challenges,
        properties=(agrees("true digits on the rows", "confusion matrix", _confusion_matrix),),
    ),
)
