"""Known wrong solutions of `classification.ipynb` but for the gradient, as data."""

import numpy as np

from coursekit.judging.round09 import classification_variants as variants
from coursekit.judging.task import mistakes
from coursekit.reference import network as reference

LOG_SOFTMAX = mistakes(
    ("log-softmax",),
    (
        "log-softmax without shift",
        "exp overflows at large logits: subtract the largest logit of each case first.",
        variants.log_of_probabilities(variants.unshifted_softmax),
    ),
    (
        "log of a shifted softmax",
        "The softmax is shifted, but its logarithm is taken afterwards: log(0) gives -inf. "
        "Use z - log(sum(exp(z))) instead.",
        variants.log_of_probabilities(reference.softmax),
    ),
    (
        "log-softmax over the cases",
        "This normalises over the cases; columns are cases, so sum over the classes, axis 0.",
        variants.log_of_probabilities(variants.softmax_over_cases),
    ),
    (
        "softmax without log",
        "These are the probabilities; return their logarithms.",
        reference.softmax,
    ),
    (
        "shifted logits only",
        "The logarithm of the sum of exponentials is still to be subtracted.",
        lambda z2: z2 - z2.max(axis=0),
    ),
    (
        "log-softmax with one shift for all cases",
        "The largest logit of all cases is subtracted: take the largest of each case, axis 0.",
        lambda z2: (z2 - z2.max()) - np.log(np.exp(z2 - z2.max()).sum(axis=0)),
    ),
    (
        "log-softmax writes into z2",
        "The function writes into z2: -= changes the caller's array; write z2 - ... .",
        variants.log_softmax_in_place,
    ),
)

FORWARD = mistakes(
    ("forward-pass",),
    (
        "hidden layer without logistic",
        "The hidden outputs are z1; the logistic function is missing.",
        variants.forward(hidden=lambda z1: z1),
    ),
    (
        "hidden layer with tanh",
        "The hidden outputs are tanh(z1); the sheet's hidden units are logistic.",
        variants.forward(hidden=np.tanh),
    ),
    (
        "probabilities in place of logs",
        "The second value holds the probabilities; return their logarithms.",
        variants.forward(log_softmax=reference.softmax),
    ),
    (
        "logits in place of logs",
        "The second value holds the logits z2; pass them through log_softmax.",
        variants.forward(log_softmax=lambda z2: z2),
    ),
    (
        "forward values swapped",
        "The two values are swapped: return y1 first, log_y2 second.",
        variants.forward(finish=lambda y1, log_y2: (log_y2, y1)),
    ),
)

LOSS = mistakes(
    ("batch-loss",),
    (
        "loss summed over the cases",
        "This is the sum over the cases; Eq. (1) takes the mean: divide by m.",
        variants.loss(scale=variants.whole),
    ),
    (
        "loss averaged over classes too",
        "This is the mean over cases and classes; Eq. (1) sums over the classes and takes the "
        "mean over the cases only.",
        variants.loss(scale=lambda x, t: 1 / t.size),
    ),
    (
        "loss with the wrong sign",
        "The sign is the wrong way round: Eq. (1) has a minus.",
        variants.loss(sign=1),
    ),
    (
        "loss without weight decay",
        "The term of weight decay in Eq. (2) is missing.",
        variants.loss(decay=lambda W1, W2, weight_decay, m: 0),
    ),
    (
        "loss: weight decay without 1/2",
        "Eq. (2) has λ/2 in front of the squared weights, not λ.",
        variants.loss(
            decay=lambda W1, W2, weight_decay, m: weight_decay * (np.sum(W1**2) + np.sum(W2**2))
        ),
    ),
    (
        "loss: weight decay of W1 only",
        "Weight decay counts the weights of both matrices; W2 is missing.",
        variants.loss(decay=lambda W1, W2, weight_decay, m: weight_decay / 2 * np.sum(W1**2)),
    ),
    (
        "loss: weight decay of W2 only",
        "Weight decay counts the weights of both matrices; W1 is missing.",
        variants.loss(decay=lambda W1, W2, weight_decay, m: weight_decay / 2 * np.sum(W2**2)),
    ),
    (
        "loss: weight decay divided by m",
        "Weight decay is not averaged over the cases: Eq. (2) adds it once.",
        variants.loss(
            decay=lambda W1, W2, weight_decay, m: (
                weight_decay / 2 / m * (np.sum(W1**2) + np.sum(W2**2))
            )
        ),
    ),
    (
        "loss: norm in place of squared norm",
        "Weight decay takes the sum of the squares, not its square root.",
        variants.loss(
            decay=lambda W1, W2, weight_decay, m: (
                weight_decay / 2 * (np.linalg.norm(W1) + np.linalg.norm(W2))
            )
        ),
    ),
    (
        "loss overflows",
        "At large logits exp overflows, or the logarithm of 0 is taken: use your log_softmax.",
        variants.loss(log_softmax=variants.log_of_probabilities(variants.unshifted_softmax)),
    ),
    (
        "loss writes into t",
        "The function writes into t: *= changes the caller's array; write t * ... .",
        variants.loss_in_place,
    ),
)

ERROR_RATE = mistakes(
    ("error-rate",),
    (
        "accuracy in place of error rate",
        "This is the share of right answers; the error rate is the share of wrong ones.",
        variants.error_rate(finish=lambda wrong: 1 - wrong.mean()),
    ),
    (
        "count in place of share",
        "This is the number of wrong cases; divide by the number of cases.",
        variants.error_rate(finish=lambda wrong: wrong.sum()),
    ),
    (
        "percent in place of share",
        "This is in percent; give a share between 0 and 1.",
        variants.error_rate(finish=lambda wrong: 100 * wrong.mean()),
    ),
    (
        "argmax over the cases",
        "argmax is taken over the cases; columns are cases, so take it over the classes, axis 0.",
        variants.error_rate(predicted_axis=1),
    ),
)

CONFUSION_MATRIX = mistakes(
    ("confusion-matrix",),
    (
        "confusion matrix transposed",
        "Rows and columns are swapped: rows are the true classes.",
        variants.confusion_matrix(lambda counts: counts.T),
    ),
    (
        "shares in place of counts",
        "These are shares of each row; give the counts.",
        variants.confusion_matrix(
            lambda counts: counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        ),
    ),
    (
        "diagonal only",
        "Only the right answers are counted; the wrong ones belong beside the diagonal.",
        variants.confusion_matrix(lambda counts: np.diag(np.diag(counts))),
    ),
)

SHEET_LOSS = mistakes(
    ("sheet-loss",),
    (
        "validation loss in place of training loss",
        "This is the loss on the validation cases; report that on all training cases.",
        variants.sheet_run(cases=lambda data: data.validation),
    ),
    (
        "loss on the last batch",
        "This is the loss on the last ten cases; report that on all training cases.",
        variants.sheet_run(cases=variants.last_batch),
    ),
    (
        "loss before training",
        "This is the loss of the weights at the start, before the 30 steps.",
        variants.sheet_run(iterations=0),
    ),
    (
        "one batch repeated",
        "Every step used the first ten cases; step i uses columns 10 i to 10 i + 9.",
        variants.sheet_run(batch=slice(0, 10)),
    ),
    (
        "whole training set in each step",
        "Every step used all training cases; step i uses columns 10 i to 10 i + 9.",
        variants.sheet_run(batch=slice(None)),
    ),
    (
        "29 steps",
        "One of the 30 steps is missing: does the last one use columns 290 to 299?",
        variants.sheet_run(iterations=29),
    ),
)

LEARNED = mistakes(
    ("test-accuracy",),
    (
        "weights before training",
        "learned holds the weights from before the training.",
        variants.untrained,
    ),
)
