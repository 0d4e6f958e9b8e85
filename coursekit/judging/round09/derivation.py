"""Judged cells of `derivation.ipynb`: stages 1 to 9 of Exercise 1 and the recursion.

A single case has 1-D arrays; from stage 8 on, columns are cases. Formulas are those of the
exercise sheet, stage by stage.
"""

import numpy as np

from coursekit.judging.round09.derivation_mistakes import MISTAKES
from coursekit.judging.round09.inputs import cases, network
from coursekit.judging.task import Task, agrees
from coursekit.judging.unchanged import posed_again_read_only
from coursekit.reference import network as reference

HIDDEN, CLASSES = 7, 10


def _single(rng, soft):
    """Draw all quantities of one case in a 2-layer network with 7 hidden units and 10 classes."""
    weights = network(rng, (5, HIDDEN, CLASSES))
    x, t = cases(rng, 5, CLASSES, 1, soft)
    (_, _), (y1, y2) = reference.forward(weights, x)
    return {"x": x[:, 0], "t": t[:, 0], "y1": y1[:, 0], "y2": y2[:, 0], "W2": weights[1]}


def _arguments(*names):
    """Make challenges that hand over some quantities of three single cases."""

    def challenges(rng):
        drawn = [_single(rng, soft) for soft in (False, True, True)]
        return [{name: case[name] for name in names} for case in drawn]

    return challenges


def stage1(y2, t):
    """Give E of Eq. (1) for m = 1."""
    return -np.sum(t * np.log(y2))


def stage2(y2, t):
    """Give dE/dz2 (stage 2)."""
    return y2 - t


def stage3(y2, t, W2):
    """Give dE/dy1 (stage 3)."""
    return (y2 - t) @ W2


def stage4(y2, t, y1):
    """Give dE/dW2 (stage 4)."""
    return np.outer(y2 - t, y1)


def stage5(y1):
    """Give the Jacobian dy1/dz1 (stage 5)."""
    return np.diag(y1 * (1 - y1))


def stage6(y2, t, W2, y1):
    """Give dE/dz1 (stage 6)."""
    return ((y2 - t) @ W2) * y1 * (1 - y1)


def stage7(dE_dz1, x):
    """Give dE/dW1 (stage 7)."""
    return np.outer(dE_dz1, x)


def stage8(Y2, T, Y1):
    """Give the batch's dE/dW2 (stage 8)."""
    return (Y2 - T) @ Y1.T / T.shape[1]


def stage9(dE_dW, W, weight_decay):
    """Give dE/dW of Eq. (2) (stage 9)."""
    return dE_dW + weight_decay * W


def _stage7_challenges(rng):
    return [
        {"dE_dz1": rng.normal(size=HIDDEN), "x": rng.random(features)} for features in (5, 9, 1)
    ]


def _stage8_challenges(rng):
    drawn = []
    for count in (4, 1, 13):
        weights = network(rng, (5, HIDDEN, CLASSES))
        inputs, targets = cases(rng, 5, CLASSES, count, soft=True)
        (_, _), (y1, y2) = reference.forward(weights, inputs)
        drawn.append({"Y2": y2, "T": targets, "Y1": y1})
    return drawn


def _stage9_challenges(rng):
    return [
        {
            "dE_dW": rng.normal(size=shape),
            "W": rng.normal(size=shape),
            "weight_decay": weight_decay,
        }
        for shape, weight_decay in (((10, 7), 0.7), ((7, 5), 0.01), ((7, 5), 0.0))
    ]


def _backprop_challenges(rng):
    drawn = []
    for sizes in ((4, 3, 5), (4, 6, 3, 5), (2, 3, 4, 5, 6)):
        x, t = cases(rng, sizes[0], sizes[-1], 1, soft=True)
        drawn.append({"weights": network(rng, sizes), "x": x[:, 0], "t": t[:, 0]})
    return drawn


def _backprop(weights, x, t):
    return reference.gradient(weights, x[:, None], t[:, None])


def _stage(name, title, answer, function, challenges, points=2):
    task = Task(
        name=name,
        title=title,
        points=points,
        asks=(function.__name__,),
        challenges=challenges,
        properties=(agrees(f"{answer} on fresh numbers", answer, function),),
        mistakes=MISTAKES[function.__name__],
    )
    return posed_again_read_only(task, points=points / 4)


TASKS = (
    _stage("stage1-loss", "Stage 1: the loss of one case", "E", stage1, _arguments("y2", "t"), 1),
    _stage("stage2-dE-dz2", "Stage 2: dE/dz2", "dE/dz2", stage2, _arguments("y2", "t")),
    _stage("stage3-dE-dy1", "Stage 3: dE/dy1", "dE/dy1", stage3, _arguments("y2", "t", "W2")),
    _stage("stage4-dE-dW2", "Stage 4: dE/dW2", "dE/dW2", stage4, _arguments("y2", "t", "y1")),
    _stage("stage5-jacobian", "Stage 5: dy1/dz1", "dy1/dz1", stage5, _arguments("y1")),
    _stage("stage6-dE-dz1", "Stage 6: dE/dz1", "dE/dz1", stage6, _arguments("y2", "t", "W2", "y1")),
    _stage("stage7-dE-dW1", "Stage 7: dE/dW1", "dE/dW1", stage7, _stage7_challenges),
    _stage("stage8-mean", "Stage 8: mean over the cases", "dE/dW2", stage8, _stage8_challenges),
    _stage("stage9-weight-decay", "Stage 9: weight decay", "dE/dW", stage9, _stage9_challenges),
    posed_again_read_only(
        Task(
            name="extra-backprop",
            title="Extra: the recursion for L layers",
            points=0,
            asks=("backprop",),
            challenges=_backprop_challenges,
            properties=(agrees("all gradients for 2, 3 and 4 layers", "gradients", _backprop),),
            mistakes=MISTAKES["backprop"],
        ),
        points=0,
    ),
)
