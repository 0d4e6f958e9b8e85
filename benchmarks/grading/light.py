"""The light notebook: imports, 300 steps of training, a figure, one judged cell."""

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

NAME = "light"
ANSWER = "training"
JUDGED = "gradient-W1"

IMPORTS = """
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
"""

TRAINING = """
def gradient(W1, W2, x, t, weight_decay):
    y1 = 1 / (1 + np.exp(-W1 @ x))
    y2 = np.exp(W2 @ y1)
    y2 /= y2.sum(axis=0)
    {answer}


digits = load_digits()
x, t = digits.data.T / 16, np.eye(10)[digits.target].T
rng = np.random.default_rng(1)
W1, W2 = rng.normal(size=(20, 64)) / 8, rng.normal(size=(10, 20)) / 4
losses = []
for step in range(300):
    columns = np.arange(100 * step, 100 * step + 100) % x.shape[1]
    dW1, dW2 = gradient(W1, W2, x[:, columns], t[:, columns], 0.0)
    W1, W2 = W1 - 0.5 * dW1, W2 - 0.5 * dW2
    logits = W2 @ (1 / (1 + np.exp(-W1 @ x[:, columns])))
    losses.append(np.mean(np.log(np.exp(logits).sum(axis=0)) - (t[:, columns] * logits).sum(0)))
"""

FIGURE = """
plt.plot(losses)
plt.xlabel("step")
plt.ylabel("loss");
"""

# What stock nbgrader runs in the student's kernel, where ours has judge("gradient-W1").
CHECK = """
rng = np.random.default_rng(9)
for cases in (10, 1, 23):
    W1, W2 = rng.normal(size=(6, 8)), rng.normal(size=(10, 6))
    x, t = rng.normal(size=(8, cases)), np.eye(10)[rng.integers(10, size=cases)].T
    y1 = 1 / (1 + np.exp(-W1 @ x))
    y2 = np.exp(W2 @ y1) / np.exp(W2 @ y1).sum(axis=0)
    dW1 = W2.T @ (y2 - t) / cases * y1 * (1 - y1) @ x.T
    assert np.allclose(gradient(W1, W2, x, t, 0.0)[0], dW1)
"""

SOLUTION = """\
D = (y2 - t) / x.shape[1]
    return (W2.T @ D * y1 * (1 - y1)) @ x.T + weight_decay * W1, D @ y1.T + weight_decay * W2"""

# The judged matrix is right in the first four and wrong in the others, as is all of its cell.
ANSWERS = (
    SOLUTION,
    """\
dz2 = y2 - t
    dz1 = y1 * (1 - y1) * (W2.T @ dz2)
    m = x.shape[1]
    return dz1 @ x.T / m + weight_decay * W1, dz2 @ y1.T / m + weight_decay * W2""",
    """\
dW1, dW2 = weight_decay * W1, weight_decay * W2
    for j in range(x.shape[1]):
        delta = (y2[:, j] - t[:, j]) / x.shape[1]
        dW2 = dW2 + np.outer(delta, y1[:, j])
        dW1 = dW1 + np.outer(delta @ W2 * y1[:, j] * (1 - y1[:, j]), x[:, j])
    return dW1, dW2""",
    """\
D = (y2 - t) / x.shape[1]
    back = np.einsum("kh,kj->hj", W2, D) * (y1 - y1**2)
    return back.dot(x.T) + weight_decay * W1, D.dot(y1.T) + weight_decay * W2""",
    """\
D = (t - y2) / x.shape[1]
    return (W2.T @ D * y1 * (1 - y1)) @ x.T, D @ y1.T""",
    """\
D = (y2 - t) / x.shape[1]
    return W2.T @ D @ x.T, D @ y1.T""",
    'raise NotImplementedError("not answered yet")',
)


def source() -> NotebookNode:
    """Make the instructor's notebook, with the solution and the judged cell."""
    role = {"schema_version": 3, "task": False}
    answered = {"grade_id": ANSWER, "grade": False, "locked": False, "solution": True, **role}
    judged = {"grade_id": JUDGED, "grade": True, "locked": True, "solution": False, **role}
    begin, end = "### BEGIN SOLUTION\n    ", "\n    ### END SOLUTION"
    cells = [
        new_code_cell(IMPORTS.strip(), id="imports"),
        new_code_cell(written(begin + SOLUTION + end), id=ANSWER, metadata={"nbgrader": answered}),
        new_code_cell(FIGURE.strip(), id="figure"),
        new_code_cell(
            f'### BEGIN HIDDEN TESTS\njudge("{JUDGED}")\n### END HIDDEN TESTS',
            id=JUDGED,
            metadata={"nbgrader": judged | {"points": 5}},
        ),
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def written(answer: str) -> str:
    """Write the cell of the training with an answer in it."""
    return TRAINING.format(answer=answer).strip()
