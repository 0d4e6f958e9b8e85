"""Judged cells of the gradient in `classification.ipynb`, one property a cell.

The matrices themselves are judged by their values, the later properties by laws that a function
can keep though it is wrong elsewhere: one mistake costs its own points and no others.
"""

import numpy as np

from coursekit.judging import answering
from coursekit.judging.compare import Failure, difference, unusable
from coursekit.judging.round09 import gradient_mistakes
from coursekit.judging.round09.inputs import draw_batch
from coursekit.judging.task import Property, Task, agrees, is_single, picked
from coursekit.reference import network as reference

GRADIENTS = ("dE/dW1", "dE/dW2")
LAW_RTOL = 1e-4
"""Allowed error where answers are compared with each other: laws, not digits, are looked at."""


def _gradient(W1, W2, x, t, weight_decay):
    return reference.gradient([W1, W2], x, t, weight_decay)


def _gradient_challenges(rng):
    return [draw_batch(rng), draw_batch(rng, count=1), draw_batch(rng, count=23, soft=True)]


def _gradient_task(item, points):
    name = GRADIENTS[item]
    return Task(
        name=f"gradient-W{item + 1}",
        title=f"Gradient: {name} of the mean cross-entropy (λ = 0)",
        points=points,
        asks=("gradient",),
        mistakes=gradient_mistakes.GRADIENT,
        challenges=_gradient_challenges,
        properties=(
            agrees(
                f"{name} for batches of 10, 1 and 23 cases",
                name,
                lambda **call: _gradient(**call)[item],
                item=item,
            ),
        ),
    )


def _pair(call, answer):
    """Take the two gradients out of an answer, whichever comes first and transposed or not.

    The mistakes that this forgives cost points where the matrices themselves are judged.
    """
    if not isinstance(answer, list) or len(answer) != 2:
        return answer
    for matrices in (answer, answer[::-1]):
        turned = [
            matrix.T
            if isinstance(matrix, np.ndarray) and matrix.shape == call[name].shape[::-1]
            else matrix
            for matrix, name in zip(matrices, ("W1", "W2"), strict=True)
        ]
        if all(np.shape(m) == call[n].shape for m, n in zip(turned, ("W1", "W2"), strict=True)):
            return turned
    return answer


def _and_other_targets(calls):
    """Add the first call with other targets, to see whether an answer has to do with them."""
    return [*calls, {**calls[0], "t": np.roll(calls[0]["t"], 1, axis=0)}]


def _lawful(challenges, answers):
    """Give the pairs of gradients, or say why they are none.

    Laws alone would also hold for nonsense such as zeros, ones or the weights themselves.
    """
    pairs = [_pair(call, answer) for call, answer in zip(challenges, answers, strict=True)]
    for call, pair in zip(challenges, pairs, strict=True):
        if is_single(pair):
            return pairs, f"One array came back; return the pair ({', '.join(GRADIENTS)})."
        if isinstance(pair, list) and len(pair) != 2:
            return pairs, f"Expected 2 values ({', '.join(GRADIENTS)}), got {len(pair)} values."
        for item, name in enumerate(GRADIENTS):
            problem = unusable(picked(pair, item), call[f"W{item + 1}"].shape, name=name)
            if problem:
                return pairs, problem
    if not _moves_with_targets(challenges, pairs):
        return pairs, "Neither matrix changes with the targets as a gradient does."
    return pairs, None


def _moves_with_targets(challenges, pairs):
    """Ask that one of the matrices changes with the targets as the reference's does.

    The probabilities do not depend on the targets, so the change holds whatever they are; only
    what stands between error and matrix must be right for one of the two.
    """
    expected = zip(_gradient(**challenges[0]), _gradient(**challenges[-1]), strict=True)
    for (first, last), (was, now) in zip(
        expected, zip(pairs[0], pairs[-1], strict=True), strict=True
    ):
        change, got = last - first, np.asarray(now, float) - np.asarray(was, float)
        norms = np.linalg.norm(change) * np.linalg.norm(got)
        if norms and abs(np.vdot(got, change)) > 0.99 * norms:
            return True
    return False


def _weight_decay_challenges(rng):
    batch = draw_batch(rng)
    return _and_other_targets([batch, {**batch, "weight_decay": 0.7}])


def _weight_decay(item):
    """Look at the gradient with minus the gradient without weight decay."""

    def check(challenges, answers):
        (without, with_decay, _), problem = _lawful(challenges, answers)
        if problem:
            return problem
        added = with_decay[item] - without[item]
        if not np.any(added):
            return f"{GRADIENTS[item]} is the same with and without weight decay; stage 9 adds λW."
        return difference(
            added,
            challenges[1]["weight_decay"] * challenges[1][f"W{item + 1}"],
            name=f"what weight decay adds to {GRADIENTS[item]}",
            rtol=LAW_RTOL,
        )

    return check


def _stability_challenges(rng):
    """Draw a batch, the same with ±1000 added to all its logits, and one with logits of ±1000."""
    batch = draw_batch(rng)
    (_, logits), (y1, _) = reference.forward([batch["W1"], batch["W2"]], batch["x"])
    # a row u with u·y1 = 1000 for each case: added to each row of W2 it shifts all logits alike
    shift = np.linalg.lstsq(y1.T, np.full(len(y1.T), 1000.0), rcond=None)[0]
    shifted = [{**batch, "W2": batch["W2"] + shift}, {**batch, "W2": batch["W2"] - shift}]
    spread = {**batch, "W2": batch["W2"] * 1000 / np.abs(logits).max()}
    return _and_other_targets([batch, *shifted, spread])


def _finite_at_large_logits(challenges, answers):
    return _lawful(challenges, answers)[1]


def _shift_changes_nothing(challenges, answers):
    """Ask that dE/dW2, which sees the logits through the softmax alone, ignores a shift."""
    pairs, problem = _lawful(challenges, answers)
    if problem:
        return problem
    for shifted in pairs[1:3]:
        if difference(shifted[1], pairs[0][1], name="", rtol=LAW_RTOL):
            return "dE/dW2 changes when the same number is added to all logits; a softmax does not."
    return None


def _size_challenges(rng):
    """Draw batches of other sizes, each followed by the same with its hidden units reversed."""
    drawn = []
    for sizes, count in (((3, 5, 4), 6), ((7, 2, 3), 1), ((5, 9, 10), 8)):
        batch = draw_batch(rng, sizes, count)
        drawn.append(batch)
        drawn.append({**batch, "W1": batch["W1"][::-1].copy(), "W2": batch["W2"][:, ::-1].copy()})
    return _and_other_targets(drawn)


def _works_for_other_sizes(challenges, answers):
    pairs, problem = _lawful(challenges, answers)
    if problem and any(word in problem for word in ("shape", "ValueError", "IndexError")):
        return f"{problem} Is a size written into the code?"
    if problem:
        return problem
    for (dW1, dW2), (reversed_dW1, reversed_dW2) in zip(pairs[:-1:2], pairs[1:-1:2], strict=True):
        if difference(reversed_dW1[::-1], dW1, name="", rtol=LAW_RTOL) or difference(
            reversed_dW2[:, ::-1], dW2, name="", rtol=LAW_RTOL
        ):
            return "Numbering the hidden units the other way round should only reorder the result."
    return None


def _repeated_challenges(rng):
    batch = draw_batch(rng, weight_decay=0.7)
    return _and_other_targets([batch, draw_batch(rng, count=3), batch])


def _inputs_unchanged(challenges, answers):
    """Look at the arguments as they were after the call (see `call_and_return_inputs`)."""
    for call, answer in zip(challenges, answers, strict=True):
        if isinstance(answer, Failure):
            return f"No answer: {answer}."
        for (name, before), after in zip(call.items(), answer[1:], strict=True):
            if not np.array_equal(before, after):
                return f"The function changes its argument {name}; work on a copy."
    return _lawful(challenges, [answer[0] for answer in answers])[1]


def _same_call_same_result(challenges, answers):
    results = [picked(answer, 0) for answer in answers]
    pairs, problem = _lawful(challenges, results)
    if problem:
        return problem
    for name, first, again in zip(GRADIENTS, pairs[0], pairs[2], strict=True):
        if difference(again, first, name=name, rtol=LAW_RTOL):
            return f"{name} differs at the second call with the same arguments."
    return None


TASKS = (
    _gradient_task(0, points=5),
    _gradient_task(1, points=4),
    Task(
        name="gradient-weight-decay",
        title="Gradient: weight decay",
        points=3,
        asks=("gradient",),
        mistakes=gradient_mistakes.GRADIENT,
        challenges=_weight_decay_challenges,
        properties=(
            Property("λW1 is added to dE/dW1", _weight_decay(0)),
            Property("λW2 is added to dE/dW2", _weight_decay(1)),
        ),
    ),
    Task(
        name="gradient-stability",
        title="Gradient: logits of ±1000",
        points=2,
        asks=("gradient",),
        mistakes=gradient_mistakes.GRADIENT,
        challenges=_stability_challenges,
        properties=(
            Property("finite at logits of ±1000", _finite_at_large_logits),
            Property("adding 1000 to all logits changes nothing", _shift_changes_nothing),
        ),
    ),
    Task(
        name="gradient-sizes",
        title="Gradient: other sizes",
        points=2,
        asks=("gradient",),
        mistakes=gradient_mistakes.GRADIENT,
        challenges=_size_challenges,
        properties=(Property("any number of inputs, units, cases", _works_for_other_sizes),),
    ),
    Task(
        name="gradient-inputs",
        title="Gradient: nothing but its arguments counts, and they stay as they were",
        points=2,
        asks=("gradient",),
        mistakes=gradient_mistakes.GRADIENT,
        challenges=_repeated_challenges,
        properties=(
            Property("W1, W2, x and t are unchanged", _inputs_unchanged),
            Property("the same call gives the same again", _same_call_same_result),
        ),
        harness=answering.call_and_return_inputs,
    ),
)
