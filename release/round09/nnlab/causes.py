"""What is probably wrong with an array? Told from its numbers alone.

`STRUCTURE` looks at what kind of thing came back, `CAUSES` at how its entries differ from the
expected ones. Both are tables, tried from the top; the first row that fits gives the words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# An entry under this share of the largest one is compared on the scale of the array.
SMALL_SHARE = 0.01


def relative_error(got: np.ndarray, expected: np.ndarray, floor: float) -> np.ndarray:
    """Return |got - expected| / max(|got|, |expected|, floor), entry by entry.

    Parameters
    ----------
    got, expected : ndarray
        Values to compare, of the same shape.
    floor : float, above 0
        Smallest denominator, so that rounding in tiny entries raises no alarm.

    Returns
    -------
    ndarray
        Relative errors, without unit; NaN where a value is NaN.
    """
    with np.errstate(all="ignore"):
        largest = np.maximum(np.abs(got), np.abs(expected))
        return np.abs(got - expected) / np.maximum(largest, floor)


def smallest_scale(expected: np.ndarray, noise: float) -> float:
    """Return the magnitude below which entries of an array are not told apart from zero.

    Parameters
    ----------
    expected : ndarray
        The right values.
    noise : float, at least 0
        Magnitude under which `expected` itself is uncertain.

    Returns
    -------
    float
        Floor for `relative_error`, above 0.
    """
    largest = float(np.abs(expected).max(initial=0.0))
    return max(SMALL_SHARE * largest, noise) or 1.0


@dataclass(frozen=True)
class Evidence:
    """The entries compared, and what is known about them; arrays have shape (k,).

    Attributes
    ----------
    name : str
        Name of the array, for the words of a hint.
    got, expected : ndarray
        What the student has and what it should be.
    floor, tolerance : float
        As for `relative_error`, and the largest error allowed.
    decay : ndarray or float
        Part of `expected` that comes from weight decay.
    cases : float
        Number of cases in the batch; NaN when unknown.
    transposed : ndarray or float
        What `expected` is at the mirrored entries; NaN when that makes no sense.
    others : mapping of str to ndarray
        What is expected at the same entries of the other arrays of this shape.
    """

    name: str
    got: np.ndarray
    expected: np.ndarray
    floor: float
    tolerance: float
    decay: np.ndarray | float = 0.0
    cases: float = np.nan
    transposed: np.ndarray | float = np.nan
    others: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def bare(self) -> np.ndarray:
        """What is expected without weight decay."""
        return self.expected - self.decay

    @property
    def ratio(self) -> float:
        """The factor that brings `expected` nearest to `got`; NaN if everything is zero."""
        with np.errstate(all="ignore"):
            return float(np.sum(self.got * self.expected) / np.sum(self.expected**2))

    @property
    def right(self) -> np.ndarray:
        """Which entries are right: ndarray of shape (k,), bool."""
        return relative_error(self.got, self.expected, self.floor) <= self.tolerance

    def fits(self, predicted: np.ndarray | float) -> bool:
        """Whether `got` is what a mistake predicts, up to the precision of `expected`."""
        predicted = np.broadcast_to(predicted, self.got.shape)
        largest = float(np.abs(self.expected).max(initial=self.floor))
        growth = max(1.0, float(np.abs(predicted).max(initial=0.0)) / largest)
        error = relative_error(self.got, predicted, self.floor * growth)
        return bool(np.all(error <= self.tolerance))


@dataclass(frozen=True)
class Cause:
    """A mistake: the entries it would give, and the words that name it."""

    predicts: Callable[[Evidence], np.ndarray | float]
    words: str


NO_MEAN = "is the mean over the cases missing? Divide by m."
MEAN_TWICE = "is the mean over the cases taken twice? Divide by m only once."
SIGN = "the sign is opposite: is a difference the wrong way round?"
NO_DECAY = "weight decay is missing: its part is weight_decay times {name}."
DECAY = "weight decay is in it, but {0}: its part is weight_decay times {{name}}."

CAUSES = (
    Cause(lambda e: 0.0, "everything checked is zero: is it ever filled in?"),
    Cause(lambda e: e.bare, NO_DECAY),
    Cause(lambda e: e.bare + 2 * e.decay, DECAY.format("twice too large")),
    Cause(lambda e: e.bare + e.decay / 2, DECAY.format("half of what it should be")),
    Cause(lambda e: e.bare - e.decay, DECAY.format("with the opposite sign")),
    Cause(
        lambda e: e.bare + e.decay / e.cases,
        DECAY.format("divided by m, which belongs to the mean over the cases only"),
    ),
    Cause(lambda e: e.cases * e.bare + e.decay, NO_MEAN),
    Cause(lambda e: e.cases * e.expected, NO_MEAN),
    Cause(lambda e: e.cases * e.bare, f"{NO_MEAN} Also, {NO_DECAY}"),
    Cause(lambda e: e.bare / e.cases + e.decay, MEAN_TWICE),
    Cause(lambda e: e.expected / e.cases, MEAN_TWICE),
    Cause(lambda e: -e.expected, SIGN),
    Cause(lambda e: e.decay - e.bare, f"{SIGN} (The part of weight decay is right.)"),
    Cause(lambda e: -e.bare, f"{SIGN} Also, {NO_DECAY}"),
    Cause(lambda e: e.transposed, "is it transposed? Rows and columns look exchanged."),
    Cause(
        lambda e: e.ratio * e.expected,
        "that ratio is the same in all entries: look for a constant factor.",
    ),
)


def likely_cause(evidence: Evidence) -> str:
    """Say in words what may have made `got` differ from `expected`.

    Parameters
    ----------
    evidence : Evidence
        Entries of which at least one is wrong.

    Returns
    -------
    str
        A hint that ends in a full stop or a question mark; empty if a single number shows no
        more than its ratio does.
    """
    for name, expected in evidence.others.items():
        if evidence.fits(expected):
            return f"these are the values of {name}: are the two swapped?"
    hint = next((cause.words for cause in CAUSES if evidence.fits(cause.predicts(evidence))), None)
    if not np.ptp(evidence.expected) and hint in (None, CAUSES[-1].words):
        return ""  # a ratio to equal numbers shows no more than itself
    if hint is None:
        wrong, checked = int(np.sum(~evidence.right)), evidence.got.size
        hint = f"no simple pattern; {wrong} of {checked} entries checked are wrong."
    return hint.format(name=evidence.name)


@dataclass(frozen=True)
class Structure:
    """What kind of thing came back: the array, if it is one, and the shape it should have."""

    got: Any
    shape: tuple[int, ...]
    shapes_of_others: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def array(self) -> np.ndarray:
        """The thing as an array; a plain number becomes one of shape ()."""
        return np.asarray(self.got)

    @property
    def is_array(self) -> bool:
        """Whether it is an array or, where a number is due, a number."""
        if isinstance(self.got, np.ndarray):
            return not isinstance(self.got, np.matrix)
        return isinstance(self.got, int | float | complex | np.generic)

    @property
    def kind(self) -> str:
        """What it should be, in words."""
        return f"an array of shape {self.shape}" if self.shape else "a single number"

    @property
    def shape_hint(self) -> str:
        """A guess at how the wrong shape came about; empty without one."""
        got = self.array.shape
        guesses = ["transposed"] if got == self.shape[::-1] else []
        guesses += [
            f"swapped with {name}" for name, shape in self.shapes_of_others.items() if shape == got
        ]
        return f" Is it {', or '.join(guesses)}?" if guesses else ""


STRUCTURE = (
    (lambda s: s.got is None, lambda s: "got None: is a `return` missing?"),
    (
        lambda s: not s.is_array,
        lambda s: f"got a {type(s.got).__name__}, expected {s.kind}.",
    ),
    (
        lambda s: s.array.shape != s.shape,
        lambda s: f"got shape {s.array.shape}, expected {s.kind}.{s.shape_hint}",
    ),
)

NUMBERS = (
    (
        lambda s: s.array.dtype.kind not in "fiu",
        lambda s: f"got dtype {s.array.dtype}, expected real numbers (float64).",
    ),
    (
        lambda s: not np.isfinite(s.array).all(),
        lambda s: (
            f"{np.sum(~np.isfinite(s.array))} of {s.array.size} numbers NaN or infinite: "
            "look for an overflow, a division by zero or the logarithm of zero."
        ),
    ),
)

DERIVATIVES = (
    (
        lambda s: s.array.dtype.kind in "iu",
        lambda s: f"got dtype {s.array.dtype}, which cuts off decimals; expected float64.",
    ),
    (
        lambda s: s.array.dtype.itemsize < 8,
        lambda s: f"got dtype {s.array.dtype}, whose precision is too low; compute in float64.",
    ),
)


def structural_problem(structure: Structure, table: tuple) -> str | None:
    """Return the words of the first row of a table whose test holds, or None.

    Parameters
    ----------
    structure : Structure
        What came back.
    table : tuple of (test, words) pairs
        `STRUCTURE`, possibly followed by `NUMBERS` and `DERIVATIVES`.

    Returns
    -------
    str or None
        A sentence, or None if no row fits.
    """
    return next((words(structure) for test, words in table if test(structure)), None)
