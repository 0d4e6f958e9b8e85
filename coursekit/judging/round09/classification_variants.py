"""Families of wrong functions for `classification_mistakes` and `gradient_mistakes`.

Each takes one part out of the right formula and puts another in its place.
"""

import numpy as np

from coursekit.judging.round09.inputs import digits
from coursekit.reference import network as reference
from coursekit.reference import training


def unshifted_softmax(z2):
    """Softmax that overflows at large logits."""
    return np.exp(z2) / np.exp(z2).sum(axis=0)


def softmax_over_cases(z2):
    """Softmax along the wrong axis."""
    e = np.exp(z2 - z2.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def not_normalised(z2):
    """Exponentials not divided by their sum."""
    return np.exp(z2 - z2.max(axis=0))


def hard_choice(z2):
    """One-hot column of the predicted class."""
    return np.eye(len(z2))[:, z2.argmax(axis=0)]


def mean(x, t):
    """Factor 1/m of the mean over the cases."""
    return 1 / x.shape[1]


def whole(x, t):
    """Factor 1, for a sum in place of the mean."""
    return 1


def decay(W, weight_decay, m):
    """Weight decay of one matrix, as it should be."""
    return weight_decay * W


def no_decay(W, weight_decay, m):
    """No weight decay, in the shape of the matrix."""
    return 0 * W


def gradient(
    softmax=reference.softmax,
    errors=(1, 1),
    slope=lambda y1, z1: y1 * (1 - y1),
    below=lambda y1, z1: y1,
    scales=(mean, mean),
    decays=(decay, decay),
    finish=lambda dW1, dW2: (dW1, dW2),
):
    """Write a gradient with the parts given; the defaults give the right one.

    Parameters
    ----------
    softmax : callable
        From logits to class probabilities.
    errors : pair of float
        Sign of the error y2 - t, for W1 and for W2.
    slope : callable
        Slope of the hidden units from y1 and z1.
    below : callable
        What the error of the logits is multiplied with for W2.
    scales : pair of callable
        Factor of the sum over the cases from x and t, for W1 and for W2.
    decays : pair of callable
        Term of weight decay from W, weight_decay and m, for W1 and for W2.
    finish : callable
        What is returned of the pair.

    Returns
    -------
    callable
        ``gradient(W1, W2, x, t, weight_decay)``.
    """

    def variant(W1, W2, x, t, weight_decay):
        z1 = W1 @ x
        y1 = reference.logistic(z1)
        error = softmax(W2 @ y1) - t
        m = x.shape[1]
        dW1 = ((W2.T @ error) * slope(y1, z1)) @ x.T
        dW2 = error @ below(y1, z1).T
        return finish(
            errors[0] * scales[0](x, t) * dW1 + decays[0](W1, weight_decay, m),
            errors[1] * scales[1](x, t) * dW2 + decays[1](W2, weight_decay, m),
        )

    return variant


def log_of_probabilities(softmax):
    """Log-softmax that takes the logarithm of a softmax."""
    return lambda z2: np.log(softmax(z2))


def loss(
    log_softmax=reference.log_softmax,
    sign=-1,
    scale=mean,
    decay=lambda W1, W2, weight_decay, m: weight_decay / 2 * (np.sum(W1**2) + np.sum(W2**2)),
):
    """Write a loss with the parts given; the defaults give the right one.

    Parameters
    ----------
    log_softmax : callable
        From logits to log probabilities.
    sign : float
        Factor of the cross-entropy.
    scale : callable
        Factor of the sum over the cases from x and t.
    decay : callable
        Term of weight decay from W1, W2, weight_decay and m.

    Returns
    -------
    callable
        ``loss(W1, W2, x, t, weight_decay)``.
    """

    def variant(W1, W2, x, t, weight_decay):
        logs = log_softmax(W2 @ reference.logistic(W1 @ x))
        return sign * scale(x, t) * np.sum(t * logs) + decay(W1, W2, weight_decay, x.shape[1])

    return variant


def log_softmax_in_place(z2):
    """Right log-softmax that leaves the shifted logits in z2."""
    z2 -= z2.max(axis=0)
    return z2 - np.log(np.exp(z2).sum(axis=0))


def loss_in_place(W1, W2, x, t, weight_decay):
    """Right loss that leaves the terms of its sum in t."""
    t *= reference.log_softmax(W2 @ reference.logistic(W1 @ x))
    decay = weight_decay / 2 * (np.sum(W1**2) + np.sum(W2**2))
    return -t.sum() / x.shape[1] + decay


def forward(
    hidden=reference.logistic,
    log_softmax=reference.log_softmax,
    finish=lambda y1, log_y2: (y1, log_y2),
):
    """Write a forward pass with the parts given; the defaults give the right one.

    Parameters
    ----------
    hidden : callable
        Nonlinear function of the hidden units.
    log_softmax : callable
        From logits to what is returned of them.
    finish : callable
        What is returned of the pair.

    Returns
    -------
    callable
        ``forward(W1, W2, x)``.
    """

    def variant(W1, W2, x):
        y1 = hidden(W1 @ x)
        return finish(y1, log_softmax(W2 @ y1))

    return variant


def writes_into_W1(W1, W2, x, t, weight_decay):
    """Right gradient that leaves its result in W1."""
    dW1, dW2 = reference.gradient([W1, W2], x, t)
    W1 *= weight_decay
    W1 += dW1
    return W1, dW2 + weight_decay * W2


def writes_into_t(W1, W2, x, t, weight_decay):
    """Right gradient that leaves the error in t."""
    result = reference.gradient([W1, W2], x, t, weight_decay)
    t -= reference.softmax(W2 @ reference.logistic(W1 @ x))
    return tuple(result)


def fixed_sizes(W1, W2, x, t, weight_decay):
    """Right gradient for 64 inputs and 10 classes only."""
    dW1, dW2 = reference.gradient(
        [W1.reshape(-1, 64), W2.reshape(10, -1)], x.reshape(64, -1), t.reshape(10, -1), weight_decay
    )
    return dW1, dW2


def single_precision(W1, W2, x, t, weight_decay):
    """Right gradient, computed in float32."""
    small = [array.astype(np.float32) for array in (W1, W2, x, t)]
    return tuple(part.astype(np.float32) for part in gradient()(*small, np.float32(weight_decay)))


def error_rate(predicted_axis=0, finish=lambda wrong: wrong.mean()):
    """Error rate with the axis and the last step given."""

    def variant(W1, W2, x, t):
        predicted = (W2 @ reference.logistic(W1 @ x)).argmax(axis=predicted_axis)
        true = t.argmax(axis=predicted_axis)
        return finish(predicted != true)

    return variant


def confusion_matrix(finish):
    """Confusion matrix with the last step given."""

    def variant(W1, W2, x, t):
        counts = np.zeros((len(t), len(t)))
        np.add.at(counts, (t.argmax(axis=0), reference.predict([W1, W2], x)), 1)
        return finish(counts)

    return variant


def sheet_run(cases=lambda data: data.training, batch=None, iterations=30, learning_rate=0.01):
    """Write right functions beside the loss that a misread run of the sheet ends with."""

    def variant():
        x, t = digits().training
        weights = training.cosine_weights((len(x), 10, 10))
        for i in range(iterations):
            columns = slice(10 * i, 10 * (i + 1)) if batch is None else batch
            parts = reference.gradient(weights, x[:, columns], t[:, columns])
            weights = [w - learning_rate * part for w, part in zip(weights, parts, strict=True)]
        return gradient(), loss(), reference.loss(weights, *cases(digits()))

    return variant


def untrained():
    """Value of `learned` before any training."""
    return [training.cosine_weights((len(digits().training.inputs), 30, 10))]


def last_batch(data):
    """Training cases of the last of the 30 batches."""
    return tuple(part[:, 290:300] for part in data.training)
