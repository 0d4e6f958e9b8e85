"""Each wrong solution loses the points of what is wrong, and what follows from it.

A row: notebook, the change of the source notebook's solution, and the shares of the properties
that are lost. Rows with more than one task say in a comment why the mistake reaches that far.
"""

import pytest

from coursekit.judging.round09 import NOTEBOOKS

# Every task that needs a right gradient for its number: the trained networks follow from it.
TRAINED = {"test-accuracy": "1/1"}
BOTH = {"gradient-W1": "1/1", "gradient-W2": "1/1"}

MEAN = "D = (np.exp(log_y2) - t) / x.shape[1]"
SLOPE = "W2.T @ D * y1 * (1 - y1)"
DECAY1, DECAY2 = ") @ x.T + weight_decay * W1", "D @ y1.T + weight_decay * W2"
LOG_SUM = "return shifted - np.log(np.exp(shifted).sum(axis=0))"
RESULT = "return dW1, dW2"

CLASSIFICATION = {
    "no weight decay": (
        [(DECAY1, ") @ x.T"), (DECAY2, "D @ y1.T")],
        {"gradient-weight-decay": "2/2"},
    ),
    "weight decay on W1 only": ([(DECAY2, "D @ y1.T")], {"gradient-weight-decay": "1/2"}),
    "twice the weight decay on W2": (
        [(DECAY2, "D @ y1.T + 2 * weight_decay * W2")],
        {"gradient-weight-decay": "1/2"},
    ),
    "sum instead of mean": ([(MEAN, "D = np.exp(log_y2) - t")], BOTH | TRAINED),
    "mean on one layer only": (
        [(DECAY2, "x.shape[1] * D @ y1.T + weight_decay * W2")],
        {"gradient-W2": "1/1"} | TRAINED,
    ),
    "divided by a fixed 10": (
        [(MEAN, "D = (np.exp(log_y2) - t) / 10")],
        BOTH | TRAINED,
    ),
    "t - p": ([(MEAN, "D = (t - np.exp(log_y2)) / x.shape[1]")], BOTH | TRAINED),
    "y(1-y) missing": (  # it learns all the same
        [(SLOPE, "W2.T @ D")],
        {"gradient-W1": "1/1"},
    ),
    "slope of tanh": ([(SLOPE, "W2.T @ D * (1 - y1**2)")], {"gradient-W1": "1/1"} | TRAINED),
    "z1 in place of y1": (
        [("D @ y1.T", "D @ (W1 @ x).T")],
        {"gradient-W2": "1/1"} | TRAINED,
    ),
    "64 inputs and 10 classes": (
        [(RESULT, "return dW1.reshape(-1, 64), dW2.reshape(10, -1)")],
        {"gradient-sizes": "1/1"},
    ),
    "64 inputs, 12 hidden units and 10 classes": (  # the runs have 10 and 30 hidden units
        [(RESULT, "return dW1.reshape(12, 64), dW2.reshape(10, 12)")],
        {"gradient-sizes": "1/1", "sheet-loss": "1/1"} | TRAINED,
    ),
    "changes W1 in place": (
        [(RESULT, "W1 -= 0.01 * dW1\n    return dW1, dW2")],
        {"gradient-inputs": "1/2"},
    ),
    "float32": (
        [(RESULT, "return dW1.astype('f4'), dW2.astype('f4')")],
        BOTH,
    ),
    "unshifted softmax in the gradient": (
        [(MEAN, "e = np.exp(W2 @ y1)\n    D = (e / e.sum(axis=0) - t) / x.shape[1]")],
        {"gradient-stability": "2/2"},
    ),
    "unshifted log-softmax": (  # loss and gradient call it
        [("shifted = z2 - z2.max(axis=0)", "shifted = z2")],
        {"log-softmax": "1/3", "batch-loss": "1/4", "gradient-stability": "2/2"},
    ),
    "logarithm of the softmax": (  # the gradient never sees the logarithm of zero
        [(LOG_SUM, "return np.log(np.exp(shifted) / np.exp(shifted).sum(axis=0))")],
        {"log-softmax": "1/3", "batch-loss": "1/4"},
    ),
    "shifted by the largest of all logits": (
        [("z2.max(axis=0)", "z2.max()")],
        {"log-softmax": "1/3"},
    ),
    "logits shifted in place": (  # the sheet's run gives the same numbers
        [("shifted = z2 - z2.max(axis=0)", "shifted = z2\n    shifted -= z2.max(axis=0)")],
        {"log-softmax": "1/3"},
    ),
    "sum of the losses": (
        [("-(t * log_y2).sum() / x.shape[1]", "-(t * log_y2).sum()")],
        {"batch-loss": "1/4"},
    ),
    "loss without the half": ([("weight_decay / 2 *", "weight_decay *")], {"batch-loss": "1/4"}),
    "loss without weight decay": (
        [("cross_entropy + weight_decay", "cross_entropy + 0")],
        {"batch-loss": "1/4"},
    ),
    "one batch repeated": (
        [("slice(10 * i, 10 * (i + 1))", "slice(0, 10)")],
        {"sheet-loss": "1/1"},
    ),
    "accuracy for error rate": (
        [("argmax(axis=0) != t", "argmax(axis=0) == t")],
        {"error-rate": "1/2"},
    ),
    "confusion transposed": (
        [("return counts\n", "return counts.T\n")],
        {"confusion-matrix": "1/2"},
    ),
}

BATCH = "return (iteration * batch_size + np.arange(batch_size)) % n_cases"
SHORT = (
    "first = iteration * batch_size % n_cases\n"
    "    return np.arange(first, min(first + batch_size, n_cases))"
)
COPY = "best_weights = [w.copy() for w in weights]"
LOWEST = 'history["{0}"][-1] < lowest:\n            lowest = history["{0}"][-1]'
STEP = "v = momentum * v - gradient\n    w = w + learning_rate * v"
RECORD = (
    '        history["training_loss"].append(loss(weights, *training))\n'
    '        history["validation_loss"].append(loss(weights, *validation))\n'
)

# `train` calls the student's own batch_columns and momentum_step: their mistakes show there too.
OPTIMISATION = {
    "short last batch": (
        [(BATCH, SHORT)],
        {"mini-batches": "1/2", "training-loop": "1/6"},
    ),
    "wrap-around one case early": (
        [(BATCH, BATCH.replace("n_cases", "(n_cases - 1)"))],
        {"mini-batches": "2/2", "training-loop": "1/6"},
    ),
    "first batch skipped": (
        [(BATCH, BATCH.replace("iteration", "(iteration + 1)"))],
        {"mini-batches": "2/2", "training-loop": "1/6"},
    ),
    "Nesterov": (
        [("w = w + learning_rate * v", "w = w + learning_rate * (momentum * v - gradient)")],
        {"momentum-update": "1/3", "training-loop": "1/6"},
    ),
    "velocity += gradient": (
        [("momentum * v - gradient", "momentum * v + gradient")],
        {"momentum-update": "1/3", "training-loop": "1/6"},
    ),
    "step before the velocity": (
        [(STEP, "\n    ".join(STEP.split("\n    ")[::-1]))],
        {"momentum-update": "1/3", "training-loop": "3/6"},
    ),
    "velocity reset at each step": (
        [("velocities[k], gradients[k]", "np.zeros_like(weights[k]), gradients[k]")],
        {"training-loop": "1/6"},
    ),
    "early stopping keeps a reference": (
        [(COPY, "best_weights = weights")],
        {"training-loop": "1/6"},
    ),
    "last weights returned": ([("weights = best_weights", "pass")], {"training-loop": "1/6"}),
    "best weights always returned": (
        [("if early_stopping:", "if True:")],
        {"training-loop": "1/6"},
    ),
    "best on the training loss": (
        [(LOWEST.format("validation_loss"), LOWEST.format("training_loss"))],
        {"training-loop": "1/6"},
    ),
    "history before the update": (  # early stopping then keeps the weights one update too late
        [(RECORD, ""), ("        columns = batch", RECORD + "        columns = batch")],
        {"training-loop": "2/6"},
    ),
    "mini-batches not used": (
        [("inputs[:, columns], targets[:, columns]", "inputs, targets")],
        {"training-loop": "1/6"},
    ),
    "training loss twice in the history": (
        [("loss(weights, *validation)", "loss(weights, *training)")],
        {"training-loop": "2/6"},
    ),
}

DERIVATION = {
    "stage 1": ("-t @ np.log(y2)", "-np.log(y2[t.argmax()])", "stage1-loss"),
    "stage 2": ("return y2 - t\n", "return t - y2\n", "stage2-dE-dz2"),
    "stage 3": ("return (y2 - t) @ W2\n", "return y2 @ W2\n", "stage3-dE-dy1"),
    "stage 4": ("np.outer(y2 - t, y1)", "np.outer(y1, y2 - t)", "stage4-dE-dW2"),
    "stage 5": ("np.diag(y1 * (1 - y1))", "y1 * (1 - y1)", "stage5-jacobian"),
    "stage 6": ("@ W2 * y1 * (1 - y1)", "@ W2 * y1", "stage6-dE-dz1"),
    "stage 7": ("np.outer(dE_dz1, x)", "np.outer(dE_dz1, x**2)", "stage7-dE-dW1"),
    "stage 8": ("@ Y1.T / T.shape[1]", "@ Y1.T / T.shape[0]", "stage8-mean"),
    "stage 9": ("dE_dW + weight_decay * W", "dE_dW + 2 * weight_decay * W", "stage9-weight-decay"),
    "recursion": ("below * (1 - below)", "below", "extra-backprop"),
}

SWEEP_AND_TEST = {
    "worst setting": (
        [("best_setting = min(", "best_setting = max(")],
        {"learning-rate-sweep": "1/2"},
    ),
    "accuracy for test error": (
        [("argmax(axis=0) != digits", "argmax(axis=0) == digits")],
        {"final-network": "1/2"},
    ),
    "sum instead of mean": ([(MEAN, "D = np.exp(log_y2) - t")], {"final-network": "1/2"}),
}

PARTS = ("mini-batches", "momentum-update", "training-loop")
ROWS = [
    *[("classification", None, *row) for row in CLASSIFICATION.values()],
    *[("optimisation", "def train(", *row) for row in OPTIMISATION.values()],
    *[("optimisation", None, *row) for row in SWEEP_AND_TEST.values()],
    *[("derivation", None, [(old, new)], {task: "1/2"}) for old, new, task in DERIVATION.values()],
]
NAMES = [*CLASSIFICATION, *OPTIMISATION, *SWEEP_AND_TEST, *DERIVATION]


@pytest.mark.parametrize(("name", "last", "edits", "expected"), ROWS, ids=NAMES)
def test_mistake_loses_its_own_points(solved, lost, name, last, edits, expected):
    namespace = solved(name, tuple(edits), last=last)
    tasks = [task for task in NOTEBOOKS[name] if last is None or task.name in PARTS]
    assert lost(namespace, [task.name for task in tasks]) == expected


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ((MEAN, "D = np.exp(log_y2) - t"), "divide by m"),
        ((MEAN, "D = (np.exp(log_y2) - t) / 7 * 2 / x.shape[1]"), "wrong by the same factor"),
    ],
    ids=["known", "unknown"],
)
def test_verdict_names_the_mistake(solved, marks, edit, words):
    namespace = solved("classification", (edit,))
    assert words in marks(namespace, "gradient-W1").summary


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda W1, W2, x, t, decay: (decay * W1 + t[0].sum(), decay * W2 + t[0].sum()),
        lambda W1, W2, x, t, decay: (t[0].sum() * W1, t[0].sum() * W2),
        lambda W1, W2, x, t, decay: (t[0, 0] + 0 * W1 + decay * W1, t[0, 0] + decay * W2),
    ],
    ids=["weights and a sum", "scaled weights", "one number"],
)
def test_nonsense_that_sees_the_targets_earns_nothing(marks, nonsense):
    names = [task.name for task in NOTEBOOKS["classification"] if task.asks == ("gradient",)]
    assert {name: marks({"gradient": nonsense}, name).points for name in names} == dict.fromkeys(
        names, 0
    )


def test_one_matrix_in_place_of_the_pair_is_told(marks):
    def only_W1(W1, W2, x, t, weight_decay):
        return W1 * t.sum()

    for task in NOTEBOOKS["classification"]:
        if task.asks == ("gradient",):
            verdict = marks({"gradient": only_W1}, task.name)
            assert verdict.points == 0
            assert "One array came back" in verdict.summary


def test_update_of_the_opposite_velocity_keeps_its_arguments(marks):
    def step(w, v, gradient, learning_rate, momentum):
        v = momentum * v + gradient
        return w - learning_rate * v, v

    findings = marks({"momentum_step": step}, "momentum-update").findings
    assert [finding.holds for finding in findings] == [False, False, True]


def test_every_property_of_an_unanswered_cell_says_so(marks):
    def unanswered(*arguments):
        raise NotImplementedError("not answered yet")

    for task in (task for tasks in NOTEBOOKS.values() for task in tasks):
        verdict = marks(dict.fromkeys(task.asks, unanswered), task.name)
        if task.harness.__name__ != "read":  # variables are read, not called
            problems = {finding.problem for finding in verdict.findings}
            assert all(problem.startswith("No answer: ") for problem in problems), task.name
