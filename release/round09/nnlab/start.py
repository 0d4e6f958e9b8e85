"""Where training starts: weights that are the same for everybody."""

import numpy as np


def cosine_weights(inputs, hidden_units, classes, scale=0.1):
    """Fill the two weight matrices with ``scale * cos(0), scale * cos(1), ...``.

    Deterministic weights make results comparable: two right programs print the same loss.

    Parameters
    ----------
    inputs, hidden_units, classes : int
        n_0, n_1 and n_2.
    scale : float, optional
        Largest absolute value.

    Returns
    -------
    W1 : ndarray of shape (hidden_units, inputs)
        Filled first, row by row.
    W2 : ndarray of shape (classes, hidden_units)
    """
    count = hidden_units * inputs
    values = scale * np.cos(np.arange(count + classes * hidden_units))
    return (
        values[:count].reshape(hidden_units, inputs),
        values[count:].reshape(classes, hidden_units),
    )
