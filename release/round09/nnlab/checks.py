"""Is a result right? Checks that say what is wrong, where, and what may be the cause."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nnlab.causes import (
    DERIVATIVES,
    NUMBERS,
    STRUCTURE,
    Evidence,
    Structure,
    likely_cause,
    relative_error,
    smallest_scale,
    structural_problem,
)
from nnlab.differences import CheckFailed, Differences

__all__ = ["CheckFailed", "check_close", "check_gradient", "check_shape"]


def check_gradient(
    function: Callable,
    at: Mapping[str, ArrayLike],
    got: Mapping[str, np.ndarray] | np.ndarray,
    *,
    cases: int | None = None,
    weight_decay: float | None = None,
    entries: int = 20,
    step: float = 1e-5,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> None:
    """Compare derivatives with finite differences, and say what may be wrong.

    Some entries of each array are chosen at random, moved a little up and down, and the change
    of the function is measured. Nothing that you pass in is changed.

    Parameters
    ----------
    function : callable
        Takes the arrays of `at` as keyword arguments. Returns a number (a loss), or an array:
        then its derivative is a Jacobian.
    at : mapping of str to array of any shape
        Where to differentiate, for example ``{"W1": W1, "W2": W2}``.
    got : mapping of str to ndarray, float64
        Your derivatives, by the names of `at`; with a single name, the array alone will do. Each
        has the shape of the function's value followed by the shape of its array, so for a loss
        simply the shape of its array.
    cases : int, optional
        Number of cases in the batch, m. It only makes hints better, as does `weight_decay`.
    weight_decay : float, optional
        The factor of the weight-decay term in the function, equation (2).
    entries : int
        How many entries of each array to move.
    step : float
        How far to move them.
    tolerance : float
        Largest relative error allowed. A right gradient is within about 1e-8.
    seed : int
        Chooses the entries.

    Raises
    ------
    CheckFailed
        If a derivative is wrong, or the function returns no finite numbers.

    Examples
    --------
    >>> W = np.array([[1.0, -2.0], [0.5, 3.0]])
    >>> check_gradient(lambda W: np.sum(W**3), {"W": W}, 3 * W**2)  # doctest: +ELLIPSIS
    dE/dW: 4 of 4 entries tried, relative error up to ...
    """
    differences = Differences(
        function, {name: np.array(array, dtype=np.float64) for name, array in at.items()}, step
    )
    if not isinstance(got, Mapping):
        if len(at) > 1 and got is not None:
            raise CheckFailed(
                f"Got a {type(got).__name__}, expected a dict of arrays with the names "
                f"{', '.join(at)}."
            )
        got = dict.fromkeys(at, got)

    random = np.random.default_rng(seed)
    right, wrong = {}, {}
    for name, array in differences.at.items():
        label = _label(differences, name)
        problem = _structural_problem(differences, name, got)
        if problem:
            wrong[label] = f"{label}: {problem}"
            continue
        moved = np.sort(random.choice(array.size, min(entries, array.size), replace=False))
        checked = (np.arange(differences.value.size)[:, None] * array.size + moved).ravel()
        evidence = _evidence(differences, name, got, checked, tolerance)
        if evidence.right.all():
            right[label] = _success(label, evidence, differences)
        else:
            evidence = _more_evidence(
                differences, name, evidence, checked, cases=cases, weight_decay=weight_decay
            )
            wrong[label] = _mismatch(
                label, evidence, checked, differences.shape(name), "finite difference"
            )
    if wrong:
        raise CheckFailed(_summary(right, wrong))
    print("\n".join(right.values()))


def check_close(name: str, got: Any, expected: ArrayLike, tolerance: float = 1e-6) -> None:
    """Compare a number or an array with a known value.

    Parameters
    ----------
    name : str
        What it is called, for the message.
    got : float or ndarray
        Your result.
    expected : float or array
        The known value; the result must have its shape.
    tolerance : float
        Largest relative error allowed.

    Raises
    ------
    CheckFailed
        If the result is not close to the known value.

    Examples
    --------
    >>> check_close("half", 0.5, 1 / 2)
    half: 0.5 as expected.
    """
    expected = np.asarray(expected)
    problem = structural_problem(Structure(got, expected.shape), STRUCTURE + NUMBERS)
    if problem:
        raise CheckFailed(f"{name}: {problem}")
    got = np.asarray(got, dtype=np.float64)
    square = expected.ndim == 2 and len(set(expected.shape)) == 1
    expected = expected.astype(np.float64)
    evidence = Evidence(
        name=name,
        got=got.ravel(),
        expected=expected.ravel(),
        floor=smallest_scale(expected, noise=0.0),
        tolerance=tolerance,
        transposed=expected.T.ravel() if square else np.nan,
    )
    if not evidence.right.all():
        raise CheckFailed(
            _mismatch(name, evidence, np.arange(got.size), expected.shape, "expected")
        )
    what = f"{got:.6g}" if got.ndim == 0 else f"array of shape {got.shape}"
    print(f"{name}: {what} as expected.")


def check_shape(name: str, got: Any, expected_shape: tuple[int, ...]) -> None:
    """Check the shape of an array, whatever is in it.

    Parameters
    ----------
    name : str
        What it is called, for the message.
    got : ndarray
        Your result.
    expected_shape : tuple of int
        The shape that it must have; ``()`` for a number.

    Raises
    ------
    CheckFailed
        If the result is no array or has another shape.

    Examples
    --------
    >>> check_shape("W2", np.zeros((10, 7)), (10, 7))
    W2: shape (10, 7) as expected.
    """
    problem = structural_problem(Structure(got, tuple(expected_shape)), STRUCTURE)
    if problem:
        raise CheckFailed(f"{name}: {problem}")
    print(f"{name}: shape {tuple(expected_shape)} as expected.")


def _label(differences: Differences, name: str) -> str:
    if differences.value.ndim == 0:
        return f"dE/d{name}"
    function = getattr(differences.function, "__name__", "<lambda>")
    return f"d{'f' if function == '<lambda>' else function}/d{name}"


def _structural_problem(differences: Differences, name: str, got: Mapping) -> str | None:
    if name not in got:
        return f"there is no '{name}' in your dict, only {', '.join(map(repr, got)) or 'nothing'}."
    others = {
        _label(differences, other): differences.shape(other)
        for other in differences.at
        if other != name
    }
    structure = Structure(got[name], differences.shape(name), others)
    return structural_problem(structure, STRUCTURE + NUMBERS + DERIVATIVES)


def _evidence(
    differences: Differences, name: str, got: Mapping, checked: np.ndarray, tolerance: float
) -> Evidence:
    expected = differences.derivatives(name, checked)
    return Evidence(
        name=name,
        got=np.asarray(got[name], dtype=np.float64).ravel()[checked],
        expected=expected,
        floor=smallest_scale(expected, noise=differences.noise / tolerance),
        tolerance=tolerance,
    )


def _success(label: str, evidence: Evidence, differences: Differences) -> str:
    entries = prod(differences.shape(evidence.name))
    error = relative_error(evidence.got, evidence.expected, evidence.floor).max(initial=0.0)
    if np.abs(evidence.expected).max(initial=0.0) <= differences.noise:
        verdict = "too near to zero to tell much; check at other values too."
    else:
        verdict = "probably correct."
    return (
        f"{label}: {evidence.got.size} of {entries} entries tried, "
        f"relative error up to {error:.0e}: {verdict}"
    )


def _more_evidence(
    differences: Differences,
    name: str,
    evidence: Evidence,
    checked: np.ndarray,
    *,
    cases: int | None,
    weight_decay: float | None,
) -> Evidence:
    # These differences cost time and are of use only once a derivative is known to be wrong.
    shape, weights = differences.shape(name), differences.at[name]
    transposed = np.nan
    if len(shape) == 2 and shape[0] == shape[1]:
        mirrored = np.ravel_multi_index(np.unravel_index(checked, shape)[::-1], shape)
        transposed = differences.derivatives(name, mirrored)
    return replace(
        evidence,
        decay=(weight_decay or 0.0) * weights.ravel()[checked % weights.size],
        cases=np.nan if cases is None else cases,
        transposed=transposed,
        others={
            _label(differences, other): differences.derivatives(other, checked)
            for other in differences.at
            if other != name and differences.shape(other) == shape
        },
    )


def _mismatch(
    label: str, evidence: Evidence, checked: np.ndarray, shape: tuple[int, ...], source: str
) -> str:
    distance = np.where(evidence.right, -1.0, np.abs(evidence.got - evidence.expected))
    worst = int(np.argmax(distance))
    got, expected = evidence.got[worst] + 0.0, evidence.expected[worst] + 0.0  # no "-0"
    entry = ", ".join(str(index) for index in np.unravel_index(checked[worst], shape))
    where = f"{label}[{entry}]" if entry else label
    # As few digits as show the two to be different.
    texts = ((f"{got:.{digits}g}", f"{expected:.{digits}g}") for digits in (3, 5, 8, 12, 17))
    got_text, expected_text = next(pair for pair in texts if pair[0] != pair[1])
    ratio = f"{got / expected + 0.0:.4g}" if abs(expected) > evidence.floor * 1e-6 else "1"
    ratio = "" if ratio == "1" else f"; ratio {ratio}"  # none, or one that says nothing
    hint = likely_cause(evidence)
    return f"{where}: got {got_text}, {source} {expected_text}{ratio}{': ' + hint if hint else '.'}"


def _summary(right: Mapping[str, str], wrong: Mapping[str, str]) -> str:
    lines = list(wrong.values())[:2]
    more = [f"Also wrong: {', '.join(list(wrong)[2:])}."] if len(wrong) > 2 else []
    if right:
        more.append(f"{', '.join(right)}: probably correct.")
    return "\n".join([*lines, *([" ".join(more)] if more else [])])
