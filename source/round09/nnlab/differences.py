"""How fast does a function change? Measured by moving one number at a time.

No calculus here: the derivative by a number x is near (f(x + h) - f(x - h)) / (2 h), the
centred difference, with an error of order h squared.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from textwrap import fill

import numpy as np


class CheckFailed(AssertionError):
    """A result is not what it should be; the message says where and what may be the cause."""

    def _render_traceback_(self) -> list[str]:
        # IPython shows these lines in place of a long traceback; a page does not wrap them.
        message = f"{type(self).__name__}: {self}"
        return [fill(line, 88, subsequent_indent="    ") for line in message.splitlines()]


@dataclass(frozen=True)
class Differences:
    """Centred differences of a function at a point.

    Attributes
    ----------
    function : callable
        Takes the arrays of `at` as keyword arguments; returns a number or an array.
    at : mapping of str to ndarray, float64
        The point.
    step : float
        How far a number is moved each way, in its own unit.
    """

    function: Callable
    at: Mapping[str, np.ndarray]
    step: float

    @cached_property
    def value(self) -> np.ndarray:
        """The function's value at the point: ndarray, of shape () for a number."""
        return self._evaluate(self.at)

    @property
    def noise(self) -> float:
        """Size of the rounding error in a difference, generously."""
        largest = float(np.abs(self.value).max(initial=0.0))
        return 50 * np.finfo(np.float64).eps * max(largest, 1.0) / self.step

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of the derivative by the array `name`: that of the value, then the array's."""
        return self.value.shape + self.at[name].shape

    def derivatives(self, name: str, entries: np.ndarray) -> np.ndarray:
        """Differences by the array `name`.

        Parameters
        ----------
        name : str
            Which array of `at` to move.
        entries : ndarray of shape (k,), int
            Flat indices (C order) into the derivative, whose shape is ``shape(name)``.

        Returns
        -------
        ndarray of shape (k,), float64
            The derivative at these entries.

        Raises
        ------
        CheckFailed
            If the function does not return finite numbers of one shape.
        """
        rows, columns = np.divmod(entries, self.at[name].size)
        moved, position = np.unique(columns, return_inverse=True)
        slopes = np.array([self._slope(name, index) for index in moved])
        return slopes[position, rows]

    def _slope(self, name: str, index: int) -> np.ndarray:
        ends, values = [], []
        for step in (self.step, -self.step):
            point = {**self.at, name: self.at[name].copy()}
            point[name].flat[index] += step
            ends.append(point[name].flat[index])
            values.append(self._evaluate(point))
            if values[-1].shape != self.value.shape:
                raise CheckFailed(
                    f"The function returned shape {self.value.shape} first and "
                    f"{values[-1].shape} later: its shape must not depend on the numbers."
                )
        # The distance really gone, which rounding makes differ a little from 2 h.
        return (values[0] - values[1]).ravel() / (ends[0] - ends[1])

    def _evaluate(self, point: Mapping[str, np.ndarray]) -> np.ndarray:
        # Copies, so that a function that writes into its arguments does no harm.
        with np.errstate(all="ignore"):
            value = self.function(**{name: array.copy() for name, array in point.items()})
        if value is None or np.asarray(value).dtype.kind not in "fiu":
            raise CheckFailed(
                f"The function to differentiate returned a value of type {type(value).__name__}; "
                "expected a real number or a NumPy array of them."
            )
        value = np.array(value, dtype=np.float64)
        if not np.isfinite(value).all():
            raise CheckFailed(
                "The function to differentiate returned NaN or infinity, so there is nothing to "
                "compare with: check the function itself first."
            )
        return value
