"""Training by mini-batch gradient descent with momentum and early stopping.

Nothing here knows the network: `train` is given the loss and its gradient. Columns are cases.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coursekit.reference.checks import checked_cases, real_array, whole_number

Weights = list[np.ndarray]


@dataclass(frozen=True)
class History:
    """What happened during training.

    Attributes
    ----------
    training_loss : list of float
        Loss on the whole training set after each update.
    validation_loss : list of float
        Loss on the whole validation set after each update.
    best_iteration : int
        Index of the lowest validation loss, counted from 0; the first if several are equal.
    """

    training_loss: list[float]
    validation_loss: list[float]
    best_iteration: int


def cosine_weights(sizes: Sequence[int], scale: float = 0.1) -> Weights:
    """Deterministic initial weights, the same for everybody.

    One sequence ``scale * cos(0), scale * cos(1), ...`` fills W1 first, then W2 and so on, each
    row by row (C order).

    Parameters
    ----------
    sizes : sequence of int, (n_0, ..., n_L)
        Number of inputs, then the number of units of each layer.
    scale : float, default 0.1
        Largest absolute value.

    Returns
    -------
    list of L ndarrays of float64, shapes (n_l, n_{l-1})

    Raises
    ------
    ValueError
        If there are fewer than two sizes or one is not a whole number of at least 1.

    Examples
    --------
    >>> [matrix.shape for matrix in cosine_weights((64, 10, 3))]
    [(10, 64), (3, 10)]
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes has {len(sizes)} numbers: expected at least 2, inputs and outputs")
    sizes = [whole_number(f"sizes[{i}]", size, minimum=1) for i, size in enumerate(sizes)]
    shapes = [(rows, columns) for columns, rows in zip(sizes[:-1], sizes[1:], strict=True)]
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    sequence = scale * np.cos(np.arange(ends[-1]))
    parts = np.split(sequence, ends[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def batch_indices(iteration: int, batch_size: int, n_cases: int) -> np.ndarray:
    """Cases of one mini-batch: in order, going on from the first case after the last one.

    Parameters
    ----------
    iteration : int
        Number of the update, from 0.
    batch_size : int
        Cases in a mini-batch, from 1 to `n_cases`.
    n_cases : int
        Cases in the training set.

    Returns
    -------
    ndarray of int, shape (batch_size,)

    Raises
    ------
    ValueError
        If a number is not whole or out of its range.

    Examples
    --------
    >>> batch_indices(1, batch_size=3, n_cases=5)
    array([3, 4, 0])
    """
    iteration = whole_number("iteration", iteration, minimum=0)
    n_cases = whole_number("n_cases", n_cases, minimum=1)
    batch_size = whole_number("batch_size", batch_size, minimum=1)
    if batch_size > n_cases:
        raise ValueError(
            f"batch_size is {batch_size}: expected at most {n_cases}, the number of cases"
        )
    return (iteration * batch_size + np.arange(batch_size)) % n_cases


def momentum_step(
    weights: ArrayLike,
    velocity: ArrayLike,
    gradient: ArrayLike,
    learning_rate: float,
    momentum: float,
) -> tuple[np.ndarray, np.ndarray]:
    """One update of one array by gradient descent with classical momentum.

    ``v <- momentum * v - gradient``, then ``w <- w + learning_rate * v``. Without momentum this is
    the gradient descent of the exercise sheet.

    Parameters
    ----------
    weights, velocity, gradient : array_like of real numbers, all of one shape
    learning_rate : float
        Length of the step, above 0.
    momentum : float
        Share of the velocity that is kept, in [0, 1).

    Returns
    -------
    weights, velocity : ndarrays of float64, shape of `weights`
        New arrays; the arguments keep their values.

    Raises
    ------
    ValueError
        If the shapes differ or the values are not real numbers.
    """
    weights = real_array("weights", weights)
    velocity = real_array("velocity", velocity)
    gradient = real_array("gradient", gradient)
    for name, array in (("velocity", velocity), ("gradient", gradient)):
        if array.shape != weights.shape:
            raise ValueError(
                f"{name} has shape {array.shape}: expected {weights.shape}, that of the weights"
            )
    velocity = momentum * velocity - gradient
    return weights + learning_rate * velocity, velocity


def train(
    weights: Sequence[ArrayLike],
    loss: Callable[[Weights, np.ndarray, np.ndarray], float],
    gradient: Callable[[Weights, np.ndarray, np.ndarray], Sequence[np.ndarray]],
    training: tuple[ArrayLike, ArrayLike],
    validation: tuple[ArrayLike, ArrayLike],
    *,
    iterations: int,
    learning_rate: float,
    momentum: float = 0.0,
    batch_size: int,
    early_stopping: bool = False,
) -> tuple[Weights, History]:
    """Improve the weights by mini-batch gradient descent with momentum.

    Parameters
    ----------
    weights : sequence of array_like of real numbers
        Start weights; they keep their values and are no candidate for the best ones.
    loss : callable, ``loss(weights, inputs, targets) -> float``
        What the history reports and early stopping compares.
    gradient : callable, ``gradient(weights, inputs, targets) -> sequence of ndarrays``
        Derivatives of what is minimised, in the shapes of the weights.
    training, validation : pairs of array_like, (inputs, targets)
        Matrices of real numbers; columns are cases.
    iterations : int
        Number of updates, at least 1.
    learning_rate : float
        Above 0.
    momentum : float, default 0
        In [0, 1); velocities start at zero.
    batch_size : int
        Cases in a mini-batch, from 1 to the number of training cases.
    early_stopping : bool, default False
        Return the weights of the lowest validation loss rather than the last ones.

    Returns
    -------
    weights : list of ndarrays of float64
    history : History
        Losses after each of the updates.

    Raises
    ------
    ValueError
        If an argument is out of its range, shapes do not fit together, or the validation loss is
        NaN after every update, so that none is the best.
    """
    iterations = whole_number("iterations", iterations, minimum=1)
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"learning_rate is {learning_rate}: expected a number above 0")
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum is {momentum}: expected a number from 0 to below 1")
    inputs, targets = checked_cases("training", training)
    validation = checked_cases("validation", validation)

    weights = [real_array(f"weights[{i}]", array).copy() for i, array in enumerate(weights)]
    velocities = [np.zeros_like(array) for array in weights]
    training_loss, validation_loss = [], []
    best_iteration = None
    for iteration in range(iterations):
        batch = batch_indices(iteration, batch_size, inputs.shape[1])
        gradients = gradient(weights, inputs[:, batch], targets[:, batch])
        if len(gradients) != len(weights):
            raise ValueError(f"gradient returned {len(gradients)} arrays: expected {len(weights)}")
        for i, array in enumerate(gradients):
            weights[i], velocities[i] = momentum_step(
                weights[i], velocities[i], array, learning_rate, momentum
            )
        training_loss.append(float(loss(weights, inputs, targets)))
        validation_loss.append(float(loss(weights, *validation)))
        is_number = not math.isnan(validation_loss[-1])
        if is_number and (
            best_iteration is None or validation_loss[-1] < validation_loss[best_iteration]
        ):
            best_iteration = iteration
            best_weights = [array.copy() for array in weights]
    if best_iteration is None:
        raise ValueError(
            "the validation loss is NaN after every update: "
            "expected a number at least once, try a smaller learning_rate"
        )
    history = History(training_loss, validation_loss, best_iteration)
    return (best_weights if early_stopping else weights), history
