"""Figures: axes named, panels as many as settings, nothing hidden without a word."""

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

import nnlab
from nnlab.style import VERMILLION


@pytest.fixture(autouse=True)
def _figures_are_drawn_and_closed():
    yield
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()  # warnings of the layout come up here
    plt.close("all")


@pytest.fixture
def cases():
    random = np.random.default_rng(0)
    return nnlab.Cases(random.random((12, 30)), np.eye(10)[:, np.arange(30) % 10])


def titles(figure):
    return [axis.get_title() for axis in figure.axes]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def outside(figure):
    """Whether the legend covers none of the axes."""
    figure.canvas.draw()
    box = figure.legends[0].get_window_extent()
    return not any(box.overlaps(axis.get_window_extent()) for axis in figure.axes)


def test_digits_stand_under_their_labels(cases):
    figure = nnlab.show_digits(cases, (3, 4), count=12)
    assert titles(figure) == [str(case % 10) for case in range(12)]
    shown = figure.axes[5].images[0].get_array()
    assert np.array_equal(shown, cases.inputs[:, 5].reshape(3, 4))
    assert figure.get_suptitle() == "12 of 30 cases, each under the digit it shows"


def test_no_more_digits_are_shown_than_there_are(cases):
    assert len(nnlab.show_digits(cases, (3, 4), count=99).axes) == 30


def test_wrong_predictions_stand_out_by_words_and_colour(cases):
    predicted = cases.labels.copy()
    predicted[3] = 7
    figure = nnlab.show_digits(cases, (3, 4), predicted=predicted)
    assert titles(figure)[2:5] == ["2", "7, not 3", "4"]
    assert to_hex(figure.axes[3].title.get_color()) == VERMILLION.lower()
    assert to_hex(figure.axes[2].title.get_color()) != VERMILLION.lower()
    assert figure.get_suptitle().endswith(": 1 wrong")


def test_predictions_of_another_length_are_refused(cases):
    with pytest.raises(ValueError, match=r"shape \(3,\); expected one digit for each case"):
        nnlab.show_digits(cases, (3, 4), predicted=[1, 2, 3])


@pytest.mark.parametrize("hidden_units", [1, 10, 30, 45])
def test_weights_share_a_symmetric_scale(hidden_units):
    W1 = np.random.default_rng(0).normal(size=(hidden_units, 12))
    figure = nnlab.show_weights(W1, (3, 4))
    images = [axis.images[0] for axis in figure.axes if axis.images]
    assert len(images) == hidden_units
    largest = np.abs(W1).max()
    assert {image.get_clim() for image in images} == {(-largest, largest)}
    assert figure.axes[-1].get_ylabel() == "weight (no unit)"


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_weights_without_a_scale_are_still_drawn(value):
    figure = nnlab.show_weights(np.full((2, 12), value), (3, 4))
    assert figure.axes[0].images[0].get_clim() == (-1, 1)


@pytest.mark.parametrize("shape", [(12,), (2, 11)])
def test_weights_that_are_no_images_are_refused(shape):
    with pytest.raises(ValueError, match="expected \\(hidden units, 12\\)"):
        nnlab.show_weights(np.zeros(shape), (3, 4))


def test_confusion_shows_counts_with_true_digits_on_the_rows():
    matrix = np.diag(np.arange(1, 11))
    matrix[2, 7] = 4
    figure = nnlab.show_confusion(matrix)
    axis = figure.axes[0]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("predicted digit", "true digit")
    texts = {text.get_position(): text.get_text() for text in axis.texts}
    assert texts[7, 2] == "4"
    assert texts[9, 9] == "10"
    assert len(texts) == 11
    assert axis.get_title().startswith("4 of 59 cases wrong")
    assert "%" in figure.axes[1].get_ylabel()


def test_confusion_lets_a_single_mistake_be_seen():
    matrix = 60 * np.eye(10, dtype=int)
    matrix[2, 7] = 1
    image = nnlab.show_confusion(matrix).axes[0].images[0]
    assert image.norm(image.get_array()[2, 7]) > 0.1


def test_confusion_of_a_digit_without_cases_is_drawn():
    assert len(nnlab.show_confusion(np.zeros((10, 10), dtype=int)).axes[0].texts) == 0


def test_confusion_that_is_not_square_is_refused():
    with pytest.raises(ValueError, match=r"shape \(10, 9\)"):
        nnlab.show_confusion(np.zeros((10, 9)))


def history(length=20, lowest=8):
    iterations = np.arange(length)
    return {
        "training_loss": list(2.3 * np.exp(-iterations / 5)),
        "validation_loss": list(1 + 0.01 * (iterations - lowest) ** 2),
    }


def test_history_has_a_panel_for_each_run_and_named_axes():
    figure = nnlab.plot_history({"a": history(), "b": history(12)}, title="Two runs")
    assert [title.splitlines()[0] for title in titles(figure)] == ["a", "b"]
    assert figure.get_supxlabel() == "iteration"
    assert figure.get_supylabel() == "loss (nats per case)"
    assert figure.get_suptitle() == "Two runs"
    assert legend(figure) == ["training", "validation", "lowest validation loss"]
    assert outside(figure)


def test_history_counts_iterations_from_one_and_marks_the_lowest_validation_loss():
    axis = nnlab.plot_history({"a": history(lowest=8)}).axes[0]
    training, validation, mark = axis.lines
    assert training.get_xdata()[0] == 1
    assert training.get_linestyle() != validation.get_linestyle()
    assert training.get_color() != validation.get_color()
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (9, 1.0)
    assert "lowest: 1.0000 at 9" in axis.get_title()


def test_history_with_no_finite_loss_is_drawn_and_said():
    run = {"training_loss": [np.nan] * 3, "validation_loss": [np.inf] * 3}
    assert "6 of 6 values not finite" in titles(nnlab.plot_history({"a": run}))[0]


@pytest.mark.parametrize("rates", [1, 2, 3, 4, 5, 7])
def test_sweep_has_a_panel_for_each_learning_rate(rates):
    results = {
        (rate, momentum): np.linspace(2.3, 2.0, 10)
        for rate in np.arange(rates, 0, -1)
        for momentum in (0.9, 0.0)
    }
    figure = nnlab.plot_sweep(results, chance_loss=np.log(10))
    assert titles(figure) == [f"learning rate {rate + 1}" for rate in range(rates)]
    assert legend(figure) == ["guessing", "momentum 0", "momentum 0.9"]
    assert outside(figure)
    assert len({axis.get_ylim() for axis in figure.axes}) == 1
    lines = figure.axes[0].lines[1:]
    assert len({line.get_linestyle() for line in lines}) == 2
    assert len({line.get_color() for line in lines}) == 2


def test_sweep_is_not_stretched_by_a_run_that_diverges():
    good, bad = np.linspace(2.3, 1.0, 50), 2.3 * 1.5 ** np.arange(50)
    figure = nnlab.plot_sweep({(0.1, 0.0): good, (9.0, 0.0): bad})
    low, high = figure.axes[0].get_ylim()
    assert low < 1.0
    assert 2.3 < high < 5
    assert titles(figure)[0] == "learning rate 0.1"
    assert titles(figure)[1] == f"learning rate 9\noff the scale: up to {bad.max():.3g}"


def test_sweep_skips_values_that_are_not_finite_and_says_so():
    losses = [2.3, 2.2, np.nan, np.inf, 2.0]
    axis = nnlab.plot_sweep({(0.1, 0.0): losses}).axes[0]
    assert axis.get_title() == "learning rate 0.1\n2 of 5 values not finite"
    assert axis.lines[0].get_xdata().tolist() == [1, 2, 5]


def test_sweep_may_miss_settings():
    figure = nnlab.plot_sweep({(0.1, 0.0): [2.3, 2.2], (0.2, 0.9): [2.3, 2.1]})
    assert [len(axis.lines) for axis in figure.axes] == [1, 1]
    assert legend(figure) == ["momentum 0", "momentum 0.9"]


def test_style_does_not_leak_into_other_figures(cases):
    before = dict(plt.rcParams)
    nnlab.show_digits(cases, (3, 4))
    assert dict(plt.rcParams) == before
