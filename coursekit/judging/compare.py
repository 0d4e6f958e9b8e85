"""Compare an answer with what is expected, and say what is wrong without showing either."""

import numpy as np

from coursekit.judging.wire import Unsendable

RTOL = 1e-9


class Failure(str):
    """Stands for an answer that never came: the student's call raised, or nothing arrived."""

    __slots__ = ()


@np.errstate(all="ignore")  # answers may be as large as a float can be
def difference(got, expected, *, name, rtol=RTOL, atol=1e-12):
    """Say how an answer differs from the expected value.

    Errors are measured against the largest entry of the expected array, so that entries close to
    zero raise no false alarm. Nothing is broadcast: shapes must be equal.

    Parameters
    ----------
    got : object
        Decoded answer: array, text, list, dict, None, `Unsendable` or `Failure`.
    expected : array_like or list or tuple
        The reference's value; a list or tuple is compared item by item.
    name : str
        What the answer is called in the sentence, e.g. ``"dE/dW1"``; for a list, a name for each
        item separated by ``", "``.
    rtol, atol : float
        Allowed error, relative to the largest expected entry, and absolute.

    Returns
    -------
    str or None
        One sentence, or None if the answer agrees.
    """
    if isinstance(got, Failure):
        return f"No answer: {got}."
    if isinstance(expected, list | tuple):
        return _list_difference(got, expected, name, rtol, atol)
    expected = np.asarray(expected, dtype=np.float64)
    problem = unusable(got, expected.shape, name=name)
    if problem:
        return problem
    got = np.asarray(got, dtype=np.float64)
    scale = np.max(np.abs(expected), initial=0.0)
    error = np.max(np.abs(got - expected), initial=0.0)
    if error <= rtol * scale + atol:
        return None
    return f"{name}: {_pattern(got, expected) or _size(error, scale, rtol)}"


def unusable(got, shape, *, name):
    """Say why an answer is no finite real array of a shape.

    Parameters
    ----------
    got : object
        Decoded answer.
    shape : tuple of int
        The expected shape; ``()`` for a number.
    name : str
        What the answer is called.

    Returns
    -------
    str or None
        One sentence, or None if the answer is such an array.
    """
    if isinstance(got, Failure):
        return f"No answer: {got}."
    if got is None:
        return f"{name} is None: does the function end with a return statement?"
    if not isinstance(got, np.ndarray | int | float | complex):
        kind = got if isinstance(got, Unsendable) else type(got).__name__
        return f"{name} is of type {kind}; expected {_described(shape)}."
    got = np.asarray(got)
    if got.dtype.kind not in "biuf":
        return f"{name} holds {got.dtype} values; expected real numbers."
    if got.shape != shape:
        transposed = " It looks transposed." if got.shape == shape[::-1] != shape else ""
        return f"{name} has shape {got.shape}; expected {_described(shape)}.{transposed}"
    if not np.all(np.isfinite(got)):
        return f"{name} holds NaN or infinity: something overflowed, or 0 was divided by 0."
    return None


def _list_difference(got, expected, name, rtol, atol):
    names = name.split(", ")
    if isinstance(got, np.ndarray) and got.ndim and len(got) == len(expected):
        got = list(got)  # np.array([a, b]) in place of (a, b) is no mistake
    if not isinstance(got, list) or len(got) != len(expected):
        count = f"{len(got)} values" if isinstance(got, list) else "one value"
        return f"Expected {len(expected)} values ({name}), got {'None' if got is None else count}."
    if len(names) != len(expected):
        names = [f"{name}[{index}]" for index in range(len(expected))]
    for item, wanted, item_name in zip(got, expected, names, strict=True):
        problem = difference(item, wanted, name=item_name, rtol=rtol, atol=atol)
        if problem:
            return problem
    return None


def _described(shape):
    return f"an array of shape {shape}" if shape else "a number"


def _pattern(got, expected):
    """Recognise the simple relations a wrong array can have to the right one."""
    if not np.any(got):
        return "all entries are zero."
    if np.allclose(got, -expected, rtol=1e-6):
        return "the sign is the wrong way round."
    if expected.ndim == 2 and got.shape == expected.T.shape and np.allclose(got, expected.T):
        return "the result is transposed."
    large = np.abs(expected) > 1e-3 * np.max(np.abs(expected))
    ratios = got[large] / expected[large]
    is_constant = ratios.size > 1 and np.ptp(ratios) <= 1e-6 * np.abs(ratios[0])
    if is_constant and np.abs(ratios[0] - 1) > 1e-3:  # nearer to 1, it is precision that is missing
        return "all entries are wrong by the same factor: one is missing or one too many."
    return None


def _size(error, scale, rtol):
    relative = error / scale if scale else np.inf
    return f"differs from the reference, relative error {relative:.1g} (allowed {rtol:.0e})."
