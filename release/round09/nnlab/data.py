"""Which images do we learn from? Handwritten digits, one column per case."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

ENVIRONMENT_VARIABLE = "ROUND09_DATA"
CLASSES = 10


class Cases(NamedTuple):
    """Images and what they show, one column per case; unpacks as ``inputs, targets``.

    It is a tuple of two arrays, so ``len`` is 2: ask `count` for the number of cases.

    Attributes
    ----------
    inputs : ndarray of shape (features, m), float64
        Pixel intensities, from 0 (background) to 1 (ink).
    targets : ndarray of shape (10, m), float64
        One-hot: 1 in the row of the digit shown, 0 elsewhere.
    """

    inputs: np.ndarray
    targets: np.ndarray

    @property
    def count(self) -> int:
        """Number of cases, m."""
        return self.targets.shape[1]

    @property
    def labels(self) -> np.ndarray:
        """Digit shown in each case: ndarray of shape (m,), int, 0 to 9."""
        return self.targets.argmax(axis=0)


class Digits(NamedTuple):
    """A data set in three parts, and the shape of its images.

    Attributes
    ----------
    training, validation, test : Cases
        To learn from, to choose settings with, and to look at once, at the end.
    image_shape : tuple of two int
        Height and width in pixels; their product is the number of features.
    """

    training: Cases
    validation: Cases
    test: Cases
    image_shape: tuple[int, int]


def load_digits(path: str | os.PathLike | None = None) -> Digits:
    """Load the handwritten digits of this round.

    Without a file these are scikit-learn's digits, 8 by 8 pixels, in a fixed shuffled order:
    600 training, 600 validation and 597 test cases. With a file, the course's own ``data.mat``.

    Parameters
    ----------
    path : path of a MATLAB file, optional
        Holds a struct ``data`` of ``training``, ``validation`` and ``test``, each with
        ``inputs`` (features, m) and one-hot ``targets`` (10, m). When it is not given, the
        environment variable ``ROUND09_DATA`` may name the file.

    Returns
    -------
    Digits
        Arrays that are yours to change: each call makes new ones.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not what is described above.

    Examples
    --------
    >>> digits = load_digits()
    >>> inputs, targets = digits.training
    >>> inputs.shape, targets.shape, digits.image_shape
    ((64, 600), (10, 600), (8, 8))
    """
    path = path or os.environ.get(ENVIRONMENT_VARIABLE)
    return _from_matlab(Path(path)) if path else _from_scikit_learn()


def _from_scikit_learn() -> Digits:
    import sklearn.datasets  # slow to import, so only when needed

    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(labels))
    inputs = images[order].T / 16.0
    targets = np.eye(CLASSES)[:, labels[order]]
    bounds = ((0, 600), (600, 1200), (1200, 1797))
    parts = (Cases(inputs[:, a:b].copy(), targets[:, a:b].copy()) for a, b in bounds)
    return Digits(*parts, image_shape=(8, 8))


def _from_matlab(path: Path) -> Digits:
    data = _read_struct(path)
    parts = [_cases(path, data, name) for name in ("training", "validation", "test")]
    features = [len(part.inputs) for part in parts]
    side = round(features[0] ** 0.5)
    if features != [side * side] * 3:
        raise ValueError(
            f"{path}: the inputs of training, validation and test have {features} rows; expected "
            "the same square number in each, for example 256 for images of 16 by 16 pixels."
        )
    return Digits(*parts, image_shape=(side, side))


def _read_struct(path: Path) -> np.ndarray:
    import scipy.io  # slow to import, so only when needed

    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: there is no such file; give the path of data.mat, or leave out both path "
            f"and {ENVIRONMENT_VARIABLE} to use scikit-learn's digits."
        )
    try:
        content = scipy.io.loadmat(path, appendmat=False)
    except NotImplementedError:
        raise ValueError(
            f"{path}: this is a MATLAB v7.3 (HDF5) file, which SciPy does not read; save it in "
            "MATLAB with the option '-v7'."
        ) from None
    except Exception as error:  # a damaged file makes SciPy raise nearly anything
        raise ValueError(
            f"{path}: this is not a MATLAB file, or it is damaged ({type(error).__name__}); "
            "download data.mat again."
        ) from None
    if "data" not in content:
        raise ValueError(
            f"{path}: there is no struct 'data' in this file; expected the course's data.mat."
        )
    return content["data"]


def _field(path: Path, struct: np.ndarray, where: str, name: str) -> np.ndarray:
    # SciPy gives a MATLAB struct as an array of shape (1, 1) with named fields.
    if struct.dtype.names is None or struct.shape != (1, 1):
        raise ValueError(f"{path}: '{where}' is not a struct; expected the course's data.mat.")
    if name not in struct.dtype.names:
        raise ValueError(
            f"{path}: '{where}' has no field '{name}', only {', '.join(struct.dtype.names)}; "
            "expected the course's data.mat."
        )
    return struct[name][0, 0]


def _cases(path: Path, data: np.ndarray, part: str) -> Cases:
    struct = _field(path, data, "data", part)
    arrays = []
    for name in Cases._fields:
        values = _field(path, struct, f"data.{part}", name)
        if values.dtype.kind not in "fiub":
            raise ValueError(
                f"{path}: 'data.{part}.{name}' has dtype {values.dtype}; expected real numbers."
            )
        arrays.append(values.astype(np.float64, order="C"))
        if not np.isfinite(arrays[-1]).all():
            raise ValueError(
                f"{path}: 'data.{part}.{name}' holds NaN or infinite numbers; expected finite ones."
            )
    inputs, targets = arrays
    if inputs.ndim != 2 or targets.shape != (CLASSES, inputs.shape[1]) or not inputs.size:
        raise ValueError(
            f"{path}: 'data.{part}' has inputs of shape {inputs.shape} and targets of shape "
            f"{targets.shape}; expected (features, m) and ({CLASSES}, m), one column per case."
        )
    if not (np.isin(targets, (0, 1)).all() and (targets.sum(axis=0) == 1).all()):
        raise ValueError(
            f"{path}: 'data.{part}.targets' is not one-hot; expected a single 1 in each column "
            "and 0 elsewhere."
        )
    return Cases(inputs, targets)
