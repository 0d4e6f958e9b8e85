"""The network of the exercise sheet, for any number of layers: outputs, loss and gradient.

Hidden layers are logistic, the output layer is a softmax, and there are no biases. Columns are
cases everywhere. `weights` is always a sequence ``[W1, ..., WL]`` of at least two matrices, where
``Wl`` has shape ``(n_l, n_{l-1})``; inputs have shape ``(n_0, m)`` and targets ``(n_L, m)``.
Real numbers of any type are accepted and converted to float64, and arguments are never changed.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from coursekit.reference.checks import (
    checked_inputs,
    checked_targets,
    checked_weight_decay,
    checked_weights,
    real_array,
)

# Far from zero, exp() and the products that follow it underflow. The result, zero, is then the
# right one: hence np.errstate(under="ignore") below, for callers who turn warnings into errors.


@np.errstate(under="ignore")
def logistic(z: ArrayLike) -> np.ndarray:
    """Logistic function 1 / (1 + exp(-z)), element by element.

    Parameters
    ----------
    z : array_like of real numbers, any shape

    Returns
    -------
    ndarray of float64, shape of `z`
        Values in [0, 1].

    Raises
    ------
    ValueError
        If `z` does not hold real numbers.
    """
    z = real_array("z", z)
    decay = np.exp(-np.abs(z))  # at most 1, so it cannot overflow on either side
    return np.where(z >= 0, 1.0, decay) / (1.0 + decay)


@np.errstate(under="ignore")
def log_softmax(logits: ArrayLike) -> np.ndarray:
    """Logarithm of the softmax over the classes (axis 0).

    Parameters
    ----------
    logits : array_like of real numbers, shape (n_L, m) or (n_L,)

    Returns
    -------
    ndarray of float64, shape of `logits`
        Natural logarithms of the class probabilities; finite for finite logits, even where the
        probability itself rounds to zero.

    Raises
    ------
    ValueError
        If `logits` is a single number or empty, or does not hold real numbers.
    """
    shifted = _shifted(logits)
    return shifted - np.log(np.exp(shifted).sum(axis=0))


@np.errstate(under="ignore")
def softmax(logits: ArrayLike) -> np.ndarray:
    """Class probabilities: the softmax over the classes (axis 0).

    Parameters
    ----------
    logits : array_like of real numbers, shape (n_L, m) or (n_L,)

    Returns
    -------
    ndarray of float64, shape of `logits`
        Values in [0, 1]; each column sums to one.

    Raises
    ------
    ValueError
        If `logits` is a single number or empty, or does not hold real numbers.
    """
    exponentials = np.exp(_shifted(logits))
    return exponentials / exponentials.sum(axis=0)


@np.errstate(under="ignore")
def forward(
    weights: Sequence[ArrayLike], inputs: ArrayLike
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Compute the outputs of every layer (the recursion at the start of Exercise 1).

    Parameters
    ----------
    weights : sequence of L >= 2 matrices, shapes (n_l, n_{l-1})
    inputs : array_like of real numbers, shape (n_0, m)

    Returns
    -------
    z : list of L ndarrays of float64, shapes (n_l, m)
        Sums that go into the units of each layer; ``z[-1]`` are the logits.
    y : list of L ndarrays of float64, shapes (n_l, m)
        What comes out of each layer; ``y[-1]`` are the class probabilities.

    Raises
    ------
    ValueError
        If the shapes do not fit together or the values are not real numbers.
    """
    weights = checked_weights(weights)
    previous = checked_inputs(weights, inputs)
    z, y = [], []
    for matrix in weights:
        z.append(matrix @ previous)
        is_output_layer = len(z) == len(weights)
        previous = softmax(z[-1]) if is_output_layer else logistic(z[-1])
        y.append(previous)
    return z, y


@np.errstate(under="ignore")
def classification_loss(
    weights: Sequence[ArrayLike], inputs: ArrayLike, targets: ArrayLike
) -> float:
    """Mean cross-entropy over the cases, Eq. (1).

    Parameters
    ----------
    weights : sequence of L >= 2 matrices, shapes (n_l, n_{l-1})
    inputs : array_like of real numbers, shape (n_0, m)
    targets : array_like of real numbers, shape (n_L, m)
        Target class probabilities, one-hot or soft; each column sums to one.

    Returns
    -------
    float
        The loss in nats.

    Raises
    ------
    ValueError
        If the shapes do not fit together, the values are not real numbers, or the targets of a
        case do not sum to one.
    """
    weights = checked_weights(weights)
    inputs = checked_inputs(weights, inputs)
    targets = checked_targets(weights, inputs, targets)
    z, _ = forward(weights, inputs)
    return float(-np.sum(targets * log_softmax(z[-1])) / inputs.shape[1])


@np.errstate(under="ignore")
def loss(
    weights: Sequence[ArrayLike],
    inputs: ArrayLike,
    targets: ArrayLike,
    weight_decay: float = 0.0,
) -> float:
    """Mean cross-entropy plus the weight-decay term, Eq. (2).

    Parameters
    ----------
    weights : sequence of L >= 2 matrices, shapes (n_l, n_{l-1})
    inputs : array_like of real numbers, shape (n_0, m)
    targets : array_like of real numbers, shape (n_L, m)
        Target class probabilities, one-hot or soft; each column sums to one.
    weight_decay : float, default 0
        The factor lambda of Eq. (2), zero or more.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As `classification_loss`, or if `weight_decay` is negative or not finite.
    """
    weights = checked_weights(weights)
    weight_decay = checked_weight_decay(weight_decay)
    squares = sum(float(np.sum(matrix**2)) for matrix in weights)
    return classification_loss(weights, inputs, targets) + weight_decay / 2 * squares


@np.errstate(under="ignore")
def gradient(
    weights: Sequence[ArrayLike],
    inputs: ArrayLike,
    targets: ArrayLike,
    weight_decay: float = 0.0,
) -> list[np.ndarray]:
    """Gradient of `loss` by backpropagation (stages 2 to 9 of Exercise 1, for L layers).

    Parameters
    ----------
    weights : sequence of L >= 2 matrices, shapes (n_l, n_{l-1})
    inputs : array_like of real numbers, shape (n_0, m)
    targets : array_like of real numbers, shape (n_L, m)
        Target class probabilities, one-hot or soft; each column sums to one, as stage 2 assumes.
    weight_decay : float, default 0
        The factor lambda of Eq. (2), zero or more.

    Returns
    -------
    list of L ndarrays of float64, shapes of the weights
        Partial derivatives of Eq. (2), averaged over the cases; new arrays.

    Raises
    ------
    ValueError
        As `loss`.
    """
    weights = checked_weights(weights)
    inputs = checked_inputs(weights, inputs)
    targets = checked_targets(weights, inputs, targets)
    weight_decay = checked_weight_decay(weight_decay)
    _, y = forward(weights, inputs)
    below = [inputs, *y[:-1]]  # what goes into each layer

    # The sheet writes dE/dz of one case as a row. Here it is a column for each case, and dividing
    # by m at once makes the matrix products below sum to the averages of stage 8.
    dz = (y[-1] - targets) / inputs.shape[1]  # stage 2
    gradients = []
    for layer in reversed(range(len(weights))):
        gradients.append(dz @ below[layer].T + weight_decay * weights[layer])  # stages 4, 7, 9
        if layer > 0:
            dy = weights[layer].T @ dz  # stage 3
            dz = dy * below[layer] * (1.0 - below[layer])  # stages 5 and 6
    return gradients[::-1]


def predict(weights: Sequence[ArrayLike], inputs: ArrayLike) -> np.ndarray:
    """Most probable class of each case.

    Parameters
    ----------
    weights : sequence of L >= 2 matrices, shapes (n_l, n_{l-1})
    inputs : array_like of real numbers, shape (n_0, m)

    Returns
    -------
    ndarray of int, shape (m,)
        Class numbers from 0 to n_L - 1; the lowest number where classes tie.

    Raises
    ------
    ValueError
        As `forward`.
    """
    z, _ = forward(weights, inputs)
    return np.argmax(z[-1], axis=0)  # the softmax keeps the order of the logits


def error_rate(weights: Sequence[ArrayLike], inputs: ArrayLike, targets: ArrayLike) -> float:
    """Share of the cases whose most probable class is not that of the targets.

    Parameters
    ----------
    weights : sequence of L >= 2 matrices, shapes (n_l, n_{l-1})
    inputs : array_like of real numbers, shape (n_0, m)
    targets : array_like of real numbers, shape (n_L, m)
        Target class probabilities; the largest of a column names the correct class.

    Returns
    -------
    float
        A share in [0, 1].

    Raises
    ------
    ValueError
        As `classification_loss`.
    """
    weights = checked_weights(weights)
    inputs = checked_inputs(weights, inputs)
    targets = checked_targets(weights, inputs, targets)
    return float(np.mean(predict(weights, inputs) != np.argmax(targets, axis=0)))


def _shifted(logits: ArrayLike) -> np.ndarray:
    """Move each column so that its largest logit is zero: exp() can then not overflow."""
    logits = real_array("logits", logits)
    if logits.ndim == 0 or logits.size == 0:
        raise ValueError(f"logits has shape {logits.shape}: expected at least one class and case")
    return logits - logits.max(axis=0)
