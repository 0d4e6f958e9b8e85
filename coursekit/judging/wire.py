"""How challenges and answers travel between the judge and the student's process.

A value becomes plain JSON: numbers and arrays as dtype, shape and base64 of their bytes, texts,
lists and dicts of these. Nothing is ever unpickled, and what a student's process sends is bounded
in size, depth and number of items before an array is made of it. The same bounds hold on the way
out, so that a huge answer given by accident never leaves the kernel.

The text of this module also runs inside the student's kernel (see `preprocessors`), so it imports
only the standard library and NumPy.
"""

import base64
import math
import re

import numpy as np

MAX_BYTES = 8 * 2**20
MAX_ITEMS = 10_000
MAX_DEPTH = 6
TYPE_NAME = re.compile(r"[A-Za-z_]{1,40}\d{0,3}")
PLAIN_DTYPES = re.compile(r"[<>|=](b1|[iu][1248]|f[248]|c(8|16))")


class UnreadableError(ValueError):
    """A value that is too large to travel, or a message that `encode` did not write."""


class Unsendable(str):
    """Stands for a value that cannot travel; the text is the name of its type."""

    __slots__ = ()


def encode(value):
    """Turn numbers, arrays, texts, lists and dicts of these into plain JSON.

    Parameters
    ----------
    value : object
        Anything; what is no number, array, text, list, tuple, dict or None is sent as the name
        of its type, so that the judge can say what it got.

    Returns
    -------
    dict
        The message; `decode` reads it.

    Raises
    ------
    UnreadableError
        If the value has more than `MAX_BYTES`, `MAX_ITEMS` or `MAX_DEPTH`.
    """
    return _Writer().write(value, depth=0)


def decode(message):
    """Read a message written by `encode`, trusting nothing in it.

    Parameters
    ----------
    message : dict
        Plain JSON.

    Returns
    -------
    object
        Numbers come back as Python's, tuples as lists; arrays are new, and read-only if they were
        so when they were sent.

    Raises
    ------
    UnreadableError
        If the message has another form, a dtype that is not boolean, integer, real or complex,
        sizes that do not fit, or more than `MAX_BYTES`, `MAX_ITEMS` or `MAX_DEPTH`.
    """
    return _Reader().read(message, depth=0)


class _Bounds:
    """Counts what one message has taken so far."""

    def __init__(self):
        self.bytes_left = MAX_BYTES
        self.items_left = MAX_ITEMS

    def _enter(self, depth):
        if depth > MAX_DEPTH:
            raise UnreadableError("the answer is nested too deeply")
        self.items_left -= 1
        if self.items_left < 0:
            raise UnreadableError(f"the answer has more than {MAX_ITEMS} items")

    def _take(self, count):
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise UnreadableError(f"the answer is larger than {MAX_BYTES // 2**20} MiB")


class _Writer(_Bounds):
    """Writes one message."""

    def write(self, value, depth):
        self._enter(depth)
        if value is None:
            return {"none": True}
        if isinstance(value, str):
            return {"text": self._text(value)}
        if isinstance(value, list | tuple):
            return {"list": [self.write(item, depth + 1) for item in value]}
        if isinstance(value, dict):
            return {
                "dict": {
                    self._text(key): self.write(item, depth + 1) for key, item in value.items()
                }
            }
        array = np.asarray(value)
        if not PLAIN_DTYPES.fullmatch(array.dtype.str):
            return {"other": type(value).__name__}
        self._take(array.nbytes)
        message = {
            "dtype": array.dtype.str,
            "shape": list(array.shape),
            "data": base64.b64encode(array.tobytes()).decode("ascii"),
        }
        return message if array.flags.writeable else {**message, "read-only": True}

    def _text(self, value):
        text = str(value)
        self._take(len(text))
        return text


class _Reader(_Bounds):
    """Reads one message."""

    def read(self, message, depth):
        self._enter(depth)
        if type(message) is not dict:
            raise UnreadableError("the answer has an unknown form")
        keys = set(message)
        if keys == {"none"}:
            return None
        if keys == {"text"}:
            return self._text(message["text"])
        if keys == {"other"}:
            name = self._text(message["other"])
            return Unsendable(name if TYPE_NAME.fullmatch(name) else "unknown")
        if keys == {"list"} and type(message["list"]) is list:
            return [self.read(item, depth + 1) for item in message["list"]]
        if keys == {"dict"} and type(message["dict"]) is dict:
            return {
                self._text(key): self.read(item, depth + 1) for key, item in message["dict"].items()
            }
        if keys - {"read-only"} == {"dtype", "shape", "data"}:
            return self._array(message)
        raise UnreadableError("the answer has an unknown form")

    def _text(self, text):
        if type(text) is not str:
            raise UnreadableError("a text of the answer is no text")
        self._take(len(text))
        return text

    def _array(self, message):
        dtype, shape, data = message["dtype"], message["shape"], message["data"]
        if type(dtype) is not str or not PLAIN_DTYPES.fullmatch(dtype):
            raise UnreadableError("an array of the answer has no plain numeric dtype")
        if type(shape) is not list or len(shape) > MAX_DEPTH:
            raise UnreadableError("an array of the answer has no readable shape")
        if any(type(length) is not int or not 0 <= length <= MAX_BYTES for length in shape):
            raise UnreadableError("an array of the answer has no readable shape")
        size = math.prod(shape) * np.dtype(dtype).itemsize
        self._take(size)
        if type(data) is not str or len(data) != 4 * math.ceil(size / 3):
            raise UnreadableError("an array of the answer does not have the bytes of its shape")
        try:
            raw = base64.b64decode(data, validate=True)
            array = np.frombuffer(raw, dtype).reshape(shape).copy()
        except ValueError:
            raise UnreadableError("an array of the answer cannot be read") from None
        array.flags.writeable = "read-only" not in message
        return array if shape else array.item()
