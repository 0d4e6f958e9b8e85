"""Checks: right results pass, wrong ones are explained."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnlab
from nnlab.causes import CAUSES

CASES, DECAY = 12, 0.3


@dataclass(frozen=True)
class Problem:
    """A loss of two matrices that is no network's: mean of log cosh(B A x), plus decay."""

    inputs: np.ndarray
    A: np.ndarray
    B: np.ndarray
    weight_decay: float

    @classmethod
    def random(cls, seed=0, sizes=(5, 4, 3), cases=CASES, weight_decay=DECAY, scale=1.0):
        random = np.random.default_rng(seed)
        features, middle, outputs = sizes
        return cls(
            random.random((features, cases)),
            scale * random.normal(size=(middle, features)),
            scale * random.normal(size=(outputs, middle)),
            weight_decay,
        )

    @property
    def at(self):
        return {"A": self.A, "B": self.B}

    def loss(self, A, B):
        z = B @ A @ self.inputs
        fit = np.sum(np.logaddexp(z, -z)) / self.inputs.shape[1]
        return fit + self.weight_decay / 2 * (np.sum(A**2) + np.sum(B**2))

    def bare(self):
        """Derivatives of the loss without weight decay."""
        slope = np.tanh(self.B @ self.A @ self.inputs) / self.inputs.shape[1]
        return {
            "A": self.B.T @ slope @ self.inputs.T,
            "B": slope @ (self.A @ self.inputs).T,
        }

    def gradient(self):
        return {
            name: part + self.weight_decay * self.at[name] for name, part in self.bare().items()
        }

    def check(self, got, **settings):
        settings = {"cases": self.inputs.shape[1], "weight_decay": self.weight_decay, **settings}
        nnlab.check_gradient(self.loss, self.at, got, **settings)


PROBLEM = Problem.random()
SQUARE = Problem.random(sizes=(4, 4, 4))


def failure(function, *arguments, **settings):
    """Message of the check that fails."""
    with pytest.raises(nnlab.CheckFailed) as caught:
        function(*arguments, **settings)
    message = str(caught.value)
    assert message.count("\n") <= 2
    return message


def test_right_gradient_prints_a_line_for_each_matrix(capsys):
    PROBLEM.check(PROBLEM.gradient(), entries=10)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("dE/dA: 10 of 20 entries tried, relative error up to ")
    assert lines[1].startswith("dE/dB: 10 of 12 entries tried")
    assert lines[0].endswith("probably correct.")


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(*3 * [st.integers(1, 12)]),
    cases=st.integers(1, 40),
    weight_decay=st.sampled_from([0.0, 1e-5, 1e-3, 1.0]),
    scale=st.sampled_from([1e-3, 0.1, 1.0, 3.0]),
)
def test_right_gradient_raises_no_alarm(seed, sizes, cases, weight_decay, scale):
    problem = Problem.random(seed, sizes, cases, weight_decay, scale)
    problem.check(problem.gradient(), seed=seed)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), factor=st.sampled_from([-1.0, 0.0, 0.9, 1.001, 2.0, 1000.0]))
def test_wrong_factor_never_passes(seed, factor):
    problem = Problem.random(seed)
    got = problem.gradient()
    got["A"] = factor * got["A"]
    message = failure(problem.check, got)
    assert message.startswith("dE/dA[")
    assert message.endswith("dE/dB: probably correct.")


# How a derivative g of the fit, with weights w, is turned into a wrong answer; the words expected.
MUTATIONS = {
    "sum in place of mean": (lambda g, w: CASES * g + DECAY * w, "mean over the cases missing?"),
    "sum of it all": (lambda g, w: CASES * (g + DECAY * w), "mean over the cases missing?"),
    "sum and no decay": (lambda g, w: CASES * g, "Also, weight decay is missing"),
    "mean twice": (lambda g, w: g / CASES + DECAY * w, "mean over the cases taken twice?"),
    "mean twice of it all": (lambda g, w: (g + DECAY * w) / CASES, "taken twice?"),
    "sign": (lambda g, w: -g - DECAY * w, "the sign is opposite"),
    "sign of the fit": (lambda g, w: -g + DECAY * w, "(The part of weight decay is right.)"),
    "sign and no decay": (lambda g, w: -g, "sign is opposite: is a difference the wrong way"),
    "no decay": (lambda g, w: g, "weight decay is missing: its part is weight_decay times A."),
    "double decay": (lambda g, w: g + 2 * DECAY * w, "twice too large"),
    "half decay": (lambda g, w: g + DECAY * w / 2, "half of what it should be"),
    "decay subtracted": (lambda g, w: g - DECAY * w, "with the opposite sign"),
    "mean of decay": (lambda g, w: g + DECAY * w / CASES, "divided by m"),
    "constant factor": (lambda g, w: 2.5 * (g + DECAY * w), "ratio 2.5: that ratio is the same"),
    "zeros": (lambda g, w: 0 * g, "everything checked is zero"),
    "noise": (lambda g, w: g + np.cos(np.arange(g.size)).reshape(g.shape), "20 of 20 entries"),
    "one row": (lambda g, w: g + DECAY * w + np.eye(4)[:, :1], "no simple pattern; 5 of 20"),
    "NaN": (lambda g, w: g * np.where(w == w.max(), np.nan, 1), "1 of 20 numbers NaN or infinite"),
    "infinity": (lambda g, w: g + np.inf, "20 of 20 numbers NaN or infinite"),
    "None": (lambda g, w: None, "dE/dA: got None: is a `return` missing?"),
    "list": (lambda g, w: g.tolist(), "got a list, expected an array of shape (4, 5)."),
    "number": (lambda g, w: 0.0, "got shape (), expected an array of shape (4, 5)."),
    "transposed": (
        lambda g, w: g.T,
        "got shape (5, 4), expected an array of shape (4, 5). Is it t",
    ),
    "other shape": (lambda g, w: g[:, :2], "got shape (4, 2), expected an array of shape (4, 5)."),
    "objects": (lambda g, w: g.astype(object), "got dtype object, expected real numbers"),
    "complex": (lambda g, w: g + 0j, "got dtype complex128, expected real numbers"),
    "integers": (lambda g, w: g.astype(int), "cuts off decimals; expected float64"),
    "float32": (lambda g, w: (g + DECAY * w).astype("f4"), "got dtype float32, whose precision"),
}


@pytest.mark.parametrize(("mutate", "words"), MUTATIONS.values(), ids=MUTATIONS)
def test_likely_cause_is_named_and_the_other_matrix_called_right(mutate, words):
    got = PROBLEM.gradient()
    got["A"] = mutate(PROBLEM.bare()["A"], PROBLEM.A)
    message = failure(PROBLEM.check, got)
    assert words in message
    assert message.startswith("dE/dA")
    assert message.endswith("\ndE/dB: probably correct.")


def test_every_cause_has_a_mutation_that_it_explains():
    got = [mutate(PROBLEM.bare()["A"], PROBLEM.A) for mutate, _ in MUTATIONS.values()]
    messages = [failure(PROBLEM.check, {**PROBLEM.gradient(), "A": wrong}) for wrong in got]
    messages.append(failure(SQUARE.check, {**SQUARE.gradient(), "A": SQUARE.gradient()["A"].T}))
    for cause in CAUSES:
        assert any(cause.words.format(name="A") in message for message in messages), cause.words


def test_entry_near_zero_beside_large_ones_raises_no_alarm():
    W = np.array([1.0, 3.0])
    nnlab.check_gradient(
        lambda W: 1000 * np.sum(W**3 - 3 * W) - 16000, {"W": W}, 1000 * (3 * W**2 - 3)
    )


def test_cause_is_found_though_rounding_blurs_tiny_entries():
    slopes = np.array([1.0, *np.linspace(1e-9, 5e-9, 19)])
    message = failure(
        nnlab.check_gradient,
        lambda W: 2.3 + slopes @ W,
        {"W": np.zeros(20)},
        10_000 * slopes,
        cases=10_000,
    )
    assert "is the mean over the cases missing?" in message


def test_message_names_entry_got_difference_and_ratio():
    W = np.array([[1.0, 2.0], [3.0, 4.0]])
    message = failure(
        nnlab.check_gradient, lambda W: np.sum(W**2) / 1000, {"W": W}, 2 * W, cases=1000
    )
    assert message == (
        "dE/dW[1, 1]: got 8, finite difference 0.008; ratio 1000: is the mean over the cases "
        "missing? Divide by m."
    )


def test_message_shows_as_many_digits_as_it_takes():
    W = np.array([1.0, 2.0])
    message = failure(nnlab.check_gradient, lambda W: np.sum(W**2), {"W": W}, 2 * W + [0, 1e-4])
    assert "got 4.0001, finite difference 4" in message


def test_square_matrix_is_told_to_be_transposed():
    got = SQUARE.gradient()
    got["B"] = got["B"].T
    assert "dE/dA: probably correct." in failure(SQUARE.check, got)
    assert "is it transposed?" in failure(SQUARE.check, got)


def test_matrices_of_one_shape_are_told_to_be_swapped():
    right = SQUARE.gradient()
    message = failure(SQUARE.check, {"A": right["B"], "B": right["A"]})
    assert "these are the values of dE/dB: are the two swapped?" in message
    assert "these are the values of dE/dA: are the two swapped?" in message


def test_matrices_of_different_shapes_are_told_to_be_swapped():
    right = PROBLEM.gradient()
    message = failure(PROBLEM.check, {"A": right["B"], "B": right["A"]})
    assert "Is it swapped with dE/dB?" in message
    assert "Is it swapped with dE/dA?" in message


def test_missing_name_is_told():
    right = PROBLEM.gradient()
    message = failure(PROBLEM.check, {"A": right["A"], "b": right["B"]})
    assert "dE/dB: there is no 'B' in your dict, only 'A', 'b'." in message


def test_tuple_in_place_of_a_dict_is_told():
    message = failure(PROBLEM.check, tuple(PROBLEM.gradient().values()))
    assert message == "Got a tuple, expected a dict of arrays with the names A, B."


def test_nothing_returned_is_told():
    assert failure(PROBLEM.check, None).count("is a `return` missing?") == 2


def test_numpy_matrix_is_refused():
    with pytest.warns(PendingDeprecationWarning):
        got = np.matrix(np.eye(2))
    message = failure(nnlab.check_gradient, lambda W: np.trace(W), {"W": np.ones((2, 2))}, got)
    assert "got a matrix" in message


def test_many_wrong_matrices_take_three_lines():
    at = {name: np.array([1.0, 2.0]) for name in "abcde"}
    got = {name: np.zeros(2) for name in at} | {"e": np.ones(2)}
    message = failure(nnlab.check_gradient, lambda **at: sum(map(np.sum, at.values())), at, got)
    lines = message.splitlines()
    assert [line[:5] for line in lines[:2]] == ["dE/da", "dE/db"]
    assert lines[2] == "Also wrong: dE/dc, dE/dd. dE/de: probably correct."


def cube(z):
    return z**3 + np.roll(z, 1)


def cube_jacobian(z):
    return np.diag(3 * z**2) + np.roll(np.eye(z.size), 1, axis=0)


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 30), st.integers(0, 1000))
def test_right_jacobian_passes(size, seed):
    z = np.random.default_rng(seed).normal(size=size)
    nnlab.check_gradient(cube, {"z": z}, cube_jacobian(z), seed=seed)


def test_jacobian_is_named_after_the_function(capsys):
    z = np.array([1.0, 2.0, 3.0])
    nnlab.check_gradient(cube, {"z": z}, cube_jacobian(z), entries=2)
    assert capsys.readouterr().out.startswith("dcube/dz: 6 of 9 entries tried")


@pytest.mark.parametrize(
    ("mutate", "words"),
    [
        (np.transpose, "is it transposed?"),
        (np.negative, "the sign is opposite"),
        (np.diag, "got shape (4,), expected an array of shape (4, 4)."),
    ],
    ids=["transposed", "sign", "diagonal only"],
)
def test_wrong_jacobian_is_explained(mutate, words):
    z = np.array([1.0, 2.0, 3.0, -1.0])
    assert words in failure(nnlab.check_gradient, cube, {"z": z}, mutate(cube_jacobian(z)))


def test_jacobian_that_is_not_square_is_checked():
    A, x = np.arange(6.0).reshape(2, 3), np.ones(3)
    nnlab.check_gradient(lambda x: A @ x, {"x": x}, A)
    assert "Is it transposed?" in failure(nnlab.check_gradient, lambda x: A @ x, {"x": x}, A.T)


def test_derivative_by_a_number_passes_and_fails():
    nnlab.check_gradient(lambda x: x**2, {"x": 3.0}, 6.0)
    message = failure(nnlab.check_gradient, lambda x: x**2, {"x": 3.0}, 5.0)
    assert message == "dE/dx: got 5, finite difference 6; ratio 0.8333."


def test_derivative_lost_in_rounding_is_not_called_correct(capsys):
    nnlab.check_gradient(lambda W: 1e-13 * np.sum(W), {"W": np.ones(3)}, np.full(3, 1e-13))
    assert "too near to zero to tell much" in capsys.readouterr().out


def test_nothing_passed_in_is_changed_even_by_a_function_that_writes():
    def loss(A, B):
        value = PROBLEM.loss(A, B)
        A *= 0
        B += 1
        return value

    at = {name: array.copy() for name, array in PROBLEM.at.items()}
    got = PROBLEM.gradient()
    for array in got.values():
        array.flags.writeable = False
    nnlab.check_gradient(loss, at, got)
    failure(nnlab.check_gradient, loss, at, {**got, "A": 2 * got["A"]})
    assert all(np.array_equal(at[name], PROBLEM.at[name]) for name in at)


def test_same_seed_chooses_the_same_entries():
    def moved(seed):
        points = []

        def total(W):
            points.append(W.copy())
            return np.sum(W)

        nnlab.check_gradient(total, {"W": np.zeros(100)}, np.ones(100), entries=5, seed=seed)
        return np.flatnonzero(np.any(points, axis=0)).tolist()

    assert moved(1) == moved(1)
    assert len(moved(1)) == 5
    assert moved(1) != moved(2)


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, "returned a value of type NoneType"),
        ("2.3", "returned a value of type str"),
        (1j, "returned a value of type complex"),
        (np.nan, "returned NaN or infinity"),
        (np.array([1.0, np.inf]), "returned NaN or infinity"),
    ],
)
def test_function_that_cannot_be_differentiated_is_told(returned, words):
    message = failure(nnlab.check_gradient, lambda W: returned, {"W": np.ones(2)}, np.ones(2))
    assert message.startswith("The function to differentiate")
    assert words in message


def test_function_whose_shape_changes_is_told():
    message = failure(
        nnlab.check_gradient, lambda W: W[W > 1], {"W": np.array([1.0, 2.0])}, np.ones((1, 2))
    )
    assert "its shape must not depend on the numbers" in message


def test_overflow_in_the_function_raises_no_warning():
    W = np.array([1000.0, 1.0])
    nnlab.check_gradient(
        lambda W: np.sum(1 / (1 + np.exp(W))) + np.sum(W),
        {"W": W},
        1 - [0.0, np.e / (1 + np.e) ** 2] * np.ones(2),
    )


def test_error_of_the_students_function_comes_through():
    with pytest.raises(ZeroDivisionError):
        nnlab.check_gradient(lambda W: 1 // 0, {"W": np.ones(1)}, np.ones(1))


def test_traceback_in_a_notebook_is_the_message_alone():
    error = nnlab.CheckFailed("loss: got 2, expected 1.")
    assert error._render_traceback_() == ["CheckFailed: loss: got 2, expected 1."]
    assert isinstance(error, AssertionError)


@pytest.mark.parametrize(
    ("got", "expected", "line"),
    [
        (2.30471, 2.3047, "loss: 2.30471 as expected."),
        (np.float64(3), 3, "loss: 3 as expected."),
        (np.array(2), 2, "loss: 2 as expected."),
        (0.0, 0.0, "loss: 0 as expected."),
        (np.eye(2), np.eye(2), "loss: array of shape (2, 2) as expected."),
        (np.array([1, 2]), [1, 2], "loss: array of shape (2,) as expected."),
    ],
)
def test_close_value_prints_a_line(capsys, got, expected, line):
    nnlab.check_close("loss", got, expected, tolerance=1e-5)
    assert capsys.readouterr().out == f"{line}\n"


@pytest.mark.parametrize(
    ("got", "expected", "message"),
    [
        (4.6, 2.3, "v: got 4.6, expected 2.3; ratio 2."),
        (2.30471, 2.3047, "v: got 2.30471, expected 2.3047."),
        (1.0, 0.0, "v: got 1, expected 0."),
        (-2.3, 2.3, "v: got -2.3, expected 2.3; ratio -1: the sign is opposite"),
        (None, 2.3, "v: got None: is a `return` missing?"),
        ("2.3", 2.3, "v: got a str, expected a single number."),
        (np.nan, 2.3, "v: 1 of 1 numbers NaN or infinite"),
        (np.zeros(2), 2.3, "v: got shape (2,), expected a single number."),
        (np.zeros((2, 3)), np.zeros((3, 2)), "Is it transposed?"),
        (np.array(["a"]), [1.0], "v: got dtype <U1, expected real numbers"),
        (np.array([2.0, 4.0]), [1.0, 2.0], "v[1]: got 4, expected 2; ratio 2: that ratio is the"),
        (np.array([1.0, 3.0]), [1.0, 2.0], "v[1]: got 3, expected 2; ratio 1.5: no simple pattern"),
        (np.arange(4.0).reshape(2, 2).T, np.arange(4).reshape(2, 2), "is it transposed?"),
    ],
)
def test_value_that_is_not_close_is_explained(got, expected, message):
    assert message in failure(nnlab.check_close, "v", got, expected)


def test_tolerance_is_relative():
    nnlab.check_close("v", 1000.9, 1000.0, tolerance=1e-3)
    failure(nnlab.check_close, "v", 1001.1, 1000.0, tolerance=1e-3)


def test_right_shape_prints_a_line(capsys):
    nnlab.check_shape("W1", np.full((7, 64), np.nan), (7, 64))
    assert capsys.readouterr().out == "W1: shape (7, 64) as expected.\n"


@pytest.mark.parametrize(
    ("got", "message"),
    [
        (None, "W1: got None: is a `return` missing?"),
        ([[1, 2]], "W1: got a list, expected an array of shape (7, 64)."),
        (np.zeros((64, 7)), "got shape (64, 7), expected an array of shape (7, 64). Is it transp"),
        (np.zeros(448), "W1: got shape (448,), expected an array of shape (7, 64)."),
    ],
)
def test_wrong_shape_is_explained(got, message):
    assert message in failure(nnlab.check_shape, "W1", got, (7, 64))


def test_long_message_is_wrapped_in_a_notebook():
    lines = nnlab.CheckFailed("dE/dW1[3, 4]: " + "word " * 40)._render_traceback_()[0].splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 88
