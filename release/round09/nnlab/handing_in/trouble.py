"""The one exception that ends a hand-in; its sentence is for the student."""

MEGABYTE = 10**6


class HandInError(Exception):
    """A hand-in that cannot go on, told in one sentence: what, where, and the remedy."""


def in_words(size: int) -> str:
    """Write a number of bytes in kB or MB.

    Parameters
    ----------
    size : int

    Returns
    -------
    str
    """
    return f"{size / MEGABYTE:.1f} MB" if size >= MEGABYTE / 10 else f"{size / 1000:.0f} kB"
