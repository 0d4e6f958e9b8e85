"""What do digits, weights and mistakes look like? Figures in one common style.

Each function makes its figure with pyplot and returns it. A notebook shows such a figure by
itself at the end of the cell; keep the result in a name, ``figure = show_digits(...)``, or the
notebook shows it a second time as the value of the cell's last line. In a script, call
``matplotlib.pyplot.show()`` afterwards.
"""

import numpy as np
from matplotlib import colors
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nnlab.data import Cases
from nnlab.style import VERMILLION, common_style


def show_digits(
    cases: Cases,
    image_shape: tuple[int, int],
    count: int = 20,
    predicted: ArrayLike | None = None,
) -> Figure:
    """Show the first images of some cases, each with its digit above.

    Parameters
    ----------
    cases : Cases
        Inputs of shape (features, m) and targets of shape (10, m).
    image_shape : tuple of two int
        Height and width in pixels.
    count : int
        How many images to show, at most m.
    predicted : array of shape (m,), int, optional
        Digits that a network took these cases for; wrong ones stand out by colour and words.

    Returns
    -------
    Figure
        Keep it in a name, so that a notebook shows it once.

    Raises
    ------
    ValueError
        If `predicted` does not hold one digit a case.
    """
    labels = cases.labels
    count = min(count, cases.count)
    if predicted is not None:
        predicted = np.asarray(predicted)
        if predicted.shape != labels.shape:
            raise ValueError(
                f"show_digits: predicted has shape {predicted.shape}; expected one digit for each "
                f"case, shape {labels.shape}."
            )
    with common_style():
        figure, axes = _image_grid(count, cell=(0.85, 1.05))
        for case, axis in enumerate(axes):
            axis.imshow(cases.inputs[:, case].reshape(image_shape), vmin=0, vmax=1)
            if predicted is None or predicted[case] == labels[case]:
                axis.set_title(labels[case])
            else:
                text = f"{predicted[case]}, not {labels[case]}"
                axis.set_title(text, color=VERMILLION, fontweight="bold")
                for spine in axis.spines.values():
                    spine.set(visible=True, color=VERMILLION, linewidth=2.5)
        if predicted is None:
            title = f"{count} of {cases.count} cases, each under the digit it shows"
        else:
            wrong = int(np.sum(predicted[:count] != labels[:count]))
            title = f"{count} of {cases.count} cases, each under its predicted digit: {wrong} wrong"
        figure.suptitle(title)
    return figure


def show_weights(W1: np.ndarray, image_shape: tuple[int, int]) -> Figure:
    """Show what each hidden unit looks for: its row of the first weight matrix as an image.

    Parameters
    ----------
    W1 : ndarray of shape (hidden_units, features)
        Weights from the inputs to the hidden units.
    image_shape : tuple of two int
        Height and width in pixels.

    Returns
    -------
    Figure
        Keep it in a name, so that a notebook shows it once.

    Raises
    ------
    ValueError
        If the rows of `W1` are no images of that shape.
    """
    if np.ndim(W1) != 2 or W1.shape[1] != np.prod(image_shape):
        raise ValueError(
            f"show_weights: W1 has shape {np.shape(W1)}; expected (hidden units, "
            f"{np.prod(image_shape)}) for images of shape {tuple(image_shape)}."
        )
    with common_style():
        largest = np.abs(W1[np.isfinite(W1)]).max(initial=0.0) or 1.0
        many = len(W1) > 40
        figure, axes = _image_grid(
            len(W1), columns=20 if many else 10, cell=(0.46, 0.4) if many else (0.9, 1.0)
        )
        for unit, axis in enumerate(axes):
            image = axis.imshow(
                W1[unit].reshape(image_shape), cmap="PuOr", vmin=-largest, vmax=largest
            )
            if not many:
                axis.set_title(unit)
        figure.suptitle(
            f"First-layer weights of hidden units 0 to {len(W1) - 1}"
            + (", row by row" if many else "")
        )
        figure.colorbar(image, ax=axes, label="weight (no unit)", fraction=0.03, aspect=12)
    return figure


def show_confusion(matrix: np.ndarray) -> Figure:
    """Show which digits are taken for which.

    Parameters
    ----------
    matrix : ndarray of shape (10, 10), int
        Number of cases that show the row's digit and were taken for the column's digit.

    Returns
    -------
    Figure
        Keep it in a name, so that a notebook shows it once.

    Raises
    ------
    ValueError
        If the matrix is not square.
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(
            f"show_confusion: the matrix has shape {matrix.shape}; expected one row and one "
            "column for each digit, (10, 10)."
        )
    digits = np.arange(len(matrix))
    shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    with common_style():
        figure, axis = plt.subplots(figsize=(6.4, 5.2))
        # The square root lets a single mistake be seen next to a full diagonal.
        norm = colors.PowerNorm(0.5, vmin=0, vmax=100)
        image = axis.imshow(shares, cmap="Blues", norm=norm)
        for row, column in np.argwhere(matrix):
            axis.text(
                column,
                row,
                matrix[row, column],
                ha="center",
                va="center",
                color="white" if norm(shares[row, column]) > 0.6 else "black",
                fontweight="bold" if row == column else "normal",
            )
        axis.set(
            xlabel="predicted digit",
            ylabel="true digit",
            xticks=digits,
            yticks=digits,
            title=f"{int(matrix.sum() - np.trace(matrix))} of {int(matrix.sum())} cases wrong "
            "(empty: no case)",
        )
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        figure.colorbar(
            image, label="share of the true digit's cases (%)", ticks=[0, 1, 5, 10, 25, 50, 100]
        )
    return figure


def _image_grid(
    count: int, cell: tuple[float, float], columns: int = 10
) -> tuple[Figure, list[plt.Axes]]:
    columns = min(columns, max(count, 1))
    rows = -(-count // columns) or 1
    width, height = max(columns * cell[0], 5.5), rows * cell[1] + 0.5
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    for axis in axes.flat[count:]:
        axis.remove()
    return figure, list(axes.flat[:count])
