"""Known wrong solutions of `optimisation.ipynb`, as data."""

import numpy as np

from coursekit.judging.round09 import optimisation_variants as variants
from coursekit.judging.task import mistakes

BATCHES = (
    (
        "first batch skipped",
        "The first batch is skipped: iterations count from 0, so batch 0 begins at case 0.",
        variants.first_skipped,
    ),
    (
        "same batch each time",
        "Every iteration takes the same batch: batch number `iteration` begins at case "
        "iteration * batch_size.",
        variants.one_repeated,
    ),
    (
        "wrap-around at N - 1",
        "The batches go back to the first case one case too early: take the numbers % n_cases, "
        "without minus one.",
        variants.wrapped_early,
    ),
    (
        "one case further",
        "Each batch begins one case after the one before: it should begin at iteration * "
        "batch_size.",
        variants.one_case_further,
    ),
    (
        "batch cut at the last case",
        "A batch that reaches the last case is cut short: let it go on with the first cases, so "
        "that every batch has batch_size of them.",
        variants.cut_short,
    ),
    (
        "short last batch",
        "The last batch of a pass is short and the next pass begins at case 0: let that batch go "
        "on with the first cases, so that all have the same size.",
        variants.short_last,
    ),
    (
        "rest dropped",
        "The cases that do not fill a batch are left out: let the last batch of a pass go on "
        "with the first cases.",
        variants.rest_dropped,
    ),
    (
        "random batches",
        "The batches are drawn at random: section 1 takes the cases in order.",
        variants.shuffled,
    ),
)

STEPS = (
    (
        "Nesterov momentum",
        "This is Nesterov's step, which looks ahead along the velocity: section 2 asks for the "
        "classical one, w + learning_rate * v with the new v.",
        variants.nesterov,
    ),
    (
        "velocity += gradient",
        "The gradient is added to the velocity, so the weights climb: section 2 subtracts it, "
        "v = momentum * v - gradient.",
        variants.climbing,
    ),
    (
        "step before the velocity",
        "The weights move by the old velocity: update v first, and then w with the new v.",
        variants.old_velocity,
    ),
    (
        "gradient times 1 - momentum",
        "The gradient is multiplied by 1 - momentum, as in a running mean: section 2 subtracts "
        "it whole.",
        variants.damped,
    ),
    (
        "learning rate twice",
        "The learning rate is multiplied in twice: it belongs into the step of w, not into the "
        "velocity as well.",
        variants.rate_twice,
    ),
    (
        "no learning rate",
        "The learning rate is missing: the step of section 2 is w + learning_rate * v.",
        variants.no_rate,
    ),
)

ONLY_IN_ONE_STEP = (  # in a loop, whose velocities begin at zero, these are right or another's
    (
        "update in place",
        "The update writes into w and v: section 2 asks for new arrays, so write w = w + ... in "
        "place of w += ... .",
        variants.update_in_place,
    ),
    (
        "learning rate inside the velocity",
        "The learning rate is inside the velocity: section 2 keeps it out of v and multiplies by "
        "it in the step of w.",
        variants.rate_inside,
    ),
    (
        "velocity of the opposite sign",
        "The velocity has the opposite sign: in section 2 it points downhill, "
        "v = momentum * v - gradient and w = w + learning_rate * v.",
        variants.opposite_velocity,
    ),
    (
        "old velocity forgotten",
        "The old velocity plays no part: section 2 keeps the share momentum of it, "
        "v = momentum * v - gradient.",
        variants.no_momentum,
    ),
)

LOOPS = (
    (
        "mini-batches not used",
        "Every step uses all training cases: take the columns that batch_columns gives.",
        {"columns": variants.everything},
    ),
    (
        "momentum ignored or velocity reset",
        "Momentum has no effect: make the velocities zero once, before the loop, and keep what "
        "each step gives back.",
        {"step": variants.no_momentum},
    ),
    (
        "one velocity for all matrices",
        "The matrices share one velocity: each needs its own, so keep a list of them.",
        {"one_velocity": True},
    ),
    (
        "only W1 updated",
        "Only the first matrix learns: update every matrix in each iteration.",
        {"matrices": 1},
    ),
    (
        "start weights changed",
        "The call changes the start weights: begin with copies, [w.copy() for w in weights].",
        {"in_place": True},
    ),
    (
        "losses before the update",
        "The losses are taken before the update: section 3 appends them after it.",
        {"old_losses": True},
    ),
    (
        "training loss of the mini-batch",
        "The training loss is that of the mini-batch: section 3 asks for the whole training set.",
        {"batch_loss": True},
    ),
    (
        "training loss twice",
        "The validation losses are those of the training set: call loss(weights, *validation).",
        {"reported": ("training", "training")},
    ),
    (
        "lists of the history swapped",
        "The two lists of the history are swapped: training_loss belongs to the training set.",
        {"reported": ("validation", "training")},
    ),
    (
        "last weights with early stopping",  # also by a reference in place of a copy
        "Early stopping gives back the last weights. Keep a copy, [w.copy() for w in weights], "
        "when the validation loss is lowest: a list remembered without a copy goes on changing.",
        {"keep": variants.last},
    ),
    (
        "best on the training loss",
        "Early stopping looks at the training loss: the validation loss tells which is best.",
        {"keep": variants.lowest_training},
    ),
    (
        "best weights one update early",
        "The best weights are remembered one update too early: copy them after the update whose "
        "validation loss is lowest.",
        {"keep": variants.one_before},
    ),
    (
        "stopped at the first rise",
        "These are the weights before the validation loss first rises: it may fall lower later, "
        "so run to the end and remember the best.",
        {"keep": variants.before_first_rise},
    ),
    (
        "best weights always",
        "The best weights come back even with early_stopping=False, which asks for the last ones.",
        {"always": True},
    ),
)

SWEEPS = (
    (
        "highest loss chosen",
        "best_setting has the highest last loss: section 5 asks for the lowest.",
        {"best": lambda sweep: max(sweep, key=lambda setting: sweep[setting][-1])},
    ),
    (
        "best_setting turned round",
        "best_setting has its numbers the other way round: it is (learning_rate, momentum).",
        {"finish": lambda setting: setting[::-1]},
    ),
    (
        "largest fall in one step",
        "best_setting has the largest fall in one step: section 5 asks for the lowest last loss.",
        {"best": lambda sweep: min(sweep, key=lambda setting: np.diff(sweep[setting]).min())},
    ),
    (
        "validation losses in the table",
        "The table holds validation losses: section 5 asks for the training losses of each run.",
        {"entry": lambda rate, momentum: variants.run(rate, momentum)["validation_loss"]},
    ),
    (
        "sweep without momentum",
        "All runs of the table are without momentum: hand the momentum on to run.",
        {"entry": lambda rate, momentum: variants.training_losses(rate, 0.0)},
    ),
    (
        "last losses only",
        "The table holds the last loss of each run: section 5 asks for the whole list.",
        {"entry": lambda rate, momentum: variants.training_losses(rate, momentum)[-1]},
    ),
)

ERRORS = (
    (
        "test accuracy for test error",
        "test_error is the share of test cases named rightly: section 7 asks for those named "
        "wrongly.",
        {"finish": lambda share, count: 1 - share},
    ),
    (
        "test error in percent",
        "test_error is in percent: section 7 asks for a share between 0 and 1.",
        {"finish": lambda share, count: 100 * share},
    ),
    (
        "number of wrong test cases",
        "test_error is the number of wrong cases: divide it by the number of test cases.",
        {"finish": lambda share, count: round(share * count)},
    ),
    (
        "validation error for test error",
        "test_error is computed on the validation cases: use digits.test, once.",
        {"part": "validation"},
    ),
    (
        "training error for test error",
        "test_error is computed on the training cases: use digits.test, once.",
        {"part": "training"},
    ),
    (
        "final network not trained",
        "final_weights are the start weights: keep what fit returns.",
        {"network": variants.untrained},
    ),
)


def _made(rows, make):
    """Make the variants of rows that hold only what is special about them."""
    return [(name, sentence, make(special)) for name, sentence, special in rows]


def _in_loop(rows, part):
    return [(f"loop: {name}", sentence, {part: function}) for name, sentence, function in rows]


IN_LOOP = (*LOOPS, *_in_loop(BATCHES, "columns"), *_in_loop(STEPS, "step"))

MISTAKES = {
    "batch_columns": mistakes(("mini-batches",), *BATCHES),
    "momentum_step": mistakes(("momentum-update",), *STEPS, *ONLY_IN_ONE_STEP),
    "train": mistakes(("training-loop",), *_made(IN_LOOP, lambda how: variants.trainer(**how))),
    "sweep": mistakes(("learning-rate-sweep",), *_made(SWEEPS, lambda how: variants.swept(**how))),
    "final_weights": mistakes(
        ("final-network",), *_made(ERRORS, lambda how: variants.final(**how))
    ),
}
"""The mistakes by the first name that a task asks for."""
