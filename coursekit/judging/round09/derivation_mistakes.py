"""Known wrong solutions of `derivation.ipynb`, as data."""

import numpy as np

from coursekit.judging.task import mistakes
from coursekit.reference import network as reference


def _logistic(z):
    return 1 / (1 + np.exp(-z))


def _backprop(
    output=reference.softmax,
    error=lambda y, t: y - t,
    slope=lambda y: y * (1 - y),
    product=np.outer,
    finish=lambda gradients: gradients,
):
    """Write the recursion with the parts given; the defaults give the right one."""

    def backprop(weights, x, t):
        outputs = [x]
        for W in weights[:-1]:
            outputs.append(_logistic(W @ outputs[-1]))
        delta = error(output((weights[-1] @ outputs[-1])[:, None])[:, 0], t)
        gradients = []
        for W, below in zip(weights[::-1], outputs[::-1], strict=True):
            gradients.insert(0, product(delta, below))
            delta = delta @ W * slope(below)
        return finish(gradients)

    return backprop


STAGE1 = (
    (
        "stage 1: sign",
        "The minus sign of Eq. (1) is missing.",
        lambda y2, t: np.sum(t * np.log(y2)),
    ),
    (
        "stage 1: mean over the classes",
        "This is the mean over the classes: the dot product in Eq. (1) is a sum.",
        lambda y2, t: -np.mean(t * np.log(y2)),
    ),
    (
        "stage 1: most probable target only",
        "Only the largest target counts here: Eq. (1) sums over all classes, and targets need not "
        "be one-hot.",
        lambda y2, t: -np.log(y2[np.argmax(t)]),
    ),
    (
        "stage 1: logarithm to base 10",
        "This is the logarithm to base 10: Eq. (1) has the natural one, np.log.",
        lambda y2, t: -np.sum(t * np.log10(y2)),
    ),
    (
        "stage 1: squared error",
        "This is the squared error: Eq. (1) is the cross-entropy.",
        lambda y2, t: np.sum((y2 - t) ** 2) / 2,
    ),
    (
        "stage 1: vector",
        "These are the terms of the classes: add them up to a number.",
        lambda y2, t: -t * np.log(y2),
    ),
)

STAGE2 = (
    (
        "stage 2: t - y",
        "The sign is the wrong way round: stage 2 is y2 - t.",
        lambda y2, t: t - y2,
    ),
    (
        "stage 2: derivative by y2",
        "This is dE/dy2: the derivative of the softmax is still to be multiplied in, stage 2.",
        lambda y2, t: -t / y2,
    ),
    (
        "stage 2: softmax as if diagonal",
        "Each logit acts on all probabilities, not on its own alone: the softmax divides by the "
        "sum (hint of stage 2).",
        lambda y2, t: -t * (1 - y2),
    ),
    (
        "stage 2: slope of the logistic function",
        "The factor y2 (1 - y2) is one too many: for softmax and cross-entropy it cancels, "
        "stage 2.",
        lambda y2, t: (y2 - t) * y2 * (1 - y2),
    ),
    (
        "stage 2: writes into y2",
        "The function writes into y2: -= changes the caller's array; write y2 - t.",
        lambda y2, t: np.subtract(y2, t, out=y2),
    ),
)

STAGE3 = (
    (
        "stage 3: t - y",
        "The sign is the wrong way round: stage 3 begins with y2 - t.",
        lambda y2, t, W2: (t - y2) @ W2,
    ),
    (
        "stage 3: targets missing",
        "The targets are missing: stage 3 begins with y2 - t.",
        lambda y2, t, W2: y2 @ W2,
    ),
    (
        "stage 3: matrix with one row",
        "This is a matrix with a single row: in code the vectors of one case are one-dimensional.",
        lambda y2, t, W2: (y2 - t)[None] @ W2,
    ),
    (
        "stage 3: not summed",
        "The terms of the classes are not added up: multiply by W2 with @, stage 3.",
        lambda y2, t, W2: (y2 - t)[:, None] * W2,
    ),
)

STAGE4 = (
    (
        "stage 4: transposed",
        "The result is transposed: in stage 4, y2 - t is the column and y1 the row.",
        lambda y2, t, y1: np.outer(y1, y2 - t),
    ),
    (
        "stage 4: t - y",
        "The sign is the wrong way round: stage 4 begins with y2 - t.",
        lambda y2, t, y1: np.outer(t - y2, y1),
    ),
    (
        "stage 4: targets missing",
        "The targets are missing: stage 4 begins with y2 - t.",
        lambda y2, t, y1: np.outer(y2, y1),
    ),
    (
        "stage 4: slope of the hidden units",
        "The factor 1 - y1 is one too many: W2 lies above the hidden units, so stage 4 has y1 "
        "alone.",
        lambda y2, t, y1: np.outer(y2 - t, y1 * (1 - y1)),
    ),
)

STAGE5 = (
    (
        "stage 5: vector",
        "This is the diagonal: stage 5 asks for the matrix, np.diag.",
        lambda y1: y1 * (1 - y1),
    ),
    (
        "stage 5: only 1 - y",
        "The factor y1 is missing: the slope is y1 (1 - y1), stage 5.",
        lambda y1: np.diag(1 - y1),
    ),
    (
        "stage 5: only y",
        "The factor 1 - y1 is missing: the slope is y1 (1 - y1), stage 5.",
        lambda y1: np.diag(y1),
    ),
    (
        "stage 5: slope of tanh",
        "1 - y² is the slope of tanh: that of the logistic function is y (1 - y), stage 5.",
        lambda y1: np.diag(1 - y1**2),
    ),
    (
        "stage 5: logistic function twice",
        "The logistic function is applied to y1, which is its result already: the slope is "
        "y1 (1 - y1).",
        lambda y1: np.diag(_logistic(y1) * (1 - _logistic(y1))),
    ),
    (
        "stage 5: Jacobian of the softmax",
        "This is the derivative of a softmax: the logistic function works element by element, so "
        "stage 5 is zero off the diagonal.",
        lambda y1: np.diag(y1) - np.outer(y1, y1),
    ),
    (
        "stage 5: outer product",
        "This is an outer product: stage 5 is zero off the diagonal.",
        lambda y1: np.outer(y1, 1 - y1),
    ),
)

STAGE6 = (
    (
        "stage 6: slope missing",
        "The slope of the hidden units is missing: multiply by y1 (1 - y1), stage 6.",
        lambda y2, t, W2, y1: (y2 - t) @ W2,
    ),
    (
        "stage 6: only y",
        "The factor 1 - y1 is missing: the slope is y1 (1 - y1), stage 5.",
        lambda y2, t, W2, y1: (y2 - t) @ W2 * y1,
    ),
    (
        "stage 6: only 1 - y",
        "The factor y1 is missing: the slope is y1 (1 - y1), stage 5.",
        lambda y2, t, W2, y1: (y2 - t) @ W2 * (1 - y1),
    ),
    (
        "stage 6: slope of tanh",
        "1 - y² is the slope of tanh: that of the logistic function is y (1 - y), stage 5.",
        lambda y2, t, W2, y1: (y2 - t) @ W2 * (1 - y1**2),
    ),
    (
        "stage 6: t - y",
        "The sign is the wrong way round: stage 6 begins with y2 - t.",
        lambda y2, t, W2, y1: (t - y2) @ W2 * y1 * (1 - y1),
    ),
    (
        "stage 6: matrix in place of a vector",
        "Each row is multiplied on its own here: stage 6 is a vector, one number for each hidden "
        "unit.",
        lambda y2, t, W2, y1: (y2 - t)[:, None] * W2 * y1 * (1 - y1),
    ),
)

STAGE7 = (
    (
        "stage 7: transposed",
        "The result is transposed: in stage 7, dE/dz1 is the column and x the row.",
        lambda dE_dz1, x: np.outer(x, dE_dz1),
    ),
    (
        "stage 7: sign",
        "The sign is the wrong way round: stage 7 has no minus.",
        lambda dE_dz1, x: -np.outer(dE_dz1, x),
    ),
    (
        "stage 7: slope of the inputs",
        "The factor 1 - x is one too many: the inputs are not the result of a logistic function.",
        lambda dE_dz1, x: np.outer(dE_dz1, x * (1 - x)),
    ),
    (
        "stage 7: slope once more",
        "The slope of the hidden units is in dE/dz1 already: stage 7 multiplies by x alone.",
        lambda dE_dz1, x: np.outer(dE_dz1 * (1 - dE_dz1), x),
    ),
)

STAGE8 = (
    (
        "stage 8: sum over the cases",
        "This is the sum over the cases: stage 8 takes the mean, so divide by m.",
        lambda Y2, T, Y1: (Y2 - T) @ Y1.T,
    ),
    (
        "stage 8: divided by the classes",
        "This is divided by the number of classes: stage 8 divides by m, the number of columns.",
        lambda Y2, T, Y1: (Y2 - T) @ Y1.T / len(T),
    ),
    (
        "stage 8: divided by all entries",
        "This is divided by the number of entries of T: stage 8 divides by m, the number of "
        "columns.",
        lambda Y2, T, Y1: (Y2 - T) @ Y1.T / T.size,
    ),
    (
        "stage 8: divided by m - 1",
        "This is divided by m - 1: stage 8 divides by m.",
        lambda Y2, T, Y1: (Y2 - T) @ Y1.T / np.float64(T.shape[1] - 1),
    ),
    (
        "stage 8: t - y",
        "The sign is the wrong way round: stage 8 begins with Y2 - T.",
        lambda Y2, T, Y1: (T - Y2) @ Y1.T / T.shape[1],
    ),
    (
        "stage 8: transposed",
        "The result is transposed: Y2 - T comes first and Y1 is transposed, stage 8.",
        lambda Y2, T, Y1: Y1 @ (Y2 - T).T / T.shape[1],
    ),
    (
        "stage 8: product of means",
        "This multiplies the means: stage 8 takes the mean of the products, one for each case.",
        lambda Y2, T, Y1: np.outer((Y2 - T).mean(axis=1), Y1.mean(axis=1)),
    ),
    (
        "stage 8: writes into Y2",
        "The function writes into Y2: -= changes the caller's array; write Y2 - T.",
        lambda Y2, T, Y1: np.subtract(Y2, T, out=Y2) @ Y1.T / T.shape[1],
    ),
)

STAGE9 = (
    (
        "stage 9: writes into dE/dW",
        "The function writes into dE_dW: += changes the caller's array; write dE_dW + ... .",
        lambda dE_dW, W, weight_decay: np.add(dE_dW, weight_decay * W, out=dE_dW),
    ),
    (
        "stage 9: weight decay missing",
        "Weight decay is missing: stage 9 adds λW.",
        lambda dE_dW, W, weight_decay: dE_dW,
    ),
    (
        "stage 9: 2λW",
        "This adds 2λW: the 2 of the derivative cancels with the 1/2 of Eq. (2), stage 9.",
        lambda dE_dW, W, weight_decay: dE_dW + 2 * weight_decay * W,
    ),
    (
        "stage 9: λW/2",
        "This adds λW/2: the derivative of the square brings a 2, stage 9.",
        lambda dE_dW, W, weight_decay: dE_dW + weight_decay / 2 * W,
    ),
    (
        "stage 9: sign",
        "Weight decay is subtracted: stage 9 adds λW to the gradient; the minus comes with the "
        "step.",
        lambda dE_dW, W, weight_decay: dE_dW - weight_decay * W,
    ),
    (
        "stage 9: the term itself",
        "This adds the term of Eq. (2) itself: stage 9 adds its derivative, λW.",
        lambda dE_dW, W, weight_decay: dE_dW + weight_decay / 2 * np.sum(W**2),
    ),
    (
        "stage 9: λ without W",
        "This adds λ alone: stage 9 adds λ times the weight.",
        lambda dE_dW, W, weight_decay: dE_dW + weight_decay,
    ),
    (
        "stage 9: sign of the weights",
        "This is the derivative of absolute values: Eq. (2) has squares, so stage 9 adds λW.",
        lambda dE_dW, W, weight_decay: dE_dW + weight_decay * np.sign(W),
    ),
)

BACKPROP = (
    (
        "recursion: t - y",
        "The sign is the wrong way round: the walk back begins with y - t, stage 2.",
        _backprop(error=lambda y, t: t - y),
    ),
    (
        "recursion: slope missing",
        "The slope of the hidden units is missing: multiply by y (1 - y) at each layer, stage 6.",
        _backprop(slope=np.ones_like),
    ),
    (
        "recursion: slope of tanh",
        "1 - y² is the slope of tanh: that of the logistic function is y (1 - y), stage 5.",
        _backprop(slope=lambda y: 1 - y**2),
    ),
    (
        "recursion: only 1 - y",
        "The factor y is missing: the slope is y (1 - y), stage 5.",
        _backprop(slope=lambda y: 1 - y),
    ),
    (
        "recursion: transposed",
        "The matrices are transposed: the error is the column, what lies below is the row.",
        _backprop(product=lambda delta, below: np.outer(below, delta)),
    ),
    (
        "recursion: last layer first",
        "The list begins with the last layer: turn it round, W1 comes first.",
        _backprop(finish=lambda gradients: gradients[::-1]),
    ),
    (
        "recursion: logistic outputs",
        "The output layer is logistic here: it is a softmax.",
        _backprop(output=_logistic),
    ),
    (
        "recursion: slope at the output",
        "The factor y (1 - y) at the output is one too many: for softmax and cross-entropy it "
        "cancels, stage 2.",
        _backprop(error=lambda y, t: (y - t) * y * (1 - y)),
    ),
)

MISTAKES = {
    "stage1": mistakes(("stage1-loss",), *STAGE1),
    "stage2": mistakes(("stage2-dE-dz2",), *STAGE2),
    "stage3": mistakes(("stage3-dE-dy1",), *STAGE3),
    "stage4": mistakes(("stage4-dE-dW2",), *STAGE4),
    "stage5": mistakes(("stage5-jacobian",), *STAGE5),
    "stage6": mistakes(("stage6-dE-dz1",), *STAGE6),
    "stage7": mistakes(("stage7-dE-dW1",), *STAGE7),
    "stage8": mistakes(("stage8-mean",), *STAGE8),
    "stage9": mistakes(("stage9-weight-decay",), *STAGE9),
    "backprop": mistakes(("extra-backprop",), *BACKPROP),
}
"""The mistakes by the name of the function that a task asks for."""
