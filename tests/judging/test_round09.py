import dis
import inspect
import re

import numpy as np
import pytest

from coursekit.judging import answering
from coursekit.judging.round09 import NOTEBOOKS, TASKS

PAIRS = [(name, task) for name, tasks in NOTEBOOKS.items() for task in tasks]
VARIABLES = ("sheet-loss", "test-accuracy", "learning-rate-sweep", "final-network")
FUNCTION_PAIRS = [(name, task) for name, task in PAIRS if task.name not in VARIABLES]
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(.*)\n### END HIDDEN TESTS", re.DOTALL)


def named(pair):
    return pair.name if hasattr(pair, "name") else None


def test_names_are_unique_over_the_round():
    assert len(TASKS) == len(PAIRS)


@pytest.mark.parametrize(("name", "task"), PAIRS, ids=named)
def test_task_has_its_cell_in_its_notebook(notebook, name, task):
    cells = [
        cell
        for cell in notebook(name).cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == task.name
    ]
    assert len(cells) == 1
    nbgrader = cells[0].metadata.nbgrader
    assert (nbgrader.grade, nbgrader.locked, nbgrader.solution) == (True, True, False)
    assert nbgrader.points == task.points
    assert HIDDEN.search(cells[0].source)[1] == f'judge("{task.name}")'
    assert cells[0].source.count("judge(") == 1


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_judged_cell_has_its_task(notebook, name):
    judged = {
        cell.metadata.nbgrader.grade_id
        for cell in notebook(name).cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
    }
    assert judged == {task.name for task in NOTEBOOKS[name]}


def test_points_add_up_to_a_hundred(notebook):
    points = [
        cell.metadata.nbgrader.points
        for name in NOTEBOOKS
        for cell in notebook(name).cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    ]
    assert sum(points) == 100


@pytest.mark.parametrize("task", TASKS.values(), ids=named)
def test_harness_is_self_contained(task):
    namespace = {"np": np}
    exec(inspect.getsource(task.harness), namespace)
    harness = namespace[task.harness.__name__]
    free = {
        instruction.argval
        for code in [harness.__code__, *filter(inspect.iscode, harness.__code__.co_consts)]
        for instruction in dis.get_instructions(code)
        if instruction.opname == "LOAD_GLOBAL"
    }
    module = vars(inspect.getmodule(task.harness))
    assert not {name for name in free if name in module} - {"np"}


@pytest.mark.parametrize("seed", [0, 1, 2**63])
@pytest.mark.parametrize(("name", "task"), PAIRS, ids=named)
def test_solutions_get_full_marks(solved, marks, name, task, seed):
    verdict = marks(solved(name), task.name, seed)
    assert verdict.passed, verdict.text
    assert verdict.points == task.points


# --- Right though different ------------------------------------------------------------------


def looped_gradient(W1, W2, x, t, weight_decay):
    cases = x.shape[1]
    dW1, dW2 = weight_decay * W1, weight_decay * W2
    for case in range(cases):
        y1 = 1 / (1 + np.exp(-W1 @ x[:, case]))
        z2 = W2 @ y1
        e = np.exp(z2 - np.max(z2))
        dz2 = e / np.sum(e) - t[:, case]
        dW2 += np.outer(dz2, y1) / cases
        dW1 += np.outer(np.diag(y1 - y1**2) @ W2.T @ dz2, x[:, case]) / cases
    return [dW1, dW2]


def einsum_gradient(W1, W2, x, t, weight_decay):
    y1 = 1 / (1 + np.exp(-np.einsum("ij,jm->im", W1, x)))
    z2 = np.dot(W2, y1)
    y2 = np.exp(z2 - np.max(z2, axis=0))
    y2 /= np.sum(y2, axis=0)
    dz2 = y2 - t
    dz1 = np.einsum("ki,km->im", W2, dz2) * (y1 - np.square(y1))
    m = len(t.T)
    return (
        np.einsum("im,jm->ij", dz1, x) / m + weight_decay * W1,
        np.matmul(dz2, np.transpose(y1)) / m + weight_decay * W2,
    )


def labels_loss(W1, W2, x, t, weight_decay):
    y1 = 1 / (1 + np.exp(-W1 @ x))
    z2 = W2 @ y1
    top = z2.max(axis=0)
    log_sum = top + np.log(np.sum(np.exp(z2 - top), axis=0))
    penalty = 0.5 * weight_decay * (np.linalg.norm(W1) ** 2 + np.linalg.norm(W2) ** 2)
    return np.mean(np.sum(t * (log_sum - z2), axis=0)) + penalty


def counting_confusion(W1, W2, x, t):
    predicted = (W2 @ (1 / (1 + np.exp(-W1 @ x)))).argmax(axis=0)
    counts = [[0] * len(t) for _ in t]
    for case, guess in enumerate(predicted):
        counts[int(np.argmax(t[:, case]))][guess] += 1
    return np.array(counts)


def counting_error(W1, W2, x, t):
    counts = counting_confusion(W1, W2, x, t)
    return float(1 - np.trace(counts) / np.sum(counts))


def listed_batch(iteration, batch_size, n_cases):
    return np.array([(iteration * batch_size + k) % n_cases for k in range(batch_size)])


def in_place_step(w, v, gradient, learning_rate, momentum):
    w, v = w.copy(), v.copy()
    v *= momentum
    v -= gradient
    w += learning_rate * v
    return [w, v]


def stepwise_train(weights, loss, gradient, training, validation, *settings):
    """Move by velocities that hold the learning rate, and pick the best of all weights."""
    iterations, rate, momentum, batch_size, early_stopping = settings
    path = [np.array(weights)]
    move = np.zeros_like(path[0])
    for i in range(iterations):
        batch = [k % training[0].shape[1] for k in range(i * batch_size, (i + 1) * batch_size)]
        parts = gradient(list(path[-1]), training[0][:, batch], training[1][:, batch])
        move = momentum * move - rate * np.array(parts)
        path.append(path[-1] + move)
    history = {
        "training_loss": np.array([loss(list(w), *training) for w in path[1:]]),
        "validation_loss": [float(loss(list(w), *validation)) for w in path[1:]],
    }
    best = int(np.argmin(history["validation_loss"])) if early_stopping else -1
    return path[1:][best], history


def stacked_backprop(weights, x, t):
    outputs = [x[:, None]]
    for W in weights:
        outputs.append(1 / (1 + np.exp(-W @ outputs[-1])))
    e = np.exp(weights[-1] @ outputs[-2])
    dz = e / e.sum() - t[:, None]
    result = []
    for W, y in zip(weights[::-1], outputs[-2::-1], strict=True):
        result.append(dz @ y.T)
        dz = (W.T @ dz) * (y - y * y)
    return tuple(result[::-1])


GRADIENT_TASKS = [name for name in TASKS if name.startswith("gradient-")]
RIGHT = [
    *[(name, "gradient", looped_gradient) for name in GRADIENT_TASKS],
    *[(name, "gradient", einsum_gradient) for name in GRADIENT_TASKS],
    ("batch-loss", "loss", labels_loss),
    ("error-rate", "error_rate", counting_error),
    ("confusion-matrix", "confusion_matrix", counting_confusion),
    ("mini-batches", "batch_columns", listed_batch),
    ("momentum-update", "momentum_step", in_place_step),
    ("training-loop", "train", stepwise_train),
    ("extra-backprop", "backprop", stacked_backprop),
    ("stage1-loss", "stage1", lambda y2, t: np.array(-sum(t * np.log(y2)))),
    ("stage2-dE-dz2", "stage2", lambda y2, t: (np.diag(y2) - np.outer(y2, y2)) @ (-t / y2)),
    ("stage3-dE-dy1", "stage3", lambda y2, t, W2: W2.T @ (y2 - t)),
    ("stage4-dE-dW2", "stage4", lambda y2, t, y1: (y2 - t)[:, None] * y1[None]),
    ("stage5-jacobian", "stage5", lambda y1: np.eye(len(y1)) * (y1 - y1**2)),
    ("stage6-dE-dz1", "stage6", lambda y2, t, W2, y1: W2.T @ (y2 - t) @ np.diag(y1 - y1**2)),
    ("stage7-dE-dW1", "stage7", lambda dE_dz1, x: np.einsum("i,j->ij", dE_dz1, x)),
    ("stage8-mean", "stage8", lambda Y2, T, Y1: np.einsum("im,jm->ij", Y2 - T, Y1) / len(T.T)),
    ("stage9-weight-decay", "stage9", lambda d, W, weight_decay: W * weight_decay + d),
]


@pytest.mark.parametrize("seed", [4, 5])
@pytest.mark.parametrize(("name", "asked", "function"), RIGHT)
def test_right_though_different_gets_full_marks(marks, name, asked, function, seed):
    verdict = marks({asked: function}, name, seed)
    assert verdict.passed, verdict.text


# --- Nothing useful --------------------------------------------------------------------------


def like(result, value):
    """Give a result of the same form with all its numbers replaced."""
    if isinstance(result, list | tuple):
        return [like(item, value) for item in result]
    if isinstance(result, dict):
        return {key: like(item, value) for key, item in result.items()}
    return np.full_like(result, value, dtype=float) if np.ndim(result) else value


def fail(*arguments):
    raise NotImplementedError("not answered yet")


USELESS = {
    "None": lambda right: lambda *a: None,
    "zero": lambda right: lambda *a: 0.0,
    "zeros": lambda right: lambda *a: like(right(*a), 0.0),
    "ones": lambda right: lambda *a: like(right(*a), 1.0),
    "nan": lambda right: lambda *a: like(right(*a), np.nan),
    "own arguments": lambda right: lambda *a: list(a),
    "first argument": lambda right: lambda *a: a[0],
    "first two arguments": lambda right: lambda *a: list(a[:2]),
    "raises": lambda right: fail,
}


@pytest.mark.parametrize("seed", [11, 12, 13])
@pytest.mark.parametrize("useless", USELESS)
@pytest.mark.parametrize(("name", "task"), FUNCTION_PAIRS, ids=named)
def test_nothing_useful_earns_nothing(solved, marks, name, task, useless, seed):
    right = solved(name)[task.asks[0]]
    verdict = marks({task.asks[0]: USELESS[useless](right)}, task.name, seed)
    assert not any(finding.holds for finding in verdict.findings), verdict.text


USELESS_VALUES = {
    "None": None,
    "zero": 0.0,
    "one": 1.0,
    "empty": [],
    "text": "text",
    "function": fail,
}


@pytest.mark.parametrize("value", USELESS_VALUES.values(), ids=USELESS_VALUES)
@pytest.mark.parametrize("name", VARIABLES)
def test_variables_of_no_use_earn_nothing(marks, name, value):
    with answering.quiet():
        verdict = marks(dict.fromkeys(TASKS[name].asks, value), name)
    assert not any(finding.holds for finding in verdict.findings), verdict.text


@pytest.mark.parametrize("name", TASKS)
def test_missing_names_earn_nothing_and_are_named(marks, name):
    verdict = marks({}, name)
    assert verdict.points == 0
    assert f"NameError: {TASKS[name].asks[0]} is not defined" in verdict.summary
