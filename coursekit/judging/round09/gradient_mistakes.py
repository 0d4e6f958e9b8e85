"""Known wrong gradients of `classification.ipynb`, as data."""

import numpy as np

from coursekit.judging.round09 import classification_variants as variants
from coursekit.judging.task import mistakes
from coursekit.reference import network as reference

MATRICES = ("gradient-W1", "gradient-W2")

GRADIENT = (
    *mistakes(
        MATRICES,
        (
            "gradient summed over the cases",
            "This is the sum over the cases; Eq. (1) takes the mean: divide by m (stage 8).",
            variants.gradient(scales=(variants.whole, variants.whole)),
        ),
        (
            "gradient divided by the classes",
            "This divides by the number of classes; stage 8 divides by the number of cases.",
            variants.gradient(scales=(lambda x, t: 1 / len(t),) * 2),
        ),
        (
            "gradient divided by the features",
            "This divides by the number of inputs; stage 8 divides by the number of cases.",
            variants.gradient(scales=(lambda x, t: 1 / len(x),) * 2),
        ),
        (
            "gradient divided by m - 1",
            "This divides by m - 1; the mean of stage 8 divides by m.",
            variants.gradient(scales=(lambda x, t: 1 / max(x.shape[1] - 1, 0.5),) * 2),
        ),
        (
            "gradient divided by a fixed number",
            "This always divides by 1000; take the number of cases from x.shape[1].",
            variants.gradient(scales=(lambda x, t: 1 / 1000,) * 2),
        ),
        (
            "gradient averaged twice",
            "The mean over the cases is taken twice.",
            variants.gradient(scales=(lambda x, t: 1 / x.shape[1] ** 2,) * 2),
        ),
        (
            "sign of the error",
            "The sign is the wrong way round: the error at the logits is y2 - t (stage 2).",
            variants.gradient(errors=(-1, -1)),
        ),
        (
            "softmax over the cases",
            "The softmax is taken over the cases; columns are cases, so sum over the classes, "
            "axis 0.",
            variants.gradient(softmax=variants.softmax_over_cases),
        ),
        (
            "softmax not normalised",
            "The exponentials are not divided by their sum.",
            variants.gradient(softmax=variants.not_normalised),
        ),
        (
            "hard choice in place of probabilities",
            "The error at the logits uses the predicted class; stage 2 has the probabilities y2.",
            variants.gradient(softmax=variants.hard_choice),
        ),
        (
            "gradient transposed",
            "Both matrices are transposed: give them the shapes of W1 and W2.",
            variants.gradient(finish=lambda dW1, dW2: (dW1.T, dW2.T)),
        ),
        (
            "gradients swapped",
            "The two matrices are swapped: return dE/dW1 first.",
            variants.gradient(finish=lambda dW1, dW2: (dW2, dW1)),
        ),
        (
            "single precision",
            "The numbers have single precision (float32); compute in float64.",
            variants.single_precision,
        ),
    ),
    *mistakes(
        (*MATRICES, "gradient-stability"),
        (
            "logistic outputs",
            "The outputs are logistic; the last layer of the sheet is a softmax.",
            variants.gradient(softmax=reference.logistic),
        ),
    ),
    *mistakes(
        ("gradient-W1",),
        (
            "slope of the logistic missing",
            "The factor y1 (1 - y1) is missing (stage 5).",
            variants.gradient(slope=lambda y1, z1: 1),
        ),
        (
            "slope y only",
            "The slope of the logistic is y1 (1 - y1); here it is y1 alone (stage 5).",
            variants.gradient(slope=lambda y1, z1: y1),
        ),
        (
            "slope 1 - y only",
            "The slope of the logistic is y1 (1 - y1); here it is 1 - y1 alone (stage 5).",
            variants.gradient(slope=lambda y1, z1: 1 - y1),
        ),
        (
            "slope z (1 - z)",
            "The slope of the logistic is y1 (1 - y1), with the outputs y1 and not z1 (stage 5).",
            variants.gradient(slope=lambda y1, z1: z1 * (1 - z1)),
        ),
        (
            "slope of tanh",
            "1 - y1² is the slope of tanh; that of the logistic is y1 (1 - y1) (stage 5).",
            variants.gradient(slope=lambda y1, z1: 1 - y1**2),
        ),
        (
            "slope of ReLU",
            "This is the slope of a rectifier; that of the logistic is y1 (1 - y1) (stage 5).",
            variants.gradient(slope=lambda y1, z1: z1 > 0),
        ),
        (
            "slope taken twice",
            "The factor y1 (1 - y1) is there twice; once is right (stage 5).",
            variants.gradient(slope=lambda y1, z1: (y1 * (1 - y1)) ** 2),
        ),
        (
            "mean missing in W1",
            "dE/dW1 is summed over the cases; Eq. (1) takes the mean: divide by m (stage 8).",
            variants.gradient(scales=(variants.whole, variants.mean)),
        ),
        (
            "sign of the error in W1",
            "The sign of dE/dW1 is the wrong way round: the error is y2 - t (stage 2).",
            variants.gradient(errors=(-1, 1)),
        ),
    ),
    *mistakes(
        ("gradient-W2",),
        (
            "z1 in place of y1",
            "dE/dW2 multiplies with z1; stage 4 has the hidden outputs y1.",
            variants.gradient(below=lambda y1, z1: z1),
        ),
        (
            "mean missing in W2",
            "dE/dW2 is summed over the cases; Eq. (1) takes the mean: divide by m (stage 8).",
            variants.gradient(scales=(variants.mean, variants.whole)),
        ),
        (
            "sign of the error in W2",
            "The sign of dE/dW2 is the wrong way round: the error is y2 - t (stage 2).",
            variants.gradient(errors=(1, -1)),
        ),
        (
            "slope in W2",
            "dE/dW2 multiplies with y1 (1 - y1); stage 4 has the hidden outputs y1 themselves.",
            variants.gradient(below=lambda y1, z1: y1 * (1 - y1)),
        ),
    ),
    *mistakes(
        ("gradient-weight-decay",),
        (
            "weight decay missing",
            "Weight decay is missing: add λ times the weights to both matrices (stage 9).",
            variants.gradient(decays=(variants.no_decay, variants.no_decay)),
        ),
        (
            "weight decay missing in W2",
            "Weight decay is missing in dE/dW2: add λ W2 (stage 9).",
            variants.gradient(decays=(variants.decay, variants.no_decay)),
        ),
        (
            "weight decay missing in W1",
            "Weight decay is missing in dE/dW1: add λ W1 (stage 9).",
            variants.gradient(decays=(variants.no_decay, variants.decay)),
        ),
        (
            "weight decay doubled",
            "This adds 2 λ W; the 2 of the square cancels the 1/2 of Eq. (2): λ W (stage 9).",
            variants.gradient(decays=(lambda W, weight_decay, m: 2 * weight_decay * W,) * 2),
        ),
        (
            "weight decay halved",
            "This adds λ/2 W; the square's derivative cancels the 1/2 of Eq. (2): λ W (stage 9).",
            variants.gradient(decays=(lambda W, weight_decay, m: weight_decay / 2 * W,) * 2),
        ),
        (
            "weight decay divided by m",
            "Weight decay is not averaged over the cases: add λ W once, after the mean (stage 9).",
            variants.gradient(decays=(lambda W, weight_decay, m: weight_decay / m * W,) * 2),
        ),
        (
            "weight decay subtracted",
            "Weight decay is subtracted; Eq. (2) adds it (stage 9).",
            variants.gradient(decays=(lambda W, weight_decay, m: -weight_decay * W,) * 2),
        ),
        (
            "weight decay of absolute weights",
            "This adds λ times the sign of the weights; stage 9 adds λ times the weights.",
            variants.gradient(decays=(lambda W, weight_decay, m: weight_decay * np.sign(W),) * 2),
        ),
    ),
    *mistakes(
        ("gradient-stability",),
        (
            "gradient overflows",
            "exp overflows at large logits: subtract the largest logit of each case first.",
            variants.gradient(softmax=variants.unshifted_softmax),
        ),
    ),
    *mistakes(
        ("gradient-sizes",),
        (
            "sizes written into the code",
            "The sizes 64 and 10 are written into the function; take them from the arrays.",
            variants.fixed_sizes,
        ),
    ),
    *mistakes(
        ("gradient-inputs",),
        (
            "writes into W1",
            "The function writes into W1: work on a copy, or write W1 = W1 - ... .",
            variants.writes_into_W1,
        ),
        (
            "writes into t",
            "The function writes into t: -= changes the caller's array; write t - ... .",
            variants.writes_into_t,
        ),
    ),
)
