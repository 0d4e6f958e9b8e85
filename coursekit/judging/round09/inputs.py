"""Random networks and cases that the round's challenges are made of."""

import functools

import numpy as np

SIZES = (64, 12, 10)  # all different, so that no matrix is taken for another or its transpose


def network(rng, sizes, scale=1.0):
    """Draw weight matrices.

    Parameters
    ----------
    rng : numpy.random.Generator
    sizes : sequence of int
        n_0, ..., n_L.
    scale : float, optional
        Standard deviation of the logits' weights.

    Returns
    -------
    list of ndarray
        W_l of shape (n_l, n_{l-1}).
    """
    return [
        rng.normal(scale=scale, size=(fan_out, fan_in))
        for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True)
    ]


def cases(rng, features, classes, count, soft=False):
    """Draw inputs in [0, 1] and targets whose columns sum to one.

    Parameters
    ----------
    rng : numpy.random.Generator
    features, classes, count : int
    soft : bool, optional
        Class probabilities in place of one-hot columns.

    Returns
    -------
    inputs : ndarray of shape (features, count)
    targets : ndarray of shape (classes, count)
    """
    inputs = rng.random((features, count))
    if soft:
        targets = rng.dirichlet(np.ones(classes), size=count).T
    else:
        targets = np.eye(classes)[:, rng.integers(classes, size=count)]
    return inputs, targets


def draw_batch(rng, sizes=SIZES, count=10, weight_decay=0.0, soft=False):
    """Draw the arguments of a loss or gradient of a network with two layers.

    Parameters
    ----------
    rng : numpy.random.Generator
    sizes : tuple of int
        n_0, n_1, n_2.
    count : int
        Number of cases.
    weight_decay : float
    soft : bool
        As in `cases`.

    Returns
    -------
    dict
        W1, W2, x, t and weight_decay.
    """
    W1, W2 = network(rng, sizes, scale=0.5)
    x, t = cases(rng, sizes[0], sizes[-1], count, soft)
    return {"W1": W1, "W2": W2, "x": x, "t": t, "weight_decay": weight_decay}


@functools.cache
def digits():
    """Load the digits that the students' notebooks use, once.

    Returns
    -------
    nnlab.data.Digits
    """
    from nnlab import load_digits  # brings half a second of pyplot, which few commands need

    return load_digits()
