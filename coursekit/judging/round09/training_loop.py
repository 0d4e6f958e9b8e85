"""The judged training loop of `optimisation.ipynb`, on a simple objective of its own.

Six properties, each looked at by calls of its own and by a law that a loop can keep though it is
wrong elsewhere: cases that are all alike where the choice of the batch must not matter, a linear
objective where only the number of uses of a case matters, and the student's own shorter runs where
history and early stopping are judged.
"""

import functools

import numpy as np

from coursekit.judging.compare import Failure, difference, unusable
from coursekit.judging.round09.optimisation_mistakes import MISTAKES
from coursekit.judging.task import Property, Task
from coursekit.reference import training

OUTPUTS, FEATURES, CASES = 4, 6, 12
RUNS_UNTIL_STOPPED = range(1, 13)
OWN_RTOL = 1e-7
"""For answers that are compared with other answers of the same student."""

STEPS, BATCHES, MOMENTUM = slice(0, 1), slice(1, 4), slice(4, 6)
HISTORY, STOPPING = slice(6, 7), slice(7, 9)
"""Which calls each property looks at."""

WEIGHTS, LOSSES, STARTS = 0, 1, 2
"""Items of an answer; each is a list with one entry for each run."""


def call_with_objective(train, curvature, weights, training, validation, runs, *settings):
    """Run a student's loop for several numbers of iterations (runs in the kernel).

    The objective is least squares for curvature 1, and linear in the weights for curvature 0.
    """

    def loss(weights, inputs, targets):
        outputs = [W @ inputs for W in weights]
        terms = [curvature * y * y / 2 - targets * y + targets * targets / 2 for y in outputs]
        return sum(np.sum(term) / inputs.shape[1] for term in terms)

    def gradient(weights, inputs, targets):
        return [(curvature * (W @ inputs) - targets) @ inputs.T / inputs.shape[1] for W in weights]

    answer = [[], [], []]
    for iterations in runs:
        start = [W.copy() for W in weights]
        found, history = train(
            start, loss, gradient, tuple(training), tuple(validation), iterations, *settings
        )
        losses = [history["training_loss"], history["validation_loss"]]
        for items, item in zip(answer, (list(found), losses, start), strict=True):
            items.append(item)
    return answer


def _reference_train(weights, loss, gradient, training_cases, validation_cases, *settings):
    iterations, learning_rate, momentum, batch_size, early_stopping = settings
    weights, history = training.train(
        weights,
        loss,
        gradient,
        training_cases,
        validation_cases,
        iterations=iterations,
        learning_rate=learning_rate,
        momentum=momentum,
        batch_size=batch_size,
        early_stopping=early_stopping,
    )
    return weights, vars(history)


def _losses(weights, call):
    """Give training and validation loss of some weights, by the objective of a call."""

    def no_training(start, loss, gradient, *cases_and_settings):
        losses = [loss(weights, *cases) for cases in cases_and_settings[:2]]
        return weights, dict(zip(("training_loss", "validation_loss"), losses, strict=True))

    return call_with_objective(no_training, *{**call, "runs": [1]}.values())[LOSSES][0]


# --- Challenges ------------------------------------------------------------------------------


def _call(
    rng,
    curvature,
    training_cases,
    validation_cases,
    runs,
    *,
    learning_rate=0.05,
    momentum=0.0,
    batch_size=CASES,
):
    inputs, targets = training_cases
    return {
        "curvature": curvature,
        "weights": [rng.normal(size=(len(targets), len(inputs))) for _ in range(2)],
        "training": [inputs, targets],
        "validation": list(validation_cases),
        "runs": list(runs),
        "learning_rate": learning_rate,
        "momentum": momentum,
        "batch_size": batch_size,
        "early_stopping": False,
    }


def _challenges(rng):
    column, target = rng.normal(size=(FEATURES, 1)), rng.normal(size=(OUTPUTS, 1))
    alike = np.repeat(column, CASES, axis=1), np.repeat(target, CASES, axis=1)
    signs = rng.choice([-1, 1], size=(2, CASES))
    separate = np.diag(rng.uniform(0.5, 2, size=CASES)), signs * rng.uniform(0.5, 2, (2, CASES))
    inputs, goal = rng.normal(size=(FEATURES, CASES)), rng.normal(size=(OUTPUTS, FEATURES))
    solvable, distances = (inputs, goal @ inputs), (np.eye(FEATURES), goal)
    stopping = _turning(int(rng.integers(2**32)))
    return [
        _call(rng, 1, alike, alike, [4, 4], learning_rate=0.1),
        _call(rng, 0, separate, separate, [1, 2, 3, 7], batch_size=5),
        _call(rng, 0, separate, separate, [1, 4], batch_size=4),
        _call(rng, 0, separate, separate, [1, 3]),
        _call(rng, 0, alike, alike, [1]),
        _call(rng, 0, alike, alike, [1, 2, 3, 6], momentum=0.9),
        _call(rng, 1, solvable, distances, [1, 2, 6], batch_size=5),
        {**stopping, "runs": stopping["runs"][-1:], "early_stopping": True},
        stopping,
    ]


@functools.lru_cache(maxsize=64)
def _turning(seed):
    """Draw a problem in which each way of choosing the best weights chooses others.

    The validation loss rises and falls lower later; it is lowest neither at the end nor where the
    training loss is.
    """
    rng, runs = np.random.default_rng(seed), RUNS_UNTIL_STOPPED
    while True:
        learnt, unseen = (
            (rng.normal(size=(FEATURES, count)), rng.normal(size=(OUTPUTS, count)))
            for count in (CASES, 2)
        )
        call = _call(rng, 1, learnt, unseen, runs, learning_rate=1.0, momentum=0.9)
        answer = call_with_objective(_reference_train, *{**call, "runs": runs[-1:]}.values())
        training_loss, validation_loss = answer[LOSSES][0]
        best = int(np.argmin(validation_loss))
        first_rise = int(np.argmax(np.diff(validation_loss) > 0))
        ways = {best, best - 1, first_rise, int(np.argmin(training_loss)), len(runs) - 1}
        if best > 0 and len(ways) == 5:
            return call


# --- Properties ------------------------------------------------------------------------------


def _unusable(challenges, answers):
    """Say what keeps the weights of an answer from being looked at."""
    for call, answer in zip(challenges, answers, strict=True):
        if isinstance(answer, Failure):
            return f"No answer: {answer}."
        if not isinstance(answer, list) or len(answer) != 3:
            return "train should return the pair (weights, history)."
        if not all(isinstance(item, list) and len(item) == len(call["runs"]) for item in answer):
            return "train should return the pair (weights, history)."
        for weights in answer[WEIGHTS]:
            if not isinstance(weights, list) or len(weights) != len(call["weights"]):
                return "train should return as many weight matrices as it is given."
            for number, (got, start) in enumerate(
                zip(weights, call["weights"], strict=True), start=1
            ):
                problem = unusable(got, start.shape, name=f"the returned weights W{number}")
                if problem:
                    return problem
    return None


def _law(title, calls, item, check):
    """Make a property of the answers to some of the calls, once their weights are usable."""

    @np.errstate(all="ignore")
    def look(challenges, answers):
        asked, got = challenges[calls], answers[calls]
        return _unusable(asked, got) or check(asked, got)

    return Property(title, look, calls, item)


def _moved(call, answer, run=0):
    """Give how far each matrix has moved in one run."""
    return [np.subtract(*pair) for pair in zip(answer[WEIGHTS][run], call["weights"], strict=True)]


def _steps(challenges, answers):
    call, answer = challenges[0], answers[0]
    expected = call_with_objective(_reference_train, *call.values())[WEIGHTS][0]
    return difference(answer[WEIGHTS][0], expected, name="the weights W1, the weights W2")


def _batches(challenges, answers):
    """Ask that each case moves the weights in proportion to its uses, whatever the step is."""
    for call, answer in zip(challenges, answers, strict=True):
        inputs, targets = call["training"]
        pull = targets @ inputs.T
        for run, iterations in enumerate(call["runs"]):
            size = call["batch_size"]
            used = [training.batch_indices(i, size, CASES) for i in range(iterations)]
            expected = pull * np.bincount(np.concatenate(used), minlength=CASES)
            moved = [got for got in _moved(call, answer, run) if np.any(got)]
            steps = [np.vdot(got, expected) / np.vdot(expected, expected) for got in moved]
            if not moved or any(
                not step or difference(got / step, expected, name="", rtol=OWN_RTOL)
                for got, step in zip(moved, steps, strict=True)
            ):
                return (
                    f"With batch_size={size} and {CASES} cases, {iterations} iteration(s) do not "
                    "use each case as often as batches in order do, going on from the first case "
                    "after the last."
                )
    return None


def _momentum(challenges, answers):
    """Ask that the steps with momentum are the right multiples of the student's plain step."""
    plain = _moved(challenges[0], answers[0])
    if not any(np.any(step) for step in plain):
        return "A single iteration without momentum leaves all weights where they were."
    (call, answer), momentum = (challenges[1], answers[1]), challenges[1]["momentum"]
    for run, iterations in enumerate(call["runs"]):
        steps, velocity = 0.0, 0.0
        for _ in range(iterations):
            steps, velocity = training.momentum_step(steps, velocity, -1.0, 1.0, momentum)
        for number, (got, step) in enumerate(
            zip(_moved(call, answer, run), plain, strict=True), start=1
        ):
            if difference(got, steps * step, name="", rtol=OWN_RTOL):
                return (
                    f"Along a constant gradient W{number} moves a wrong way in {iterations} "
                    f"iteration(s) with momentum {momentum}: every matrix has a velocity of its "
                    "own, which starts at zero and is kept from one iteration to the next."
                )
    return None


def _history(challenges, answers):
    """Ask that the last entries are the losses of the weights that the same run returns."""
    for call, answer in zip(challenges, answers, strict=True):
        for iterations, weights, lists in zip(
            call["runs"], answer[WEIGHTS], answer[LOSSES], strict=True
        ):
            if not isinstance(lists, list) or len(lists) != 2:
                return "The history should be a dict of the lists training_loss, validation_loss."
            for name, losses, true in zip(
                ("training_loss", "validation_loss"), lists, _losses(weights, call), strict=True
            ):
                values = list(losses) if isinstance(losses, np.ndarray) and losses.ndim else losses
                if not isinstance(values, list) or len(values) != iterations:
                    return f"history['{name}'] should be a list with one loss for each iteration."
                problem = next(filter(None, (unusable(v, (), name=name) for v in values)), None)
                if problem:
                    return problem
                if iterations > 1 and len(set(values)) == 1:
                    return f"history['{name}'] holds the same loss at every iteration."
                if difference(values[-1], true, name=name, rtol=OWN_RTOL):
                    return (
                        f"The last {name} is not the loss of the returned weights on the whole "
                        f"{name.split('_')[0]} set."
                    )
    return None


def _stopping(challenges, answers):
    """Compare the returned weights with those of the student's own shorter runs."""
    chosen, path = answers[0][WEIGHTS][0], answers[1][WEIGHTS]

    def same(one, other):
        return not difference(one, other, name="", rtol=OWN_RTOL)

    if same(path[-1], path[-2]):
        return "With early_stopping=False the weights after the last iteration are asked for."
    losses = [_losses(weights, challenges[1])[1] for weights in path]
    best = [
        weights
        for weights, loss in zip(path, losses, strict=True)
        if loss <= min(losses) * (1 + OWN_RTOL)
    ]
    if any(same(chosen, weights) for weights in best):
        return None
    if same(chosen, path[-1]):
        return (
            "With early_stopping=True the last weights come back; "
            "keep a copy of those with the lowest validation loss."
        )
    return "With early_stopping=True the weights are not those of the lowest validation loss."


def _nothing_kept(challenges, answers):
    """Ask for progress, start weights as they were, and the same again for the same call."""
    call, answer = challenges[0], answers[0]
    inputs, targets = call["training"]
    for got, start in zip(_moved(call, answer), call["weights"], strict=True):
        towards = (targets - start @ inputs) @ inputs.T
        norms = np.linalg.norm(got) * np.linalg.norm(towards)
        if norms and abs(np.vdot(got, towards)) > 0.99 * norms:
            break
    else:
        return "No matrix moves along the gradient yet."
    for start in answer[STARTS]:
        if difference(start, call["weights"], name=""):
            return "The list of start weights, or an array in it, is changed; work on copies."
    if difference(answer[WEIGHTS][1], answer[WEIGHTS][0], name="", rtol=OWN_RTOL):
        return "The same call gives other weights the second time; let nothing be left from before."
    return None


TASK = Task(
    name="training-loop",
    title="Training loop with early stopping, on a simple objective",
    points=6,
    asks=("train",),
    challenges=_challenges,
    properties=(
        _law("all matrices step against the gradient", STEPS, WEIGHTS, _steps),
        _law("mini-batches in order, with wrap-around", BATCHES, WEIGHTS, _batches),
        _law("momentum", MOMENTUM, WEIGHTS, _momentum),
        _law("both losses after every update", HISTORY, None, _history),
        _law("early stopping gives back the best weights", STOPPING, WEIGHTS, _stopping),
        _law("start weights left as they were", STEPS, None, _nothing_kept),
    ),
    harness=call_with_objective,
    mistakes=MISTAKES["train"],
)
