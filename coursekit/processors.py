"""How many things this process may do at a time."""

import os


def processors() -> int:
    """Count the processors that this process may use, or all where the system does not tell.

    Returns
    -------
    int
    """
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # on macOS and Windows
        return os.cpu_count() or 1
