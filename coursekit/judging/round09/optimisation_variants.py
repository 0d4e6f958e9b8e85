"""Families of wrong functions for `optimisation_mistakes`.

Each takes one part out of the right way and puts another in its place.
"""

import functools

import numpy as np

from coursekit.judging.round09 import classification_variants
from coursekit.judging.round09.inputs import digits
from coursekit.reference import network as reference
from coursekit.reference import training as reference_training

# --- Mini-batches ----------------------------------------------------------------------------


def in_order(iteration, batch_size, n_cases):
    """Take the columns of a mini-batch, as they should be."""
    return (iteration * batch_size + np.arange(batch_size)) % n_cases


def first_skipped(iteration, batch_size, n_cases):
    """Count iterations from 1."""
    return in_order(iteration + 1, batch_size, n_cases)


def one_repeated(iteration, batch_size, n_cases):
    """Take the first batch each time."""
    return in_order(0, batch_size, n_cases)


def wrapped_early(iteration, batch_size, n_cases):
    """Go back to the first case after the last but one."""
    return (iteration * batch_size + np.arange(batch_size)) % (n_cases - 1)


def one_case_further(iteration, batch_size, n_cases):
    """Move on by a single case."""
    return (iteration + np.arange(batch_size)) % n_cases


def cut_short(iteration, batch_size, n_cases):
    """Begin where a batch should, but end at the last case."""
    first = iteration * batch_size % n_cases
    return np.arange(first, min(first + batch_size, n_cases))


def short_last(iteration, batch_size, n_cases):
    """Begin each pass at case 0 and let its last batch be short."""
    first = iteration % -(-n_cases // batch_size) * batch_size
    return np.arange(first, min(first + batch_size, n_cases))


def rest_dropped(iteration, batch_size, n_cases):
    """Begin each pass at case 0, without the cases that do not fill a batch."""
    return iteration % (n_cases // batch_size) * batch_size + np.arange(batch_size)


def shuffled(iteration, batch_size, n_cases):
    """Draw the cases at random."""
    return np.random.default_rng(iteration).permutation(n_cases)[:batch_size]


def everything(iteration, batch_size, n_cases):
    """Take all cases each time."""
    return np.arange(n_cases)


# --- Momentum --------------------------------------------------------------------------------


def classical(w, v, gradient, learning_rate, momentum):
    """Update with momentum, as it should be."""
    v = momentum * v - gradient
    return w + learning_rate * v, v


def nesterov(w, v, gradient, learning_rate, momentum):
    """Look ahead along the velocity."""
    v = momentum * v - gradient
    return w + learning_rate * (momentum * v - gradient), v


def climbing(w, v, gradient, learning_rate, momentum):
    """Add the gradient to the velocity."""
    v = momentum * v + gradient
    return w + learning_rate * v, v


def opposite_velocity(w, v, gradient, learning_rate, momentum):
    """Keep minus the velocity."""
    v = momentum * v + gradient
    return w - learning_rate * v, v


def old_velocity(w, v, gradient, learning_rate, momentum):
    """Move before the velocity is new."""
    return w + learning_rate * v, momentum * v - gradient


def no_momentum(w, v, gradient, learning_rate, momentum):
    """Forget the old velocity."""
    return w - learning_rate * gradient, -gradient


def damped(w, v, gradient, learning_rate, momentum):
    """Take a running mean of the gradients."""
    v = momentum * v - (1 - momentum) * gradient
    return w + learning_rate * v, v


def update_in_place(w, v, gradient, learning_rate, momentum):
    """Right numbers, left in the arrays that were handed in."""
    v *= momentum
    v -= gradient
    w += learning_rate * v
    return w, v


def rate_inside(w, v, gradient, learning_rate, momentum):
    """Keep the learning rate in the velocity; right in a loop with a constant rate."""
    v = momentum * v - learning_rate * gradient
    return w + v, v


def rate_twice(w, v, gradient, learning_rate, momentum):
    """Multiply by the learning rate in both places."""
    v = momentum * v - learning_rate * gradient
    return w + learning_rate * v, v


def no_rate(w, v, gradient, learning_rate, momentum):
    """Leave the learning rate out."""
    v = momentum * v - gradient
    return w + v, v


# --- Training loop ---------------------------------------------------------------------------


def lowest_validation(training_losses, validation_losses):
    """Find the iteration of the best weights, as it should be."""
    return int(np.argmin(validation_losses))


def lowest_training(training_losses, validation_losses):
    """Find the iteration that fits the training cases best."""
    return int(np.argmin(training_losses))


def last(training_losses, validation_losses):
    """Take the last iteration, which a reference in place of a copy comes to, too."""
    return len(validation_losses) - 1


def one_before(training_losses, validation_losses):
    """Find the iteration before the best one."""
    return lowest_validation(training_losses, validation_losses) - 1


def before_first_rise(training_losses, validation_losses):
    """Find the iteration after which the validation loss first rises."""
    rises = np.flatnonzero(np.diff(validation_losses) > 0)
    return int(rises[0]) if len(rises) else len(validation_losses) - 1


def trainer(
    *,
    columns=in_order,
    step=classical,
    matrices=None,
    one_velocity=False,
    in_place=False,
    old_losses=False,
    batch_loss=False,
    reported=("training", "validation"),
    keep=lowest_validation,
    always=False,
):
    """Write a training loop with the parts given; the defaults give the right one.

    Parameters
    ----------
    columns, step : callable
        As the students' `batch_columns` and `momentum_step`.
    matrices : int, optional
        How many matrices are updated; all of them by default.
    one_velocity : bool
        Share one velocity among the matrices.
    in_place : bool
        Write the result into the start weights.
    old_losses : bool
        Take the losses before the update.
    batch_loss : bool
        Take the training loss on the mini-batch.
    reported : pair of str
        Which losses stand in the two lists of the history.
    keep : callable
        Iteration whose weights early stopping gives back, from the two lists of losses.
    always : bool
        Stop early without being asked to.

    Returns
    -------
    callable
        With the parameters of the students' `train`.
    """

    def train(
        start,
        loss,
        gradient,
        training,
        validation,
        iterations,
        learning_rate,
        momentum,
        batch_size,
        early_stopping,
    ):
        weights = [w.copy() for w in start]
        velocities = [np.zeros_like(w) for w in weights]
        path, losses = [weights], {"training": [], "validation": []}
        for iteration in range(iterations):
            chosen = columns(iteration, batch_size, training[0].shape[1])
            batch = tuple(part[:, chosen] for part in training)
            gradients = gradient(weights, *batch)
            weights = list(weights)
            for k in range(len(weights))[:matrices]:
                old = velocities[k - 1] if one_velocity else velocities[k]
                weights[k], velocities[k] = step(
                    weights[k], old, gradients[k], learning_rate, momentum
                )
            path.append(weights)
            looked_at = path[-2] if old_losses else weights
            losses["training"].append(loss(looked_at, *(batch if batch_loss else training)))
            losses["validation"].append(loss(looked_at, *validation))
        if early_stopping or always:
            weights = path[1 + keep(losses["training"], losses["validation"])]
        if in_place:
            for old, new in zip(start, weights, strict=True):
                old[...] = new
        names = ("training_loss", "validation_loss")
        return weights, {name: losses[part] for name, part in zip(names, reported, strict=True)}

    return train


# --- Sweep and final network -----------------------------------------------------------------

SETTINGS = [(rate, mu) for rate in (0.002, 0.01, 0.05, 0.2, 1.0, 5.0, 20.0) for mu in (0.0, 0.9)]


def _train(hidden_units, weight_decay=0.0, **settings):
    data = digits()
    return reference_training.train(
        _start(hidden_units),
        reference.loss,
        functools.partial(reference.gradient, weight_decay=weight_decay),
        tuple(data.training),
        tuple(data.validation),
        **settings,
    )


def _start(hidden_units):
    features = digits().training.inputs.shape[0]
    return reference_training.cosine_weights((features, hidden_units, 10))


@functools.cache
def run(learning_rate, momentum):
    """Give the history of one run of the sweep, as the notebook's `run` does."""
    settings = {"iterations": 70, "batch_size": 4}
    _, history = _train(10, learning_rate=learning_rate, momentum=momentum, **settings)
    return vars(history)


def training_losses(learning_rate, momentum):
    """Give what the table should hold of one run."""
    return run(learning_rate, momentum)["training_loss"]


def lowest_last(sweep):
    """Give the best setting of a table, as it should be chosen."""
    return min(sweep, key=lambda setting: np.ravel(sweep[setting])[-1])


def swept(*, entry=training_losses, best=lowest_last, finish=lambda setting: setting):
    """Write a sweep with the parts given; the defaults give the right one.

    Parameters
    ----------
    entry : callable
        What the table holds, from learning rate and momentum.
    best : callable
        The best setting, from the table.
    finish : callable
        What becomes of the best setting.

    Returns
    -------
    callable
        Gives `train`, `loss`, `gradient`, all right, and `sweep` and `best_setting`.
    """

    def values():
        sweep = {setting: entry(*setting) for setting in SETTINGS}
        right = trainer(), classification_variants.loss(), classification_variants.gradient()
        return *right, sweep, finish(best(sweep))

    return values


@functools.cache
def trained():
    """Give the weights that the notebook's own choice of settings leads to."""
    settings = {"iterations": 300, "batch_size": 100, "learning_rate": 0.35, "momentum": 0.9}
    return _train(100, weight_decay=0.0001, early_stopping=True, **settings)[0]


def untrained():
    """Give the weights that training begins with."""
    return _start(100)


def final(*, network=trained, part="test", finish=lambda share, count: share):
    """Write the final network and its error with the parts given; the defaults are right.

    Parameters
    ----------
    network : callable
        Gives the weights.
    part : str
        Which cases are named.
    finish : callable
        What is reported, from the share of wrongly named cases and the number of cases.

    Returns
    -------
    callable
        Gives `final_weights` and `test_error`.
    """

    def values():
        cases, weights = getattr(digits(), part), network()
        return weights, finish(reference.error_rate(weights, *cases), cases.count)

    return values
