"""Argument checks of the reference: what is accepted, and the sentence that refuses the rest."""

from collections.abc import Sequence
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

TARGET_SUM_TOLERANCE = 1e-9


def real_array(name: str, values: ArrayLike) -> np.ndarray:
    """Convert real numbers to a float64 array.

    Parameters
    ----------
    name : str
        What the error message calls the values.
    values : array_like of real numbers
        Booleans, integers or floating-point numbers.

    Returns
    -------
    ndarray of float64
        The values themselves, not a copy, where they are a float64 array already.

    Raises
    ------
    ValueError
        If the values are not numbers, are complex or do not form an array.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} does not form an array: expected rows of equal length") from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {array.dtype}: expected real numbers")
    return np.asarray(array, dtype=np.float64)


def whole_number(name: str, value: int, minimum: int) -> int:
    """Return a whole number of at least `minimum` as an int, or raise ValueError."""
    if not isinstance(value, Integral) or value < minimum:
        raise ValueError(f"{name} is {value!r}: expected a whole number of at least {minimum}")
    return int(value)


def checked_weights(weights: Sequence[ArrayLike]) -> list[np.ndarray]:
    """Return the weight matrices as float64, or raise ValueError if they do not make a network."""
    matrices = [real_array(f"W{layer}", matrix) for layer, matrix in enumerate(weights, start=1)]
    if len(matrices) < 2:
        raise ValueError(
            f"weights has length {len(matrices)}: expected at least 2 matrices, one for each layer"
        )
    for layer, matrix in enumerate(matrices, start=1):
        if matrix.ndim != 2 or matrix.size == 0:
            raise ValueError(
                f"W{layer} has shape {matrix.shape}: "
                "expected a matrix with at least one row and one column"
            )
        if layer > 1 and matrix.shape[1] != (outputs := len(matrices[layer - 2])):
            raise ValueError(
                f"W{layer} has shape {matrix.shape}: "
                f"expected {outputs} columns, one for each output of layer {layer - 1}"
            )
    return matrices


def checked_inputs(weights: list[np.ndarray], inputs: ArrayLike) -> np.ndarray:
    """Return the inputs as float64, or raise ValueError if they do not fit the checked weights."""
    inputs = real_array("inputs", inputs)
    rows = weights[0].shape[1]
    if inputs.ndim != 2 or len(inputs) != rows or inputs.shape[1] == 0:
        raise ValueError(
            f"inputs has shape {inputs.shape}: expected ({rows}, m), "
            "one row for each column of W1 and one column for each of m >= 1 cases"
        )
    return inputs


def checked_targets(
    weights: list[np.ndarray], inputs: np.ndarray, targets: ArrayLike
) -> np.ndarray:
    """Return the targets as float64, or raise ValueError if shapes or sums are wrong.

    The gradient with respect to the logits is y - t only where the elements of t sum to one
    (stage 2).
    """
    targets = real_array("targets", targets)
    shape = (len(weights[-1]), inputs.shape[1])
    if targets.shape != shape:
        raise ValueError(
            f"targets has shape {targets.shape}: expected {shape}, "
            "one row for each class and one column for each case"
        )
    sums = targets.sum(axis=0)
    is_one = np.abs(sums - 1.0) <= TARGET_SUM_TOLERANCE  # False where the sum is NaN
    if not is_one.all():
        case = int(np.argmin(is_one))
        raise ValueError(
            f"targets[:, {case}] sums to {sums[case]:.10g}: "
            "expected 1, since a column holds class probabilities"
        )
    return targets


def checked_weight_decay(weight_decay: float) -> float:
    """Return the weight decay as a float, or raise ValueError if it is negative or not finite."""
    if not 0 <= weight_decay < np.inf:
        raise ValueError(f"weight_decay is {weight_decay}: expected a number of zero or more")
    return float(weight_decay)


def checked_cases(name: str, cases: tuple[ArrayLike, ArrayLike]) -> tuple[np.ndarray, np.ndarray]:
    """Return a pair of inputs and targets as float64 matrices with equally many columns."""
    inputs, targets = cases
    inputs = real_array(f"{name} inputs", inputs)
    targets = real_array(f"{name} targets", targets)
    for part, array in (("inputs", inputs), ("targets", targets)):
        if array.ndim != 2:
            raise ValueError(
                f"{name} {part} has shape {array.shape}: expected a matrix with cases in columns"
            )
    if inputs.shape[1] != targets.shape[1]:
        raise ValueError(
            f"{name} targets has {targets.shape[1]} columns: "
            f"expected {inputs.shape[1]}, one for each case of the inputs"
        )
    return inputs, targets
